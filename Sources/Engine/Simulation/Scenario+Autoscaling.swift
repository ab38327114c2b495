import Deployments

extension Scenario {
    /// In some worlds the number of replicas follows the load, which changes.
    ///
    /// Thrown with dice of their own, so that all else in a world stays as it would be without.
    mutating func autoscale(_ count: Int, seed: UInt64, isCalm: Bool) {
        var dice = Dice(seed: seed ^ 0x5CA1E)
        guard dice.chance(0.15) else { return }
        self.serviceTime = .milliseconds(100)
        let usual = Double(self.traffic) * self.serviceTime.inSeconds
        for number in 0..<count where dice.chance(0.8) {
            let bounds = Self.bounds(usual, &dice)
            let others = dice.chance(0.3) ? Self.bounds(usual, &dice) : bounds
            let from = dice.pick(20...self.quietFrom)
            self.rewrite(Self.id(number)) { tick, spec in
                spec.autoscaling = tick < from ? bounds : others
                spec.replicas = spec.autoscaling?.minReplicas ?? spec.replicas
            }
        }
        for _ in 0..<dice.pick(0...3) {
            let factor = dice.pick(isCalm ? [0.5, 1, 1.5] : [0.2, 0.5, 1, 1.5, 2, 3])
            let traffic = max(1, Int(Double(self.traffic) * factor))
            self.happenings.append(Happening(dice.pick(10...self.quietFrom - 2), .traffic(traffic)))
        }
    }

    private static func bounds(_ usual: Double, _ dice: inout Dice) -> Autoscaling? {
        if dice.chance(0.1) { return nil }
        let least = dice.pick(1...3)
        return Autoscaling(
            minReplicas: least,
            maxReplicas: least + dice.pick(0...4),
            targetConcurrency: usual / dice.pick([0.5, 1.5, 2.5, 4]),
            scaleDownAfter: .seconds(dice.pick([20, 40, 60]))
        )
    }

    /// Changes the manifests of a deployment, by the tick of their commit.
    mutating func rewrite(_ id: DeploymentID, _ change: (Int, inout DeploymentSpec) -> Void) {
        for index in self.happenings.indices {
            guard case .commit(var commit) = self.happenings[index].what, case .spec(var spec) = commit.changes[id]
            else { continue }
            change(self.happenings[index].tick, &spec)
            commit.changes[id] = .spec(spec)
            self.happenings[index].what = .commit(commit)
        }
    }
}
