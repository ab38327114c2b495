import Deployments
import Rollouts

extension Scenario {
    /// In some worlds people and a board are asked before rollouts, before promotions and after them, and some
    /// revisions are turned down. Chance is drawn apart from the rest, so that the other worlds are those that they
    /// were.
    mutating func signOff(_ count: Int, seed: UInt64, isCalm: Bool) {
        var dice = Dice(seed: seed ^ 0x51_607F)
        guard dice.chance(0.15) else { return }
        for number in 0..<count where dice.chance(0.8) {
            let places = SignOff.Place.allCases.filter { _ in dice.chance(0.5) }
            var signOffs = SignOffs()
            for place in places {
                var gate = Self.board
                if dice.chance(0.2), !isCalm { gate.onFailure = .hold }
                let hasBoard = dice.chance(0.6)
                signOffs[place] = SignOff(
                    needsApproval: !hasBoard || dice.chance(0.3),
                    gates: hasBoard ? [gate] : []
                )
            }
            let first = Self.revision(Self.revision(0, of: number))
            self.rewrite(Self.id(number)) { tick, spec in
                var wanted = signOffs
                // Nobody would see anything of a world whose first revision waits for a person.
                if tick == 0 || spec.revision == first { wanted.beforeRollout = nil }
                if spec.rollout.strategy == .recreate { wanted.beforePromotion = nil }
                if spec.rollout.bakeTime == .zero { wanted.afterPromotion = nil }
                spec.rollout.signOffs = wanted
            }
            for revision in 1...3 where dice.chance(0.2) {
                let revision = Self.revision(Self.revision(revision, of: number))
                self.revisions[revision]?.turnedDown = dice.pick(SignOff.Place.allCases)
            }
            guard !isCalm else { continue }
            for _ in 0..<dice.pick(2...6) {
                let command = Command(.promote(full: false, force: dice.chance(0.15)), by: "operator")
                self.happenings.append(Happening(dice.pick(10...self.quietFrom), .command(Self.id(number), command)))
            }
        }
    }

    private static let board = Gate(
        name: "board",
        kind: .webhook(WebhookQuery(provider: "prometheus", timeout: .seconds(5), interval: .seconds(4)))
    )
}
