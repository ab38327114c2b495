package import Deployments
import Foundation
import GRDB
import Glibc
package import Reconciliation

/// A journal in one file of its own, whole at one moment, while a controller goes on writing to the original or not.
package enum JournalBackup {
    /// What a backup holds.
    package struct Summary: Hashable, Sendable {
        package var deployments: Int
        package var events: Int
        /// When the newest of them happened.
        package var newest: Timestamp?
        package var bytes: Int64
    }

    /// Copies the journal at `path` into `file`, which must not be there yet, and checks the copy. The file is there
    /// only once it is whole and on the disk, and only its owner can read it.
    ///
    /// - Throws: A `JournalError` when there is no journal, or the copy cannot be made or is damaged.
    package static func write(from path: String, to file: String) throws(JournalError) -> Summary {
        try Self.write(from: path, to: file) { draft throws(JournalError) in try Self.check(draft) }
    }

    /// The same of any database, with a check of the copy.
    static func write<Summary>(
        from path: String,
        to file: String,
        checking check: (_ draft: String) throws(JournalError) -> Summary
    ) throws(JournalError) -> Summary {
        guard FileManager.default.fileExists(atPath: path) else {
            throw JournalError(code: .unavailable, message: "there is no journal \(path)")
        }
        let draft = "\(file).\(getpid()).part"
        defer { unlink(draft) }
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("\(draft) cannot be made") }
        defer { close(descriptor) }
        do {
            try Self.copy(path, to: draft)
        } catch {
            throw JournalError(error, path)
        }
        let summary = try check(draft)
        guard fsync(descriptor) == 0 else { throw Self.failure("\(draft) cannot be written") }
        // Unlike a renaming, this never takes the place of another file.
        guard link(draft, file) == 0 else { throw Self.failure("\(file) cannot be made") }
        let folder = open(URL(filePath: file).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw Self.failure("\(file) may not be on the disk yet") }
        return summary
    }

    private static func copy(_ path: String, to draft: String) throws {
        var reading = GRDB.Configuration()
        reading.readonly = true
        reading.busyMode = .timeout(30)
        let source = try DatabaseQueue(path: path, configuration: reading)
        let destination = try DatabaseQueue(path: draft)
        // In one step, which a writer does not disturb: the journal is in write-ahead mode.
        try source.backup(to: destination)
        // A copy in that mode would be two files.
        try destination.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
        try destination.close()
        try source.close()
    }

    /// Looks at all of a backup, or of the journal of a controller that does not run.
    ///
    /// - Throws: A `JournalError` when it is no journal, or damaged.
    package static func check(_ file: String) throws(JournalError) -> Summary {
        guard FileManager.default.fileExists(atPath: file) else {
            throw JournalError(code: .unavailable, message: "there is no file \(file)")
        }
        do {
            var reading = GRDB.Configuration()
            reading.readonly = true
            let queue = try DatabaseQueue(path: file, configuration: reading)
            defer { try? queue.close() }
            return try queue.read { database in
                guard try database.tableExists("transition"), try database.tableExists("member") else {
                    throw JournalError(code: .unavailable, message: "\(file) is no journal")
                }
                let problems = try String.fetchAll(database, sql: "PRAGMA integrity_check(3)")
                guard problems == ["ok"] else {
                    throw JournalError(
                        code: .corrupt,
                        message: "\(file) is damaged: \(problems.joined(separator: "; ")): take another backup"
                    )
                }
                let newest = try Int64.fetchOne(database, sql: "SELECT time FROM transition ORDER BY id DESC LIMIT 1")
                let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int64
                return Summary(
                    deployments: try Int.fetchOne(database, sql: "SELECT count(*) FROM member") ?? 0,
                    events: try Int.fetchOne(database, sql: "SELECT count(*) FROM transition") ?? 0,
                    newest: newest.map(Timestamp.init(milliseconds:)),
                    bytes: size ?? 0
                )
            }
        } catch let error as JournalError {
            throw error
        } catch {
            let error = JournalError(error, file)
            guard error.code == .corrupt else { throw error }
            throw JournalError(code: .corrupt, message: "\(file) is damaged, or no journal: take another backup")
        }
    }

    private static func failure(_ what: String) -> JournalError {
        let number = errno
        let hint =
            number == EEXIST
            ? "name another file, or move that one away" : "check that its folder exists, who owns it, and its room"
        return JournalError(code: .unavailable, message: "\(what): \(String(cString: strerror(number))): \(hint)")
    }
}
