import RealModule

/// The affine two-sample test: is the canary's bad rate beyond a line through stable's?
///
/// Null hypothesis, for bad rates p_c of the canary and p_s of stable in every poll:
/// p_c ≤ `ratio` · p_s + `difference` when betting with θ > 1, and p_c ≥ `ratio` · p_s + `difference` with θ < 1.
///
/// Guarantee: given the past, the expectation of e is at most 1 under the null, exactly and not asymptotically, for
/// every stable rate (it may move from poll to poll), every traffic split and every number of requests. The product
/// over polls is therefore a test supermartingale, and by Ville's inequality it ever reaches 1/α with probability at
/// most α, however often one looks. Requests are assumed independent given the rates, or in clusters of at most
/// `burst`.
///
/// Why: for a sum X of independent Bernoulli variables E A^X ≤ exp(n p (A − 1)). With B = D, A = θD and
/// D = (ρ n_c + n_s) / (ρθ n_c + n_s), the terms in p_s cancel: ρ n_c (A − 1) + n_s (B − 1) = 0. It is the likelihood
/// ratio of "who got the error?", as in Lindon & Malek (arXiv 2011.03567) and the MaxSPRT of vaccine safety, with
/// margins and with exposure that changes over time.
package struct AffineTest: Hashable, Codable, Sendable {
    /// ρ: how many times stable's rate the canary is allowed; 0 tests the canary alone.
    package var ratio: Double
    /// δ: what the canary is allowed on top, as a share of requests (0.001 is one in a thousand).
    package var difference: Double
    /// φ ≥ 1: how many requests may fail together. The log evidence is divided by it, which stays valid for clusters of
    /// up to φ mutually dependent requests by the generalised Hölder inequality.
    package var burst: Double

    package init(ratio: Double, difference: Double, burst: Double = 1) {
        self.ratio = ratio
        self.difference = difference
        self.burst = burst
    }

    /// The non-inferiority margin for going to a weight: a constant worst-case harm to all users, so that a step to
    /// 5 percent may pass on less evidence than one to 50.
    ///
    /// Units: `ratio` and `difference` are what a canary with all traffic is allowed.
    package static func safe(
        toward weight: Double,
        ratio: Double,
        difference: Double,
        burst: Double = 1
    ) -> AffineTest {
        AffineTest(ratio: 1 + (ratio - 1) / weight, difference: difference / weight, burst: burst)
    }

    /// No requests on the canary, or none on stable while the null compares with it, are no evidence.
    ///
    /// - Parameters:
    ///   - poll: The increments of one poll.
    ///   - theta: The bet: the canary's rate as a multiple of what the null allows.
    /// - Returns: ln e, in nats; 0 is no evidence.
    package func logE(_ poll: PairedIncrement, theta: Double) -> Double {
        guard poll.canaryTotal > 0, poll.stableTotal > 0 || self.ratio == 0 else { return 0 }
        let exposure = self.ratio * theta * poll.canaryTotal + poll.stableTotal
        let logB =
            self.ratio == 0 ? 0 : Double.log(onePlus: -self.ratio * (theta - 1) * poll.canaryTotal / exposure)
        let logA = Double.log(theta) + logB
        let allowed =
            self.difference == 0 ? 0 : poll.canaryTotal * self.difference * Double.expMinusOne(logA)
        return (poll.canaryBad * logA + poll.stableBad * logB - allowed) / self.burst
    }

    package func logE(_ poll: PairedIncrement, grid: [Double]) -> [Double] {
        grid.map { self.logE(poll, theta: $0) }
    }
}
