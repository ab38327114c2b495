import Deployments
import Logging
import Manifests
import Reconciliation
import Rollouts
import Synchronization
import Testing

/// A receiver in memory.
final class InMemoryNotifier: Notifier, AlertReceiver {
    struct State {
        /// Notices of each message that was taken.
        var messages: [[Notice]] = []
        /// What each call is refused with, as long as it is there.
        var refusal: NotificationError?
        var calls = 0
        var hangs = false
        /// What was shown last of each condition.
        var alerts: [Alert.Condition: ShownAlert] = [:]
    }

    let name: String
    let wantsGroups: Bool
    let state = Mutex(State())

    init(_ name: String = "chat", wantsGroups: Bool = false) {
        self.name = name
        self.wantsGroups = wantsGroups
    }

    var kinds: [String] { self.state.withLock { $0.messages.flatMap { $0 } }.map(\.kind) }

    private func begin() async throws(NotificationError) {
        let (refusal, hangs) = self.state.withLock { state in
            state.calls += 1
            return (state.refusal, state.hangs)
        }
        while hangs, self.state.withLock({ $0.hangs }), !Task.isCancelled {
            // Cancelled means that the test is over.
            try? await Task.sleep(for: .milliseconds(5))
        }
        if let refusal { throw refusal }
    }

    func send(_ message: NoticeMessage) async throws(NotificationError) -> String {
        try await self.begin()
        self.state.withLock { $0.messages.append(message.notices) }
        return "ok"
    }

    func show(_ alerts: [ShownAlert]) async throws(NotificationError) -> String {
        try await self.begin()
        self.state.withLock { state in
            for alert in alerts { state.alerts[alert.alert.condition] = alert }
        }
        return "200"
    }
}

@Suite("What receivers are told", .timeLimit(.minutes(5)))
struct NotificationTests {
    private static let id = ReconcilerTests.id
    private static let down = NotificationError(code: .unreachable, message: "no answer", recovery: .retry)
    private static let gone = NotificationError(code: .refused, message: "404: no_service", recovery: .needsOperator)

    private static func run(
        _ world: InMemoryWorld,
        _ notifiers: [InMemoryNotifier],
        alerts: [InMemoryNotifier] = [],
        routes: [NoticeRoutes.Route]? = nil,
        _ body: @Sendable @escaping (Reconciler) async throws -> Void
    ) async throws {
        let all = [NoticeRoutes.Route(receivers: (notifiers + alerts).map(\.name), groupWait: .zero)]
        let receivers = Receivers(notifiers: notifiers, alerts: alerts, routes: NoticeRoutes(routes ?? all))
        let reconciler = ReconcilerTests.reconciler(on: world, receivers: receivers)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try? await reconciler.run() }  // cancelled at the end, which it reports as an error
            group.addTask { try await body(reconciler) }
            _ = try await group.next()
            group.cancelAll()
        }
    }

    /// The first revision serves, and the second is taken back by hand.
    private static func rollBack(_ reconciler: Reconciler, _ world: InMemoryWorld) async throws {
        try await ReconcilerTests.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
        ReconcilerTests.push("2", to: world)
        try await ReconcilerTests.wait(reconciler) { if case .stepping(_, .some) = $0.phase { true } else { false } }
        _ = await reconciler.submit(Command(.rollback(to: nil), by: "sre"), for: Self.id)
        try await ReconcilerTests.wait(reconciler) { $0.phase == .settled && !$0.quarantine.isEmpty }
    }

    private static func settle(_ world: InMemoryWorld) async throws {
        while world.state.withLock({ !$0.contents.outbox.isEmpty }) { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test
    func `a rollout is told from its start to its end, each event once and with its model and commit`() async throws {
        let (world, chat) = (InMemoryWorld(), InMemoryNotifier())
        ReconcilerTests.push("1", to: world)
        try await Self.run(world, [chat]) { reconciler in
            try await Self.rollBack(reconciler, world)
            try await Self.settle(world)
            let state = try #require(reconciler.current.receivers.first)
            #expect(state.delivered == chat.kinds.count && state.waiting == 0 && state.problem == nil)
        }
        let kinds = chat.kinds
        for kind in ["promoted", "rollout-started", "step-started", "rolling-back", "rolled-back"] {
            #expect(kinds.contains(kind), "\(kind)")
        }
        let notices = chat.state.withLock { $0.messages.flatMap { $0 } }
        #expect(Set(notices.map(\.id)).count == notices.count)
        let last = try #require(notices.last { $0.kind == "rolled-back" })
        #expect(last.model?.name == "m" && last.model?.version == "2")
        #expect(last.commit?.commit.hasPrefix("222") == true)
        #expect(last.severity == .warning, "somebody asked for it")
        #expect(last.by == "sre")
    }

    @Test
    func `a receiver that hangs delays neither notes nor others nor decisions`() async throws {
        let (world, chat, mail) = (InMemoryWorld(), InMemoryNotifier(), InMemoryNotifier("mail"))
        chat.state.withLock { $0.hangs = true }
        ReconcilerTests.push("1", to: world)
        try await Self.run(world, [chat, mail]) { reconciler in
            try await Self.rollBack(reconciler, world)
            while !mail.kinds.contains("rolled-back") || world.state.withLock({ $0.notes.count < 2 }) {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(chat.kinds.isEmpty)
            chat.state.withLock { $0.hangs = false }
            try await Self.settle(world)
        }
        #expect(chat.kinds.sorted() == mail.kinds.sorted())
    }

    @Test
    func `what a receiver did not take is told after a restart, under the same ids`() async throws {
        let (world, chat) = (InMemoryWorld(), InMemoryNotifier())
        chat.state.withLock { $0.refusal = Self.down }
        ReconcilerTests.push("1", to: world)
        try await Self.run(world, [chat]) { reconciler in
            try await Self.rollBack(reconciler, world)
            while reconciler.current.receivers.first?.problem != "no answer" {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        let waiting = world.state.withLock { $0.contents.outbox.compactMap(\.notice) }
        #expect(waiting.contains { $0.kind == "rolled-back" })
        chat.state.withLock { $0.refusal = nil }
        try await Self.run(world, [chat]) { _ in try await Self.settle(world) }
        let told = chat.state.withLock { $0.messages.flatMap { $0 } }
        #expect(Set(told) == Set(waiting))
        #expect(told.count == waiting.count)
    }

    @Test
    func `what is refused for good is given up and counted, and the next is told`() async throws {
        let (world, chat) = (InMemoryWorld(), InMemoryNotifier())
        chat.state.withLock { $0.refusal = Self.gone }
        ReconcilerTests.push("1", to: world)
        try await Self.run(world, [chat]) { reconciler in
            try await ReconcilerTests.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
            try await Self.settle(world)
            let refused = try #require(reconciler.current.receivers.first)
            #expect(refused.refused > 0 && refused.delivered == 0 && refused.problem == "404: no_service")
            chat.state.withLock { $0.refusal = nil }
            ReconcilerTests.push("2", to: world)
            try await ReconcilerTests.wait(reconciler) { if case .stepping = $0.phase { true } else { false } }
            try await Self.settle(world)
            let told = try #require(reconciler.current.receivers.first)
            #expect(told.delivered > 0 && told.problem == nil && told.refused == refused.refused)
        }
    }

    @Test
    func `who is not configured any more holds up nothing`() async throws {
        let (world, chat) = (InMemoryWorld(), InMemoryNotifier())
        chat.state.withLock { $0.refusal = Self.down }
        ReconcilerTests.push("1", to: world)
        try await Self.run(world, [chat]) { reconciler in
            try await ReconcilerTests.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
        }
        #expect(world.state.withLock { $0.contents.outbox.contains { $0.receiver == "chat" } })
        try await Self.run(world, []) { _ in try await Self.settle(world) }
    }

    @Test
    func `alerts say what is the case, end when it does, and are shown anew after a restart`() async throws {
        let (world, pager) = (InMemoryWorld(), InMemoryNotifier("pager"))
        ReconcilerTests.push("1", to: world)
        for _ in 0..<2 {
            try await Self.run(world, [], alerts: [pager]) { reconciler in
                try await ReconcilerTests.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
                if reconciler.current.deployments[Self.id]?.rollout.quarantine.isEmpty ?? true {
                    try await Self.rollBack(reconciler, world)
                }
                while pager.state.withLock({ $0.alerts[.rolledBack] == nil }) {
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
            let shown = try #require(pager.state.withLock { $0.alerts.removeValue(forKey: .rolledBack) })
            #expect(shown.ends > InMemoryWorld.now())
            #expect(shown.alert.deployment == Self.id && shown.alert.severity == .critical)
        }
        try await Self.run(world, [], alerts: [pager]) { reconciler in
            while pager.state.withLock({ $0.alerts[.rolledBack] == nil }) {
                try await Task.sleep(for: .milliseconds(5))
            }
            ReconcilerTests.push("3", to: world)
            while pager.state.withLock({ $0.alerts[.rolledBack].map { $0.ends > InMemoryWorld.now() } ?? true }) {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    @Test
    func `a test is sent at once and once, and its answer or refusal told`() async throws {
        let (world, chat, pager) = (InMemoryWorld(), InMemoryNotifier(), InMemoryNotifier("pager"))
        ReconcilerTests.push("1", to: world)
        try await Self.run(world, [chat], alerts: [pager], routes: []) { reconciler in
            let done = await reconciler.test(receiver: "chat", by: "sre")
            #expect(done.isAccepted && done.message == "chat answered: ok")
            let shown = await reconciler.test(receiver: "pager", by: "sre")
            #expect(shown.isAccepted && shown.message.contains("ends by itself"))
            chat.state.withLock { $0.refusal = Self.gone }
            let refused = await reconciler.test(receiver: "chat", by: "sre")
            #expect(!refused.isAccepted && refused.message == "404: no_service")
            let unknown = await reconciler.test(receiver: "char", by: "sre")
            #expect(unknown.message == "there is no receiver char: there are chat, pager")
        }
        #expect(chat.kinds == ["test"])
        #expect(chat.state.withLock { $0.calls } == 2)
    }
}
