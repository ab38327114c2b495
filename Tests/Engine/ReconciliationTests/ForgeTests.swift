import Deployments
import Logging
import Manifests
import Reconciliation
import Rollouts
import Synchronization
import Testing

/// A forge in memory.
final class InMemoryForge: Forge {
    struct State {
        /// `TOPIC COMMIT STATE`, as shown, oldest first.
        var shown: [String] = []
        var proposals: [BranchProposal] = []
        /// What each call is refused with, as long as it is there.
        var refusal: SourceError?
        /// Only reports of these commits are refused.
        var refusedCommits: Set<String>?
        var calls = 0
        var hangs = false
    }

    let topics: Set<ForgeTopic>
    let state = Mutex(State())

    init(_ topics: Set<ForgeTopic> = [.status]) { self.topics = topics }

    private func begin(_ commit: String) async throws(SourceError) {
        let (refusal, hangs) = self.state.withLock { state in
            state.calls += 1
            let isRefused = state.refusedCommits?.contains(commit) ?? true
            return (isRefused ? state.refusal : nil, state.hangs)
        }
        while hangs, self.state.withLock({ $0.hangs }), !Task.isCancelled {
            // Cancelled means that the test is over.
            try? await Task.sleep(for: .milliseconds(5))
        }
        if let refusal { throw refusal }
    }

    func show(_ report: RolloutReport, as topic: ForgeTopic) async throws(SourceError) {
        try await self.begin(report.commit)
        let line = "\(topic.rawValue) \(report.commit.prefix(3)) \(report.state.rawValue)"
        self.state.withLock { $0.shown.append(line) }
    }

    func propose(_ proposal: BranchProposal) async throws(SourceError) -> String {
        try await self.begin("")
        self.state.withLock { $0.proposals.append(proposal) }
        return "https://forge.example/pull/7"
    }
}

@Suite("What a forge is told", .timeLimit(.minutes(5)))
struct ForgeTests {
    private static let id = ReconcilerTests.id

    private static func settle(_ world: InMemoryWorld) async throws {
        while world.state.withLock({ !$0.contents.outbox.isEmpty }) { try await Task.sleep(for: .milliseconds(5)) }
    }

    private static func settleFirst(_ reconciler: Reconciler, _ world: InMemoryWorld) async throws {
        try await ReconcilerTests.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
        try await Self.settle(world)
    }

    /// As when a decision is taken a second time, since the journal did not answer, and something else takes the
    /// revision back by then: the journal may hold either.
    @Test
    func `two outcomes of one moment are two things to tell`() {
        let member = Member(rollout: Rollout(id: Self.id, at: Timestamp(milliseconds: 0)), repository: "models")
        let items = ["a replica failed", "gate errors failed"].flatMap { reason in
            OutboxItem.all(
                of: Transition(
                    time: Timestamp(milliseconds: 5),
                    kind: .rolledBack,
                    message: reason,
                    origin: CommitReference(repository: "models", branch: "main", commit: "abc")
                ),
                in: member,
                telling: [.status, .comment]
            )
        }
        #expect(items.count == 6)
        #expect(Set(items.map(\.id)).count == 6)
    }

    private static let down = SourceError(code: .unreachable, message: "no answer", recovery: .retry)
    private static let forbidden = SourceError(code: .refused, message: "403: no", recovery: .needsOperator)

    @Test
    func `the start of a rollout and its outcome are shown on its commit`() async throws {
        let world = InMemoryWorld()
        let forge = InMemoryForge([.status, .comment])
        ReconcilerTests.push("1", to: world)
        try await ReconcilerTests.run(world, forge: forge) { reconciler in
            try await Self.settleFirst(reconciler, world)
            ReconcilerTests.push("2", to: world)
            try await ReconcilerTests.wait(reconciler) {
                if case .stepping(_, .some) = $0.phase { true } else { false }
            }
            try await Self.settle(world)
            #expect(forge.state.withLock { $0.shown.last?.hasSuffix("222 running") } == true)
            _ = await reconciler.submit(Command(.rollback(to: nil), by: "sre"), for: Self.id)
            try await ReconcilerTests.wait(reconciler) { $0.phase == .settled && !$0.quarantine.isEmpty }
            try await Self.settle(world)
        }
        let shown = forge.state.withLock { $0.shown }
        for topic in ["status", "comment"] {
            let own = shown.filter { $0.hasPrefix(topic) }
            #expect(own.last == "\(topic) 222 failed")
            #expect(own.contains("\(topic) 111 succeeded"))
            #expect(own.contains("\(topic) 222 running"))
        }
        // Notes are those that they were.
        #expect(world.state.withLock { $0.notes.count } == 2)
    }

    @Test
    func `a commit whose rollout goes on by another one does not wait for its outcome for ever`() async throws {
        let world = InMemoryWorld()
        let forge = InMemoryForge()
        ReconcilerTests.push("1", to: world)
        try await ReconcilerTests.run(world, forge: forge) { reconciler in
            try await Self.settleFirst(reconciler, world)
            ReconcilerTests.push("2", to: world)
            try await ReconcilerTests.wait(reconciler) {
                if case .stepping(_, .some) = $0.phase { true } else { false }
            }
            // The same revision, and another time to bake.
            let text = ReconcilerTests.manifest("2").replacing("bakeTime: 1h", with: "bakeTime: 2h")
            let file = SourceFile(path: "m.yaml", blob: "3", bytes: Array(text.utf8))
            let commit = String(repeating: "3", count: 40)
            let origin = CommitReference(repository: "models", branch: "main", commit: commit)
            world.state.withLock { $0.snapshot = SourceSnapshot(origin: origin, files: [file]) }
            try await ReconcilerTests.wait(reconciler) { $0.canary?.origin.commit == commit }
            _ = await reconciler.submit(Command(.rollback(to: nil), by: "sre"), for: Self.id)
            try await ReconcilerTests.wait(reconciler) { $0.phase == .settled && !$0.quarantine.isEmpty }
            try await Self.settle(world)
        }
        let shown = forge.state.withLock { $0.shown }
        #expect(shown.last { $0.contains(" 222 ") } == "status 222 superseded")
        #expect(shown.last == "status 333 failed")
    }

    @Test
    func `a forge that hangs delays neither notes nor reverts nor decisions, and its problem is shown`() async throws {
        let world = InMemoryWorld()
        let forge = InMemoryForge()
        ReconcilerTests.push("1", to: world)
        try await ReconcilerTests.run(world, forge: forge) { reconciler in
            try await Self.settleFirst(reconciler, world)
            forge.state.withLock { $0.hangs = true }
            ReconcilerTests.push("2", to: world)
            try await ReconcilerTests.wait(reconciler) {
                if case .stepping(_, .some) = $0.phase { true } else { false }
            }
            let command = Command(.rollback(to: nil), by: "sre", revert: .branch)
            #expect(await reconciler.submit(command, for: Self.id).isAccepted)
            try await ReconcilerTests.wait(reconciler) { $0.phase == .settled && !$0.quarantine.isEmpty }
            while world.state.withLock({ $0.notes.count { $0.hasPrefix("222") } }) < 2 {
                try await Task.sleep(for: .milliseconds(5))
            }
            while reconciler.current.sources.first?.lastRevert == nil { try await Task.sleep(for: .milliseconds(5)) }
            #expect(!world.state.withLock { $0.contents.outbox }.isEmpty)
            forge.state.withLock { state in
                state.hangs = false
                state.refusal = Self.down
            }
            while reconciler.current.sources.first?.undelivered.first?.problem != "no answer" {
                try await Task.sleep(for: .milliseconds(5))
            }
            forge.state.withLock { $0.refusal = nil }
            try await Self.settle(world)
            while reconciler.current.sources.first?.undelivered != [] { try await Task.sleep(for: .milliseconds(5)) }
        }
        #expect(forge.state.withLock { $0.shown.last } == "status 222 failed")
    }

    @Test
    func `of what waited for a forge, the newest of each commit is told, also after a restart`() async throws {
        let world = InMemoryWorld()
        let forge = InMemoryForge()
        ReconcilerTests.push("1", to: world)
        try await ReconcilerTests.run(world, forge: forge) { reconciler in
            try await Self.settleFirst(reconciler, world)
            forge.state.withLock { $0.refusal = Self.down }
            ReconcilerTests.push("2", to: world)
            try await ReconcilerTests.wait(reconciler) {
                if case .stepping(_, .some) = $0.phase { true } else { false }
            }
        }
        let before = forge.state.withLock { $0.shown }
        #expect(world.state.withLock { $0.contents.outbox.map(\.news?.report.state) } == [.running])
        try await ReconcilerTests.run(world, forge: forge) { reconciler in
            _ = await reconciler.submit(Command(.rollback(to: nil), by: "sre"), for: Self.id)
            try await ReconcilerTests.wait(reconciler) { $0.phase == .settled && !$0.quarantine.isEmpty }
            forge.state.withLock { $0.refusal = nil }
            try await Self.settle(world)
        }
        #expect(forge.state.withLock { $0.shown } == before + ["status 222 failed"])
    }

    /// Also when it looks as if the forge itself did not answer.
    @Test(arguments: [Self.forbidden, Self.down])
    func `what is refused of one commit keeps no other from being told`(refusal: SourceError) async throws {
        let world = InMemoryWorld()
        let forge = InMemoryForge()
        forge.state.withLock { state in
            state.refusal = refusal
            state.refusedCommits = [String(repeating: "1", count: 40)]
        }
        ReconcilerTests.push("1", to: world)
        try await ReconcilerTests.run(world, forge: forge) { reconciler in
            try await ReconcilerTests.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
            ReconcilerTests.push("2", to: world)
            while forge.state.withLock({ !$0.shown.contains { $0.hasPrefix("status 222") } }) {
                try await Task.sleep(for: .milliseconds(5))
            }
            while reconciler.current.sources.first?.undelivered.map(\.problem) != [refusal.message] {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    @Test
    func `what a forge is not told any more counts as told`() async throws {
        let world = InMemoryWorld()
        let forge = InMemoryForge()
        forge.state.withLock { $0.refusal = Self.forbidden }
        ReconcilerTests.push("1", to: world)
        try await ReconcilerTests.run(world, forge: forge) { reconciler in
            try await ReconcilerTests.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
        }
        #expect(world.state.withLock { $0.contents.outbox.contains { $0.news != nil } })
        try await ReconcilerTests.run(world) { _ in try await Self.settle(world) }
    }

    @Test
    func `a revert with a pull request is done when that is open, and shows its address`() async throws {
        let world = InMemoryWorld()
        let forge = InMemoryForge([])
        ReconcilerTests.push("1", to: world)
        try await ReconcilerTests.run(world, forge: forge) { reconciler in
            try await Self.settleFirst(reconciler, world)
            ReconcilerTests.push("2", to: world)
            try await ReconcilerTests.wait(reconciler) {
                if case .stepping(_, .some) = $0.phase { true } else { false }
            }
            forge.state.withLock { $0.refusal = Self.forbidden }
            let command = Command(.rollback(to: nil), by: "sre", revert: .pullRequest)
            let answer = await reconciler.submit(command, for: Self.id)
            #expect(answer.message.hasSuffix("a revert goes to a branch of its own, with a pull request"))
            while reconciler.current.sources.first?.undelivered.first?.problem != "403: no" {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(reconciler.current.sources.first?.lastRevert == nil)
        }
        forge.state.withLock { $0.refusal = nil }
        try await ReconcilerTests.run(world, forge: forge) { reconciler in
            try await Self.settle(world)
            while reconciler.current.sources.first?.lastRevert == nil { try await Task.sleep(for: .milliseconds(5)) }
            let shown = "default/model: branch x reverts it (https://forge.example/pull/7)"
            #expect(reconciler.current.sources.first?.lastRevert == shown)
        }
        let proposals = forge.state.withLock { $0.proposals }
        #expect(proposals.map(\.branch) == ["x"])
        #expect(proposals.first?.base == "main")
    }

    @Test
    func `a pull request without a forge is left at its branch, and says so`() async throws {
        let world = InMemoryWorld()
        ReconcilerTests.push("1", to: world)
        try await ReconcilerTests.run(world) { reconciler in
            try await Self.settleFirst(reconciler, world)
            ReconcilerTests.push("2", to: world)
            try await ReconcilerTests.wait(reconciler) {
                if case .stepping(_, .some) = $0.phase { true } else { false }
            }
            let command = Command(.rollback(to: nil), by: "sre", revert: .pullRequest)
            _ = await reconciler.submit(command, for: Self.id)
            while reconciler.current.sources.first?.lastRevert == nil { try await Task.sleep(for: .milliseconds(5)) }
            let shown = reconciler.current.sources.first?.lastRevert
            #expect(shown?.hasSuffix("no `forge` of the repository is configured to open a pull request") == true)
        }
    }
}
