import Deployments
import Foundation
import Persistence
import Reconciliation
import Rollouts
import Testing

/// Journals as every earlier version made them are read, brought up to date, and go on.
@Suite("Journals of earlier versions")
struct MigrationTests {
    let fixture: SQLiteJournalTests

    init() throws { self.fixture = try SQLiteJournalTests() }

    /// What each migration had made, as it stood in the version that brought it: never changed again. One is added with
    /// each migration.
    static let steps = [
        (
            name: "1: members, transitions, outbox",
            sql: """
            CREATE TABLE member (deployment TEXT PRIMARY KEY, updated INTEGER NOT NULL, json BLOB NOT NULL)
                WITHOUT ROWID;
            CREATE TABLE transition (
                id INTEGER PRIMARY KEY, deployment TEXT NOT NULL, time INTEGER NOT NULL, json BLOB NOT NULL);
            CREATE INDEX transition_of_deployment ON transition (deployment, id);
            CREATE TABLE outbox (id TEXT PRIMARY KEY, position INTEGER NOT NULL, json BLOB NOT NULL);
            """
        ),
        (
            name: "2: decisions",
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
        ),
        (
            name: "3: freezes",
            sql: "CREATE TABLE freezes (id INTEGER PRIMARY KEY CHECK (id = 1), json BLOB NOT NULL)"
        ),
    ]

    /// Runs a program of SQLite's own on files, as GRDB's is the one under test.
    private func python(_ script: String, _ arguments: [String]) throws -> String {
        let tool = Process()
        tool.executableURL = URL(filePath: "/usr/bin/env")
        tool.arguments = ["python3", "-c", "import sqlite3, sys\n" + script] + arguments
        let pipe = Pipe()
        tool.standardOutput = pipe
        try tool.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        tool.waitUntilExit()
        try #require(tool.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }

    private func schema(of path: String) throws -> String {
        let script = """
            file = sqlite3.connect(sys.argv[1])
            for row in file.execute("SELECT sql FROM sqlite_master ORDER BY name"): print(*row)
            for row in file.execute("SELECT identifier FROM grdb_migrations ORDER BY 1"): print(*row)
            """
        // How a statement was wrapped is part of what SQLite keeps of it.
        return try self.python(script, [path]).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    @Test(arguments: 1...Self.steps.count)
    func `a journal of each version is read and goes on`(version: Int) async throws {
        let member = self.fixture.member()
        let new = "\(self.fixture.folder)/new.sqlite"
        let journal = try SQLiteJournal(path: new)
        try await journal.append(self.fixture.record(member, "one", outbox: [self.fixture.item("a")]))

        // A file as that version made it, with the rows that it would have written.
        let make = """
            old = sqlite3.connect(sys.argv[1])
            old.execute("PRAGMA journal_mode = WAL")
            old.execute("CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
            for name, sql in zip(sys.argv[3::2], sys.argv[4::2]):
                old.executescript(sql)
                old.execute("INSERT INTO grdb_migrations VALUES (?)", [name])
            old.execute("ATTACH ? AS new", [sys.argv[2]])
            for table in ["member", "transition", "outbox"]:
                old.execute(f'INSERT INTO main."{table}" SELECT * FROM new."{table}"')
            old.commit()
            """
        let steps = Self.steps.prefix(version).flatMap { [$0.name, $0.sql] }
        _ = try self.python(make, [self.fixture.path, new] + steps)

        let old = try SQLiteJournal(path: self.fixture.path)
        let contents = try await old.load()
        #expect(contents.members == [SQLiteJournalTests.id: member])
        #expect(contents.outbox == [self.fixture.item("a")])
        #expect(try await old.history(of: nil, limit: 9).map(\.transition.message) == ["one"])
        try await old.append(self.fixture.record(member, "two"))
        try await old.settle(self.fixture.item("a"))
        #expect(try await old.history(of: nil, limit: 9).map(\.transition.message) == ["one", "two"])
        #expect(try await old.load().outbox.isEmpty)
        #expect(try await old.chapter(after: 0, of: nil) == nil, "nothing was recorded yet, and it can be asked")
        #expect(try self.schema(of: self.fixture.path) == self.schema(of: new))
    }

    @Test
    func `every migration of this version is among those that are tried`() throws {
        do { _ = try SQLiteJournal(path: self.fixture.path) }
        let schema = try self.schema(of: self.fixture.path)
        for step in Self.steps { #expect(schema.contains(step.name), "\(step.name)") }
        let count = try self.python(
            "print(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM grdb_migrations').fetchone()[0])",
            [self.fixture.path]
        )
        #expect(count == "\(Self.steps.count)\n", "add the new one, as it is now")
    }
}
