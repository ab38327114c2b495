import Audits
import Deployments
import Foundation
import GRDB
import Persistence
import Testing

@Suite
struct SQLiteAuditTests {
    @Test
    func `what was appended is there after the file is opened again, and the chain goes on`() async throws {
        let fixture = try AuditFixture()
        let first = try await fixture.fill(2)
        let head = try await first.head()
        #expect(head.number == 2)
        let second = SQLiteAudit(path: fixture.path)
        #expect(try await second.head() == head)
        #expect(try await second.append([AuditFixture.late(3)]).number == 3)
        let entries = try await second.entries(AuditQuery())
        #expect(entries.map(\.number) == [1, 2, 3])
        #expect(entries[2].previous == head.hash)
        #expect(entries[0].previous == AuditPlace.beginning.hash)
        #expect(entries[2].name == "alice")
        #expect(AuditFields(text: entries[2].parameters).values == ["to": "abcd3"])
        #expect(entries[2].written == (AuditFixture.time + .seconds(500)).milliseconds)
    }

    @Test
    func `entries are filtered, and read page by page`() async throws {
        let fixture = try AuditFixture()
        let audit = try await fixture.fill(12)
        func numbers(_ query: AuditQuery) async throws -> [Int64] { try await audit.entries(query).map(\.number) }
        #expect(try await numbers(AuditQuery(limit: 3)) == [10, 11, 12])
        #expect(try await numbers(AuditQuery(after: 0, limit: 3)) == [1, 2, 3])
        #expect(try await numbers(AuditQuery(after: 3, limit: 3)) == [4, 5, 6])
        #expect(try await numbers(AuditQuery(after: 12, limit: 3)) == [])
        #expect(try await numbers(AuditQuery(deployment: "search/file-type")) == [1, 3, 5, 7, 9, 11])
        #expect(try await numbers(AuditQuery(by: "lic")) == [1, 3, 5, 7, 9, 11])
        #expect(try await numbers(AuditQuery(action: "resume")) == [2, 4, 6, 8, 10, 12])
        let since = AuditFixture.time + .seconds(10)
        #expect(try await numbers(AuditQuery(since: since)) == [10, 11, 12])
        #expect(try await numbers(AuditQuery(after: 10, by: "alice", action: "rollback", since: since)) == [11])
        #expect(try await numbers(AuditQuery(by: "%")) == [])
    }

    @Test
    func `a check goes part by part, and comes to the same`() async throws {
        let fixture = try AuditFixture()
        let audit = try await fixture.fill(12)
        var (part, counts) = (AuditPart(limit: 5), [Int]())
        while true {
            let progress = try await audit.check(part)
            counts.append(progress.count)
            #expect(progress.finding == nil)
            part.after = progress.head
            if progress.isComplete { break }
        }
        #expect(counts == [5, 5, 2])
        #expect(part.after == (try await audit.head()))
        let wrong = AuditPlace(number: 5, hash: AuditPlace.beginning.hash)
        #expect(try await audit.check(AuditPart(after: wrong)).finding?.number == 5)
    }

    @Test
    func `what is old goes from the front, the chain says so, and what is left verifies`() async throws {
        let fixture = try AuditFixture()
        let audit = try await fixture.fill(12, retention: AuditRetention(keep: .hours(24)))
        let gone = try #require(try await audit.entries(AuditQuery(after: 6, limit: 1)).first)
        let now = AuditFixture.time + .hours(24) + .milliseconds(7500)
        #expect(try await audit.prune(at: now) == 7)
        #expect(try await audit.prune(at: now) == 0)
        let entries = try await audit.entries(AuditQuery())
        #expect(entries.map(\.number) == [8, 9, 10, 11, 12, 13])
        #expect(entries.last?.action == "audit-pruned")
        #expect(AuditFields(text: try #require(entries.last).parameters).values["through"] == "\(gone.place)")
        let progress = try fixture.check()
        #expect(progress.finding == nil)
        #expect(progress.front == gone.place)
        #expect(progress.count == 6)
        // A second time, and what was noted meanwhile.
        let noted = try await audit.append([AuditFixture.late(300), AuditFixture.late(302)])
        #expect(try await audit.prune(at: now + .seconds(2)) == 2)
        #expect(try fixture.check(expected: noted).finding == nil)
        #expect(try fixture.check().front?.number == 9)
        try fixture.tamper("UPDATE entry SET why = 'x' WHERE number = 10")
        #expect(try fixture.check().finding?.number == 10)
        #expect(throws: AuditError.self) { try fixture.check(expected: gone.place) }
    }

    @Test
    func `the newest entry stays, however old`() async throws {
        let fixture = try AuditFixture()
        let audit = try await fixture.fill(3, retention: AuditRetention(keep: .hours(24)))
        #expect(try await audit.prune(at: AuditFixture.time + .hours(48)) == 2)
        #expect(try await audit.entries(AuditQuery()).map(\.number) == [3, 4])
        #expect(try fixture.check().finding == nil)
    }

    @Test
    func `a file that grew too large loses its oldest entries`() async throws {
        let fixture = try AuditFixture()
        let audit = try await fixture.fill(400, retention: AuditRetention(keep: .hours(24 * 365), maxSize: 100_000))
        var removed = 0
        while case let count = try await audit.prune(at: AuditFixture.time), count > 0 { removed += count }
        #expect(removed > 50)
        #expect(removed < 399)
        #expect(try fixture.check().finding == nil)
        #expect(try fixture.check().head.number > 400)
    }

    @Test
    func `a damaged file is an error that says what to do, and is opened again once it is mended`() async throws {
        let fixture = try AuditFixture()
        try Data("not a database, whatever it was before".utf8).write(to: URL(filePath: fixture.path))
        let audit = SQLiteAudit(path: fixture.path)
        let error = await #expect(throws: AuditError.self) { try await audit.append([AuditFixture.late(1)]) }
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains("audit.sqlite is damaged") == true)
        try FileManager.default.removeItem(atPath: fixture.path)
        #expect(try await audit.append([AuditFixture.late(1)]).number == 1)
    }

    @Test
    func `a file of a newer controller is refused`() async throws {
        let fixture = try AuditFixture()
        try await fixture.fill(1)
        try fixture.tamper("INSERT INTO grdb_migrations VALUES ('9: from the future')")
        let error = await #expect(throws: AuditError.self) { try await SQLiteAudit(path: fixture.path).head() }
        #expect(error?.code == .newerVersion)
    }

    @Test
    func `a backup holds the whole chain, also while the controller writes`() async throws {
        let fixture = try AuditFixture()
        let audit = try await fixture.fill(12)
        let file = "\(fixture.folder)/copy.audit"
        let progress = try AuditBackup.write(from: fixture.path, to: file)
        #expect(progress.count == 12)
        #expect(progress.finding == nil)
        #expect(progress.head == (try await audit.head()))
        #expect(try AuditFile(path: file).check() == progress)
        #expect(throws: AuditError.self) { try AuditBackup.write(from: fixture.path, to: file) }
    }

    @Test
    func `a text of a caller fills no disk`() {
        let long = String(repeating: "ä", count: 10_000)
        let draft = AuditDraft(
            time: AuditFixture.time,
            caller: AuditCaller(name: "a", way: "socket"),
            action: "pause",
            why: long,
            parameters: ["to": long]
        )
        #expect(draft.why?.utf8.count ?? 0 < 4200)
        #expect(draft.why?.hasSuffix("… (15904 bytes more)") == true)
        #expect(draft.parameters.text.utf8.count < 4300)
    }
}
