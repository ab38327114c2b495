import Deployments

extension Scenario {
    /// In some worlds another tool's rule judges the errors. Chance is drawn apart from the rest, so that the other
    /// worlds are those that they were.
    mutating func judgeByOthers(_ count: Int, seed: UInt64) {
        var dice = Dice(seed: seed ^ 0x0B07_0E5)
        guard dice.chance(0.08) else { return }
        for number in 0..<count {
            let rule = dice.pick(Self.rules)
            self.rewrite(Self.id(number)) { _, spec in
                guard let index = spec.rollout.gates.firstIndex(where: { $0.kind == .errors }) else { return }
                spec.rollout.gates[index] = Gate(name: "success-rate", kind: .preset(rule))
            }
        }
    }

    /// With times that fit in a step of these worlds.
    private static let rules: [PresetRule] = [
        .flagger(FlaggerRule(interval: .seconds(4), threshold: 3)),
        .argo(ArgoRule(interval: .seconds(5), count: 3)),
        .kayenta(KayentaRule(lifetimeDuration: .seconds(24), analysisInterval: .seconds(8))),
    ]
}
