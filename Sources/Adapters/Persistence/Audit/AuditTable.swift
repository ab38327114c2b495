import Audits
import Deployments
import Foundation
import GRDB

/// The audit's tables, and what is read of them and appended.
enum AuditTable {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: entries", migrate: Self.create)
        return migrator
    }

    /// The triggers keep honest programs from changing what was written; the chain tells of the others.
    private static func create(in database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE entry (
                    number INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, written INTEGER,
                    stage TEXT NOT NULL, request TEXT, name TEXT NOT NULL, way TEXT NOT NULL, credential TEXT,
                    address TEXT, action TEXT NOT NULL, deployment TEXT, why TEXT, parameters TEXT NOT NULL,
                    accepted INTEGER, changed INTEGER, message TEXT, before TEXT, after TEXT,
                    previous TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
                CREATE INDEX entry_of_deployment ON entry (deployment, number);
                CREATE INDEX entry_of_action ON entry (action, number);
                CREATE TABLE anchor (
                    id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;
                CREATE TRIGGER entry_is_not_changed BEFORE UPDATE ON entry BEGIN
                    SELECT RAISE(ABORT, 'an entry of the audit is never changed');
                END;
                CREATE TRIGGER entry_is_not_removed BEFORE DELETE ON entry
                    WHEN OLD.number > COALESCE((SELECT number FROM anchor), 0) BEGIN
                    SELECT RAISE(ABORT, 'an entry of the audit is only removed from the front');
                END;
                """
        )
    }

    // MARK: - Reading

    static func head(in database: Database) throws -> AuditPlace {
        let row = try Row.fetchOne(database, sql: "SELECT * FROM entry ORDER BY number DESC LIMIT 1")
        if let row { return Self.entry(row).place }
        return try Self.anchor(in: database) ?? .beginning
    }

    /// Where what was removed from the front ended.
    static func anchor(in database: Database) throws -> AuditPlace? {
        try Row.fetchOne(database, sql: "SELECT number, hash FROM anchor").map {
            AuditPlace(number: Self.number($0["number"]) ?? 0, hash: Self.text($0["hash"]) ?? "")
        }
    }

    /// The highest number that was ever given.
    static func given(in database: Database) throws -> Int64 {
        try Int64.fetchOne(database, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'entry'") ?? 0
    }

    static func entries(_ query: AuditQuery, in database: Database) throws -> [AuditEntry] {
        var (conditions, arguments) = (["number > :after"], StatementArguments())
        arguments += ["after": query.after ?? 0, "limit": query.limit]
        if let deployment = query.deployment {
            conditions.append("deployment = :deployment")
            arguments += ["deployment": deployment]
        }
        if let name = query.by {
            conditions.append("instr(name, :name) > 0")
            arguments += ["name": name]
        }
        if let action = query.action {
            conditions.append("action = :action")
            arguments += ["action": action]
        }
        if let since = query.since {
            conditions.append("time >= :since")
            arguments += ["since": since.milliseconds]
        }
        let entries = try Row.fetchAll(
            database,
            sql: """
                SELECT * FROM entry WHERE \(conditions.joined(separator: " AND "))
                ORDER BY number \(query.after == nil ? "DESC" : "ASC") LIMIT :limit
                """,
            arguments: arguments
        ).map(Self.entry)
        return query.after == nil ? entries.reversed() : entries
    }

    static func check(_ part: AuditPart, in database: Database) throws -> AuditProgress {
        let front = try Self.anchor(in: database)
        var check = AuditCheck(after: part.after ?? front ?? .beginning, expected: part.expected)
        if let finding = try Self.problem(of: front, part, in: database) {
            return AuditProgress(check, front: front, isComplete: true, finding: finding)
        }
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT * FROM entry WHERE number > ? ORDER BY number LIMIT ?",
            arguments: [check.head.number, part.limit]
        )
        while let row = try rows.next() {
            guard let finding = check.take(Self.entry(row)) else { continue }
            return AuditProgress(check, front: front, isComplete: true, finding: finding)
        }
        guard check.count < part.limit else {
            return AuditProgress(check, front: front, isComplete: false, finding: nil)
        }
        let finding = check.finish(given: try Self.given(in: database))
        return AuditProgress(check, front: front, isComplete: true, finding: finding)
    }

    /// What was removed from the front must be what an entry of the chain says.
    private static func problem(
        of front: AuditPlace?,
        _ part: AuditPart,
        in database: Database
    ) throws -> AuditFinding? {
        guard let front else { return nil }
        if let expected = part.expected, expected.number <= front.number {
            guard expected.number < front.number else {
                return expected == front
                    ? nil
                    : AuditFinding(.unexpected, number: front.number, "entry \(front.number) is not the one noted")
            }
            throw AuditError(
                code: .unavailable,
                message: "entry \(expected.number) is not kept any more: compare with one after \(front.number)"
            )
        }
        let row = try Row.fetchOne(
            database,
            sql: "SELECT * FROM entry WHERE action = 'audit-pruned' ORDER BY number DESC LIMIT 1"
        )
        let values = row.map { AuditFields(text: Self.entry($0).parameters).values } ?? [:]
        guard values["through"] == "\(front)" else {
            return AuditFinding(
                .front,
                number: front.number,
                "what is missing up to entry \(front.number) was not removed by the controller: the chain does not "
                    + "tell of it"
            )
        }
        return nil
    }

    /// What somebody changed to another type is not what was written, either: it must be read, and not be taken for
    /// nothing.
    static func entry(_ row: Row) -> AuditEntry {
        AuditEntry(
            number: Self.number(row["number"]) ?? 0,
            time: Self.number(row["time"]) ?? 0,
            written: Self.number(row["written"]),
            stage: Self.text(row["stage"]) ?? "",
            request: Self.text(row["request"]),
            caller: AuditCaller(
                name: Self.text(row["name"]) ?? "",
                way: Self.text(row["way"]) ?? "",
                credential: Self.text(row["credential"]),
                address: Self.text(row["address"])
            ),
            action: Self.text(row["action"]) ?? "",
            deployment: Self.text(row["deployment"]),
            why: Self.text(row["why"]),
            parameters: Self.text(row["parameters"]) ?? "",
            accepted: Self.number(row["accepted"]),
            changed: Self.number(row["changed"]),
            message: Self.text(row["message"]),
            before: Self.text(row["before"]),
            after: Self.text(row["after"]),
            previous: Self.text(row["previous"]) ?? "",
            hash: Self.text(row["hash"]) ?? ""
        )
    }

    private static func number(_ value: DatabaseValue) -> Int64? {
        switch value.storage {
        case .null: nil
        case .int64(let number): number
        case .double, .string, .blob: .min
        }
    }

    private static func text(_ value: DatabaseValue) -> String? {
        switch value.storage {
        case .null: nil
        case .string(let text): text
        case .int64, .double, .blob: "\u{FFFD}"
        }
    }

    // MARK: - Appending

    /// `known` is the last entry that this process wrote, which is what the next follows on, whatever the file says by
    /// now.
    static func append(_ drafts: [LateDraft], known: AuditPlace?, to database: Database) throws -> AuditPlace {
        let stored = try Self.head(in: database)
        var head = AuditPlace(
            number: max(stored.number, known?.number ?? 0, try Self.given(in: database)),
            hash: known?.hash ?? stored.hash
        )
        for late in drafts {
            let entry = AuditEntry(late.draft, after: head, written: late.written)
            try Self.insert(entry, into: database)
            head = entry.place
        }
        return head
    }

    private static func insert(_ entry: AuditEntry, into database: Database) throws {
        let values: [(any DatabaseValueConvertible)?] = [
            entry.number, entry.time, entry.written, entry.stage, entry.request, entry.name, entry.way,
            entry.credential, entry.address, entry.action, entry.deployment, entry.why, entry.parameters,
            entry.accepted, entry.changed, entry.message, entry.before, entry.after, entry.previous, entry.hash,
        ]
        try database.execute(
            sql: """
                INSERT INTO entry (number, time, written, stage, request, name, way, credential, address, action,
                    deployment, why, parameters, accepted, changed, message, before, after, previous, hash)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: StatementArguments(values)
        )
    }

    /// Removes the oldest entries that need not be kept, and says so at the end of the chain.
    ///
    /// - Returns: How many, and the entry that says so.
    static func prune(
        _ retention: AuditRetention,
        at now: Timestamp,
        known: AuditPlace?,
        in database: Database
    ) throws -> (count: Int, head: AuditPlace)? {
        let oldest = (now - Timestamp(milliseconds: 0) - retention.keep).wholeMilliseconds
        let pages = try Int64.fetchOne(database, sql: "PRAGMA page_count") ?? 0
        let free = try Int64.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
        let page = try Int64.fetchOne(database, sql: "PRAGMA page_size") ?? 0
        let count = try Int.fetchOne(database, sql: "SELECT count(*) FROM entry") ?? 0
        // By size a tenth goes at once, as what is freed is only known afterwards.
        let surplus = (pages - free) * page > retention.maxSize ? min(count / 10, AuditRetention.batch) : 0
        let candidates = try Row.fetchAll(
            database,
            sql: "SELECT number, time, hash FROM entry ORDER BY number LIMIT ?",
            arguments: [min(count - 1, AuditRetention.batch)]
        )
        let old = candidates.prefix { (Self.number($0["time"]) ?? 0) < oldest }.count
        guard case let due = max(old, min(surplus, candidates.count)), due > 0, let last = candidates[..<due].last,
            let hash = Self.text(last["hash"]), let number = Self.number(last["number"])
        else { return nil }
        let through = AuditPlace(number: number, hash: hash)
        let draft = AuditDraft(
            time: now,
            caller: .controller,
            action: "audit-pruned",
            why: old >= due ? "older than audit.keep" : "more than audit.maxSize",
            parameters: ["through": "\(through)", "entries": "\(due)"]
        )
        let head = try Self.append([LateDraft(draft)], known: known, to: database)
        try database.execute(
            sql: "INSERT OR REPLACE INTO anchor (id, number, hash) VALUES (1, ?, ?)",
            arguments: [through.number, through.hash]
        )
        try database.execute(sql: "DELETE FROM entry WHERE number <= ?", arguments: [through.number])
        return (due, head)
    }
}
