import Decisions
import Deployments
import Logging
import Manifests
import Reconciliation
import Rollouts
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ReconcilerTests {
    static let id = DeploymentID(namespace: "default", name: "model")

    static func manifest(_ version: String) -> String {
        """
        apiVersion: controller/v1
        kind: ModelDeployment
        metadata: {name: model}
        spec:
          model: {name: m, version: "\(version)", format: onnx, uri: "file:///m"}
          replicas: 1
          rollout:
            steps:
              - weight: 10
                atLeast: 1s
                atMost: 1h
            gates: [errors]
            bakeTime: 1h
        ---
        apiVersion: controller/v1
        kind: ServingRuntime
        metadata: {name: onnx}
        spec:
          formats: [{name: onnx, priority: 1}]
          protocol: open-inference-v2
          command: [serve, "${port}"]
          readiness: {path: /ready}
        """
    }

    static func push(_ version: String, to world: InMemoryWorld) {
        let file = SourceFile(path: "m.yaml", blob: version, bytes: Array(Self.manifest(version).utf8))
        let commit = String(repeating: version, count: 40)
        let origin = CommitReference(repository: "models", branch: "main", commit: commit)
        world.state.withLock { $0.snapshot = SourceSnapshot(origin: origin, files: [file]) }
    }

    static func reconciler(
        on world: InMemoryWorld,
        interval: Duration = .milliseconds(20),
        forge: (any Forge)? = nil,
        receivers: Receivers = Receivers()
    ) -> Reconciler {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let source = Reconciler.Source(
            port: world,
            branch: "main",
            interval: interval,
            deletion: .init(),
            writesNotes: true,
            forge: forge
        )
        return Reconciler(
            ports: Reconciler.Ports(
                sources: [source],
                platform: world,
                router: world,
                artifacts: world,
                providers: [],
                receivers: receivers,
                journal: world,
                platformChanges: AsyncStream { $0.finish() },
                now: { InMemoryWorld.now() }
            ),
            settings: Reconciler.Settings(poll: .milliseconds(20), reader: ManifestReader()),
            logger: logger
        )
    }

    /// Runs the engine while `body` does; polls instead of guessing how long things take.
    static func run(
        _ world: InMemoryWorld,
        interval: Duration = .milliseconds(20),
        forge: (any Forge)? = nil,
        _ body: @Sendable @escaping (Reconciler) async throws -> Void
    ) async throws {
        let reconciler = Self.reconciler(on: world, interval: interval, forge: forge)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try? await reconciler.run() }  // cancelled at the end, which it reports as an error
            group.addTask { try await body(reconciler) }
            _ = try await group.next()
            group.cancelAll()
        }
    }

    static func wait(_ reconciler: Reconciler, _ condition: (Rollout) -> Bool) async throws {
        while true {
            if let rollout = reconciler.current.deployments[Self.id]?.rollout, condition(rollout) { return }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @Test
    func `a commit is started, promoted and told to git`() async throws {
        let world = InMemoryWorld()
        Self.push("1", to: world)
        try await Self.run(world) { reconciler in
            try await Self.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
            while world.state.withLock({ $0.notes.isEmpty || !$0.contents.outbox.isEmpty }) {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        let notes = world.state.withLock { $0.notes }
        #expect(notes.count == 1)
        #expect(notes.first?.hasPrefix("111 default/model") == true)
        #expect(notes.first?.contains("\"outcome\":\"promoted\"") == true)
    }

    @Test
    func `a note that git refuses is tried again, and told once`() async throws {
        let world = InMemoryWorld()
        world.state.withLock { $0.failingNotes = 1 }
        Self.push("1", to: world)
        try await Self.run(world) { _ in
            while world.state.withLock({ $0.notes.isEmpty || !$0.contents.outbox.isEmpty }) {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        #expect(world.state.withLock { $0.notes.count } == 1)
    }

    @Test
    func `a revert that git refuses is shown until it is done, and done once`() async throws {
        let world = InMemoryWorld()
        Self.push("1", to: world)
        try await Self.run(world) { reconciler in
            try await Self.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
            while world.state.withLock({ !$0.contents.outbox.isEmpty }) { try await Task.sleep(for: .milliseconds(10)) }
            Self.push("2", to: world)
            try await Self.wait(reconciler) { if case .stepping(_, .some) = $0.phase { true } else { false } }
            world.state.withLock { $0.failingReverts = 1 }
            let command = Command(.rollback(to: nil), by: "sre", revert: .branch)
            let answer = await reconciler.submit(command, for: Self.id)
            #expect(answer.message.hasSuffix("a revert goes to a branch of its own"))
            while reconciler.current.sources.first?.undelivered.first?.problem != "main is protected" {
                try await Task.sleep(for: .milliseconds(10))
            }
            while world.state.withLock({ !$0.contents.outbox.isEmpty }) { try await Task.sleep(for: .milliseconds(10)) }
            while reconciler.current.sources.first?.lastRevert == nil { try await Task.sleep(for: .milliseconds(10)) }
            #expect(reconciler.current.sources.first?.lastRevert == "default/model: branch x reverts it")
            #expect(reconciler.current.sources.first?.undelivered == [])
        }
        let reverts = world.state.withLock { $0.notes.filter { $0.contains("reverted") } }
        #expect(reverts == ["222 default/model reverted, branch"])
    }

    @Test
    func `a full disk stops progress, and delays no rollback`() async throws {
        let world = InMemoryWorld()
        Self.push("1", to: world)
        try await Self.run(world) { reconciler in
            try await Self.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
            Self.push("2", to: world)
            try await Self.wait(reconciler) { if case .stepping(_, .some) = $0.phase { true } else { false } }
            world.state.withLock { $0.journalFails = true }
            let paused = await reconciler.submit(Command(.pause(until: nil), by: "sre"), for: Self.id)
            #expect(!paused.isAccepted)
            #expect(paused.message.contains("the disk is full"))
            let answer = await reconciler.submit(Command(.rollback(to: nil), by: "sre"), for: Self.id)
            #expect(answer.isAccepted)
            let traffic = world.state.withLock { $0.traffic[Self.id] }
            #expect(traffic?.revisions.count == 1)
            #expect(traffic?.weights.values.first == .all)
        }
    }

    @Test
    func `what the engine decided over a restart comes out again in a replay`() async throws {
        let world = InMemoryWorld()
        Self.push("1", to: world)
        try await Self.run(world) { reconciler in
            try await Self.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
            Self.push("2", to: world)
            try await Self.wait(reconciler) { if case .stepping(_, .some) = $0.phase { true } else { false } }
            let refused = await reconciler.submit(Command(.retry, by: "sre"), for: Self.id)
            #expect(!refused.isChanged)
        }
        try await Self.run(world) { reconciler in
            _ = await reconciler.submit(Command(.rollback(to: nil), by: "sre"), for: Self.id)
            try await Self.wait(reconciler) { $0.phase == .settled && !$0.quarantine.isEmpty }
        }
        let decisions = world.state.withLock { $0.records.compactMap(\.decision) }
        #expect(decisions.contains { $0.outcome.answers.contains { !$0.isChanged } })
        var (recorder, replay) = (DecisionRecorder(after: 0), Replay())
        _ = try replay.take(try DecisionLine.bytes(of: .init(exported: InMemoryWorld.now(), deployment: nil)))
        for decision in decisions {
            let recording = try recorder.record(decision)
            recorder.keep(recording)
            if let spec = recording.spec {
                _ = try replay.take(DecisionLine.bytes(ofSpec: spec.bytes, digest: spec.digest))
            }
            let step = try replay.take(DecisionLine.bytes(ofDecision: recording.bytes, sum: recording.sum))
            #expect(step?.difference == nil)
            #expect(step?.followsGap == false)
        }
    }

    @Test
    func `a full disk keeps no dead replica from being replaced`() async throws {
        let world = InMemoryWorld()
        Self.push("1", to: world)
        try await Self.run(world) { reconciler in
            try await Self.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
            world.state.withLock { state in
                state.journalFails = true
                state.replicas = [:]
            }
            while world.state.withLock({ $0.replicas.isEmpty }) { try await Task.sleep(for: .milliseconds(10)) }
        }
    }

    @Test
    func `a breach rolls back, quarantines, and the note says so`() async throws {
        let world = InMemoryWorld()
        Self.push("1", to: world)
        try await Self.run(world) { reconciler in
            try await Self.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
            Self.push("2", to: world)
            try await Self.wait(reconciler) { $0.canary != nil }
            let canary = reconciler.current.deployments[Self.id]?.rollout.canary?.revision
            _ = world.state.withLock { state in canary.map { state.errors.insert($0) } }
            try await Self.wait(reconciler) { $0.phase == .settled && !$0.quarantine.isEmpty }
            while world.state.withLock({ $0.notes.count < 2 }) { try await Task.sleep(for: .milliseconds(10)) }
        }
        let note = world.state.withLock { $0.notes.last }
        #expect(note?.hasPrefix("222") == true)
        #expect(note?.contains("\"quarantined\":true") == true)
    }

    @Test
    func `after a restart the router is told nothing that differs from before`() async throws {
        let world = InMemoryWorld()
        Self.push("1", to: world)
        try await Self.run(world) { reconciler in
            try await Self.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
            Self.push("2", to: world)
            try await Self.wait(reconciler) { if case .stepping(_, .some) = $0.phase { true } else { false } }
            _ = await reconciler.submit(Command(.pause(until: nil), by: "sre"), for: Self.id)
        }
        let before = world.state.withLock { state in
            state.tables = []
            return state.traffic
        }
        try await Self.run(world) { reconciler in
            try await Self.wait(reconciler) { $0.phase != .settled && $0.pause != nil }
            while world.state.withLock({ $0.tables.isEmpty }) { try await Task.sleep(for: .milliseconds(10)) }
        }
        for table in world.state.withLock({ $0.tables }) {
            #expect(table.deployments.mapValues(\.traffic) == before)
        }
    }

    @Test
    func `a lost journal takes no traffic away`() async throws {
        let world = InMemoryWorld()
        Self.push("1", to: world)
        try await Self.run(world) { reconciler in
            try await Self.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
        }
        world.state.withLock { state in
            state.contents = JournalContents()
            state.tables = []
        }
        Self.push("1", to: world)
        try await Self.run(world) { reconciler in
            try await Self.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
        }
        for table in world.state.withLock({ $0.tables }) {
            #expect(table.deployments[Self.id]?.traffic.weights.values.first == .all)
        }
    }

    @Test
    func `a router out of sight stops the rollout until it is seen again`() async throws {
        let world = InMemoryWorld()
        Self.push("1", to: world)
        try await Self.run(world) { reconciler in
            try await Self.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
            world.state.withLock { $0.routerFails = true }
            Self.push("2", to: world)
            try await Self.wait(reconciler) { $0.canary != nil }
            while reconciler.current.routerProblem == nil { try await Task.sleep(for: .milliseconds(10)) }
            #expect(reconciler.current.routerProblem == "out of sight")
            world.state.withLock { $0.routerFails = false }
            try await Self.wait(reconciler) { if case .stepping = $0.phase { true } else { false } }
        }
    }

    @Test
    func `a command for a deployment that is not there is refused by name`() async throws {
        let world = InMemoryWorld()
        try await Self.run(world) { reconciler in
            let answer = await reconciler.submit(Command(.retry, by: "sre"), for: Self.id)
            #expect(answer.message.contains("there is no deployment default/model"))
        }
    }
}
