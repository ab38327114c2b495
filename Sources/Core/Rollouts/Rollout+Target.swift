package import Deployments

extension Rollout {
    /// What the world should look like in the current phase.
    package var target: Target {
        switch self.phase {
        case .settled, .rollingBack:
            self.target(canaryWeight: .none, keeping: [self.stable])
        case .preparing:
            self.target(canaryWeight: .none, keeping: [self.stable, self.canary])
        case .stepping(let step, _):
            self.target(canaryWeight: self.weight(ofStep: step), keeping: [self.stable, self.canary])
        case .promoting:
            self.target(canaryWeight: .all, keeping: [self.stable, self.canary])
        case .baking:
            self.target(canaryWeight: .none, keeping: [self.stable, self.previous])
        case .removing:
            Target(replicas: [:], traffic: [:])
        }
    }

    private func target(canaryWeight: TrafficWeight, keeping specs: [DeploymentSpec?]) -> Target {
        var target = Target(replicas: [:], traffic: [:])
        // The manifest's number of replicas is applied in place to every revision; it never starts a rollout.
        for spec in specs.compactMap(\.self) {
            target.replicas[spec.revision] = spec.replicas
        }
        if let stable = self.stable, canaryWeight < .all {
            target.traffic.weights[stable.revision] = canaryWeight.complement
        }
        if let canary = self.canary, canaryWeight > .none {
            target.traffic.weights[canary.revision] = canaryWeight
        }
        return target
    }
}
