import Audits
import Deployments
import Foundation
import GRDB
import Persistence
import Testing

/// What somebody does to the file, and what the check says of it.
@Suite
struct AuditTamperingTests {
    static let columns = [
        "time", "written", "stage", "request", "name", "way", "credential", "address", "action", "deployment", "why",
        "parameters", "accepted", "changed", "message", "before", "after", "previous", "hash",
    ]

    private static func isNumber(_ column: String) -> Bool {
        ["time", "written", "accepted", "changed"].contains(column)
    }

    @Test
    func `the columns of the tests are those of the file`() async throws {
        let fixture = try AuditFixture()
        try await fixture.fill(1)
        let columns = try await DatabaseQueue(path: fixture.path).read { try $0.columns(in: "entry").map(\.name) }
        #expect(columns == ["number"] + Self.columns)
    }

    @Test
    func `an audit that nobody touched is whole`() async throws {
        let fixture = try AuditFixture()
        let audit = try await fixture.fill(12)
        let progress = try fixture.check()
        #expect(progress.finding == nil)
        #expect(progress.count == 12)
        #expect(progress.head == (try await audit.head()))
        #expect(progress.oldest == AuditFixture.time + .seconds(1))
        #expect(progress.newest == AuditFixture.time + .seconds(12))
    }

    @Test(arguments: Self.columns)
    func `a changed column of one entry is found, and the entry named`(column: String) async throws {
        let fixture = try AuditFixture()
        try await fixture.fill()
        let value = Self.isNumber(column) ? "\(column) + 1" : "\(column) || 'x'"
        try fixture.tamper("UPDATE entry SET \(column) = \(value) WHERE number = 5")
        let finding = try #require(try fixture.check().finding)
        #expect(finding.number == 5)
        #expect(finding.message.contains("entry 5 "), "\(finding)")
        #expect(try fixture.check().count == 4)
    }

    @Test(arguments: Self.columns)
    func `a value where there was none, or none where there was one, is found`(column: String) async throws {
        let fixture = try AuditFixture()
        try await fixture.fill()
        let isNull = try await DatabaseQueue(path: fixture.path).read {
            try Bool.fetchOne($0, sql: "SELECT \(column) IS NULL FROM entry WHERE number = 6")
        }
        if isNull == true {
            try fixture.tamper("UPDATE entry SET \(column) = \(Self.isNumber(column) ? "0" : "''") WHERE number = 6")
            #expect(try fixture.check().finding?.number == 6)
        } else {
            // What must be there can still be empty.
            try fixture.tamper("UPDATE entry SET \(column) = \(Self.isNumber(column) ? "0" : "''") WHERE number = 5")
            #expect(try fixture.check().finding?.number == 5)
        }
    }

    @Test
    func `text moved from one column to the next is found`() async throws {
        let fixture = try AuditFixture()
        try await fixture.fill()
        try fixture.tamper("UPDATE entry SET name = name || way, way = '' WHERE number = 7")
        #expect(try fixture.check().finding?.number == 7)
    }

    @Test
    func `a removed entry is found to be missing`() async throws {
        let fixture = try AuditFixture()
        try await fixture.fill()
        try fixture.tamper("DELETE FROM entry WHERE number = 5")
        #expect(try fixture.check().finding == AuditFinding(.missing, number: 5, "entry 5 is missing"))
        try fixture.tamper("DELETE FROM entry WHERE number = 6")
        #expect(try fixture.check().finding == AuditFinding(.missing, number: 5, "entries 5 to 6 are missing"))
    }

    @Test
    func `a removed entry whose number the later ones took is found`() async throws {
        let fixture = try AuditFixture()
        try await fixture.fill()
        try fixture.tamper(
            "DELETE FROM entry WHERE number = 5",
            "UPDATE entry SET number = number - 1 WHERE number > 5"
        )
        let finding = try #require(try fixture.check().finding)
        #expect(finding.kind == .order)
        #expect(finding.number == 5)
    }

    @Test
    func `two entries that were swapped are found at the first of them`() async throws {
        let fixture = try AuditFixture()
        try await fixture.fill()
        try fixture.tamper(
            "UPDATE entry SET number = 100 WHERE number = 4",
            "UPDATE entry SET number = 4 WHERE number = 8",
            "UPDATE entry SET number = 8 WHERE number = 100"
        )
        let finding = try #require(try fixture.check().finding)
        #expect(finding.kind == .order)
        #expect(finding.number == 4)
    }

    @Test
    func `an entry that was put between others is found`() async throws {
        let fixture = try AuditFixture()
        try await fixture.fill()
        try fixture.tamper(
            "UPDATE entry SET number = -number - 1 WHERE number >= 5",
            "UPDATE entry SET number = -number WHERE number < 0",
            """
            INSERT INTO entry SELECT 5, time, written, stage, request, 'mallory', way, credential, address, action,
                deployment, why, parameters, accepted, changed, message, before, after, previous, hash
            FROM entry WHERE number = 6
            """
        )
        let finding = try #require(try fixture.check().finding)
        #expect(finding.number == 5)
    }

    @Test
    func `an entry that was rewritten together with its hash is named, not the one after it`() async throws {
        let fixture = try AuditFixture()
        try await fixture.fill()
        let file = try AuditFile(path: fixture.path)
        var entry = try #require(try file.entries(AuditQuery(after: 4, limit: 1)).first)
        entry.name = "bob"
        try fixture.tamper("UPDATE entry SET name = 'bob', hash = '\(entry.expectedHash)' WHERE number = 5")
        let finding = try #require(try fixture.check().finding)
        #expect(finding.kind == .replaced)
        #expect(finding.number == 5)
    }

    @Test
    func `an end that was cut off is found by the numbers that were given`() async throws {
        let fixture = try AuditFixture()
        try await fixture.fill()
        try fixture.tamper("DELETE FROM entry WHERE number > 9")
        let finding = try #require(try fixture.check().finding)
        #expect(finding == AuditFinding(.cutOff, number: 10, "the end was cut off: entries 10 to 12 are missing"))
    }

    @Test
    func `an end that was cut off without a trace is found by what was noted elsewhere`() async throws {
        let fixture = try AuditFixture()
        let noted = try await fixture.fill().head()
        try fixture.tamper(
            "DELETE FROM entry WHERE number > 9",
            "UPDATE sqlite_sequence SET seq = 9 WHERE name = 'entry'"
        )
        #expect(try fixture.check().finding == nil)
        #expect(try fixture.check(expected: noted).finding?.number == 10)
        #expect(try fixture.check(expected: noted).finding?.kind == .cutOff)
    }

    @Test
    func `a chain that was written anew is found by what was noted elsewhere`() async throws {
        let fixture = try AuditFixture()
        let noted = try await fixture.fill().head()
        try fixture.tamper("UPDATE entry SET name = 'bob' WHERE number = 5")
        try fixture.rehash(from: 5)
        #expect(try fixture.check().finding == nil)
        let finding = try #require(try fixture.check(expected: noted).finding)
        #expect(finding.kind == .unexpected)
        #expect(finding.number == 12)
    }

    @Test
    func `a forged entry at the end, while the controller runs, breaks the chain with the next`() async throws {
        let fixture = try AuditFixture()
        let audit = try await fixture.fill()
        let file = try AuditFile(path: fixture.path)
        var forged = try #require(try file.entries(AuditQuery(limit: 1)).first)
        (forged.number, forged.name, forged.previous) = (13, "mallory", forged.hash)
        try fixture.tamper(
            """
            INSERT INTO entry SELECT 13, time, written, stage, request, 'mallory', way, credential, address, action,
                deployment, why, parameters, accepted, changed, message, before, after, hash, '\(forged.expectedHash)'
            FROM entry WHERE number = 12
            """
        )
        #expect(try fixture.check().finding == nil)
        _ = try await audit.append([AuditFixture.late(14)])
        #expect(try fixture.check().finding?.number == 13)
    }

    @Test
    func `entries removed from the end while the controller runs are missed by the next`() async throws {
        let fixture = try AuditFixture()
        let audit = try await fixture.fill()
        try fixture.tamper(
            "DELETE FROM entry WHERE number > 10",
            "UPDATE sqlite_sequence SET seq = 10 WHERE name = 'entry'"
        )
        _ = try await audit.append([AuditFixture.late(13)])
        #expect(
            try fixture.check().finding == AuditFinding(.missing, number: 11, "entries 11 to 12 are missing")
        )
    }

    @Test
    func `a front that was removed without the controller is found`() async throws {
        let fixture = try AuditFixture()
        try await fixture.fill()
        try fixture.tamper("DELETE FROM entry WHERE number <= 3")
        #expect(try fixture.check().finding?.kind == .missing)
        try fixture.tamper("INSERT INTO anchor SELECT 1, 3, previous FROM entry WHERE number = 4")
        let finding = try #require(try fixture.check().finding)
        #expect(finding.kind == .front)
        #expect(finding.number == 3)
    }

    @Test
    func `an honest program can neither change nor remove an entry`() async throws {
        let fixture = try AuditFixture()
        try await fixture.fill()
        let queue = try DatabaseQueue(path: fixture.path)
        for statement in ["UPDATE entry SET why = 'x' WHERE number = 5", "DELETE FROM entry WHERE number = 5"] {
            let error = await #expect(throws: DatabaseError.self) {
                try await queue.write { try $0.execute(sql: statement) }
            }
            #expect(error?.message?.contains("of the audit is") == true)
        }
    }
}
