import ControllerAPI
import Foundation
import Testing

extension IntegrationTests {
    @Test
    func `replicas follow the load up and down without a failed request`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            // An answer takes 100 ms: of so many users, about seven in a hundred wait for one at any time.
            var release = Release(version: "1", faults: "ms=100")
            release.autoscaling = "{minReplicas: 1, maxReplicas: 4, targetConcurrency: 3, scaleDownAfter: 10s}"
            try await sandbox.merge(release)
            try await sandbox.serves("1")
            #expect(sandbox.processes("model_server.py").count == 1)
            // Goes on until the end, so that a request cut by what goes is noticed.
            let few = try await Load(rate: 20, on: sandbox)
            let many = try await Load(rate: 80, on: sandbox)
            try await sandbox.wait(for: "more replicas") {
                ($0.stable?.replicas.count { $0.state == "ready" } ?? 0) >= 3
            }
            let busy = try await sandbox.wait(for: "the load is told") { ($0.autoscaling?.neededReplicas ?? 0) >= 3 }
            #expect(busy.autoscaling?.replicas == busy.stable?.wantedReplicas)
            #expect(sandbox.processes("model_server.py").count >= 3)
            let peak = try await many.end()

            try await sandbox.wait(for: "when fewer are left") { $0.autoscaling?.fewerAt != nil }
            try await sandbox.wait(for: "one replica is left") { status in
                status.stable?.wantedReplicas == 1 && status.stable?.replicas.count == 1
            }
            try await sandbox.until("the others ended") { sandbox.processes("model_server.py").count == 1 }
            let count = try few.answers().count
            try await sandbox.until("the one answers") { try few.answers().count > count + 20 }
            let report = try await few.end()
            #expect(report.failed + peak.failed == 0)
            #expect(report.socketErrors + peak.socketErrors == 0)

            let events = try await sandbox.events().filter { $0.kind == "scaled" }
            #expect(events.first?.message.hasPrefix("scaled from 1 to ") == true)
            #expect(events.last?.message.contains(" to 1: no more were needed for 10s") == true)
            #expect(try await sandbox.count("rollout-started") == 1)
            try await sandbox.expectReplay()
            let requests = report.answers.count + peak.answers.count
            print("autoscaling: 0 of \(requests) requests failed; \(events.map(\.message).joined(separator: "; "))")
        }
    }
}
