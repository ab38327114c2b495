import Deployments

extension Scenario {
    /// Some worlds tell all answer times apart, have gates on them, and revisions that are slower throughout though
    /// their tail is as good. Chance is drawn apart from the rest, so that the other worlds are those that they were.
    mutating func slowDown(_ count: Int, seed: UInt64, isCalm: Bool) {
        var dice = Dice(seed: seed ^ 0x510_D0)
        guard dice.chance(0.15) else { return }
        self.showsAnswerTimes = true
        for number in 0..<count where dice.chance(0.8) {
            var gate = Gate.slowdown
            gate.kind = .slowdown(SlowdownRule(maximumRatio: dice.pick([nil, nil, 1, 2])))
            self.add(gate, to: number, isCalm: isCalm, &dice)
            for revision in 1...3 where dice.chance(0.3) {
                let revision = Self.revision(Self.revision(revision, of: number))
                self.revisions[revision]?.sluggish = dice.pick([0.05, 0.3, 0.6, 1])
            }
        }
    }

    /// Adds a gate to a deployment's manifests; where anything may happen, it sometimes only holds.
    mutating func add(_ gate: Gate, to number: Int, isCalm: Bool, _ dice: inout Dice) {
        var gate = gate
        if dice.chance(0.1), !isCalm { gate.onFailure = .hold }
        self.rewrite(Self.id(number)) { _, spec in
            if spec.rollout.strategy != .recreate { spec.rollout.gates.append(gate) }
        }
    }
}
