import RealModule

/// Evidence that the canary's answers are distributed otherwise than stable's.
///
/// Null hypothesis: in every poll both tracks draw from one distribution over the bins, which may move from poll to
/// poll as the inputs do. Guarantee: ``logE`` ever reaches ln(1/α) with probability at most α.
///
/// Each poll is betted on with estimates of the polls before: e is the likelihood under "each track as it was" over
/// that under the mix of both, which has expectation at most 1 by the weighted inequality of the means; stable's
/// estimate steadies the canary's with a weight of κ, and three κ are mixed. Source: Turner, Ly & Grünwald, Generic
/// E-variables for exact sequential k-sample tests (2024, arXiv 2106.02693), with k categories.
package struct DriftProcess: Hashable, Codable, Sendable {
    private var canary: [Double]
    private var stable: [Double]
    private var logs: [Double]

    /// In observations.
    package static let steadiness = [30.0, 300, 3000]

    package init(bins: Int) {
        self.canary = Array(repeating: 0, count: bins)
        self.stable = self.canary
        self.logs = Self.steadiness.map { _ in 0 }
    }

    /// Without answers on either track a poll is no evidence.
    ///
    /// - Parameters:
    ///   - canary: Counts per bin of one poll.
    ///   - stable: The same, of the same poll.
    ///   - burst: φ; see ``AffineTest/burst``.
    package mutating func add(canary: [Double], stable: [Double], burst: Double = 1) {
        precondition(canary.count == self.canary.count && stable.count == self.stable.count, "other bins")
        defer {
            for bin in canary.indices {
                self.canary[bin] += canary[bin]
                self.stable[bin] += stable[bin]
            }
        }
        let (canaryTotal, stableTotal) = (canary.reduce(0, +), stable.reduce(0, +))
        guard canaryTotal > 0, stableTotal > 0 else { return }
        let ofStable = PopulationStability.smoothed(self.stable)
        let past = self.canary.reduce(0, +)
        for (index, weight) in Self.steadiness.enumerated() {
            var log = 0.0
            for bin in canary.indices {
                let ofCanary = (self.canary[bin] + weight * ofStable[bin]) / (past + weight)
                let mixed = (canaryTotal * ofCanary + stableTotal * ofStable[bin]) / (canaryTotal + stableTotal)
                log += canary[bin] * Double.log(ofCanary / mixed) + stable[bin] * Double.log(ofStable[bin] / mixed)
            }
            self.logs[index] += log / burst
        }
    }

    /// ln E, in nats.
    package var logE: Double { logMean(self.logs) }

    /// How far apart the two distributions are by all polls so far.
    package var stability: PopulationStability { PopulationStability(canary: self.canary, stable: self.stable) }
}

/// How far apart two histograms are: the population stability index and its kin.
package struct PopulationStability: Hashable, Sendable {
    package let canary: [Double]
    package let stable: [Double]

    package init(canary: [Double], stable: [Double]) {
        precondition(canary.count == stable.count, "\(canary.count) bins, and \(stable.count)")
        self.canary = canary
        self.stable = stable
    }

    /// Shares, with half an observation added to each bin.
    static func smoothed(_ counts: [Double]) -> [Double] {
        let total = counts.reduce(0, +) + Double(counts.count) / 2
        return counts.map { ($0 + 0.5) / total }
    }

    /// Σ (p − q) ln(p/q): 0 for the same shares; by habit 0.1 is worth a look and 0.25 a shift.
    package var index: Double {
        zip(Self.smoothed(self.canary), Self.smoothed(self.stable)).reduce(0) {
            $0 + ($1.0 - $1.1) * Double.log($1.0 / $1.1)
        }
    }

    /// The index less what it is on average for samples of one distribution, (B − 1)(1/n_c + 1/n_s): few answers look
    /// like drift otherwise.
    ///
    /// - Returns: Nothing without answers on both sides.
    package var correctedIndex: Double? {
        let (canary, stable) = (self.canary.reduce(0, +), self.stable.reduce(0, +))
        guard canary > 0, stable > 0 else { return nil }
        return self.index - Double(self.canary.count - 1) * (1 / canary + 1 / stable)
    }

    /// The Jensen-Shannon divergence, in nats; eight times it is about the index.
    package var jensenShannon: Double {
        zip(Self.smoothed(self.canary), Self.smoothed(self.stable)).reduce(0) { sum, pair in
            let middle = (pair.0 + pair.1) / 2
            return sum + (pair.0 * Double.log(pair.0 / middle) + pair.1 * Double.log(pair.1 / middle)) / 2
        }
    }

    /// The G statistic, about χ² with B − 1 degrees of freedom for samples of one distribution.
    package var g: Double {
        let (canary, stable) = (self.canary.reduce(0, +), self.stable.reduce(0, +))
        return zip(self.canary, self.stable).reduce(0) { sum, pair in
            let share = (pair.0 + pair.1) / (canary + stable)
            let ofCanary = pair.0 > 0 ? pair.0 * Double.log(pair.0 / canary / share) : 0
            let ofStable = pair.1 > 0 ? pair.1 * Double.log(pair.1 / stable / share) : 0
            return sum + 2 * (ofCanary + ofStable)
        }
    }

    /// The index above which a single look refutes that the true one is at most `tolerance`, with error probability
    /// `alpha`. For reports of a fixed size; a rollout looks often and uses ``DriftProcess``.
    ///
    /// - Parameters:
    ///   - canary: The number of the canary's answers.
    ///   - stable: The number of stable's.
    ///   - bins: Of the histogram, at least 2.
    ///   - tolerance: An index, at least 0.
    ///   - alpha: Above 0 and below 1.
    /// - Returns: An index.
    package static func threshold(
        canary: Double,
        stable: Double,
        bins: Int,
        tolerance: Double,
        alpha: Double
    ) -> Double {
        let unit = 1 / canary + 1 / stable
        return unit
            * ChiSquare.quantile(1 - alpha, degreesOfFreedom: Double(bins - 1), noncentrality: tolerance / unit)
    }
}
