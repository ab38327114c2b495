import RealModule

/// The constants of the tests. Chosen once, by simulation over loads of 20 to 2000 requests/s and baselines of 0.1 to
/// 1 percent, not to be tuned per deployment.
package struct AnalysisParameters: Hashable, Codable, Sendable {
    /// Probability of a false alarm per rollout, over all its gates, steps and looks.
    package var alpha = 0.01
    /// Probability of calling a weight safe at which the canary is not.
    package var beta = 0.05
    /// A canary may be this many times as bad as stable before that counts as a breach: identical replicas differ.
    package var breachRatio = 1.1
    package var breachDifference = 0.0
    /// Multiples of the allowed rate that the breach process bets on. Not above 6: bigger bets find hard failures less
    /// than a poll sooner and are what a burst of errors exploits.
    package var breachGrid = [1.3, 1.6, 2, 2.7, 4, 6]
    /// How many times stable's rate, and how much on top, a canary with all traffic may have to be safe.
    package var safeRatio = 1.5
    package var safeDifference = 0.001
    package var safeGrid = [0.02, 0.15, 0.3, 0.45, 0.6, 0.75]
    /// The share of the breach process's capital that the first step owns.
    package var firstStepMass = 0.5
    /// The share of a step's capital invested in its first poll.
    package var massAtStart = 0.6
    /// The share of what is left that is invested in ten seconds: five minutes on average.
    package var massPerTenSeconds = 1.0 / 30
    /// Bad requests in at least this many polls before a breach decides.
    package var minimumBadPolls = 2
    /// How many times faster than its objective allows a canary may burn its budget.
    package var absoluteBurn = 10.0
    /// One minus the confidence of the intervals shown to people.
    package var intervalAlpha = 0.05
    /// How long a step may stay without requests before its gates say that there are no data.
    package var patienceSeconds = 60.0

    package static let `default` = AnalysisParameters()

    package init() {}

    /// ln(1/α): what the combined breach evidence of a rollout must reach.
    package var breachLimit: Double { -Double.log(self.alpha) }

    /// ln(1/β): what each gate's safe evidence must reach.
    package var safeLimit: Double { -Double.log(self.beta) }

    func breachTest(burst: Double) -> AffineTest {
        AffineTest(ratio: self.breachRatio, difference: self.breachDifference, burst: burst)
    }

    /// What a step sets aside of a breach process's capital: the first step half, and each later one equal parts of
    /// the rest, because most broken models are broken from the start. Steps beyond the planned ones (a repeated step)
    /// share what was never invested.
    ///
    /// - Parameters:
    ///   - step: From 0.
    ///   - planned: Steps of the rollout, at least 1.
    ///   - cash: What was never invested, of 1.
    /// - Returns: A share of the capital.
    func mass(ofStep step: Int, of planned: Int, cash: Double) -> Double {
        if step >= planned { return cash / 2 }
        if planned == 1 { return 1 }
        return step == 0 ? self.firstStepMass : (1 - self.firstStepMass) / Double(planned - 1)
    }

    /// The share of the remaining cash that is invested in a poll: by time, whatever the rate of polling.
    func investedShare(seconds: Double) -> Double {
        -Double.expMinusOne(max(0, seconds) / 10 * Double.log(onePlus: -self.massPerTenSeconds))
    }
}
