/// A breach process for counters that are not read in one instant: canary's and stable's scrapes are up to a poll
/// apart, and an incident that both share looks like the canary's for as long.
///
/// Three ``BreachProcess``es pair the canary's polls with stable's of the poll before, of the same and of the one
/// after; the evidence is the least of the three. Guarantee: it is never more than that of the rightly aligned one, so
/// that of ``BreachProcess`` holds for any lag of whole polls up to one. Costs one poll of delay.
package struct LagRobustBreach: Hashable, Codable, Sendable {
    private var before: BreachProcess
    private var same: BreachProcess
    private var after: BreachProcess
    /// The newest poll, for which stable's next is not known yet, and the one before.
    private var last: Poll?
    private var lastButOne: Poll?

    private struct Poll: Hashable, Codable, Sendable {
        var canary: Track
        var stable: Track
        var seconds: Double
    }

    private struct Track: Hashable, Codable, Sendable {
        var total: Double
        var bad: Double
    }

    package init(plannedSteps: Int) {
        self.before = BreachProcess(plannedSteps: plannedSteps)
        self.same = self.before
        self.after = self.before
    }

    /// What was counted at another weight is not paired with what comes.
    package mutating func beginStep(parameters: AnalysisParameters) {
        self.last = nil
        self.lastButOne = nil
        self.before.beginStep(parameters: parameters)
        self.same.beginStep(parameters: parameters)
        self.after.beginStep(parameters: parameters)
    }

    package func nextMass(parameters: AnalysisParameters) -> Double { self.same.nextMass(parameters: parameters) }

    package mutating func add(
        _ poll: PairedIncrement,
        seconds: Double,
        test: AffineTest,
        parameters: AnalysisParameters
    ) {
        let new = Poll(
            canary: Track(total: poll.canaryTotal, bad: poll.canaryBad),
            stable: Track(total: poll.stableTotal, bad: poll.stableBad),
            seconds: seconds
        )
        if let last = self.last {
            let pair = { (stable: Track?) in
                PairedIncrement(
                    canaryTotal: stable == nil ? 0 : last.canary.total,
                    canaryBad: stable == nil ? 0 : last.canary.bad,
                    stableTotal: stable?.total ?? 0,
                    stableBad: stable?.bad ?? 0
                )
            }
            let (seconds, parameters) = (last.seconds, parameters)
            self.before.add(pair(self.lastButOne?.stable), seconds: seconds, test: test, parameters: parameters)
            self.same.add(pair(last.stable), seconds: seconds, test: test, parameters: parameters)
            self.after.add(pair(new.stable), seconds: seconds, test: test, parameters: parameters)
        }
        self.lastButOne = self.last
        self.last = new
    }

    /// Takes counts of canary and stable that belong together, in groups: there is no lag to be robust against.
    mutating func addAligned(
        _ groups: [PairedIncrement],
        seconds: Double,
        test: AffineTest,
        parameters: AnalysisParameters
    ) {
        self.before.add(groups, seconds: seconds, test: test, parameters: parameters)
        self.same = self.before
        self.after = self.before
    }

    /// ln E, in nats, of all polls but the newest.
    package var logE: Double { min(self.before.logE, self.same.logE, self.after.logE) }

    /// Polls with bad requests on the canary.
    package var badPolls: Int { self.same.badPolls }
}
