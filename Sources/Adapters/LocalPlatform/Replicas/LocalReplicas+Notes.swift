import Deployments
import Foundation
import Logging
import Reconciliation

extension LocalReplicas {
    /// A replica ended by itself, or had to be ended: it is started again later.
    func noteCrash(_ id: ReplicaID, _ reason: String) {
        self.entries[id]?.process = nil
        self.note(id) { record in
            record.crashes += 1
            let delay = self.configuration.backoff.delay(crashes: record.crashes, spread: .random(in: 0...1))
            record.phase = .backingOff(until: self.now() + delay)
            record.lastFailure = reason
        }
        self.log(.warning, "Replica ended by itself", id, ["error": "\(reason)"])
    }

    /// A replica can never become ready.
    func noteFailure(_ id: ReplicaID, _ reason: String) {
        self.note(id) { record in
            record.phase = .failed
            record.lastFailure = reason
        }
        self.log(.error, "Replica failed", id, ["error": "\(reason)"])
    }

    func noteReady(_ id: ReplicaID, signature: String?) {
        self.note(id) { record in
            guard record.phase == .starting else { return }
            record.phase = .ready
            record.wasReady = true
            record.signature = signature
        }
    }

    func noteUnready(_ id: ReplicaID, _ reason: String) {
        self.note(id) { record in
            guard record.phase == .ready else { return }
            record.phase = .starting
        }
        self.log(.warning, "Replica is not ready any more", id, ["error": "\(reason)"])
    }

    /// Returns when the record is not what it was, when `limit` is over or the task is cancelled.
    func waitForChange(of record: ReplicaRecord, within limit: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.waitForChange(of: record) }
            group.addTask { _ = await pause(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Returns when the record is not what it was, or the task is cancelled. One supervisor waits at a time.
    func waitForChange(of record: ReplicaRecord) async {
        guard self.entries[record.id]?.record == record else { return }
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        self.entries[record.id]?.wake = continuation
        for await _ in stream {}
    }

    /// Returns when the replica is to stop, is gone, or the task is cancelled.
    func waitForStop(of id: ReplicaID) async {
        while !Task.isCancelled, let record = self.entries[id]?.record, record.phase != .stopping {
            await self.waitForChange(of: record)
        }
    }
}

extension LocalReplicas {
    /// How the process of a replica is started.
    ///
    /// - Throws: `unknownVariable`, or `spawnFailed` when the runtime has no command.
    func spawnRequest(for record: ReplicaRecord) throws(PlatformError) -> SpawnRequest {
        let runtime = record.launch.runtime
        let variables = LaunchVariables(launch: record.launch, endpoint: record.endpoint)
        var command: [String] = []
        for argument in runtime.command {
            command.append(try variables.substitute(argument, in: "command"))
        }
        guard let executable = command.first else {
            throw PlatformError(
                code: .spawnFailed,
                message: "the runtime \(runtime.name) has no command: write its program and arguments",
                recovery: .needsOperator
            )
        }
        var environment = self.configuration.inheritedEnvironment
        for (name, value) in runtime.environment {
            environment[name] = try variables.substitute(value, in: "environment.\(name)")
        }
        environment[ProcessMarker.variable] = record.marker.value
        return SpawnRequest(
            executable: executable,
            arguments: Array(command.dropFirst()),
            environment: environment,
            workingDirectory: self.workingDirectory(of: record),
            logFile: self.logFile(of: record).path,
            // When memory runs out, the kernel is to take a replica, which is started again, and not the router.
            oomScoreAdjustment: 500
        )
    }

    func logFile(of record: ReplicaRecord) -> ReplicaLog {
        ReplicaLog(
            path: "\(self.configuration.directory)/logs/\(record.fileName).log",
            limit: self.configuration.logLimit
        )
    }

    func makeFolders(for record: ReplicaRecord) throws(PlatformError) {
        for folder in ["\(self.configuration.directory)/logs", self.workingDirectory(of: record)] {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o750]
                )
            } catch {
                throw PlatformError(
                    code: .spawnFailed,
                    message: "\(folder) cannot be made: \(error): make room and let the controller's user write there",
                    recovery: .retry
                )
            }
        }
    }

    /// Removes the working folder of a replica that is gone. Its log stays, until there are many newer ones.
    func removeFiles(of record: ReplicaRecord) {
        // A folder that cannot be removed only takes room; the replica's successors have their own.
        try? FileManager.default.removeItem(atPath: self.workingDirectory(of: record))
        let folder = URL(filePath: "\(self.configuration.directory)/logs")
        let inUse = Set(self.entries.values.map(\.record.fileName))
        let key = URLResourceKey.contentModificationDateKey
        // The same holds for old logs.
        let files = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: [key])
        let old = (files ?? [])
            .filter { !inUse.contains($0.lastPathComponent.replacing(/\.log(\.1)?$/, with: "")) }
            .map { (file: $0, date: (try? $0.resourceValues(forKeys: [key]).contentModificationDate) ?? .distantPast) }
            .sorted { $0.date > $1.date }
        for (file, _) in old.dropFirst(Self.keptLogs) { try? FileManager.default.removeItem(at: file) }
    }

    /// Logs of replicas that are gone: enough for the last rollouts of some deployments.
    private static let keptLogs = 64

    private func workingDirectory(of record: ReplicaRecord) -> String {
        "\(self.configuration.directory)/work/\(record.fileName)"
    }
}
