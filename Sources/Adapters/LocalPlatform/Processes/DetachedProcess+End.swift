import Glibc
package import Reconciliation

extension DetachedProcess {
    /// Ends the process and everything in its group: SIGTERM to the process, SIGKILL to the group after `grace`.
    ///
    /// Some launchers end at SIGTERM and leave the servers that they started behind; these get their own SIGTERM, and
    /// what is left of the grace time.
    ///
    /// - Returns: Whether nothing of the group runs any more; `false` too when the task was cancelled meanwhile.
    /// - Throws: A `PlatformError` when the kernel does not permit the signals.
    package func end(grace: Duration) async throws(PlatformError) -> Bool {
        let deadline = ContinuousClock.now + grace
        if self.isRunning {
            try self.signal(SIGTERM)
            _ = await self.waitUntilExit(within: grace)
        }
        if !self.isRunning, !self.groupIsEmpty {
            try self.signal(SIGTERM, group: true)
            while ContinuousClock.now < deadline, !self.groupIsEmpty {
                guard await pause(for: .milliseconds(20)) else { return false }
            }
        }
        guard !Task.isCancelled else { return false }
        try self.signal(SIGKILL, group: true)
        // Usually at once; a process that waits for a disk ends when the disk answers.
        for _ in 0..<100 where !self.groupIsEmpty {
            guard await pause(for: .milliseconds(20)) else { return false }
        }
        return self.groupIsEmpty
    }

    /// Waits for the end of the process, but not longer than `limit`.
    package func waitUntilExit(within limit: Duration) async -> ProcessExit? {
        await withTaskGroup(of: ProcessExit?.self) { group in
            group.addTask { await self.waitUntilExit() }
            group.addTask {
                _ = await pause(for: limit)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }
}

/// Sleeps; `false` when the task was cancelled before the time was over.
func pause(for time: Duration) async -> Bool {
    do {
        try await Task.sleep(for: time)
        return true
    } catch {
        return false
    }
}
