import RealModule

/// Is one revision's bad rate above a fixed limit?
///
/// Null hypothesis: in every poll the bad rate is at most `limit`.
///
/// Guarantee: e is the exact binomial likelihood ratio against an odds ratio of θ > 1, so its expectation under the
/// null is at most 1 and the product over polls ever reaches 1/α with probability at most α, however often one looks.
package struct AbsoluteTest: Hashable, Codable, Sendable {
    /// p₀, as a share of requests, above 0 and below 1.
    package var limit: Double
    /// φ ≥ 1: how many requests may fail together; see ``AffineTest/burst``.
    package var burst: Double

    package init(limit: Double, burst: Double = 1) {
        self.limit = limit
        self.burst = burst
    }

    /// The test that an objective's budget burns faster than `burn` times what the objective allows.
    ///
    /// Objectives so lax that the burn rate would exceed every possible rate are tested at one half (or at their whole
    /// budget, if that is more): otherwise a total outage could pass them.
    package init(objectivePercent: Double, burn: Double, burst: Double = 1) {
        let budget = 1 - objectivePercent / 100
        self.init(limit: max(budget, min(burn * budget, 0.5)), burst: burst)
    }

    /// - Parameters:
    ///   - counts: Of one poll.
    ///   - theta: The bet: the odds of a bad request, as a multiple of those at the limit.
    /// - Returns: ln e, in nats; 0 without requests.
    package func logE(_ counts: EventCounts, theta: Double) -> Double {
        let penalty = Double(counts.total) * Double.log(onePlus: self.limit * (theta - 1))
        return (Double(counts.bad) * Double.log(theta) - penalty) / self.burst
    }

    package func logE(_ counts: EventCounts, grid: [Double]) -> [Double] {
        grid.map { self.logE(counts, theta: $0) }
    }
}
