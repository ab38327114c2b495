import Deployments

extension Scenario {
    /// In some worlds git is to be put right after a rollback. Chance is drawn apart from the rest, so that the other
    /// worlds are those that they were.
    mutating func revertInGit(_ count: Int, seed: UInt64) {
        var dice = Dice(seed: seed ^ 0x4E_BE27)
        guard dice.chance(0.25) else { return }
        for number in 0..<count {
            let mode = dice.pick([RevertMode.branch, .push])
            self.rewrite(Self.id(number)) { _, spec in spec.rollout.revert = mode }
        }
    }
}
