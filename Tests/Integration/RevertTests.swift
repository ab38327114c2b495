import ControllerAPI
import Foundation
import Testing

extension IntegrationTests {
    @Test
    func `after a rollback the branch names what serves, by a commit that starts nothing`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let load = try await Load(on: sandbox)
            var release = Release(version: "2", faults: "share=0.5,status=503")
            release.steps = [.long(20)]
            release.revert = "push"
            // Another team's file of the same commit is not touched.
            let bad = try await sandbox.merge(release, also: ["other.yaml": Self.other])
            let status = try await sandbox.wait(for: "the revert to be polled") {
                $0.phase == "settled" && !$0.quarantined.isEmpty && $0.desired?.commit != bad
            }
            _ = try await load.end()

            #expect(status.stable?.modelVersion == "1")
            let head = try await sandbox.git("-C", sandbox.remote, "rev-parse", "main")
            #expect(status.desired?.commit == head)
            #expect(try await sandbox.git("-C", sandbox.remote, "rev-list", "--count", "\(bad)..main") == "1")
            #expect(
                try await sandbox.git("-C", sandbox.remote, "diff", "--name-only", "\(bad)..main")
                    == "deployments/echo.yaml"
            )
            let message = try await sandbox.git("-C", sandbox.remote, "log", "-1", "--format=%B", "main")
            #expect(message.hasPrefix("Revert default/echo to echo 1"), "\(message)")
            #expect(message.contains("Rolled-Back-Commit: \(bad)"), "\(message)")
            // The outcome is told on the commit that failed, and the fleet says what became of git.
            try await sandbox.until("the note") { try await sandbox.told(of: bad).contains("rolled-back") }
            try await sandbox.until("the revert to be shown") {
                await sandbox.fleet()?.sources.first?.lastRevert?.contains("on main reverts default/echo") ?? false
            }
            let started = try await sandbox.count("rollout-started")
            try await sandbox.polls(3)
            #expect(try await sandbox.count("rollout-started") == started)
            #expect(await sandbox.status()?.phase == "settled")
            try await sandbox.expectReplay()
        }
    }

    private static let other = """
        apiVersion: controller/v1
        kind: FreezeWindow
        metadata: {name: christmas}
        spec: {schedule: {from: 2040-12-24T00:00:00Z, until: 2040-12-26T00:00:00Z}, selector: {namespaces: [other]}}

        """
}
