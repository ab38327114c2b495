import Deployments
import Rollouts
import Simulation

extension Script {
    /// Four replicas, and room for one more.
    static let exchanges: [Script] = [
        Script(
            "exchange",
            "four replicas are exchanged with one more: what runs follows the traffic",
            ticks: 300,
            policy: Self.exchange,
            ends: 1
        ) { Self.exchange(in: &$0) },
        Script(
            "exchange-breaks-off",
            "the canary turns bad at half of the traffic: stable takes all of it at once, and grows back",
            ticks: 200,
            policy: Self.exchange,
            ends: 0,
            quarantined: [1]
        ) { scenario in
            Self.exchange(in: &scenario)
            scenario.changes[60] = [Scenario.revision(1): Scenario.Behaviour(errors: 0.5)]
        },
        Script(
            "exchange-without-room",
            "four GPUs for four replicas, and none for one more: nothing starts until another deployment goes",
            ticks: 320,
            policy: Self.exchange,
            ends: 1
        ) { scenario in
            let other = Scenario.id(1)
            scenario.capacity = Capacity(gpu: 5)
            Self.exchange(in: &scenario, gpus: 1)
            var holder = Scenario.spec(6, of: other, replicas: 1, policy: Self.exchange)
            holder.resources = Resources(gpu: 1)
            scenario.commits[3] = .spec(holder)
            scenario.commits[50] = Scenario.Commit(id: Scenario.commit(7), [other: .absent])
        },
        Script(
            "exchange-rolled-back-in-bake",
            "an operator takes a promoted revision back that left one replica of the one before",
            ticks: 260,
            policy: Self.exchange,
            ends: 0,
            quarantined: [1]
        ) { scenario in
            Self.exchange(in: &scenario)
            scenario.commands[150] = [Command(.rollback(to: nil), by: "sre", why: "users complain")]
        },
    ]

    private static let exchange: RolloutPolicy = {
        var policy = Self.policy
        policy.surge = 25
        policy.steps = [25, 50, 75].map {
            Step(action: .weight(TrafficWeight(percent: $0)), atLeast: .seconds(10), atMost: .seconds(300))
        }
        return policy
    }()

    private static func exchange(in scenario: inout Scenario, gpus: Int = 0) {
        for (tick, number) in [0: 0, 20: 1] {
            var spec = Scenario.spec(number, replicas: 4, policy: Self.exchange)
            spec.resources = Resources(gpu: gpus)
            scenario.commits[tick] = .spec(spec)
        }
    }
}
