/// Evidence that the canary's answer times are not within a factor of stable's, at whichever quantile.
///
/// Null hypothesis, for every bound b and the bound b′ ≥ r b in every poll: P_c(X > b′) ≤ ρ P_s(X > b) + δ, that is,
/// "the canary is at most r times as slow". Guarantee: a mean of ``AffineTest`` products, so ``logE`` ever reaches
/// ln(1/α) with probability at most α. Needs fine buckets for r near 1; with coarse ones r = 1 and margins in ρ and δ
/// say the same.
package struct DominanceProcess: Hashable, Codable, Sendable {
    package let test: AffineTest
    /// Indices of bounds: what the canary may not exceed, by what stable exceeds.
    private let pairs: [Pair]
    /// ln of the capital at each pair and bet.
    private var logs: [Double]

    private struct Pair: Hashable, Codable, Sendable {
        var stable: Int
        var canary: Int
    }

    /// Multiples of the allowed rate that are betted on.
    package static let grid = [1.15, 1.4, 2, 4, 12]

    /// - Parameters:
    ///   - bounds: Of the histogram's bins, ascending, in any unit.
    ///   - factor: r ≥ 1: how many times as slow the canary may be.
    ///   - test: ρ, δ and φ.
    ///   - grid: The bets.
    package init(
        bounds: [Double],
        factor: Double = 1,
        test: AffineTest = AffineTest(ratio: 1.1, difference: 0.002),
        grid: [Double] = DominanceProcess.grid
    ) {
        self.test = test
        self.pairs = bounds.indices.compactMap { index in
            bounds.firstIndex { $0 >= factor * bounds[index] }.map { Pair(stable: index, canary: $0) }
        }
        self.logs = Array(repeating: 0, count: self.pairs.count * grid.count)
    }

    /// - Parameters:
    ///   - canary: The canary's increments of one poll.
    ///   - stable: Stable's, with the same bins.
    ///   - grid: The bets that the process was made with.
    package mutating func add(canary: BinCounts, stable: BinCounts, grid: [Double] = DominanceProcess.grid) {
        let (canaryTotal, stableTotal) = (Double(canary.total), Double(stable.total))
        for (index, pair) in self.pairs.enumerated() {
            let poll = PairedIncrement(
                canaryTotal: canaryTotal,
                canaryBad: Double(canary.beyond(pair.canary)),
                stableTotal: stableTotal,
                stableBad: Double(stable.beyond(pair.stable))
            )
            for (bet, theta) in grid.enumerated() {
                self.logs[index * grid.count + bet] += self.test.logE(poll, theta: theta)
            }
        }
    }

    /// ln E, in nats; 0 without a pair of bounds.
    package var logE: Double { self.logs.isEmpty ? 0 : logMean(self.logs) }
}
