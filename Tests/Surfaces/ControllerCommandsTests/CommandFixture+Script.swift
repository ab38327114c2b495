import Synchronization

extension CommandFixture {
    /// What happens between one look and the next; the watch ends when nothing is left.
    static func script(_ acts: [@Sendable () async throws -> Void]) -> @Sendable (Duration) async throws -> Void {
        let next = Counter()
        return { _ in
            let index = next.value.withLock { value in
                defer { value += 1 }
                return value
            }
            guard index < acts.count else { throw CancellationError() }
            try await acts[index]()
        }
    }

    private final class Counter: Sendable {
        let value = Mutex(0)
    }
}
