package import Deployments

extension Rollout {
    /// What the world should look like in the current phase.
    package var target: Target {
        switch self.phase {
        case .settled:
            self.target(canaryWeight: .none, keeping: [self.stable])
        case .rollingBack:
            self.exclusive(self.target(canaryWeight: .none, keeping: [self.stable]))
        case .preparing where self.isReplacement:
            self.exclusive(self.target(canaryWeight: .none, keeping: [self.stable]))
        case .preparing:
            self.target(canaryWeight: self.holdback, keeping: [self.stable, self.canary])
        case .replacing:
            self.exclusive(self.target(canaryWeight: .all, keeping: [self.canary]))
        case .stepping(let step, _):
            self.target(ofStep: step)
        case .promoting:
            self.target(
                canaryWeight: self.stable == nil ? .all : self.holdback.complement,
                keeping: [self.stable, self.canary]
            )
        case .baking:
            self.bakingTarget
        case .removing:
            Target(replicas: [:], traffic: [:])
        }
    }

    /// What a step gives the canary besides its weight ends with the step: no other target has it.
    private func target(ofStep step: Int) -> Target {
        var target = self.target(canaryWeight: self.weight(ofStep: step), keeping: [self.stable, self.canary])
        guard let canary = self.canary, canary.rollout.steps.indices.contains(step) else { return target }
        if canary.rollout.strategy == .blueGreen {
            target.traffic.matches.append(Traffic.Match(headers: .preview, revision: canary.revision))
        }
        switch canary.rollout.steps[step].action {
        case .weight, .approval: break
        case .shadow(let percent):
            target.traffic.mirror = Traffic.Mirror(
                revision: canary.revision,
                percent: percent,
                comparison: canary.rollout.comparison(inStep: step, copying: percent)
            )
        case .match(let headers):
            target.traffic.matches.append(Traffic.Match(headers: headers, revision: canary.revision))
        }
        return target
    }

    /// The same, when the canary takes the stable revision's place. Its artifact comes before all else.
    private func exclusive(_ target: Target) -> Target {
        guard self.isReplacement else { return target }
        var target = target
        target.isExclusive = true
        if self.phase == .preparing, let canary = self.canary { target.fetches = [canary.revision] }
        return target
    }

    private var bakingTarget: Target {
        // What was replaced is not kept beside: a rollback starts it again in its place.
        let isWarm = self.stable?.rollout.strategy != .recreate
        var target = self.target(canaryWeight: .none, keeping: [self.stable, isWarm ? self.previous : nil])
        guard let stable = self.stable, let previous = self.previous, self.holdback > .none else { return target }
        target.traffic = [stable.revision: self.holdback.complement, previous.revision: self.holdback]
        return target
    }

    private func target(canaryWeight: TrafficWeight, keeping specs: [DeploymentSpec?]) -> Target {
        var target = Target(replicas: [:], traffic: [:])
        // The manifest's number of replicas is applied in place to every revision; it never starts a rollout.
        for spec in specs.compactMap(\.self) {
            target.replicas[spec.revision] = spec.replicas
        }
        self.share(&target)
        if let stable = self.stable, canaryWeight < .all {
            target.traffic.weights[stable.revision] = canaryWeight.complement
        }
        if let canary = self.canary, canaryWeight > .none {
            target.traffic.weights[canary.revision] = canaryWeight
        }
        return target
    }
}
