import Decisions
import Deployments
import Foundation
import GRDB
import Reconciliation

/// The decisions in the journal's file: chapters of records that are deflated each by the one before.
enum DecisionTable {
    static func create(in database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE chapter (
                    number INTEGER PRIMARY KEY, deployment TEXT NOT NULL, last INTEGER NOT NULL,
                    decisions INTEGER NOT NULL, size INTEGER NOT NULL);
                CREATE INDEX chapter_of_deployment ON chapter (deployment, number);
                CREATE TABLE decision (
                    number INTEGER PRIMARY KEY AUTOINCREMENT, chapter INTEGER NOT NULL, sum TEXT NOT NULL,
                    deflated BLOB NOT NULL);
                CREATE INDEX decision_of_chapter ON decision (chapter, number);
                CREATE TABLE spec (digest TEXT PRIMARY KEY, deflated BLOB NOT NULL) WITHOUT ROWID;
                CREATE TABLE spec_of_chapter (
                    chapter INTEGER NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (chapter, digest)) WITHOUT ROWID;
                CREATE INDEX chapter_of_spec ON spec_of_chapter (digest);
                """
        )
    }

    /// The number of the last decision ever written, also when it is not kept any more; 0 for none.
    static func lastNumber(in database: Database) throws -> Int64 {
        try Int64.fetchOne(database, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'decision'") ?? 0
    }

    static func insert(
        _ recording: DecisionRecorder.Recording,
        _ retention: DecisionRetention,
        into database: Database
    ) throws {
        let deflated = try DeltaCompression.deflated(recording.bytes, by: recording.previous)
        if recording.beginsChapter {
            try Self.prune(retention, at: recording.time, in: database)
            try database.execute(
                sql: "INSERT INTO chapter (number, deployment, last, decisions, size) VALUES (?, ?, 0, 0, 0)",
                arguments: [recording.chapter, recording.deployment.description]
            )
        }
        if let spec = recording.spec {
            let json = Data(try DeltaCompression.deflated(spec.bytes, by: []))
            try database.execute(
                sql: """
                    INSERT OR IGNORE INTO spec (digest, deflated) VALUES (:digest, :json);
                    INSERT OR IGNORE INTO spec_of_chapter (chapter, digest) VALUES (:chapter, :digest);
                    """,
                arguments: ["digest": spec.digest, "json": json, "chapter": recording.chapter]
            )
        }
        try database.execute(
            sql: """
                INSERT INTO decision (number, chapter, sum, deflated) VALUES (:number, :chapter, :sum, :deflated);
                UPDATE chapter SET last = :time, decisions = decisions + 1, size = size + :size
                    WHERE number = :chapter;
                """,
            arguments: [
                "number": recording.number, "chapter": recording.chapter, "sum": recording.sum,
                "deflated": Data(deflated), "time": recording.time.milliseconds, "size": deflated.count,
            ]
        )
    }

    /// Removes old chapters: those past their time, and the oldest while all take too much room.
    private static func prune(_ retention: DecisionRetention, at now: Timestamp, in database: Database) throws {
        let candidates = try Row.fetchAll(
            database,
            sql: """
                SELECT number, last, size FROM chapter WHERE number NOT IN (
                    SELECT MAX(number) FROM chapter
                    WHERE deployment IN (SELECT deployment FROM member) GROUP BY deployment)
                ORDER BY last LIMIT :batch
                """,
            arguments: ["batch": DecisionRetention.batch]
        )
        var size = try Int64.fetchOne(database, sql: "SELECT SUM(size) FROM chapter") ?? 0
        let oldest = (now - Timestamp(milliseconds: 0) - retention.keep).wholeMilliseconds
        for row in candidates {
            let (number, last, own) = (row["number"] as Int64, row["last"] as Int64, row["size"] as Int64)
            guard last < oldest || size > retention.maxSize else { return }
            try database.execute(
                sql: """
                    DELETE FROM decision WHERE chapter = :chapter;
                    DELETE FROM chapter WHERE number = :chapter;
                    DELETE FROM spec WHERE digest IN (SELECT digest FROM spec_of_chapter WHERE chapter = :chapter)
                        AND digest NOT IN (SELECT digest FROM spec_of_chapter WHERE chapter <> :chapter);
                    DELETE FROM spec_of_chapter WHERE chapter = :chapter;
                    """,
                arguments: ["chapter": number]
            )
            size -= own
        }
    }

    /// The first chapter after `number`, as lines of an export.
    static func chapter(after number: Int64, of deployment: DeploymentID?, in database: Database) throws
        -> DecisionChapter?
    {
        let filter = deployment == nil ? "" : "AND deployment = :deployment"
        let row = try Row.fetchOne(
            database,
            sql: "SELECT number, deployment FROM chapter WHERE number > :number \(filter) ORDER BY number LIMIT 1",
            arguments: deployment == nil
                ? ["number": number] : ["number": number, "deployment": deployment?.description]
        )
        guard let row else { return nil }
        let chapter: Int64 = row["number"]
        guard let id = DeploymentID(row["deployment"] as String) else {
            throw JournalError(code: .corrupt, message: "chapter \(chapter) of the journal has no deployment's name")
        }
        let specs = try Row.fetchAll(
            database,
            sql: """
                SELECT spec.digest, spec.deflated FROM spec_of_chapter JOIN spec USING (digest)
                WHERE chapter = ? ORDER BY spec.digest
                """,
            arguments: [chapter]
        )
        let decisions = try Row.fetchAll(
            database,
            sql: "SELECT number, sum, deflated FROM decision WHERE chapter = ? ORDER BY number",
            arguments: [chapter]
        )
        var lines = try DecisionLine.bytes(
            of: DecisionLine.ChapterHead(number: chapter, deployment: id, decisions: decisions.count)
        )
        for spec in specs {
            let bytes = try Self.inflated(spec["deflated"], by: [], "a manifest of chapter \(chapter)")
            lines += DecisionLine.bytes(ofSpec: bytes, digest: spec["digest"])
        }
        var previous: [UInt8] = []
        for decision in decisions {
            previous = try Self.inflated(decision["deflated"], by: previous, "decision \(decision["number"] as Int64)")
            lines += DecisionLine.bytes(ofDecision: previous, sum: decision["sum"])
        }
        return DecisionChapter(number: chapter, decisions: decisions.count, lines: lines)
    }

    private static func inflated(_ data: Data, by previous: [UInt8], _ what: String) throws -> [UInt8] {
        do {
            return try DeltaCompression.inflated([UInt8](data), by: previous)
        } catch {
            throw JournalError(code: .corrupt, message: "\(what) of the journal is damaged: restore a backup")
        }
    }
}
