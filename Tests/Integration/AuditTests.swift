import ControllerAPI
import Foundation
import Testing

extension IntegrationTests {
    @Test
    func `who commanded what survives kill -9 in a chain that verifies, and a freeze stands`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let freeze = try await sandbox.command("freeze", "--all", "--for", "2h", "--why", "incident 4711")
            #expect(freeze.status == 0, "\(freeze.error)")
            #expect(freeze.output.hasPrefix("freeze 1: all deployments until "), "\(freeze.output)")
            let pause = try await sandbox.command("pause", Sandbox.name, "--why", "looking at latency")
            #expect(pause.status == 0, "\(pause.error)")
            #expect(try await sandbox.command("resume", Sandbox.name).status == 0)
            sandbox.killController()
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "2"))
            try await sandbox.until("version 2 waits for the freeze's end") {
                await sandbox.status()?.holds.contains { $0.kind == "frozen" && $0.why.contains("incident 4711") }
                    ?? false
            }
            #expect(await sandbox.status()?.phase == "settled")
            let get = try await sandbox.command("get")
            #expect(get.error.contains("frozen: all deployments, until "), "\(get.error)")

            let verified = try await sandbox.command("audit", "verify")
            #expect(verified.status == 0, "\(verified.error)")
            #expect(verified.output.hasPrefix("6 entries from "), "\(verified.output)")
            let list = try await sandbox.command("audit", "--deployment", Sandbox.name, "--output", "json")
            let entries = try APICoding.decoder().decode([AuditStatus].self, from: Data(list.output.utf8))
            #expect(entries.map(\.action) == ["pause", "pause", "resume", "resume"])
            #expect(entries.map(\.stage) == ["asked", "answered", "asked", "answered"])
            #expect(entries[1].before?["holds"] == "frozen" || entries[1].before?["holds"] == nil)
            #expect(entries[1].after?["holds"]?.contains("paused") == true, "\(entries[1])")
            #expect(entries[1].why == "looking at latency")
            let head = try await sandbox.command("audit", "head").output.trimmingCharacters(in: .newlines)

            #expect(try await sandbox.command("unfreeze", "1", "--why", "over").status == 0)
            try await sandbox.serves("2")
            #expect(try await sandbox.command("audit", "verify", "--expect", head).status == 0)

            // Somebody with the file and SQLite, while the controller is down.
            sandbox.killController()
            let script = """
                import sqlite3, sys
                c = sqlite3.connect(sys.argv[1])
                c.executescript("DROP TRIGGER entry_is_not_changed; UPDATE entry SET name = 'bob' WHERE number = 4")
                """
            let audit = "\(sandbox.state)/audit.sqlite"
            let tampered = try await Machine.run(
                "/usr/bin/env",
                ["python3", "-c", script, audit],
                environment: sandbox.environment,
                at: sandbox.folder
            )
            #expect(tampered.status == 0, "\(tampered.error)")
            try await sandbox.startController()
            let broken = try await sandbox.command("audit", "verify")
            #expect(broken.status == 1)
            #expect(broken.error.contains("entry 4 is not as it was written"), "\(broken.error)")
        }
    }
}
