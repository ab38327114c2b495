import RealModule

/// Evidence that one revision's bad rate is above a fixed limit.
///
/// Null hypothesis: in every poll the bad rate is at most ``AbsoluteTest/limit``. Guarantee: that ``logE`` ever reaches
/// ln(1/α) has probability at most α, over all steps and polls together. A ``StartMixture`` of ``AbsoluteTest``
/// increments with bets θ > 1.
package struct AbsoluteBreach: Hashable, Codable, Sendable {
    private var mixture = StartMixture()
    private var stepsBegun = 0
    private let plannedSteps: Int
    /// Polls with bad requests.
    package private(set) var badPolls = 0

    package init(plannedSteps: Int) {
        self.plannedSteps = max(1, plannedSteps)
    }

    /// Sets the step's share of the capital aside, as ``BreachProcess`` does.
    package mutating func beginStep(parameters: AnalysisParameters) {
        let cash = self.mixture.cash
        self.mixture.begin(mass: parameters.mass(ofStep: self.stepsBegun, of: self.plannedSteps, cash: cash))
        self.stepsBegun += 1
    }

    /// - Parameters:
    ///   - counts: Of one poll.
    ///   - seconds: The time since the poll before; it only settles how much is invested.
    ///   - test: The null, the same in every poll.
    ///   - parameters: The grid and the schedule of investments.
    package mutating func add(
        _ counts: EventCounts,
        seconds: Double,
        test: AbsoluteTest,
        parameters: AnalysisParameters
    ) {
        self.mixture.add(
            test.logE(counts, grid: parameters.breachGrid),
            first: parameters.massAtStart,
            share: parameters.investedShare(seconds: seconds)
        )
        if counts.bad > 0 { self.badPolls += 1 }
    }

    /// ln E, in nats.
    package var logE: Double { self.mixture.logE }
}

/// Evidence that one revision's bad rate is below a fixed limit.
///
/// Null hypothesis: in every poll the bad rate p is at least p₀, ``AbsoluteTest/limit``. For a bet θ < 1 a poll's
/// e = θ^x / (1 + p₀(θ − 1))^n has the expectation ((1 + p(θ − 1)) / (1 + p₀(θ − 1)))^n. As θ − 1 is negative, that is
/// at most 1 for every p ≥ p₀: the same formula as against "at most p₀", with the inequality the other way round.
/// Guarantee: that ``logE`` ever reaches ln(1/β) has probability at most β. Begun afresh at each step.
package struct AbsoluteSafety: Hashable, Codable, Sendable {
    package let test: AbsoluteTest
    /// ln of the capital at each bet of the grid.
    private var logs: [Double]

    package init(test: AbsoluteTest, grid: [Double]) {
        self.test = test
        self.logs = grid.map { _ in 0 }
    }

    package mutating func add(_ counts: EventCounts, grid: [Double]) {
        self.logs = zip(self.logs, self.test.logE(counts, grid: grid)).map { $0 + $1 }
    }

    /// ln E, in nats.
    package var logE: Double { logMean(self.logs) }

    /// Expected requests until it reaches `limit`, when this share of them is bad; see ``RequestPlan``.
    ///
    /// - Returns: Nothing when at this rate no bet grows.
    package func remaining(rate: Double, grid: [Double], limit: Double) -> Double? {
        let stake = Double.log(Double(grid.count))
        return zip(self.logs, grid).compactMap { log, theta -> Double? in
            let penalty = Double.log(onePlus: self.test.limit * (theta - 1))
            let growth = (rate * Double.log(theta) - penalty) / self.test.burst
            return growth > 0 ? max(0, limit + stake - log) / growth : nil
        }.min()
    }
}
