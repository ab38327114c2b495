/// Bets that the canary's answer times are not within a factor of stable's, at one quantile or another.
///
/// Null hypothesis, for every pair of a bound b and a bound b′ ≥ r b, in every poll: P_c(X > b′) ≤ ρ P_s(X > b) + δ,
/// that is, "the canary is at most r times as slow". Guarantee: each bet is an ``AffineTest`` on one pair, so that any
/// mixture of the products over polls ever reaches 1/α with probability at most α. Needs fine buckets for r near 1;
/// with coarse ones r = 1 and margins in ρ and δ say the same.
package struct DominanceTest: Hashable, Sendable {
    package let test: AffineTest
    /// Of bounds: what the canary may not exceed, by what stable exceeds; nothing where no bound is that large.
    let pairs: [BoundPair?]

    /// ρ and δ unless told: identical replicas differ by as much.
    package static let usual = AffineTest(ratio: 1.1, difference: 0.002)

    /// At every bound.
    ///
    /// - Parameters:
    ///   - bounds: Of the histogram's bins, ascending, in any unit.
    ///   - factor: r ≥ 1: how many times as slow the canary may be.
    ///   - test: ρ, δ and φ.
    package init(bounds: [Double], factor: Double = 1, test: AffineTest = Self.usual) {
        self.test = test
        self.pairs = bounds.indices.map { BoundPair(ofStable: $0, among: bounds, factor: factor) }
    }

    /// At the bounds next above some quantiles of a history: as many pairs as `levels`, which are from 0 to 1.
    init(history: BinCounts, levels: [Double], factor: Double, test: AffineTest) {
        self.test = test
        self.pairs = levels.map { level in
            let bound = history.bounds.indices.first {
                Double(history.beyond($0)) <= (1 - level) * Double(history.total)
            }
            return bound.flatMap { BoundPair(ofStable: $0, among: history.bounds, factor: factor) }
        }
    }

    /// - Parameters:
    ///   - canary: The canary's increments of one poll.
    ///   - stable: Stable's, with the same bins.
    ///   - grid: Multiples of the allowed rate that are betted on.
    /// - Returns: ln e of each bet on each pair, in nats; 0 where there is no pair, so that there are always as many.
    package func logE(canary: BinCounts, stable: BinCounts, grid: [Double]) -> [Double] {
        self.pairs.flatMap { pair in
            guard let poll = pair?.increment(canary: canary, stable: stable) else { return grid.map { _ in 0.0 } }
            return self.test.logE(poll, grid: grid)
        }
    }
}
