import Deployments
import Foundation
import GRDB
import Persistence
import Reconciliation
import Rollouts
import Testing

/// Journals as earlier controllers left them.
@Suite
struct MigrationTests {
    let folder = FileManager.default.temporaryDirectory.appending(path: "migration-\(UUID().uuidString)").path
    var path: String { "\(self.folder)/journal.sqlite" }

    init() throws {
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
    }

    /// What each version added, as it was written then.
    static let schemas: [(name: String, sql: String)] = [
        (
            "1: members, transitions, outbox",
            """
            CREATE TABLE member (deployment TEXT PRIMARY KEY, updated INTEGER NOT NULL, json BLOB NOT NULL)
                WITHOUT ROWID;
            CREATE TABLE transition (
                id INTEGER PRIMARY KEY, deployment TEXT NOT NULL, time INTEGER NOT NULL, json BLOB NOT NULL);
            CREATE INDEX transition_of_deployment ON transition (deployment, id);
            CREATE TABLE outbox (id TEXT PRIMARY KEY, position INTEGER NOT NULL, json BLOB NOT NULL);
            INSERT INTO transition (deployment, time, json) VALUES ('search/file-type', 1,
                '{"kind":"promoted","message":"long ago","time":1}');
            INSERT INTO outbox VALUES ('a', 1,
                '{"commit":"1","id":"a","key":"search/file-type","note":"{}","repository":"models"}');
            """
        ),
        (
            "2: decisions",
            """
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
        ),
    ]

    @Test(arguments: 1...2)
    func `a journal of an earlier version is opened, and keeps what it holds`(version: Int) async throws {
        let old = try DatabaseQueue(path: self.path)
        try await old.write { database in
            try database.execute(sql: "CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
            for schema in Self.schemas.prefix(version) {
                try database.execute(sql: schema.sql)
                try database.execute(sql: "INSERT INTO grdb_migrations VALUES (?)", arguments: [schema.name])
            }
        }
        try old.close()
        let journal = try SQLiteJournal(path: self.path)
        #expect(try await journal.history(of: nil, limit: 9).map(\.transition.message) == ["long ago"])
        #expect(try await journal.load().outbox.map(\.id) == ["a"])
        #expect(try await journal.freezes() == FreezeBook())
        #expect(try await journal.chapter(after: 0, of: nil) == nil)
    }

    @Test
    func `freezes are kept over a restart, and their numbers too`() async throws {
        let time = Timestamp(milliseconds: 1_790_000_000_000)
        let freeze = OperatorFreeze(
            number: 7,
            namespace: "search",
            labels: ["team": "a"],
            by: "root (sudo: alice)",
            why: "incident",
            since: time,
            until: time + .hours(2)
        )
        let first = try SQLiteJournal(path: self.path)
        try await first.keep(FreezeBook(last: 7, freezes: [freeze]))
        let second = try SQLiteJournal(path: self.path)
        #expect(try await second.freezes() == FreezeBook(last: 7, freezes: [freeze]))
        try await second.keep(FreezeBook(last: 7))
        #expect(try await second.freezes() == FreezeBook(last: 7))
    }
}
