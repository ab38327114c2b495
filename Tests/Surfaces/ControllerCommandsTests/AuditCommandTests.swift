import ControllerAPI
import ControllerCommands
import Foundation
import Synchronization
import Testing

@Suite("controller audit", .timeLimit(.minutes(5)))
struct AuditCommandTests {
    /// As somebody does it who has the file and knows SQLite.
    private static func tamper(_ path: String, _ sql: String) throws {
        let tool = Process()
        tool.executableURL = URL(filePath: "/usr/bin/env")
        let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2]); c.commit()"
        tool.arguments = ["python3", "-c", script, path, "DROP TRIGGER entry_is_not_changed; \(sql)"]
        try tool.run()
        tool.waitUntilExit()
        #expect(tool.terminationStatus == 0)
    }

    @Test
    func `who did what is listed once for each request, filtered, and exported line by line`() async throws {
        let fixture = try CommandFixture()
        try await fixture.serving {
            #expect(await fixture.run("pause", "search/file-type", "--why", "lunch").status == 0)
            fixture.answer.withLock { $0 = OperatorAnswer(accepted: false, changed: false, message: "a gate failed") }
            #expect(await fixture.run("promote", "search/file-type", "--force", "--why", "trust me").status == 1)
            let list = await fixture.run("audit")
            #expect(list.status == 0, "\(list.remarks)")
            let lines = list.output.split(separator: "\n").map(String.init)
            #expect(lines.count == 3, "\(list.output)")
            #expect(lines[0].hasPrefix("NUMBER  TIME"))
            #expect(lines[1].hasPrefix("2 ") && lines[1].contains("pause") && lines[1].contains("done"))
            #expect(lines[1].hasSuffix("lunch: done"))
            #expect(lines[2].contains("promote --force") && lines[2].contains("refused"))
            #expect(lines[2].hasSuffix("trust me: a gate failed"))

            let filtered = await fixture.run("audit", "--action", "promote", "--output", "json", "--since", "1h")
            let entries = try APICoding.decoder().decode([AuditStatus].self, from: Data(filtered.output.utf8))
            #expect(entries.map(\.number) == [3, 4])
            #expect(await fixture.run("audit", "--by", "nobody-of-this-name").output.split(separator: "\n").count == 1)
            #expect(
                await fixture.run("audit", "--deployment", "default/other").output.split(separator: "\n").count == 1
            )

            let all = await fixture.run("audit", "--all", "--output", "jsonl")
            let exported = all.output.split(separator: "\n")
            #expect(exported.count == 4)
            for line in exported { _ = try APICoding.decoder().decode(AuditStatus.self, from: Data(line.utf8)) }
            #expect(await fixture.run("audit", "--all").status == 2)
            #expect(await fixture.run("audit", "--limit", "0").status == 2)
            #expect(await fixture.run("audit", "--since", "yesterday").status == 2)
        }
    }

    @Test
    func `a whole chain verifies, and a changed row is named with exit status 1`() async throws {
        let fixture = try CommandFixture()
        try await fixture.serving {
            for _ in 0..<3 { _ = await fixture.run("pause", "search/file-type", "--why", "lunch") }
            let whole = await fixture.run("audit", "verify")
            #expect(whole.status == 0, "\(whole.remarks)")
            #expect(whole.output.hasPrefix("6 entries from "))
            #expect(whole.output.contains(", unbroken, head 6:"))
            let head = await fixture.run("audit", "head").output.trimmingCharacters(in: .newlines)
            #expect(whole.output.contains(head))
            #expect(await fixture.run("audit", "verify", "--expect", head).status == 0)
            let other = head.replacing("6:", with: "5:")
            let unexpected = await fixture.run("audit", "verify", "--expect", other)
            #expect(unexpected.status == 1)
            #expect(unexpected.remarks.contains("entry 5 is not the one that was noted"), "\(unexpected.remarks)")

            try Self.tamper(fixture.auditPath, "UPDATE entry SET name = 'mallory' WHERE number = 4")
            let broken = await fixture.run("audit", "verify")
            #expect(broken.status == 1)
            #expect(broken.output.contains("3 entries from "), "\(broken.output)")
            #expect(broken.remarks.contains("entry 4 is not as it was written"), "\(broken.remarks)")
            let json = await fixture.run("audit", "verify", "--output", "json")
            #expect(json.status == 1)
            let report = try APICoding.decoder().decode(AuditVerification.self, from: Data(json.output.utf8))
            #expect(report.broken == 4)
            #expect(report.kind == "changed")
        }
    }
}
