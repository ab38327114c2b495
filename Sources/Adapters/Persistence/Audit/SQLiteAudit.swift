package import Audits
package import Deployments
import Foundation
import GRDB
import Reconciliation
import Synchronization

/// The audit in a SQLite file of its own, with write-ahead logging and full synchronisation.
///
/// The file is opened when it is first needed, and again after that failed: a damaged audit must not keep the
/// controller from starting, as that would keep it from taking traffic back.
package final class SQLiteAudit: AuditStore {
    private let path: String
    private let retention: AuditRetention
    private let pool = Mutex<DatabasePool?>(nil)
    /// The last entry of this process.
    private let known = Mutex<AuditPlace?>(nil)

    package init(path: String, retention: AuditRetention = AuditRetention()) {
        self.path = path
        self.retention = retention
    }

    package func append(_ entries: [LateDraft]) async throws(AuditError) -> AuditPlace {
        let known = self.known.withLock { $0 }
        let head = try await self.perform(writing: true) {
            try AuditTable.append(entries, known: known, to: $0)
        }
        self.known.withLock { $0 = head }
        return head
    }

    package func entries(_ query: AuditQuery) async throws(AuditError) -> [AuditEntry] {
        try await self.perform { try AuditTable.entries(query, in: $0) }
    }

    package func check(_ part: AuditPart) async throws(AuditError) -> AuditProgress {
        try await self.perform { try AuditTable.check(part, in: $0) }
    }

    package func head() async throws(AuditError) -> AuditPlace {
        try await self.perform { try AuditTable.head(in: $0) }
    }

    package func prune(at now: Timestamp) async throws(AuditError) -> Int {
        let (known, retention) = (self.known.withLock { $0 }, self.retention)
        let pruned = try await self.perform(writing: true) {
            try AuditTable.prune(retention, at: now, known: known, in: $0)
        }
        guard let pruned else { return 0 }
        self.known.withLock { $0 = pruned.head }
        return pruned.count
    }

    private func open() throws -> DatabasePool {
        try self.pool.withLock { pool in
            if let pool { return pool }
            var configuration = GRDB.Configuration()
            configuration.busyMode = .timeout(5)
            configuration.maximumReaderCount = 2
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            let opened = try DatabasePool(path: self.path, configuration: configuration)
            if try opened.read(AuditTable.migrator.hasBeenSuperseded) {
                throw AuditError(
                    code: .newerVersion,
                    message: "\(self.path) was written by a newer controller: start that one, or restore a backup"
                )
            }
            try AuditTable.migrator.migrate(opened)
            pool = opened
            return opened
        }
    }

    private func perform<Value: Sendable>(
        writing: Bool = false,
        _ work: @escaping @Sendable (Database) throws -> Value
    ) async throws(AuditError) -> Value {
        do {
            let pool = try self.open()
            return writing ? try await pool.write(work) : try await pool.read(work)
        } catch {
            throw AuditError(error, self.path)
        }
    }
}

/// An audit's file, only to be read: a backup, or that of a controller that does not run.
package struct AuditFile: Sendable {
    private let queue: DatabaseQueue

    package init(path: String) throws(AuditError) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw AuditError(code: .unavailable, message: "there is no file \(path)")
        }
        do {
            var configuration = GRDB.Configuration()
            configuration.readonly = true
            self.queue = try DatabaseQueue(path: path, configuration: configuration)
            guard try self.queue.read({ try $0.tableExists("entry") && $0.tableExists("anchor") }) else {
                throw AuditError(code: .unavailable, message: "\(path) is no audit of a controller")
            }
        } catch {
            throw AuditError(error, path)
        }
    }

    package func entries(_ query: AuditQuery) throws(AuditError) -> [AuditEntry] {
        try self.read { try AuditTable.entries(query, in: $0) }
    }

    package func check(_ part: AuditPart) throws(AuditError) -> AuditProgress {
        try self.read { try AuditTable.check(part, in: $0) }
    }

    /// Walks the whole chain.
    package func check(expected: AuditPlace? = nil) throws(AuditError) -> AuditProgress {
        var part = AuditPart(expected: expected)
        var sum: AuditProgress?
        while true {
            var progress = try self.check(part)
            progress.count += sum?.count ?? 0
            progress.oldest = sum?.oldest ?? progress.oldest
            progress.newest = progress.newest ?? sum?.newest
            if progress.isComplete { return progress }
            sum = progress
            part.after = progress.head
        }
    }

    private func read<Value>(_ work: (Database) throws -> Value) throws(AuditError) -> Value {
        do {
            return try self.queue.read(work)
        } catch {
            throw AuditError(error, self.queue.path)
        }
    }
}

extension AuditError {
    /// What the database said of the file at `path`, and what to do.
    init(_ error: any Error, _ path: String) {
        if let error = error as? AuditError {
            self = error
            return
        }
        let same = error as? JournalError ?? JournalError(error, path)
        let code: Code =
            switch same.code {
            case .diskFull: .diskFull
            case .corrupt: .corrupt
            case .newerVersion: .newerVersion
            case .unavailable: .unavailable
            }
        self.init(code: code, message: same.message)
    }
}
