import RealModule

/// A confidence sequence for how much higher the canary's mean of a value in [0, 1] is than stable's: the evidence
/// against every difference at once.
///
/// Guarantee: for each difference d the expectation of e is at most 1 when in every poll μ_c − μ_s ≤ d (`sign` +1), or
/// when in every poll μ_c − μ_s ≥ d (−1), however both means move together and however the traffic is split. So a d is
/// wrongly refuted with probability at most α, over all looks together. Values are assumed independent given the means.
///
/// Why: the increments of ``MeanProcess``, with one half as the centre in all polls. Then ln e of a bet λ is
/// sign · λ (G − d B) − C(λ) with sums over polls: G of weighted values, B of weighted counts, C of squares. The state
/// is 2 numbers and one per bet instead of one per bet and difference; sums of two polls are those of both, so that it
/// does not matter how often somebody looks. Another centre than the mean costs evidence, never the guarantee; the
/// mean of ``RankScores`` in the history that they are taken from is one half exactly.
package struct MeanDifference: Hashable, Codable, Sendable {
    /// G: Σ (u Σx_c − v Σx_s), with u = min(1, n_s/n_c) and v = min(1, n_c/n_s) of each poll.
    private var balance = 0.0
    /// B: Σ u n_c.
    private var exposure = 0.0
    /// C of each bet: Σ (ψ(λu) Σ(x_c − ½)² + ψ(λv) Σ(x_s − ½)²).
    private var costs: [Double]

    /// λ, the sizes of the bets: those of ``MeanProcess``.
    private static let grid = MeanProcess.grid
    private static let center = 0.5

    package init() {
        self.costs = Self.grid.map { _ in 0 }
    }

    /// The increments of one poll; without values on either track no evidence.
    package init(canary: MeanCounts, stable: MeanCounts) {
        self.init()
        guard canary.count > 0, stable.count > 0 else { return }
        let (ofCanary, ofStable) = Self.parts(canary.count, stable.count)
        self.balance = ofCanary * canary.sum - ofStable * stable.sum
        self.exposure = ofCanary * canary.count
        let canarySquares = canary.squaredDistance(from: Self.center)
        let stableSquares = stable.squaredDistance(from: Self.center)
        self.costs = Self.costs((ofCanary, canarySquares), (ofStable, stableSquares))
    }

    /// What is expected of equal means, with values that scatter as ranks do: by 1/12 at the most.
    package init(expectedOfCanary canary: Double, stable: Double) {
        self.init()
        guard canary > 0, stable > 0 else { return }
        let (ofCanary, ofStable) = Self.parts(canary, stable)
        self.exposure = ofCanary * canary
        self.costs = Self.costs((ofCanary, canary / 12), (ofStable, stable / 12))
    }

    /// u and v.
    private static func parts(_ canary: Double, _ stable: Double) -> (canary: Double, stable: Double) {
        (min(1, stable / canary), min(1, canary / stable))
    }

    private static func costs(
        _ canary: (part: Double, squares: Double),
        _ stable: (part: Double, squares: Double)
    ) -> [Double] {
        Self.grid.map { bet in
            MeanProcess.psi(bet * canary.part) * canary.squares + MeanProcess.psi(bet * stable.part) * stable.squares
        }
    }

    package static func += (left: inout MeanDifference, right: MeanDifference) {
        left.balance += right.balance
        left.exposure += right.exposure
        for index in left.costs.indices { left.costs[index] += right.costs[index] }
    }

    /// The canary's mean less stable's, polls weighted as they are betted on; nothing without values.
    package var estimate: Double? { self.exposure > 0 ? self.balance / self.exposure : nil }

    /// - Parameters:
    ///   - sign: +1 for evidence that the difference is above `difference`, −1 that it is below.
    ///   - difference: d, from −1 to 1.
    ///   - burst: φ; see ``AffineTest/burst``.
    /// - Returns: ln e of each bet, in nats.
    package func logs(sign: Double, difference: Double, burst: Double = 1) -> [Double] {
        let gain = sign * (self.balance - difference * self.exposure)
        return zip(Self.grid, self.costs).map { bet, cost in (bet * gain - cost) / burst }
    }

    /// ln E of the even mixture of the bets, in nats.
    package func logE(sign: Double, difference: Double, burst: Double = 1) -> Double {
        logMean(self.logs(sign: sign, difference: difference, burst: burst))
    }

    /// The differences that are not refuted, half of `alpha` for either side; valid whenever it is read.
    package func interval(alpha: Double, burst: Double = 1) -> Interval {
        let limit = Double.log(2 / alpha)
        return Interval(
            lower: self.bound(sign: 1, limit: limit, burst: burst),
            upper: self.bound(sign: -1, limit: limit, burst: burst)
        )
    }

    /// The evidence falls steadily towards the side that it is not against: halved until a thousandth of a percent.
    private func bound(sign: Double, limit: Double, burst: Double) -> Double {
        var (refuted, kept) = (-sign, sign)
        guard self.logE(sign: sign, difference: refuted, burst: burst) >= limit else { return refuted }
        for _ in 0..<18 {
            let middle = (refuted + kept) / 2
            if self.logE(sign: sign, difference: middle, burst: burst) >= limit {
                refuted = middle
            } else {
                kept = middle
            }
        }
        return refuted
    }

    /// How many times what was counted here is still needed to show that a canary whose mean is stable's is below
    /// `difference`, if it scatters as here.
    ///
    /// - Returns: Nothing when that is not expected at all.
    package func repetitions(untilBelow difference: Double, limit: Double, burst: Double = 1) -> Double? {
        self.repetitions(from: self.logs(sign: -1, difference: difference, burst: burst), difference, limit, burst)
    }

    /// The same, when what was counted here is only expected and counts for nothing yet.
    package func repetitionsFromNothing(untilBelow difference: Double, limit: Double) -> Double? {
        self.repetitions(from: self.costs.map { _ in 0 }, difference, limit, 1)
    }

    private func repetitions(from logs: [Double], _ difference: Double, _ limit: Double, _ burst: Double) -> Double? {
        let needed = limit + Double.log(Double(Self.grid.count))
        return logs.indices.compactMap { index -> Double? in
            let growth = (Self.grid[index] * difference * self.exposure - self.costs[index]) / burst
            return growth > 0 ? max(0, needed - logs[index]) / growth : nil
        }.min()
    }
}
