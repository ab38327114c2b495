import Deployments
import Rollouts
import Testing

@testable import Reconciliation

@Suite("The queue of a receiver")
struct NoticeQueueTests {
    private static let start = ContinuousClock.now
    private static let time = Timestamp(milliseconds: 1_000_000_000)
    private static let down = NotificationError(code: .unreachable, message: "no answer", recovery: .retry)

    private static func item(
        _ name: String,
        _ kind: Transition.Kind = .rolledBack,
        commit: String = "a",
        after seconds: Int = 0
    ) -> OutboxItem {
        let notice = Notice(
            id: "\(name)/\(kind)/\(seconds)",
            kind: kind.rawValue,
            severity: Notice.Severity(of: kind),
            time: Self.time + .seconds(seconds),
            deployment: DeploymentID(namespace: "search", name: name),
            message: "m",
            commit: CommitReference(repository: "models", branch: "main", commit: commit)
        )
        let routes = NoticeRoutes([NoticeRoutes.Route(receivers: ["chat"])])
        return OutboxItem.all(of: notice, by: routes)[0]
    }

    private static func queue(isGrouping: Bool = true) -> NoticeQueue {
        NoticeQueue("chat", isGrouping: isGrouping, routes: NoticeRoutes([NoticeRoutes.Route(receivers: ["chat"])]))
    }

    @Test
    func `what happens by one commit within the wait is one message, and another commit's is another`() throws {
        let queue = Self.queue()
        for name in ["a", "b", "c"] { #expect(queue.post(Self.item(name), at: Self.start).isEmpty) }
        _ = queue.post(Self.item("a", commit: "b"), at: Self.start + .seconds(1))
        #expect(queue.next(at: Self.start + .seconds(9), time: Self.time).message == nil)
        #expect(queue.rest(at: Self.start + .seconds(9)) == .seconds(1))
        let first = try #require(queue.next(at: Self.start + .seconds(10), time: Self.time).message)
        #expect(first.items.map(\.key) == ["search/a", "search/b", "search/c"])
        // What comes while it is on its way is told later.
        _ = queue.post(Self.item("d"), at: Self.start + .seconds(10))
        queue.finish(first, at: Self.time)
        let second = try #require(queue.next(at: Self.start + .seconds(11), time: Self.time).message)
        #expect(second.items.map(\.commit) == ["b"])
        queue.finish(second, at: Self.time)
        let third = try #require(queue.next(at: Self.start + .seconds(20), time: Self.time).message)
        #expect(third.items.map(\.key) == ["search/d"])
        queue.finish(third, at: Self.time)
        #expect(queue.account.delivered == 5 && queue.account.waiting == 0)
    }

    @Test
    func `who wants each event by itself gets it at once`() throws {
        let queue = Self.queue(isGrouping: false)
        for name in ["a", "b"] { _ = queue.post(Self.item(name), at: Self.start) }
        let message = try #require(queue.next(at: Self.start, time: Self.time).message)
        #expect(message.items.count == 1)
    }

    @Test
    func `waits double, what the receiver asks for counts, and a message that was tried stays what it is`() throws {
        let queue = Self.queue()
        _ = queue.post(Self.item("a"), at: Self.start)
        var now = Self.start + .seconds(10)
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            let message = try #require(queue.next(at: now, time: Self.time).message)
            #expect(message.items.count == 1)
            queue.postpone(because: Self.down, factor: 1, at: now, time: Self.time)
            // Of the same group, and a message of its own.
            if wait == 1 { _ = queue.post(Self.item("b"), at: now) }
            let rest = queue.rest(at: now)
            #expect(rest == .seconds(wait))
            #expect(queue.next(at: now + rest - .milliseconds(1), time: Self.time).message == nil)
            now = now + rest
        }
        #expect(queue.account.problem == "no answer" && queue.account.waiting == 2)
        _ = try #require(queue.next(at: now, time: Self.time).message)
        let asking = NotificationError(code: .unreachable, message: "429", recovery: .wait(.seconds(900)))
        queue.postpone(because: asking, factor: 1, at: now, time: Self.time)
        #expect(queue.rest(at: now) == .seconds(900))
        now = now + .seconds(900)
        _ = try #require(queue.next(at: now, time: Self.time).message)
        let forEver = NotificationError(code: .unreachable, message: "429", recovery: .wait(.hours(1000)))
        queue.postpone(because: forEver, factor: 1, at: now, time: Self.time)
        #expect(queue.rest(at: now) == NoticeQueue.longestAskedWait)
    }

    @Test
    func `of too many the oldest of least severity are left out, and the receiver is told how many`() throws {
        let queue = Self.queue(isGrouping: false)
        var dropped: [OutboxItem] = []
        for number in 0..<NoticeQueue.limit + 20 {
            let kind: Transition.Kind = number < 10 ? .rolledBack : number < 500 ? .promoted : .inconclusive
            dropped += queue.post(Self.item("a", kind, after: number), at: Self.start)
        }
        #expect(dropped.map(\.id) == (10..<30).map { Self.item("a", .promoted, after: $0).id })
        #expect(queue.account.waiting == NoticeQueue.limit && queue.account.leftOut == 20)
        let message = try #require(queue.next(at: Self.start, time: Self.time).message)
        #expect(message.leftOut == 20)
        // What is on its way is not dropped, and what is dropped meanwhile is told with the next.
        _ = queue.post(Self.item("b", .rolledBack, after: 5000), at: Self.start)
        queue.finish(message, at: Self.time)
        let next = try #require(queue.next(at: Self.start, time: Self.time).message)
        #expect(next.leftOut == 1)
        #expect(message.items[0].id == Self.item("a", .rolledBack, after: 0).id)
    }

    @Test
    func `what is older than three days is left out`() throws {
        let queue = Self.queue(isGrouping: false)
        _ = queue.post(Self.item("old"), at: Self.start)
        _ = queue.post(Self.item("new", after: 3600), at: Self.start)
        let (message, dropped) = queue.next(at: Self.start, time: Self.time + NoticeQueue.maxAge + .seconds(1))
        #expect(dropped.map(\.key) == ["search/old"])
        #expect(message?.items.map(\.key) == ["search/new"] && message?.leftOut == 1)
    }

    @Test
    func `what was posted twice is told once`() throws {
        let queue = Self.queue()
        for _ in 0..<2 { _ = queue.post(Self.item("a"), at: Self.start) }
        #expect(queue.account.waiting == 1)
    }

    // MARK: - Routes

    private static func names(_ routes: [NoticeRoutes.Route], _ notice: Notice) -> [String] {
        NoticeRoutes(routes).receivers(of: NoticeRoutes.Subject(notice)).map(\.name)
    }

    @Test
    func `the first route that matches counts, and those after it when it continues`() throws {
        var notice = try #require(Self.item("a").notice)
        notice.labels = ["tier": "critical", "team": "search"]
        let route = NoticeRoutes.Route.self
        #expect(Self.names([route.init(receivers: ["a"]), route.init(receivers: ["b"])], notice) == ["a"])
        #expect(
            Self.names(
                [route.init(receivers: ["a"], continues: true), route.init(receivers: ["b", "a"])],
                notice
            ) == ["a", "b"]
        )
        #expect(Self.names([route.init(namespaces: ["lab"], receivers: ["a"])], notice) == [])
        #expect(Self.names([route.init(namespaces: ["lab", "sea*"], receivers: ["a"])], notice) == ["a"])
        #expect(Self.names([route.init(namespaces: ["searc"], receivers: ["a"])], notice) == [])
        #expect(Self.names([route.init(labels: ["tier": "critical"], receivers: ["a"])], notice) == ["a"])
        #expect(Self.names([route.init(labels: ["tier": "critical", "x": "y"], receivers: ["a"])], notice) == [])
        #expect(Self.names([route.init(severities: [.critical], receivers: ["a"])], notice) == ["a"])
        #expect(Self.names([route.init(severities: [.info, .warning], receivers: ["a"])], notice) == [])
        #expect(Self.names([route.init(events: ["rolled-back"], receivers: ["a"])], notice) == ["a"])
        #expect(Self.names([route.init(events: ["retrain"], receivers: ["a"])], notice) == [])
    }

    @Test
    func `each kind has a severity, and what a person did is no alarm`() {
        let severities = Dictionary(grouping: Transition.Kind.allCases) { Notice.Severity(of: $0) }
        #expect(Set(severities[.critical] ?? []) == [.rollingBack, .rolledBack])
        #expect(Set(severities[.warning] ?? []) == [.inconclusive, .removing])
        #expect(Notice.Severity(of: .rolledBack, by: "sre") == .warning)
    }

    // MARK: - Alerts

    private static func alert(_ condition: Alert.Condition, since seconds: Int) -> Alert {
        Alert(condition, .warning, summary: "s", since: Self.time + .seconds(seconds))
    }

    @Test
    func `an alert is shown again before it would end, and once more when it has ended`() {
        var book = AlertBook(patience: .seconds(30))
        let at = { (seconds: Int) in Self.time + .seconds(seconds) }
        book.update([Self.alert(.journal, since: 0)], at: at(0))
        let first = book.due(at: at(0))
        #expect(first.map(\.ends) == [at(0) + AlertBook.life])
        book.note(first, at: at(0))
        book.update([Self.alert(.journal, since: 59)], at: at(59))
        #expect(book.due(at: at(59)).isEmpty)
        let second = book.due(at: at(60))
        #expect(second.map(\.alert.since) == [at(0)], "it lasts since it was first seen")
        book.note(second, at: at(60))
        book.update([], at: at(70))
        #expect(book.due(at: at(75)).map(\.ends) == [at(70)])
        // Until it was taken.
        let last = book.due(at: at(80))
        book.note(last, at: at(80))
        #expect(book.due(at: at(90)).isEmpty && book.count == 0)
    }

    @Test
    func `what comes and goes is not shown before it has lasted`() {
        var book = AlertBook(patience: .seconds(30))
        let at = { (seconds: Int) in Self.time + .seconds(seconds) }
        book.update([Self.alert(.degraded, since: 0)], at: at(0))
        #expect(book.due(at: at(29)).isEmpty)
        book.update([], at: at(29))
        book.update([Self.alert(.degraded, since: 31)], at: at(31))
        #expect(book.due(at: at(60)).isEmpty, "it began anew")
        #expect(book.due(at: at(61)).count == 1)
    }

    @Test
    func `an old journal's items are read, and a notice comes back as it was`() throws {
        let item = Self.item("a")
        let bytes = try JSONRoundTrip.encode(item)
        #expect(try JSONRoundTrip.decode(OutboxItem.self, bytes) == item)
        let old = #"{"id": "1", "repository": "models", "commit": "c", "key": "k", "note": "{}"}"#
        #expect(try JSONRoundTrip.decode(OutboxItem.self, Array(old.utf8)).notice == nil)
    }
}
