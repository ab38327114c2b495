import ControllerAPI
import Foundation
import Testing

extension Sandbox {
    /// `controller backup`, whose options are not those of other commands.
    fileprivate func backup(_ arguments: String...) async throws -> Machine.Ended {
        try await Machine.run(
            try Machine.controller(),
            ["backup", "--state-directory", self.state] + arguments,
            environment: self.environment,
            at: self.folder
        )
    }

    /// As the runbook says, with the controller ended.
    fileprivate func restore(_ backup: String) throws {
        for ending in ["", "-wal", "-shm"] {
            // Not all of them are there at all times.
            try? FileManager.default.removeItem(atPath: "\(self.state)/journal.sqlite\(ending)")
        }
        try FileManager.default.copyItem(atPath: "\(self.folder)/\(backup)", toPath: "\(self.state)/journal.sqlite")
    }

    /// With their addresses, which a restarted one would not keep.
    fileprivate func replicaNames() async -> Set<String> {
        Set(await self.status()?.stable?.replicas.map { "\($0.name) \($0.endpoint ?? "")" } ?? [])
    }
}

extension IntegrationTests {
    @Test
    func `a backup of a running controller restores who paused what, while users notice nothing`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let load = try await Load(rate: 40, on: sandbox)
            let pause = try await sandbox.command("pause", Sandbox.name, "--why", "incident 4711")
            #expect(pause.status == 0, "\(pause.error)")

            let made = try await sandbox.backup("now.sqlite")
            #expect(made.status == 0, "\(made.error)")
            #expect(made.output.hasPrefix("now.sqlite holds 1 deployments and "), "\(made.output)")
            let again = try await sandbox.backup("now.sqlite")
            #expect(again.status == 1)
            #expect(again.error.contains("now.sqlite cannot be made: File exists: name another file"), "\(again.error)")
            let mode = try FileManager.default.attributesOfItem(atPath: "\(sandbox.folder)/now.sqlite")[
                .posixPermissions
            ]
            #expect(mode as? Int == 0o600)
            #expect(try await sandbox.backup("--check", "now.sqlite").output == made.output)
            try sandbox.write("\(sandbox.folder)/bad.sqlite", "no database")
            let bad = try await sandbox.backup("--check", "bad.sqlite")
            #expect(bad.status == 1)
            #expect(bad.error == "error: bad.sqlite is damaged, or no journal: take another backup\n")
            let left = try FileManager.default.contentsOfDirectory(atPath: sandbox.folder)
            #expect(left.filter { $0.hasPrefix("now.sqlite") }.sorted() == ["now.sqlite", "now.sqlite.audit"])
            #expect(made.output.contains("now.sqlite.audit holds 2 entries, head 2:"), "\(made.output)")
            let verified = try await sandbox.command("audit", "verify", "--file", "now.sqlite.audit")
            #expect(verified.output.hasPrefix("2 entries from "), "\(verified.output)\(verified.error)")

            let replicas = await sandbox.replicaNames()
            sandbox.killController()
            try sandbox.write("\(sandbox.state)/journal.sqlite", "not a database, whatever it was before this night")
            for ending in ["-wal", "-shm"] {
                // Not there when it was written back.
                try? FileManager.default.removeItem(atPath: "\(sandbox.state)/journal.sqlite\(ending)")
            }
            try sandbox.launchController()
            try await sandbox.until("the controller refuses a damaged journal") { !sandbox.isControllerRunning }
            #expect(sandbox.lastWords.contains("journal.sqlite is damaged"), "\(sandbox.lastWords)")

            try sandbox.restore("now.sqlite")
            try await sandbox.startController()
            try await sandbox.until("it goes on") { await sandbox.status()?.health == .held }
            let status = try #require(await sandbox.status())
            #expect(status.holds.contains { $0.kind == "paused" && $0.why.contains("incident 4711") })
            #expect(status.stable?.modelVersion == "1")
            #expect(await sandbox.replicaNames() == replicas)
            #expect(try await sandbox.command("history", Sandbox.name).output.contains("incident 4711"))
            _ = try await load.endUnharmed()
        }
    }

    @Test
    func `an old backup costs no request, and what git names serves again`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let made = try await sandbox.backup("old.sqlite")
            #expect(made.status == 0, "\(made.error)")
            try await sandbox.merge(Release(version: "2"))
            try await sandbox.serves("2")
            let load = try await Load(rate: 40, on: sandbox)

            sandbox.killController()
            try sandbox.restore("old.sqlite")
            try await sandbox.startController()
            try await sandbox.until("version 2 is stable again", within: .seconds(180)) {
                let status = await sandbox.status()
                return status?.stable?.modelVersion == "2" && status?.phase == "settled"
            }
            try await sandbox.serves("2")
            _ = try await load.endUnharmed()
        }
    }
}
