import Forges
import Foundation
import LoopbackServer
import Reconciliation
import Testing

@Suite("Deployments of forges", .timeLimit(.minutes(5)))
struct DeploymentTests {
    private func show(_ forge: RemoteForge, _ state: RolloutReport.State) async throws {
        try await forge.show(report(state, "x"), as: .deployment)
    }

    @Test(arguments: [
        (ForgeConfiguration.Kind.github, [["in_progress", "success", "failure"]]),
        (.gitlab, [["running", "success"], ["failed"]]),
    ])
    func `an environment of its own shows what became of a commit`(
        kind: ForgeConfiguration.Kind,
        expected: [[String]]
    ) async throws {
        try await withForge(kind) { fake, forge in
            for state in [RolloutReport.State.running, .running, .succeeded, .succeeded, .failed, .failed] {
                try await self.show(forge, state)
            }
            #expect(fake.now.deployments.map(\.states) == expected)
            #expect(Set(fake.now.deployments.map(\.environment)) == ["controller/search/chat"])
            #expect(Set(fake.now.deployments.map(\.commit)) == [FakeForge.commit])
        }
    }

    @Test(arguments: [ForgeConfiguration.Kind.github, .gitlab])
    func `answers that were lost double no deployment`(kind: ForgeConfiguration.Kind) async throws {
        try await withForge(kind) { fake, forge in
            fake.change { $0.lostAnswers = 3 }
            for state in [RolloutReport.State.running, .succeeded] {
                var tries = 0
                while tries < 5 {
                    tries += 1
                    do {
                        try await self.show(forge, state)
                        break
                    } catch {
                        #expect((error as? SourceError)?.recovery == .retry)
                    }
                }
            }
            #expect(fake.now.deployments.count == 1)
            #expect(fake.now.deployments.first?.states.count == 2)
        }
    }

    @Test
    func `Gitea is not asked for what it does not have`() async throws {
        try await withForge(.gitea) { fake, forge in
            let error = try await refusal { () async throws(SourceError) in
                try await forge.show(report(.running, "x"), as: .deployment)
            }
            #expect(error.code == .notConfigured)
            #expect(fake.requests.isEmpty)
        }
    }
}
