import Analysis
import ControllerAPI
import ControllerServer
import Deployments
import Rollouts
import Simulation
import Testing

/// What `controller calibrate` is given.
@Suite("Stable's traffic")
struct TrafficTests {
    /// Ten minutes at 10 requests/s, of which one in 50 takes between 100 and 250 ms, and one in 100 is refused.
    private static func traffic(by policy: RolloutPolicy, objectives: [Objective] = []) -> TrafficStatus {
        var spec = Scenario.spec(0, policy: policy)
        spec.objectives = objectives
        var history = StableHistory(revision: spec.revision)
        for piece in Int64(0)...60 {
            let total = piece * 100
            let counters = TrackCounters(
                requests: total,
                clientErrors: piece,
                latency: LatencyHistogram(
                    bounds: [50, 100, 250],
                    counts: [total - 2 * piece, total - 2 * piece, total],
                    total: total
                )
            )
            history.add(Sample(time: Timestamp(milliseconds: piece * 10_000), tracks: [spec.revision: counters]))
        }
        return TrafficStatus(history, of: spec.id, by: spec)
    }

    @Test
    func `slow is what the rollout's gate calls slow`() throws {
        let own = Self.traffic(by: RolloutPolicy(steps: [], gates: [.errors, .latency(below: .milliseconds(120))]))
        #expect(own.errors == Array(repeating: .init(requests: 100, bad: 0), count: 60))
        #expect(own.clientErrors == Array(repeating: .init(requests: 100, bad: 1), count: 60))
        #expect(own.latency?.boundMilliseconds == 120)
        #expect(own.latency?.pieces == Array(repeating: .init(requests: 100, bad: 2), count: 60))

        let promise = Objective(
            name: "fast",
            percent: 99,
            indicator: .latency(below: .milliseconds(300)),
            window: .hours(720)
        )
        let promised = Self.traffic(by: RolloutPolicy(steps: [], gates: [.errors]), objectives: [promise])
        #expect(promised.latency?.boundMilliseconds == 300)
        #expect(promised.latency?.pieces.allSatisfy { $0.bad == 0 } == true)

        // At most 5 percent were slower: by nobody's word.
        #expect(Self.traffic(by: RolloutPolicy(steps: [], gates: [.errors])).latency?.boundMilliseconds == 50)
        // The router's histogram has no bound as small as this.
        let small = RolloutPolicy(steps: [], gates: [.latency(below: .milliseconds(1))])
        #expect(Self.traffic(by: small).latency == nil)
    }
}
