import ControllerAPI
import Foundation
import Testing
import Transport

private struct Wrote: Decodable {
    var replica: String
    var isCurrent: Bool
}

extension IntegrationTests {
    @Test
    func `a paused canary keeps its weight until it is resumed`() async throws {
        try await Sandbox.run { sandbox in
            let down = try await sandbox.command("get")
            #expect(down.status == 3, "\(down.error)")
            #expect(down.error.contains("controller run"), "\(down.error)")

            let metrics = "127.0.0.1:\(sandbox.sparePort)"
            try sandbox.configure(settings: "metrics: {listen: \"\(metrics)\"}")
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            var release = Release(version: "2")
            release.gates = []
            release.steps = [.init(20, atLeast: "3s", atMost: "4s"), .init(60)]
            try await sandbox.merge(release)
            try await sandbox.canary("2", at: 20)

            let pause = try await sandbox.command("pause", Sandbox.name, "--why", "looking at latency")
            #expect(pause.status == 0, "\(pause.error)")
            let step = try #require(await sandbox.status()?.steps.first?.since)
            // Past the step's end, and then some.
            try await sandbox.until("the step would have ended") { -step.timeIntervalSinceNow > 5 }
            let held = try #require(await sandbox.status())
            #expect(held.phase == "stepping")
            #expect(held.canary?.weight == 20)
            #expect(held.holds.contains { $0.kind == "paused" && $0.why.contains("looking at latency") })
            let prometheus = HTTPClient()
            defer { prometheus.close() }
            let scraped = try await prometheus.send(HTTPRequest(url: "http://\(metrics)/metrics")).body
            let lines = Set(String(decoding: scraped, as: UTF8.self).split(separator: "\n").map(String.init))
            let labels = "{namespace=\"default\",name=\"echo\""
            #expect(lines.contains("controller_deployment_hold\(labels),kind=\"paused\"} 1"))
            #expect(lines.contains("controller_deployment_traffic_ratio\(labels),role=\"canary\"} 0.2"))
            #expect(lines.contains(#"controller_transitions_total{namespace="default",kind="rollout-started"} 2"#))
            let again = try await sandbox.command("pause", Sandbox.name, "--why", "looking at latency")
            #expect(again.status == 0, "\(again.error)")

            let nobody = try await sandbox.command("resume", "--selector", "team=nobody")
            #expect(nobody.status == 1, "\(nobody.error)")
            let resume = try await sandbox.command("resume", "--all", "--why", "seen")
            #expect(resume.status == 0, "\(resume.error)")
            #expect(resume.output == "1 of 1 deployments resumed\n")
            try await sandbox.serves("2")

            #expect(try await sandbox.command("resume", Sandbox.name).status == 0)
            let unknown = try await sandbox.command("pause", "ecko", "--why", "a typing error")
            #expect(unknown.status == 1)
            #expect(unknown.error.contains("echo"), "\(unknown.error)")
            #expect(try await sandbox.command("pause", "--for", "soon", Sandbox.name).status == 2)
            let logs = try await sandbox.command("logs", Sandbox.name, "--list", "--output", "json")
            let listed = try JSONDecoder().decode([Wrote].self, from: Data(logs.output.utf8))
            #expect(listed.contains { $0.isCurrent }, "\(logs.output)\(logs.error)")
            let replica = try #require(listed.first).replica
            #expect(try await sandbox.command("logs", Sandbox.name, "--replica", replica).status == 0)
            let events = try await sandbox.command("events", "--namespace", "default", "--limit", "3")
            #expect(events.output.contains("default/echo"), "\(events.output)\(events.error)")
            #expect(events.output.split(separator: "\n").count == 4, "\(events.output)")
            let history = try await sandbox.command("history", Sandbox.name)
            #expect(history.output.contains("looking at latency"), "\(history.output)")
        }
    }
}
