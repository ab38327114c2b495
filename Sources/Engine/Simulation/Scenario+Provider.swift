package import Deployments

extension Scenario {
    /// A gate on what the applications count as wrong, as a metric provider knows it.
    package static let wrong = Gate(
        name: "wrong",
        kind: .ratio(
            RatioQuery(
                provider: "prometheus",
                bad: "wrong ${revision}",
                total: "total ${revision}",
                interval: .seconds(4)
            )
        )
    )

    /// In some worlds a metric provider counts wrong answers, gates compare them, and revisions are wrong more often
    /// though nothing of it is seen at the router. Chance is drawn apart from the rest, so that the other worlds are
    /// those that they were.
    mutating func countWrong(_ count: Int, seed: UInt64, isCalm: Bool) {
        var dice = Dice(seed: seed ^ 0x0BAD_C0)
        guard dice.chance(0.15) else { return }
        self.countsWrong = true
        for number in 0..<count where dice.chance(0.8) {
            self.add(Self.wrong, to: number, isCalm: isCalm, &dice)
            for revision in 1...3 where dice.chance(0.3) {
                let revision = Self.revision(Self.revision(revision, of: number))
                self.revisions[revision]?.wrong = dice.pick([0.05, 0.3, 1])
            }
            // Labels that come late, or a model that ages: good when it was judged, wrong later.
            if dice.chance(0.2), !isCalm {
                let revision = Self.revision(Self.revision(dice.pick(0...3), of: number))
                var behaviour = self.revisions[revision] ?? Behaviour()
                behaviour.wrong = dice.pick([0.1, 0.5])
                self.happenings.append(Happening(dice.pick(30...self.quietFrom), .change(revision, behaviour)))
            }
        }
    }
}
