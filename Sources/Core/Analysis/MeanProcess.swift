import RealModule

/// What one track counted between two polls of a value in [0, 1]: a quality score, a loss, a share.
package struct MeanCounts: Hashable, Codable, Sendable {
    package var count: Double
    package var sum: Double
    package var sumOfSquares: Double

    package init(count: Double = 0, sum: Double = 0, sumOfSquares: Double = 0) {
        self.count = count
        self.sum = sum
        self.sumOfSquares = sumOfSquares
    }

    package var mean: Double? { self.count > 0 ? self.sum / self.count : nil }

    package static func += (left: inout MeanCounts, right: MeanCounts) {
        left.count += right.count
        left.sum += right.sum
        left.sumOfSquares += right.sumOfSquares
    }

    /// Σ (x − m)², never below 0.
    func squaredDistance(from center: Double) -> Double {
        max(0, self.sumOfSquares - 2 * center * self.sum + self.count * center * center)
    }
}

/// Evidence on the means of a value in [0, 1], canary against stable.
///
/// Null hypothesis, for the means μ_c and μ_s of every poll: μ_c ≤ μ_s + δ when `sign` is +1, μ_c ≥ μ_s + δ when it
/// is −1.
///
/// Guarantee: the expectation of e is at most 1 under the null, however both means move together; ``logE`` ever reaches
/// ln(1/α) with probability at most α. Values are assumed independent given the means, and within [0, 1].
///
/// Why: exp(λξ − ξ²ψ(λ)) ≤ 1 + λξ for ξ ≥ −1 and ψ(λ) = −ln(1 − λ) − λ (Fan, Grama & Liu 2015), so that
/// E exp(λ(X − μ) − ψ(λ)(X − m)²) ≤ 1 for every centre m that is known before. With λ_c n_c = λ_s n_s the level that
/// both share cancels. The variance takes the place of the counts in ``AffineTest``, which makes small variances cheap.
package struct MeanProcess: Hashable, Codable, Sendable {
    /// +1 tests that the canary's mean is too high, −1 that it is too low.
    package let sign: Double
    /// δ, in the value's own unit.
    package let margin: Double
    private var canary = MeanCounts()
    private var stable = MeanCounts()
    /// ln of the capital at each bet.
    private var logs: [Double]

    /// λ, the sizes of the bets.
    package static let grid = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85]

    package init(sign: Double, margin: Double, grid: [Double] = MeanProcess.grid) {
        self.sign = sign
        self.margin = margin
        self.logs = grid.map { _ in 0 }
    }

    /// Without values on either track a poll is no evidence.
    ///
    /// - Parameters:
    ///   - canary: The canary's increments of one poll.
    ///   - stable: Stable's, of the same poll.
    ///   - burst: φ; see ``AffineTest/burst``.
    ///   - grid: The bets that the process was made with.
    package mutating func add(
        canary: MeanCounts,
        stable: MeanCounts,
        burst: Double = 1,
        grid: [Double] = MeanProcess.grid
    ) {
        defer {
            self.canary += canary
            self.stable += stable
        }
        guard canary.count > 0, stable.count > 0 else { return }
        let canarySquares = canary.squaredDistance(from: Self.center(self.canary))
        let stableSquares = stable.squaredDistance(from: Self.center(self.stable))
        let excess = canary.sum - canary.count * self.margin
        for (index, bet) in grid.enumerated() {
            let ofCanary = canary.count <= stable.count ? bet : bet * stable.count / canary.count
            let ofStable = ofCanary * canary.count / stable.count
            let gain = self.sign * (ofCanary * excess - ofStable * stable.sum)
            let cost = Self.psi(ofCanary) * canarySquares + Self.psi(ofStable) * stableSquares
            self.logs[index] += (gain - cost) / burst
        }
    }

    /// How many times the values given here are still needed for ln E to reach `limit`, of a canary whose mean is
    /// stable's and values that scatter as these do. For a process with the bets of ``grid``.
    ///
    /// - Parameters:
    ///   - canary: Of the canary, since the process began.
    ///   - stable: Of stable, in the same time.
    ///   - limit: In nats.
    /// - Returns: Nothing without values, or when that is not expected at all.
    func repetitions(of canary: MeanCounts, _ stable: MeanCounts, until limit: Double) -> Double? {
        guard let meanOfCanary = canary.mean, let meanOfStable = stable.mean else { return nil }
        let canarySquares = canary.squaredDistance(from: meanOfCanary)
        let stableSquares = stable.squaredDistance(from: meanOfStable)
        let needed = limit + Double.log(Double(self.logs.count))
        return zip(Self.grid, self.logs).compactMap { bet, log -> Double? in
            let ofCanary = canary.count <= stable.count ? bet : bet * stable.count / canary.count
            let ofStable = ofCanary * canary.count / stable.count
            let cost = Self.psi(ofCanary) * canarySquares + Self.psi(ofStable) * stableSquares
            let growth = -self.sign * ofCanary * canary.count * self.margin - cost
            return growth > 0 ? max(0, needed - log) / growth : nil
        }.min()
    }

    /// ln E, in nats.
    package var logE: Double { logMean(self.logs) }

    /// The mean of the polls before, drawn a little towards one half.
    private static func center(_ past: MeanCounts) -> Double { (0.5 + past.sum) / (1 + past.count) }

    static func psi(_ bet: Double) -> Double { -Double.log(onePlus: -bet) - bet }
}
