import Decisions
package import Deployments
import Foundation
import GRDB
package import Reconciliation
import Rollouts
import Synchronization

/// The journal in one SQLite file: the members as they are, every transition ever, the outbox, and the decisions of the
/// last time.
///
/// Write-ahead logging with full synchronisation: what ``append(_:)`` returned from survives a power cut.
package final class SQLiteJournal: Journal {
    private let pool: DatabasePool
    private let retention: DecisionRetention
    private let recorder: Mutex<DecisionRecorder>

    /// Opens the file, or makes it.
    ///
    /// - Throws: `JournalError.newerVersion` when a later controller wrote it; nothing is changed then.
    package init(path: String, retention: DecisionRetention = DecisionRetention()) throws(JournalError) {
        self.retention = retention
        do {
            var configuration = GRDB.Configuration()
            configuration.busyMode = .timeout(5)
            configuration.maximumReaderCount = 2
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            self.pool = try DatabasePool(path: path, configuration: configuration)
            let migrator = Self.migrator
            if try self.pool.read(migrator.hasBeenSuperseded) {
                throw JournalError(
                    code: .newerVersion,
                    message: "\(path) was written by a newer controller: start that one, or restore a backup"
                )
            }
            try migrator.migrate(self.pool)
            self.recorder = Mutex(DecisionRecorder(after: try self.pool.read(DecisionTable.lastNumber)))
        } catch let error as JournalError {
            throw error
        } catch {
            throw JournalError(error, path)
        }
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: members, transitions, outbox") { database in
            try database.execute(
                sql: """
                    CREATE TABLE member (deployment TEXT PRIMARY KEY, updated INTEGER NOT NULL, json BLOB NOT NULL)
                        WITHOUT ROWID;
                    CREATE TABLE transition (
                        id INTEGER PRIMARY KEY, deployment TEXT NOT NULL, time INTEGER NOT NULL, json BLOB NOT NULL);
                    CREATE INDEX transition_of_deployment ON transition (deployment, id);
                    CREATE TABLE outbox (id TEXT PRIMARY KEY, position INTEGER NOT NULL, json BLOB NOT NULL);
                    """
            )
        }
        migrator.registerMigration("2: decisions", migrate: DecisionTable.create)
        migrator.registerMigration("3: freezes", migrate: Self.createFreezes)
        return migrator
    }

    package func load() async throws(JournalError) -> JournalContents {
        try await self.perform { database in
            var contents = JournalContents()
            for row in try Row.fetchAll(database, sql: "SELECT deployment, json FROM member") {
                let name: String = row["deployment"]
                guard let id = DeploymentID(name) else {
                    throw JournalError(
                        code: .corrupt,
                        message: "the journal names a deployment \(name): restore a backup"
                    )
                }
                contents.members[id] = try Self.decode(Member.self, row["json"])
            }
            for row in try Row.fetchAll(database, sql: "SELECT json FROM outbox ORDER BY position") {
                contents.outbox.append(try Self.decode(OutboxItem.self, row["json"]))
            }
            return contents
        }
    }

    package func append(_ record: JournalRecord) async throws(JournalError) {
        let recording: DecisionRecorder.Recording?
        do {
            recording = try record.decision.map { decision in try self.recorder.withLock { try $0.record(decision) } }
        } catch {
            throw JournalError(code: .unavailable, message: "a decision cannot be written as JSON: \(error)")
        }
        let retention = self.retention
        try await self.perform(writing: true) { database in
            let name = record.deployment.description
            if let recording { try DecisionTable.insert(recording, retention, into: database) }
            if let member = record.member {
                try database.execute(
                    sql: "INSERT OR REPLACE INTO member (deployment, updated, json) VALUES (?, ?, ?)",
                    arguments: [name, record.time.milliseconds, try Self.encode(member, recording)]
                )
            } else {
                try database.execute(sql: "DELETE FROM member WHERE deployment = ?", arguments: [name])
            }
            for transition in record.transitions {
                try database.execute(
                    sql: "INSERT INTO transition (deployment, time, json) VALUES (?, ?, ?)",
                    arguments: [name, transition.time.milliseconds, try Self.encode(transition)]
                )
            }
            for item in record.outbox {
                try database.execute(
                    sql: """
                        INSERT OR IGNORE INTO outbox (id, position, json)
                        VALUES (?, (SELECT COALESCE(MAX(position), 0) + 1 FROM outbox), ?)
                        """,
                    arguments: [item.id, try Self.encode(item)]
                )
            }
        }
        // Only now: what was not written is continued by nothing.
        if let recording { self.recorder.withLock { $0.keep(recording) } }
    }

    package func chapter(
        after number: Int64,
        of deployment: DeploymentID?
    ) async throws(JournalError) -> DecisionChapter? {
        try await self.perform { try DecisionTable.chapter(after: number, of: deployment, in: $0) }
    }

    package func history(
        of deployment: DeploymentID?,
        limit: Int
    ) async throws(JournalError) -> [JournaledTransition] {
        try await self.perform { database in
            let filter = deployment == nil ? "" : "WHERE deployment = :name"
            let rows = try Row.fetchAll(
                database,
                sql: "SELECT deployment, json FROM transition \(filter) ORDER BY id DESC LIMIT :limit",
                arguments: deployment == nil
                    ? ["limit": limit] : ["limit": limit, "name": deployment?.description]
            )
            return try rows.reversed().compactMap { row in
                guard let id = DeploymentID(row["deployment"] as String) else { return nil }
                return JournaledTransition(deployment: id, transition: try Self.decode(Transition.self, row["json"]))
            }
        }
    }

    /// Transitions of all deployments or of those of a namespace, oldest first, each with its number.
    ///
    /// - Parameters:
    ///   - number: Only later ones, and the first `limit` of them; without one the newest.
    ///   - namespace: Of whom; nothing for all.
    ///   - limit: The most that are read.
    /// - Returns: Numbers rise, and are not given twice.
    /// - Throws: A `JournalError` when the file cannot be read.
    package func events(
        after number: Int64?,
        in namespace: String?,
        limit: Int
    ) async throws(JournalError) -> [(number: Int64, event: JournaledTransition)] {
        try await self.perform { database in
            var conditions = ["id > :after"]
            var arguments: StatementArguments = ["after": number ?? 0, "limit": limit]
            if let namespace {
                // All that begins with the namespace and a slash, as `0` comes after that; the index serves it.
                conditions.append("deployment >= :first AND deployment < :last")
                arguments += ["first": "\(namespace)/", "last": "\(namespace)0"]
            }
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT id, deployment, json FROM transition WHERE \(conditions.joined(separator: " AND "))
                    ORDER BY id \(number == nil ? "DESC" : "ASC") LIMIT :limit
                    """,
                arguments: arguments
            )
            return try (number == nil ? rows.reversed() : rows).compactMap { row in
                guard let id = DeploymentID(row["deployment"] as String) else { return nil }
                let transition = try Self.decode(Transition.self, row["json"])
                return (row["id"], JournaledTransition(deployment: id, transition: transition))
            }
        }
    }

    package func settle(_ item: OutboxItem) async throws(JournalError) {
        try await self.perform(writing: true) { database in
            try database.execute(sql: "DELETE FROM outbox WHERE id = ?", arguments: [item.id])
        }
    }

    // MARK: -

    func perform<Value: Sendable>(
        writing: Bool = false,
        _ work: @escaping @Sendable (Database) throws -> Value
    ) async throws(JournalError) -> Value {
        do {
            return writing ? try await self.pool.write(work) : try await self.pool.read(work)
        } catch let error as JournalError {
            throw error
        } catch {
            throw JournalError(error, self.pool.path)
        }
    }

    /// A member with its rollout, which is encoded already when a decision led to it.
    private static func encode(_ member: Member, _ recording: DecisionRecorder.Recording?) throws -> Data {
        guard let recording else { return try Self.encode(member) }
        var rest = member
        rest.rollout = Rollout(id: member.rollout.id, at: member.rollout.since)
        return Data(try CanonicalCoding.encode(rest, with: "rollout", as: recording.rollout))
    }

    static func encode(_ value: some Encodable) throws -> Data {
        Data(try CanonicalCoding.encode(value))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ data: Data) throws -> Value {
        do {
            return try CanonicalCoding.decode(type, from: Array(data))
        } catch {
            throw JournalError(
                code: .corrupt,
                message: "the journal holds an unreadable \(type): restore a backup (\(error))"
            )
        }
    }
}
