import Deployments
import Foundation
import Glibc
import Logging
package import Reconciliation

extension EnvoyRouter {
    /// Starts Envoy, or takes over the one that runs, and starts it again when it ends. Ends with its task; Envoy goes
    /// on then.
    ///
    /// - Throws: When the folder or the program can't be used, which only an operator can change.
    package func run() async throws {
        try self.prepare()
        var failures = 0
        while !Task.isCancelled {
            let begin = ContinuousClock.now
            do throws(PlatformError) {
                let process = try self.adoptedOrStartedProcess()
                self.supervision = .running(process)
                guard let exit = await self.watch(process) else { return }
                if case .stopped = self.supervision { return }
                self.end("Envoy (process \(process.identity.pid)) ended: \(exit); it is being started again")
            } catch {
                guard error.recovery != .needsOperator else { throw error }
                self.end("Envoy can't be started: \(error)")
            }
            failures = ContinuousClock.now - begin > Self.soundLife ? 0 : failures + 1
            if failures > 1 {
                _ = await pause(for: min(Self.longestPause, .milliseconds(125) * (1 << min(failures, 10))))
            }
        }
    }

    /// Ends Envoy, and with it all service. Nothing in the controller's own life does that.
    package func stop() async throws(PlatformError) {
        let process: DetachedProcess?
        if case .running(let running) = self.supervision { process = running } else { process = self.adoptedProcess() }
        self.supervision = .stopped
        self.forgetSight()
        guard let process else { return }
        guard try await process.end(grace: Self.patience) else {
            throw .invalidState("Envoy (process \(process.identity.pid)) does not end: end it by hand")
        }
        try self.files.remove(self.files.process)
    }

    /// An Envoy that lived so long did not fail at its start: it is started again at once.
    private static let soundLife = Duration.seconds(10)
    private static let longestPause = Duration.seconds(30)
    private static let patience = Duration.seconds(5)
    /// How often Envoy is asked while something of a table waits for it.
    private static let shortestPace = Duration.milliseconds(50)
    private static let longestPace = Duration.seconds(1)

    private func end(_ reason: String) {
        self.supervision = .ended(reason)
        self.forgetSight()
        self.logger.error("Envoy is not running", metadata: ["reason": "\(reason)"])
    }

    /// - Returns: How the process ended; nothing when the task was cancelled.
    private func watch(_ process: DetachedProcess) async -> ProcessExit? {
        await withTaskGroup(of: ProcessExit?.self) { group in
            group.addTask { await process.waitUntilExit() }
            group.addTask {
                var pace = Self.shortestPace
                repeat {
                    // What waits long (for a server to come up, for an operator) is not asked for as often.
                    let isPending = await self.advanceWhilePending()
                    pace = isPending ? min(pace * 5 / 4, Self.longestPace) : Self.shortestPace
                } while await pause(for: pace)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    // MARK: - The process

    /// The process that was recorded, if it still runs.
    func recordedProcess() -> DetachedProcess? {
        guard let bytes = self.files.read(self.files.process) else { return nil }
        // An unreadable record is as good as none: the search below finds the process.
        guard let identity = try? JSONDecoder().decode(ProcessIdentity.self, from: Data(bytes)) else { return nil }
        return DetachedProcess.adopt(identity)
    }

    private func adoptedProcess() -> DetachedProcess? {
        guard let process = self.recordedProcess() ?? self.unrecordedProcess() else { return nil }
        self.logger.notice("Envoy adopted", metadata: ["process.id": "\(process.identity.pid)"])
        return process
    }

    /// An Envoy with this folder's bootstrap: the controller ended between starting and recording it.
    private func unrecordedProcess() -> DetachedProcess? {
        let marker = Array("-c".utf8) + [0] + Array(self.files.bootstrap.utf8) + [0]
        // Where nothing can be seen, nothing can be started either, and the next look finds it.
        for pid in ProcessStat.allProcesses() ?? [] {
            guard let arguments = self.files.read("/proc/\(pid)/cmdline"), arguments.count >= marker.count else {
                continue
            }
            let program = arguments.prefix { $0 != 0 }
            guard arguments.dropFirst(program.count + 1).starts(with: marker),
                let identity = ProcessIdentity(pid: pid)
            else { continue }
            return DetachedProcess.adopt(identity)
        }
        return nil
    }

    private func adoptedOrStartedProcess() throws(PlatformError) -> DetachedProcess {
        if let process = self.adoptedProcess() { return process }
        return try self.startedProcess()
    }

    private func startedProcess() throws(PlatformError) -> DetachedProcess {
        let process = try DetachedProcess.spawn(
            SpawnRequest(
                executable: self.configuration.executable,
                arguments: self.arguments,
                workingDirectory: self.files.directory,
                logFile: self.files.output,
                limits: SpawnRequest.Limits(openFiles: Self.openFiles)
            )
        )
        do {
            try self.files.write(Array(JSONEncoder().encode(process.identity)), to: self.files.process)
        } catch {
            // It is found by its arguments then.
            self.logger.warning("Envoy's identity not recorded", metadata: ["error": "\(error)"])
        }
        self.logger.notice("Envoy started", metadata: ["process.id": "\(process.identity.pid)"])
        return process
    }

    private var arguments: [String] {
        let drain = self.configuration.drainTime.components.seconds
        return [
            "-c", self.files.bootstrap,
            "--concurrency", "\(self.configuration.concurrency)",
            // Ready for a hot restart, Envoy asks the kernel for a SIGTERM when the thread that started it ends, which
            // is any thread of a pool, and with it the controller.
            "--disable-hot-restart",
            // At this level it writes refusals and little else: nobody has to rotate the log.
            "--log-level", "warning", "--log-path", self.files.log, "--file-flush-interval-msec", "200",
            "--drain-time-s", "\(max(1, drain))",
        ]
    }

    /// Two for each request in flight, of which every revision may have 4096.
    private static var openFiles: UInt64? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return min(65536, UInt64(limit.rlim_max))
    }
}
