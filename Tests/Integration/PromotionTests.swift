import ControllerAPI
import Foundation
import Glibc
import Testing

extension IntegrationTests {
    @Test
    func `merges are canaried and promoted without a failed request`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1", replicas: 2))
            try await sandbox.serves("1")
            let load = try await Load(rate: 320, on: sandbox)
            for version in ["2", "1", "2"] {
                var release = Release(version: version, replicas: 2)
                release.steps = [.init(5), .init(30), .init(70)]
                try await sandbox.merge(release)
                try await sandbox.serves(version)
            }
            let report = try await load.endUnharmed()
            #expect(report.rate >= 200)
            // Each step is a change of weights, and so is each promotion.
            let events = try await sandbox.events()
            let changes = events.count { ["step-started", "promoting"].contains($0.kind) } - 1
            #expect(changes >= 10)
            #expect(events.count { $0.kind == "promoted" } == 4)
            print("promotion: \(report.answers.count) requests at \(Int(report.rate))/s, \(changes) changes of weight")
        }
    }

    @Test
    func `four replicas are exchanged with one more, and no request fails`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            var release = Release(version: "1", replicas: 4, surge: 25)
            release.steps = [.init(25), .init(50), .init(75)]
            try await sandbox.merge(release)
            try await sandbox.serves("1")
            let load = try await Load(on: sandbox)
            release.version = "2"
            try await sandbox.merge(release)
            var most = 0
            try await sandbox.until("version 2 serves with all of its replicas, and nothing else runs") {
                most = max(most, sandbox.processes("model_server.py").count)
                guard let status = await sandbox.status() else { return false }
                return status.phase == "settled" && status.stable?.modelVersion == "2"
                    && status.stable?.replicas.count { $0.state == "ready" } == 4
                    && sandbox.processes("model_server.py").count == 4
            }
            #expect(most == 5)
            let report = try await load.endUnharmed()
            #expect(try await sandbox.count("step-started") == 3)
            try await sandbox.expectReplay()
            print("exchange: \(report.failed) of \(report.answers.count) requests failed, \(most) processes at most")
        }
    }

    @Test
    func `the controller killed in mid-canary goes on to the promotion`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let load = try await Load(on: sandbox)
            var release = Release(version: "2", bakeTime: "10m")
            release.steps = [.init(25), .init(50, atLeast: "2s", atMost: "3s")]
            try await sandbox.merge(release)
            try await sandbox.canary("2", at: 25)
            let envoy = sandbox.processes("envoy/bootstrap.json")
            let replicas = sandbox.processes("model_server.py")
            #expect(envoy.count == 1)
            #expect(replicas.count == 2)

            sandbox.killController()
            let before = try load.answers().count
            try await sandbox.until("requests are served without a controller") {
                try load.answers().count > before + 200
            }
            try await sandbox.startController()
            try await sandbox.serves("2")

            #expect(sandbox.processes("envoy/bootstrap.json") == envoy)
            #expect(sandbox.processes("model_server.py") == replicas)
            try await load.endUnharmed()
            #expect(try await sandbox.count("rollout-started") == 2)
            let replay = try await sandbox.expectReplay()
            #expect(replay.contains("come out as recorded"))
            print("promotion over a kill: \(replay)")
            try await sandbox.expectReplay(fromJournal: true)
            sandbox.killController()
            try await sandbox.expectReplay(fromJournal: true)
        }
    }

    @Test
    func `a replica that is killed is replaced, and its requests are sent to another`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1", replicas: 2))
            try await sandbox.serves("1")
            let load = try await Load(on: sandbox)
            let victim = try #require(sandbox.processes("model_server.py").first)
            kill(victim, SIGKILL)
            try await sandbox.wait(for: "two ready replicas again") { status in
                let replicas = status.stable?.replicas ?? []
                return replicas.count { $0.state == "ready" } == 2 && replicas.contains { $0.restarts == 1 }
            }
            #expect(!sandbox.processes("model_server.py").contains(victim))
            let report = try await load.end()
            // What the victim had begun to work on when it died cannot be sent again; at this rate that is hardly ever
            // a request.
            #expect(report.failed + report.socketErrors <= 3)
            print("replica killed: \(report.failed) of \(report.answers.count) requests failed")
        }
    }
}
