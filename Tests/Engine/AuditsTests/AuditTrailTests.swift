import Audits
import Deployments
import Logging
import ServiceLifecycle
import Synchronization
import Testing

/// A disk that takes entries, refuses them, or does not answer.
final class TestStore: AuditStore {
    struct State {
        var entries: [AuditEntry] = []
        var isFull = false
        /// Until the test ends.
        var hangs = false
    }

    let state = Mutex(State())

    var entries: [AuditEntry] { self.state.withLock { $0.entries } }

    func append(_ entries: [LateDraft]) async throws(AuditError) -> AuditPlace {
        while self.state.withLock({ $0.hangs }) {
            do { try await Task.sleep(for: .milliseconds(5)) } catch { break }
        }
        let head = self.state.withLock { state -> AuditPlace? in
            if state.isFull { return nil }
            for late in entries {
                let head = state.entries.last?.place ?? .beginning
                state.entries.append(AuditEntry(late.draft, after: head, written: late.written))
            }
            return state.entries.last?.place ?? .beginning
        }
        guard let head else { throw AuditError(code: .diskFull, message: "the disk is full") }
        return head
    }

    func entries(_ query: AuditQuery) async throws(AuditError) -> [AuditEntry] { self.entries }

    func check(_ part: AuditPart) async throws(AuditError) -> AuditProgress {
        AuditProgress(AuditCheck(), front: nil, isComplete: true, finding: nil)
    }

    func head() async throws(AuditError) -> AuditPlace { self.entries.last?.place ?? .beginning }

    func prune(at now: Timestamp) async throws(AuditError) -> Int { 0 }
}

@Suite(.timeLimit(.minutes(5)))
struct AuditTrailTests {
    static let time = Timestamp(milliseconds: 1_790_000_000_000)
    /// Long after every test.
    static let never: Duration = .hours(1)

    static func draft(_ action: String) -> AuditDraft {
        AuditDraft(time: Self.time, caller: AuditCaller(name: "root", way: "socket"), action: action)
    }

    /// Runs a trail while `body` does, and ends it as the controller does.
    static func run(
        _ store: TestStore,
        limit: Int = 100,
        retry: Duration = .milliseconds(20),
        now: @escaping @Sendable () -> Timestamp = { Self.time + .milliseconds(500) },
        _ body: (AuditTrail) async throws -> Void
    ) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let trail = AuditTrail(store: store, logger: logger, retry: retry, limit: limit, now: now)
        let group = ServiceGroup(services: [trail], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                try await body(trail)
            } catch {
                store.state.withLock { $0.hangs = false }
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    static func wait(_ condition: () -> Bool) async throws {
        while !condition() { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test
    func `entries are written in their order, each after the one before`() async throws {
        let store = TestStore()
        try await Self.run(store) { trail in
            for action in ["pause", "resume", "abort"] {
                #expect(await trail.write([Self.draft(action)], atMost: Self.never) == .written)
            }
            #expect(trail.account.written == 3)
            #expect(trail.account.head == store.entries.last?.place)
        }
        var check = AuditCheck()
        for entry in store.entries { #expect(check.take(entry) == nil) }
        #expect(store.entries.map(\.action) == ["pause", "resume", "abort"])
        #expect(store.entries.allSatisfy { $0.written == nil })
    }

    @Test
    func `what a full disk refuses is kept, and written later with a mark that says so`() async throws {
        let store = TestStore()
        try await Self.run(store) { trail in
            store.state.withLock { $0.isFull = true }
            #expect(await trail.write([Self.draft("rollback")], atMost: Self.never) == .kept)
            #expect(trail.account.unwritten == 1)
            #expect(trail.account.problem == "the disk is full")
            store.state.withLock { $0.isFull = false }
            try await Self.wait { trail.account.unwritten == 0 }
            #expect(trail.account.problem == nil)
            #expect(await trail.write([Self.draft("resume")], atMost: Self.never) == .written)
        }
        #expect(store.entries.map(\.action) == ["rollback", "resume"])
        #expect(store.entries[0].time == Self.time.milliseconds)
        #expect(store.entries[0].written == (Self.time + .milliseconds(500)).milliseconds)
        #expect(store.entries[1].written == nil)
    }

    @Test
    func `a disk that does not answer keeps nobody waiting for longer than they have patience`() async throws {
        let store = TestStore()
        let clock = Mutex(Self.time)
        try await Self.run(store, now: { clock.withLock { $0 } }) { trail in
            store.state.withLock { $0.hangs = true }
            #expect(await trail.write([Self.draft("rollback")], atMost: .milliseconds(10)) == .kept)
            #expect(await trail.write([Self.draft("abort")], atMost: .milliseconds(10)) == .kept)
            clock.withLock { $0 = Self.time + .seconds(7) }
            store.state.withLock { $0.hangs = false }
            try await Self.wait { trail.account.unwritten == 0 }
        }
        #expect(store.entries.map(\.action) == ["rollback", "abort"])
        #expect(store.entries[1].written == (Self.time + .seconds(7)).milliseconds)
    }

    @Test
    func `what memory does not hold, either, is counted, and the count is written`() async throws {
        let store = TestStore()
        try await Self.run(store, limit: 3) { trail in
            store.state.withLock { $0.isFull = true }
            for number in 1...3 {
                #expect(await trail.write([Self.draft("pause-\(number)")], atMost: Self.never) == .kept)
            }
            #expect(await trail.write([Self.draft("a"), Self.draft("b")], atMost: Self.never) == .lost)
            trail.note([Self.draft("c")])
            #expect(trail.account.lost == 3)
            #expect(trail.account.unwritten == 3)
            store.state.withLock { $0.isFull = false }
            try await Self.wait { trail.account.written == 4 }
        }
        #expect(store.entries.map(\.action) == ["pause-1", "pause-2", "pause-3", "audit-gap"])
        #expect(AuditFields(text: store.entries[3].parameters).values["lost"] == "3")
        #expect(store.entries[3].way == "controller")
    }

    @Test
    func `what waits is written before the controller ends`() async throws {
        let store = TestStore()
        try await Self.run(store, retry: Self.never) { trail in
            store.state.withLock { $0.isFull = true }
            #expect(await trail.write([Self.draft("rollback")], atMost: Self.never) == .kept)
            store.state.withLock { $0.isFull = false }
        }
        #expect(store.entries.map(\.action) == ["rollback"])
    }

    @Test
    func `a place is written as a number and a hash, and read again`() {
        let place = AuditEntry(Self.draft("pause"), after: AuditPlace(number: 40, hash: "x")).place
        #expect(AuditPlace(place.description) == place)
        for text in [
            "", "41", "41:", "x:\(place.hash)", "-1:\(place.hash)", "41:\(place.hash)0",
            "41:\(place.hash.uppercased())",
        ] {
            #expect(AuditPlace(text) == nil, "\(text)")
        }
    }

    @Test
    func `the hash is the one that the reference describes`() {
        let entry = AuditEntry(Self.draft("pause"), after: .beginning)
        // Made by hand in Python from docs/decisions/0052-audit.md.
        #expect(entry.hash == "50ff8ea078f34aced7dddbb821ff7ad63423c12cca1db92186476d64b54a7d1c")
    }
}
