import RealModule

/// The standard normal distribution.
package enum Normal {
    /// The value that a share `p` of the distribution lies below, to about the precision of a `Double`.
    ///
    /// Halves an interval on the error function, which takes 60 steps: for reports, not for every poll.
    ///
    /// - Parameter p: Above 0 and below 1.
    /// - Returns: In standard deviations.
    package static func quantile(_ p: Double) -> Double {
        if p > 0.5 { return -Self.upperQuantile(1 - p) }
        return p < 0.5 ? Self.upperQuantile(p) : 0
    }

    /// For the lower half, where the error function's complement keeps its precision.
    private static func upperQuantile(_ p: Double) -> Double {
        var (lower, upper) = (-40.0, 0.0)
        for _ in 0..<80 {
            let middle = (lower + upper) / 2
            if Double.erfc(-middle / Double.sqrt(2)) / 2 < p { lower = middle } else { upper = middle }
        }
        return (lower + upper) / 2
    }
}

/// The noncentral χ² distribution.
package enum ChiSquare {
    /// The value that a share `p` of the distribution lies below, by Patnaik's two moments and the cube root of Wilson
    /// and Hilferty: about one percent too high in the upper tail, which is the safe side.
    ///
    /// - Parameters:
    ///   - p: Above 0 and below 1.
    ///   - degreesOfFreedom: Above 0.
    ///   - noncentrality: At least 0.
    /// - Returns: In the statistic's own unit.
    package static func quantile(_ p: Double, degreesOfFreedom: Double, noncentrality: Double = 0) -> Double {
        let (mean, doubled) = (degreesOfFreedom + noncentrality, degreesOfFreedom + 2 * noncentrality)
        let scale = doubled / mean
        let freedom = mean * mean / doubled
        let spread = 2 / (9 * freedom)
        let root = 1 - spread + Normal.quantile(p) * Double.sqrt(spread)
        return scale * freedom * root * root * root
    }
}

extension BinCounts {
    /// The value that a share `q` of the observations lies below, between two bounds in proportion; the largest bound
    /// when it lies beyond.
    ///
    /// - Parameter q: 0 to 1.
    /// - Returns: Nothing without observations or bounds.
    package func quantile(_ q: Double) -> Double? {
        guard self.total > 0, let last = self.bounds.last else { return nil }
        let rank = q * Double(self.total)
        var below = 0.0
        for (index, bound) in self.bounds.enumerated() {
            let count = Double(self.counts[index])
            if below + count >= rank, count > 0 {
                let lower = index == 0 ? min(0, bound) : self.bounds[index - 1]
                return lower + (bound - lower) * max(0, rank - below) / count
            }
            below += count
        }
        return last
    }

    /// Bounds between which the true quantile lies, at every time at once with probability 1 − α: for each bound, the
    /// ``RateSequence`` of the share below it tells whether the quantile is on this or that side.
    ///
    /// - Parameters:
    ///   - q: Above 0 and below 1.
    ///   - alpha: One minus the confidence, of each side's bound.
    ///   - burst: φ; see ``AffineTest/burst``.
    /// - Returns: Infinite where no bound is known to lie above.
    package func quantileInterval(_ q: Double, alpha: Double, burst: Double = 1) -> Interval {
        var interval = Interval(lower: 0, upper: .infinity)
        let total = self.total
        guard total > 0 else { return interval }
        var below: Int64 = 0
        for (index, bound) in self.bounds.enumerated() {
            below += self.counts[index]
            let counts = EventCounts(bad: below, total: total)
            guard RateSequence.logMixture(counts, rate: q) >= -Double.log(alpha) * burst else { continue }
            guard Double(below) < q * Double(total) else {
                interval.upper = bound
                break
            }
            interval.lower = bound
        }
        return interval
    }

    /// How far the whole empirical distribution may lie from the true one, at every time at once with probability
    /// 1 − α. Source: Howard & Ramdas, Sequential estimation of quantiles (Bernoulli 28(3), 2022, arXiv 1906.09712).
    ///
    /// - Parameters:
    ///   - count: Of observations, at least 1.
    ///   - alpha: One minus the confidence.
    /// - Returns: A distance of shares; above 1 when there are too few observations to say anything.
    package static func bandHalfWidth(count: Double, alpha: Double) -> Double {
        let iterated = Double.log(Double.log(count) + 1)
        return 0.85 * Double.sqrt((iterated + 0.8 * Double.log(1612 / alpha)) / count)
    }
}
