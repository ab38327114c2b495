import ControllerAPI
import FakeMLflow
import Foundation
import Testing

/// Models of a registry.
extension IntegrationTests {
    @Test
    func `an alias is rolled out, shown and kept when it is moved, and a commit with a version goes on`() async throws {
        try await Sandbox.run { sandbox in
            let registry = try FakeMLflow()
            registry.register("echo", 7, files: ["MLmodel": Array("seven".utf8)])
            registry.register("echo", 8, files: ["MLmodel": Array("eight".utf8)])
            registry.point("champion", of: "echo", to: 7)
            registry.change { $0.authorization = "Bearer t0ken" }
            try sandbox.write("\(sandbox.folder)/token", "t0ken\n")
            try sandbox.configure(registry: "{url: \"\(registry.url)\", tokenFile: \"\(sandbox.folder)/token\"}")
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1", uri: "models:/echo@champion"))
            let first = try await sandbox.serves("1")
            let resolved = "models:/echo@champion is version 7, pinned since "
            #expect(first.stable?.resolved?.hasPrefix(resolved) == true, "\(first.stable?.resolved ?? "nothing")")
            for command in ["status", "explain"] {
                let shown = try await sandbox.command(command, Sandbox.name)
                #expect(shown.output.contains(resolved), "\(shown.output)\(shown.error)")
            }

            registry.point("champion", of: "echo", to: 8)
            sandbox.killController()
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1", uri: "models:/echo@champion", replicas: 2))
            try await sandbox.wait(for: "a second replica") { $0.stable?.replicas.count == 2 && $0.canary == nil }
            let kept = try await sandbox.serves("1")
            #expect(kept.stable?.revision == first.stable?.revision)
            #expect(kept.stable?.resolved == first.stable?.resolved)

            try await sandbox.merge(Release(version: "2", uri: "models:/echo/8", gates: []))
            let next = try await sandbox.serves("2")
            #expect(next.stable?.resolved == nil)
            let log = try String(contentsOfFile: sandbox.log, encoding: .utf8)
            #expect(!log.contains("t0ken"))
        }
    }
}
