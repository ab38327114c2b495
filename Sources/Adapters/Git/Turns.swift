import Reconciliation
import Synchronization

/// Lets one operation at a time use the local store.
///
/// An actor alone does not: while one of its calls waits for git, another begins.
final class Turns: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Runs `body` when all that asked before are done. A cancelled call still waits: each operation is bounded by
    /// its deadline and ends early when it is cancelled itself.
    func exclusively<Result>(
        _ body: () async throws(SourceError) -> Result
    ) async throws(SourceError) -> Result {
        await withCheckedContinuation { continuation in
            let isMine = self.state.withLock { state in
                guard state.isTaken else {
                    state.isTaken = true
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isMine { continuation.resume() }
        }
        defer { self.next() }
        return try await body()
    }

    private func next() {
        let continuation = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        continuation?.resume()
    }
}
