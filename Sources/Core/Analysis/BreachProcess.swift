import RealModule

/// Evidence that the canary is worse than it may be: rolls back.
///
/// Null hypothesis: in every poll p_c ≤ ρ p_s + δ. Guarantee: that ``logE`` ever reaches ln(1/α) has probability at
/// most α, over all steps and polls together. A ``StartMixture`` of ``AffineTest`` increments.
package struct BreachProcess: Hashable, Codable, Sendable {
    private var mixture = StartMixture()
    private var stepsBegun = 0
    private let plannedSteps: Int
    /// Polls with bad requests on the canary: one alone may be a single burst, and does not decide.
    package private(set) var badPolls = 0

    package init(plannedSteps: Int) {
        self.plannedSteps = max(1, plannedSteps)
    }

    /// Sets the step's share of the capital aside.
    package mutating func beginStep(parameters: AnalysisParameters) {
        self.mixture.begin(mass: self.nextMass(parameters: parameters))
        self.stepsBegun += 1
    }

    package func nextMass(parameters: AnalysisParameters) -> Double {
        parameters.mass(ofStep: self.stepsBegun, of: self.plannedSteps, cash: self.mixture.cash)
    }

    /// - Parameters:
    ///   - poll: The increments of one poll.
    ///   - seconds: The time since the poll before; it only settles how much is invested.
    ///   - test: The null, the same in every poll.
    ///   - parameters: The grid and the schedule of investments.
    package mutating func add(
        _ poll: PairedIncrement,
        seconds: Double,
        test: AffineTest,
        parameters: AnalysisParameters
    ) {
        self.mixture.add(
            test.logE(poll, grid: parameters.breachGrid),
            first: parameters.massAtStart,
            share: parameters.investedShare(seconds: seconds)
        )
        if poll.canaryBad > 0 { self.badPolls += 1 }
    }

    /// ln E, in nats.
    package var logE: Double { self.mixture.logE }
}
