import Deployments
import Reconciliation
import Rollouts
import Synchronization
import Testing

/// What a watchdog goes by: whether the loop turns.
@Suite(.timeLimit(.minutes(5)))
struct TurnTests {
    @Test
    func `the loop turns while git does not answer, and says once that it has looked`() async throws {
        let world = InMemoryWorld()
        ReconcilerTests.push("1", to: world)
        let (opened, open) = AsyncStream.makeStream(of: Void.self)
        // A server that takes the connection and never answers holds one poll.
        world.state.withLock { $0.silence = opened }
        try await ReconcilerTests.run(world) { reconciler in
            while !reconciler.current.hasLooked { try await Task.sleep(for: .milliseconds(5)) }
            let turns = reconciler.turns
            while reconciler.turns < turns + 20 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(world.state.withLock { $0.answeredPolls } == 0)
            open.finish()
            try await ReconcilerTests.wait(reconciler) { $0.phase == .settled && $0.stable != nil }
        }
    }

    @Test
    func `a look that failed is one, so that a start is not waited for in vain`() async throws {
        let world = InMemoryWorld()
        world.state.withLock { $0.platformFails = true }
        try await ReconcilerTests.run(world) { reconciler in
            while !reconciler.current.hasLooked { try await Task.sleep(for: .milliseconds(5)) }
            #expect(reconciler.current.platformProblem == "out of sight")
        }
    }
}
