import Deployments
import Rollouts
import Simulation

extension Script {
    /// What does not fit beside what runs: nothing starts, and what would help is said.
    static let shortages: [Script] = [
        Script(
            "no-room",
            "two GPUs beside the running ones, and one is free: nothing starts until git asks for less",
            ends: 1
        ) { scenario in
            scenario.capacity = Capacity(gpu: 3)
            scenario.commits[0] = .spec(Self.onGPUs(0))
            scenario.commits[20] = .spec(Self.onGPUs(1))
            scenario.commits[50] = .spec(Self.onGPUs(1, commit: 2, replicas: 1))
        },
        Script(
            "no-room-but-recreate",
            "two GPUs beside the running ones, and one is free: nothing starts until git says `recreate`, as it was told",
            ends: 1
        ) { scenario in
            scenario.capacity = Capacity(gpu: 3)
            scenario.commits[0] = .spec(Self.onGPUs(0))
            scenario.commits[20] = .spec(Self.onGPUs(1))
            scenario.commits[50] = .spec(Self.onGPUs(1, commit: 2, policy: Self.steps(.recreate)))
        },
        Script(
            "room-appears",
            "another deployment holds the last GPU that the canary needs, until its manifest goes",
            ends: 1
        ) { scenario in
            let other = Scenario.id(1)
            scenario.capacity = Capacity(gpu: 4)
            scenario.commits[0] = .spec(Self.onGPUs(0))
            scenario.commits[3] = .spec(Self.onGPUs(6, of: other, replicas: 1))
            scenario.commits[20] = .spec(Self.onGPUs(1))
            scenario.commits[50] = Scenario.Commit(id: Scenario.commit(7), [other: .absent])
        },
    ]

    /// A GPU for each replica.
    private static func onGPUs(
        _ number: Int,
        of id: DeploymentID = Scenario.id,
        commit: Int? = nil,
        replicas: Int = 2,
        policy: RolloutPolicy = Self.policy
    ) -> DeploymentSpec {
        var spec = Scenario.spec(number, of: id, commit: commit, policy: policy)
        spec.resources = Resources(gpu: 1)
        spec.replicas = replicas
        return spec
    }
}
