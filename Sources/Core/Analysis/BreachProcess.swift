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
        let increments = test.logE(poll, grid: parameters.breachGrid)
        self.add(increments, isBad: poll.canaryBad > 0, seconds: seconds, parameters: parameters)
    }

    /// One poll of requests that are compared in several groups, each with its own rates: given the past, the product
    /// of their e has an expectation of at most 1, as they have no request in common.
    mutating func add(
        _ groups: [PairedIncrement],
        seconds: Double,
        test: AffineTest,
        parameters: AnalysisParameters
    ) {
        let increments = parameters.breachGrid.map { theta in
            groups.reduce(0) { $0 + test.logE($1, theta: theta) }
        }
        let isBad = groups.contains { $0.canaryBad > 0 }
        self.add(increments, isBad: isBad, seconds: seconds, parameters: parameters)
    }

    /// One poll of another test than the affine one: ln e at each of its bets, always as many.
    mutating func add(_ increments: [Double], isBad: Bool, seconds: Double, parameters: AnalysisParameters) {
        self.mixture.add(
            increments,
            first: parameters.massAtStart,
            share: parameters.investedShare(seconds: seconds)
        )
        if isBad { self.badPolls += 1 }
    }

    /// ln E, in nats.
    package var logE: Double { self.mixture.logE }
}
