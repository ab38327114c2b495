import Foundation
import Testing

extension IntegrationTests {
    /// `make kills` runs it with 200 kills; without `KILLS` it is short, so that the way stays open.
    @Test
    func `kill -9 at random moments of real rollouts changes no end and drops no request`() async throws {
        let environment = ProcessInfo.processInfo.environment
        let kills = try #require(Int(environment["KILLS"] ?? "\(KillCampaign.usualKills)"), "KILLS is no number")
        let seed = try #require(UInt64(environment["SEED"] ?? "1"), "SEED is no number")
        try await Sandbox.run(keepsFailures: true) { sandbox in
            var campaign = try await KillCampaign(kills: kills, seed: seed, on: sandbox)
            try await campaign.run()
        }
    }
}
