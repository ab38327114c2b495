import Audits
import Deployments
import Foundation
import GRDB
import Persistence

/// An audit on disk, and somebody who changes it.
struct AuditFixture {
    let folder = FileManager.default.temporaryDirectory.appending(path: "audit-\(UUID().uuidString)").path
    var path: String { "\(self.folder)/audit.sqlite" }

    static let time = Timestamp(milliseconds: 1_790_000_000_000)

    init() throws {
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
    }

    /// Every column of an odd entry has a value; an even one has as few as can be.
    static func draft(_ number: Int) -> AuditDraft {
        let time = Self.time + .seconds(number)
        guard number % 2 == 1 else {
            return AuditDraft(time: time, caller: AuditCaller(name: "root", way: "socket"), action: "resume")
        }
        return AuditDraft(
            time: time,
            stage: .answered,
            request: "request-\(number)",
            caller: AuditCaller(name: "alice", way: "token", credential: "ci", address: "192.0.2.7"),
            action: "rollback",
            deployment: "search/file-type",
            why: "wrong labels",
            parameters: ["to": "abcd\(number)"],
            outcome: AuditOutcome(isAccepted: true, isChanged: true, message: "rolling back"),
            before: ["phase": "baking"],
            after: ["phase": "rolling-back"]
        )
    }

    static func late(_ number: Int) -> LateDraft {
        LateDraft(Self.draft(number), written: number % 2 == 1 ? Self.time + .seconds(500) : nil)
    }

    /// An audit of so many entries.
    @discardableResult
    func fill(_ count: Int = 12, retention: AuditRetention = AuditRetention()) async throws -> SQLiteAudit {
        let audit = SQLiteAudit(path: self.path, retention: retention)
        _ = try await audit.append((1...count).map(Self.late))
        return audit
    }

    /// As root does it, who knows SQLite and takes the triggers away first.
    func tamper(_ sql: String...) throws {
        let queue = try DatabaseQueue(path: self.path)
        try queue.write { database in
            try database.execute(
                sql: "DROP TRIGGER IF EXISTS entry_is_not_changed; DROP TRIGGER IF EXISTS entry_is_not_removed"
            )
            for statement in sql { try database.execute(sql: statement) }
        }
        try queue.close()
    }

    /// Writes all hashes anew from an entry on, as somebody can who knows how they are made.
    func rehash(from first: Int64) throws {
        let file = try AuditFile(path: self.path)
        let entries = try file.entries(AuditQuery(after: 0, limit: 1000))
        let queue = try DatabaseQueue(path: self.path)
        try queue.write { database in
            var previous: String?
            for var entry in entries where entry.number >= first {
                entry.previous = previous ?? entry.previous
                entry.hash = entry.expectedHash
                previous = entry.hash
                try database.execute(
                    sql: "UPDATE entry SET previous = ?, hash = ? WHERE number = ?",
                    arguments: [entry.previous, entry.hash, entry.number]
                )
            }
        }
        try queue.close()
    }

    func check(expected: AuditPlace? = nil) throws -> AuditProgress {
        try AuditFile(path: self.path).check(expected: expected)
    }
}
