import ServiceLifecycle

/// A service that is asked to end and, when it takes too long, cancelled: a client that holds a long answer open must
/// not keep the next start waiting.
struct BoundedEnd: Service {
    let inner: any Service
    /// What requests in flight may still take: they are answered from memory.
    var limit = Duration.seconds(5)

    func run() async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try await self.inner.run() }
            group.addTask {
                try await gracefulShutdown()
                try await Task.sleep(for: self.limit)
            }
            try await group.next()
            group.cancelAll()
            // The one that is cancelled may say so.
            while let result = await group.nextResult() { _ = result }
        }
    }
}
