import Deployments
import Foundation
import Glibc
package import Reconciliation

/// Runs the programs of job gates as processes of this machine.
///
/// Only those that lie directly in the operator's folders: a manifest must not run whatever the machine has. A program
/// gets no shell, no variables of the daemon, and a group of its own, of which nothing is left behind.
package struct LocalJobs: JobRunner {
    private let programs: [String]
    private let directory: String

    /// Bytes of output that are kept while a program runs; of the rest, the end.
    private static let outputLimit = 1 << 20
    /// Between SIGTERM and SIGKILL.
    private static let grace = Duration.seconds(5)
    /// How often the output's size is looked at.
    private static let look = Duration.seconds(1)

    /// - Parameters:
    ///   - programs: Folders, absolute; without any, every job is refused.
    ///   - directory: For the output of what runs.
    package init(programs: [String], directory: String) {
        self.programs = programs
        self.directory = directory
    }

    package func run(_ command: [String], timeout: Duration) async -> VerdictAnswer {
        guard !self.programs.isEmpty else {
            return .refused("job gates are off: name the folders of their programs under `jobs` in the configuration")
        }
        guard let name = command.first, let program = self.path(of: name) else {
            let folders = self.programs.joined(separator: ", ")
            return .refused("there is no program \(command.first ?? "") in \(folders): put it there, executable")
        }
        let log = ReplicaLog(path: "\(self.directory)/\(UUID().uuidString).log", limit: Self.outputLimit)
        defer {
            unlink(log.path)
            unlink("\(log.path).1")
        }
        do throws(PlatformError) {
            try self.makeDirectory()
            let process = try DetachedProcess.spawn(
                SpawnRequest(
                    executable: program,
                    arguments: Array(command.dropFirst()),
                    environment: ["PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"],
                    workingDirectory: self.directory,
                    logFile: log.path,
                    nice: 10
                )
            )
            let exit = await Self.exit(of: process, log, within: timeout)
            return try await self.verdict(exit, of: process, name: name, log, timeout: timeout)
        } catch {
            return .unavailable("\(name): \(error.message)")
        }
    }

    private func verdict(
        _ exit: ProcessExit?,
        of process: DetachedProcess,
        name: String,
        _ log: ReplicaLog,
        timeout: Duration
    ) async throws(PlatformError) -> VerdictAnswer {
        let isCancelled = Task.isCancelled
        if isCancelled {
            // The controller ends; there is no time for a grace.
            try process.signal(SIGKILL, group: true)
        } else {
            _ = try await process.end(grace: exit == nil ? Self.grace : .zero)
        }
        let words = log.tail(since: 0)
        let said = words.isEmpty ? "" : ": \(words)"
        switch exit {
        case .code(0): return .pass("\(name)\(said)")
        case .code(1): return .fail("\(name)\(said)")
        case .code, .signal, .unknown:
            return .unavailable("\(name): \(exit.map { "\($0)" } ?? "")\(said); 0 passes, 1 fails")
        case nil where isCancelled: return .unavailable("\(name): the controller ended before it did")
        case nil: return .unavailable("\(name): has not ended within \(timeout.short)\(said)")
        }
    }

    private static func exit(
        of process: DetachedProcess,
        _ log: ReplicaLog,
        within timeout: Duration
    ) async -> ProcessExit? {
        let deadline = ContinuousClock.now + timeout
        while ContinuousClock.now < deadline, !Task.isCancelled {
            let left = deadline - ContinuousClock.now
            if let exit = await process.waitUntilExit(within: min(left, Self.look)) { return exit }
            log.bound()
        }
        return nil
    }

    /// A name has no folder in it, so what is found lies in one of ours.
    private func path(of name: String) -> String? {
        guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else { return nil }
        let paths = self.programs.map { "\($0)/\(name)" }
        return paths.first(where: SpawnRequest.isProgram)
    }

    private func makeDirectory() throws(PlatformError) {
        do {
            try FileManager.default.createDirectory(
                atPath: self.directory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw PlatformError(
                code: .spawnFailed,
                message: "\(self.directory) cannot be made: \(error.localizedDescription)",
                recovery: .needsOperator
            )
        }
    }
}
