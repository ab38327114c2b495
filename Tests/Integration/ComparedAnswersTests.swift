import ControllerAPI
import Foundation
import Testing

extension IntegrationTests {
    @Test
    func `a canary that answers otherwise is found by copies alone, and an equal one passes`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            let gate = """
                apiVersion: controller/v1
                kind: AnalysisTemplate
                metadata: {name: same-answers}
                spec:
                  answers: {compare: numeric, ignore: [model_version], percent: 50, maxShare: 5%}

                """
            try await sandbox.merge(Release(version: "1"), also: ["same-answers.yaml": gate])
            let first = try await sandbox.serves("1")
            let load = try await Load(rate: 120, on: sandbox)

            var release = Release(version: "2", faults: "other=0.3")
            release.shadowGates = ["errors", "same-answers"]
            release.steps = [.init(50)]
            try await sandbox.merge(release)
            let status = try await sandbox.wait(for: "the rollback") {
                $0.phase == "settled" && !$0.quarantined.isEmpty
            }
            let reason = try #require(status.quarantined.first?.reason)
            #expect(status.stable?.modelVersion == "1")
            #expect(reason.contains("gate same-answers failed: answers differ in "), "\(reason)")
            #expect(reason.contains("outputs[0].data[0]: stable 1, canary 2"), "\(reason)")
            let seen = try load.newAnswers()
            let stable = String((first.stable?.revision ?? "").prefix(10))
            #expect(Set(seen.map(\.revision)) == [stable], "only stable answers users")

            release.faults = "none"
            release.version = "3"
            try await sandbox.merge(release)
            let compared = try await sandbox.wait(for: "answers to be compared") {
                $0.gates.contains { $0.name == "same-answers" && $0.value.hasPrefix("answers differ in 0 % of ") }
            }
            #expect(compared.canary?.weight == 0)
            try await sandbox.serves("3")

            let report = try await load.endUnharmed()
            try await sandbox.expectReplay()
            print("compared answers: \(report.answers.count) requests, none dropped; \(reason)")
        }
    }
}
