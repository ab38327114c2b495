package import Deployments

/// What is known of one gate at one time, with its evidence.
package struct GateAssessment: Hashable, Codable, Sendable {
    package var gate: Gate
    package var outcome: GateOutcome
    /// What was measured: `canary 2.1 % of 480 (1.0 to 4.3 %), stable 0.1 % of 9120 (0.05 to 0.2 %)`.
    package var value: String
    /// What the canary must keep: `at most 1.1 times stable's`.
    package var limit: String
    /// Why the outcome is what it is.
    package var detail: String
    /// When a decision is expected: `about 7m at 40 requests/s`; nothing when decided, or when none is in sight.
    package var prediction: String?
    /// Nothing for gates that compare no counters.
    package var comparison: ComparisonEvidence?

    package init(
        gate: Gate,
        outcome: GateOutcome,
        value: String,
        limit: String,
        detail: String,
        prediction: String? = nil,
        comparison: ComparisonEvidence? = nil
    ) {
        self.gate = gate
        self.outcome = outcome
        self.value = value
        self.limit = limit
        self.detail = detail
        self.prediction = prediction
        self.comparison = comparison
    }

    /// One line for events and notifications.
    package var summary: String {
        "\(self.value); allowed: \(self.limit); \(self.detail)"
    }
}

package enum GateOutcome: String, Hashable, Codable, Sendable, CaseIterable {
    /// The evidence of this step suffices for the next weight.
    case passed
    /// The canary is worse than it may be. Stays so for the rollout.
    case failed
    /// More evidence is needed.
    case inconclusive
    /// There is nothing to judge by: no requests, or a query that matches nothing. Neither good nor bad.
    case noData = "no-data"
    /// The provider of the gate's numbers refuses or does not answer. Neither good nor bad.
    case providerDown = "provider-down"
}

/// The numbers behind the assessment of a gate that compares canary with stable.
package struct ComparisonEvidence: Hashable, Codable, Sendable {
    /// Of this step.
    package var canary: EventCounts
    package var stable: EventCounts
    /// Of all steps. Not to be divided by each other: weights and baselines change from step to step.
    package var canaryOverall: EventCounts
    package var stableOverall: EventCounts
    /// 95 percent, of this step's rates.
    package var canaryInterval: Interval?
    package var stableInterval: Interval?
    /// 95 percent, over all steps: the canary's rate as a multiple of stable's.
    package var ratio: RatioInterval?
    /// ln E that the canary is worse than it may be, and what it must reach if this gate alone is to decide.
    package var breachLogE: Double
    package var breachLimit: Double
    /// ln E that the next weight is safe, and what it must reach.
    package var safeLogE: Double
    package var safeLimit: Double
    /// On the canary, in this step.
    package var requestsPerSecond: Double?
    /// At the present traffic, if the canary is as good as stable.
    package var secondsUntilSafe: Double?
    /// At the present traffic, how long a canary twice as bad as stable would stay unnoticed from the step's start.
    package var secondsUntilDoublingIsSeen: Double?

    /// 0 (none) to 1 (this gate alone decides).
    package var breachShare: Double { min(1, max(0, self.breachLogE / self.breachLimit)) }
    /// 0 (none) to 1 (passed).
    package var safeShare: Double { min(1, max(0, self.safeLogE / self.safeLimit)) }
}
