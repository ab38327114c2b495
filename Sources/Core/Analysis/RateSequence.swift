import RealModule

/// A confidence sequence for one rate: the interval at every time at once.
///
/// Guarantee: with probability 1 − α the true rate lies in all the intervals ever shown, if the rate is constant and
/// requests are independent. For display; no verdict rests on it.
///
/// Source: the rates p that the Beta-binomial mixture martingale ∫ L(q) dBeta(q; ½, ½) / L(p) does not refute
/// (Robbins 1970; Howard, Ramdas, McAuliffe & Sekhon 2021).
package enum RateSequence {
    /// ln of the mixture martingale against the rate `p`.
    ///
    /// - Parameters:
    ///   - counts: All requests so far.
    ///   - p: The rate under test, above 0 and below 1.
    ///   - a: Prior weight of bad requests.
    ///   - b: Prior weight of good ones.
    /// - Returns: Nats.
    package static func logMixture(_ counts: EventCounts, rate p: Double, a: Double = 0.5, b: Double = 0.5) -> Double {
        Self.logMarginal(counts, a: a, b: b) - Self.logLikelihood(counts, rate: p)
    }

    /// - Parameters:
    ///   - counts: All requests so far.
    ///   - alpha: One minus the confidence.
    ///   - burst: φ; see ``AffineTest/burst``.
    /// - Returns: Nothing without requests.
    package static func interval(_ counts: EventCounts, alpha: Double, burst: Double = 1) -> Interval? {
        guard let center = counts.rate else { return nil }
        let least = Self.logMarginal(counts, a: 0.5, b: 0.5) + Double.log(alpha) * burst
        let isKept = { (p: Double) in Self.logLikelihood(counts, rate: p) > least }
        return Interval(
            lower: counts.bad == 0 ? 0 : Self.edge(from: center, to: 0, isKept),
            upper: counts.bad == counts.total ? 1 : Self.edge(from: center, to: 1, isKept)
        )
    }

    private static func logMarginal(_ counts: EventCounts, a: Double, b: Double) -> Double {
        Self.logBeta(a + Double(counts.bad), b + Double(counts.total - counts.bad)) - Self.logBeta(a, b)
    }

    private static func logLikelihood(_ counts: EventCounts, rate p: Double) -> Double {
        let (bad, good) = (Double(counts.bad), Double(counts.total - counts.bad))
        return (bad > 0 ? bad * Double.log(p) : 0) + (good > 0 ? good * Double.log(onePlus: -p) : 0)
    }

    /// Where an interval around `inside` ends: 50 halvings leave less than what a `Double` can tell.
    private static func edge(from inside: Double, to outside: Double, _ isKept: (Double) -> Bool) -> Double {
        var (inside, outside) = (inside, outside)
        for _ in 0..<50 {
            let middle = (inside + outside) / 2
            if isKept(middle) { inside = middle } else { outside = middle }
        }
        return inside
    }

    private static func logBeta(_ a: Double, _ b: Double) -> Double {
        Double.logGamma(a) + Double.logGamma(b) - Double.logGamma(a + b)
    }
}
