import Synchronization

/// Ends the wait for a repository's next poll early. Rings that come before that poll begins are one ring; one that
/// comes while it runs asks for another, as what it tells of may be newer than what that poll was answered.
final class Bell: Sendable {
    private struct State {
        var isRung = false
        var listener: AsyncStream<Void>.Continuation?
    }

    private let state = Mutex(State())

    /// - Returns: False when it was rung before and no poll has begun since.
    func ring() -> Bool {
        self.state.withLock { state in
            guard !state.isRung else { return false }
            state.isRung = true
            state.listener?.finish()
            return true
        }
    }

    /// What was rung for so far is answered by the poll that begins now.
    func reset() {
        self.state.withLock { $0.isRung = false }
    }

    /// Waits until it is rung, the time is over or the task is cancelled.
    ///
    /// - Returns: Whether it was rung.
    func wait(atMost duration: Duration) async -> Bool {
        let (rings, listener) = AsyncStream.makeStream(of: Void.self)
        self.state.withLock { state in
            if state.isRung { listener.finish() } else { state.listener = listener }
        }
        await withDiscardingTaskGroup { group in
            group.addTask {
                // Cancelled when it was rung before.
                try? await Task.sleep(for: duration)
                listener.finish()
            }
            for await _ in rings {}
            group.cancelAll()
        }
        return self.state.withLock { state in
            state.listener = nil
            return state.isRung
        }
    }
}
