import RealModule

/// Evidence that the canary may get the next weight: advances.
///
/// Null hypothesis: in every poll p_c ≥ ρ_w p_s + δ_w, with the margins of the weight that would come next (see
/// ``AffineTest/safe(toward:ratio:difference:burst:)``). Guarantee: that ``logE`` ever reaches ln(1/β) has probability
/// at most β. Begun afresh at each step, so that it certifies that step's evidence; the steps need no correction for
/// their number, since a canary reaches a weight at which it is unsafe only by passing the first such step.
package struct SafeProcess: Hashable, Codable, Sendable {
    package let test: AffineTest
    /// ln of the capital at each bet of the grid.
    package private(set) var logs: [Double]

    package init(test: AffineTest, grid: [Double]) {
        self.test = test
        self.logs = grid.map { _ in 0 }
    }

    package mutating func add(_ poll: PairedIncrement, grid: [Double]) {
        self.logs = zip(self.logs, self.test.logE(poll, grid: grid)).map { $0 + $1 }
    }

    /// ln E, in nats.
    package var logE: Double { logMean(self.logs) }
}
