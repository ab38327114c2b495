import Deployments
import Logging
import Manifests
import Reconciliation
import Rollouts
import Synchronization
import Testing

/// Freezes that operators ask for, in the engine.
@Suite("Freezes of operators", .timeLimit(.minutes(5)))
struct OperatorFreezeTests {
    /// A journal's freezes in memory.
    final class Store: FreezeStore {
        let book = Mutex(FreezeBook())
        let fails = Mutex(false)

        func freezes() async throws(JournalError) -> FreezeBook { self.book.withLock { $0 } }

        func keep(_ book: FreezeBook) async throws(JournalError) {
            if self.fails.withLock({ $0 }) { throw JournalError(code: .diskFull, message: "the disk is full") }
            self.book.withLock { $0 = book }
        }
    }

    static func run(
        _ world: InMemoryWorld,
        _ store: Store,
        _ body: @Sendable @escaping (Reconciler) async throws -> Void
    ) async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let source = Reconciler.Source(
            port: world,
            branch: "main",
            interval: .milliseconds(20),
            deletion: .init(),
            writesNotes: false
        )
        let reconciler = Reconciler(
            ports: Reconciler.Ports(
                sources: [source],
                platform: world,
                router: world,
                artifacts: world,
                providers: [],
                journal: world,
                freezes: store,
                platformChanges: AsyncStream { $0.finish() },
                now: { InMemoryWorld.now() }
            ),
            settings: Reconciler.Settings(poll: .milliseconds(20), reader: ManifestReader()),
            logger: logger
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try? await reconciler.run() }  // cancelled at the end, which it reports as an error
            group.addTask { try await body(reconciler) }
            _ = try await group.next()
            group.cancelAll()
        }
    }

    static func freeze(
        namespace: String? = nil,
        labels: [String: String] = [:],
        for duration: Duration = .hours(2)
    ) -> OperatorFreeze {
        let now = InMemoryWorld.now()
        return OperatorFreeze(
            namespace: namespace,
            labels: labels,
            by: "alice",
            why: "incident 4711",
            since: now,
            until: now + duration
        )
    }

    private static func polls(_ world: InMemoryWorld, _ count: Int) async throws {
        let before = world.state.withLock { $0.polls }
        while world.state.withLock({ $0.polls }) < before + count { try await Task.sleep(for: .milliseconds(5)) }
    }

    private static func wait(_ reconciler: Reconciler, _ condition: (Rollout) -> Bool) async throws {
        try await ReconcilerTests.wait(reconciler, condition)
    }

    @Test
    func `a frozen fleet takes up nothing new, and goes on when it is unfrozen`() async throws {
        let (world, store) = (InMemoryWorld(), Store())
        ReconcilerTests.push("1", to: world)
        try await Self.run(world, store) { reconciler in
            try await Self.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
            let receipt = await reconciler.submit(.begin(Self.freeze()))
            #expect(receipt.answer.isAccepted, "\(receipt.answer)")
            #expect(receipt.freeze?.number == 1)
            #expect(reconciler.current.freezes.map(\.number) == [1])
            ReconcilerTests.push("2", to: world)
            try await Self.wait(reconciler) { rollout in
                rollout.holds.contains {
                    if case .frozen(let name, _) = $0 { name == "1 by alice (incident 4711)" } else { false }
                }
            }
            try await Self.polls(world, 5)
            let rollout = reconciler.current.deployments[ReconcilerTests.id]?.rollout
            #expect(rollout?.phase == .settled)
            #expect(rollout?.waiting?.model.version == "2")
            let end = await reconciler.submit(.end(1, by: "bob"))
            #expect(end.answer.isChanged)
            #expect(reconciler.current.freezes.isEmpty)
            try await Self.wait(reconciler) { $0.isInFlight }
            #expect(await reconciler.submit(.end(1, by: "bob")).answer == .unchanged("freeze 1 has ended already"))
            #expect(!(await reconciler.submit(.end(9, by: "bob")).answer.isAccepted))
        }
    }

    @Test
    func `a freeze covers what git brings later, and not what it does not select`() async throws {
        let (world, store) = (InMemoryWorld(), Store())
        store.book.withLock { $0 = FreezeBook() }
        try await Self.run(world, store) { reconciler in
            _ = await reconciler.submit(.begin(Self.freeze(namespace: "elsewhere")))
            _ = await reconciler.submit(.begin(Self.freeze(labels: ["team": "search"])))
            ReconcilerTests.push("1", to: world)
            try await Self.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
        }
        let later = InMemoryWorld()
        try await Self.run(later, Store()) { reconciler in
            _ = await reconciler.submit(.begin(Self.freeze(namespace: "default")))
            ReconcilerTests.push("1", to: later)
            try await Self.wait(reconciler) { $0.freeze != nil && $0.waiting != nil }
            try await Self.polls(later, 5)
            #expect(reconciler.current.deployments[ReconcilerTests.id]?.rollout.stable == nil)
        }
    }

    @Test
    func `a freeze ends by itself`() async throws {
        let (world, store) = (InMemoryWorld(), Store())
        ReconcilerTests.push("1", to: world)
        try await Self.run(world, store) { reconciler in
            try await Self.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
            // As long as a slow machine needs to see it before it is over.
            var (length, isSeen) = (Duration.milliseconds(500), false)
            while !isSeen {
                if let freeze = await reconciler.submit(.begin(Self.freeze(for: length))).freeze {
                    try await Self.wait(reconciler) { rollout in
                        isSeen = rollout.freeze != nil
                        return isSeen || InMemoryWorld.now() >= freeze.until
                    }
                }
                length *= 2
            }
            ReconcilerTests.push("2", to: world)
            try await Self.wait(reconciler) { $0.isInFlight }
            let kinds = reconciler.current.deployments[ReconcilerTests.id]?.transitions.map(\.kind) ?? []
            #expect(kinds.contains(.thawed))
            #expect(reconciler.current.freezes.isEmpty)
        }
    }

    @Test
    func `a restart forgets no freeze, also before git is read again`() async throws {
        let (world, store) = (InMemoryWorld(), Store())
        ReconcilerTests.push("1", to: world)
        try await Self.run(world, store) { reconciler in
            try await Self.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
            _ = await reconciler.submit(.begin(Self.freeze()))
            try await Self.wait(reconciler) { $0.freeze != nil }
        }
        world.state.withLock { $0.failingPolls = 1_000_000 }
        try await Self.run(world, store) { reconciler in
            try await Self.wait(reconciler) { $0.freeze != nil }
            #expect(reconciler.current.freezes.map(\.number) == [1])
            // Ended before git is read: the journal's copy in the rollout must not keep it.
            _ = await reconciler.submit(.end(1, by: "bob"))
            try await Self.wait(reconciler) { $0.freeze == nil }
            let again = await reconciler.submit(.begin(Self.freeze()))
            #expect(again.freeze?.number == 2)
        }
    }

    @Test
    func `in a freeze a canary keeps its weight, and a rollback is not delayed`() async throws {
        let (world, store) = (InMemoryWorld(), Store())
        ReconcilerTests.push("1", to: world)
        try await Self.run(world, store) { reconciler in
            try await Self.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
            ReconcilerTests.push("2", to: world)
            try await Self.wait(reconciler) { if case .stepping(_, .some) = $0.phase { true } else { false } }
            _ = await reconciler.submit(.begin(Self.freeze()))
            try await Self.wait(reconciler) { $0.freeze != nil }
            let promote = Command(.promote(full: true, force: true), by: "lead")
            let answer = await reconciler.submit(promote, for: ReconcilerTests.id)
            #expect(!answer.isAccepted)
            #expect(answer.message.contains("the freeze 1 by alice (incident 4711) lasts until"))
            let back = await reconciler.submit(Command(.rollback(to: nil), by: "sre"), for: ReconcilerTests.id)
            #expect(back.isAccepted)
            let traffic = world.state.withLock { $0.traffic[ReconcilerTests.id] }
            #expect(traffic?.weights.values.first == .all)
        }
    }

    @Test
    func `a freeze that cannot be kept is refused, and so is one without an end or in the past`() async throws {
        let (world, store) = (InMemoryWorld(), Store())
        ReconcilerTests.push("1", to: world)
        try await Self.run(world, store) { reconciler in
            store.fails.withLock { $0 = true }
            let full = await reconciler.submit(.begin(Self.freeze()))
            #expect(full.answer.message.contains("the disk is full"))
            #expect(!full.answer.isAccepted)
            #expect(reconciler.current.freezes.isEmpty)
            store.fails.withLock { $0 = false }
            #expect(!(await reconciler.submit(.begin(Self.freeze(for: .seconds(-1)))).answer.isAccepted))
            #expect(!(await reconciler.submit(.begin(Self.freeze(for: .hours(24 * 400)))).answer.isAccepted))
            #expect(await reconciler.submit(.begin(Self.freeze())).answer.isChanged)
            let shorter = await reconciler.submit(.begin(Self.freeze(for: .hours(1))))
            #expect(shorter.answer.isAccepted)
            #expect(!shorter.answer.isChanged)
            #expect(shorter.freeze?.number == 1)
            let longer = await reconciler.submit(.begin(Self.freeze(for: .hours(3))))
            #expect(longer.freeze?.number == 2)
        }
    }

    @Test
    func `a window of git is never taken for one of an operator`() {
        #expect(OperatorFreeze.number(ofWindow: "12 by alice") == 12)
        #expect(OperatorFreeze.number(ofWindow: "12 by alice (because by 4)") == 12)
        for name in ["black-friday", "12", "12-by-alice", "by"] {
            #expect(OperatorFreeze.number(ofWindow: name) == nil, "\(name)")
        }
    }
}
