import RealModule

/// A confidence sequence for the relative risk: "the canary's rate is 0.8 to 1.6 times stable's".
///
/// Guarantee: with probability 1 − α the true ratio lies in all the intervals ever shown, if the ratio is constant; the
/// rates themselves may move with the hour and with incidents, and the split may change. For display; no verdict
/// rests on it.
///
/// Each candidate ratio r is tested by an equal mixture of ``AffineTest`` bets θ with δ = 0; the interval spans those
/// not refuted. With Φ(u) = Σ (x_c + x_s) ln(u n_c + n_s) over polls, ln e(r, θ) = x_c ln θ + Φ(r) − Φ(rθ), so the
/// state is Φ at the grid's knots, not one sum per candidate and bet, and polls without bad requests cost nothing.
package struct RatioSequence: Hashable, Codable, Sendable {
    /// Φ at each of the grid's knots.
    private var potentials: [Double]
    private var canaryBad = 0.0

    package init(grid: RatioGrid = .standard) {
        self.potentials = grid.knots.map { _ in 0 }
    }

    package mutating func add(_ poll: PairedIncrement, grid: RatioGrid = .standard) {
        let bad = poll.canaryBad + poll.stableBad
        guard poll.canaryTotal > 0, poll.stableTotal > 0, bad > 0 else { return }
        self.canaryBad += poll.canaryBad
        let requests = poll.canaryTotal + poll.stableTotal
        let (canary, stable) = (poll.canaryTotal / requests, poll.stableTotal / requests)
        self.potentials = zip(self.potentials, grid.knots).map { $0 + bad * Double.log($1 * canary + stable) }
    }

    /// - Parameters:
    ///   - index: Of a candidate in the grid.
    ///   - burst: φ; see ``AffineTest/burst``.
    ///   - grid: The grid that the sequence was made with.
    /// - Returns: ln of the evidence against the candidate ratio, in nats.
    package func logE(candidate index: Int, burst: Double = 1, grid: RatioGrid = .standard) -> Double {
        let base = self.potentials[grid.candidateKnots[index]]
        return logMean(
            zip(grid.logThetas, grid.betKnots[index]).map { logTheta, knot in
                (self.canaryBad * logTheta + base - self.potentials[knot]) / burst
            }
        )
    }

    /// - Parameters:
    ///   - alpha: One minus the confidence.
    ///   - burst: φ; see ``AffineTest/burst``.
    ///   - grid: The grid that the sequence was made with.
    /// - Returns: Nothing while no ratio of the grid is refuted.
    package func interval(alpha: Double, burst: Double = 1, grid: RatioGrid = .standard) -> RatioInterval? {
        let limit = -Double.log(alpha)
        let isKept = { (index: Int) in self.logE(candidate: index, burst: burst, grid: grid) < limit }
        let last = grid.candidates.count - 1
        guard let lower = (0...last).first(where: isKept), let upper = (lower...last).last(where: isKept) else {
            // Every candidate is refuted: the true ratio lies beyond the end that is refuted least.
            let isHigh =
                self.logE(candidate: last, burst: burst, grid: grid)
                <= self.logE(candidate: 0, burst: burst, grid: grid)
            return isHigh
                ? RatioInterval(lower: grid.candidates[last], upper: nil)
                : RatioInterval(lower: nil, upper: grid.candidates[0])
        }
        guard lower > 0 || upper < last else { return nil }
        return RatioInterval(
            lower: lower == 0 ? nil : grid.candidates[lower],
            upper: upper == last ? nil : grid.candidates[upper]
        )
    }
}

/// Bounds of a ratio; one that is missing lies beyond the grid (below 1/32, above 32).
package struct RatioInterval: Hashable, Codable, Sendable {
    package var lower: Double?
    package var upper: Double?

    package init(lower: Double?, upper: Double?) {
        self.lower = lower
        self.upper = upper
    }
}

/// The ratios that a ``RatioSequence`` tells apart, and the bets it tests them with.
package struct RatioGrid: Sendable {
    package let candidates: [Double]
    package let thetas: [Double]
    package let logThetas: [Double]
    /// The points at which Φ is kept: every candidate, and every candidate times a bet.
    package let knots: [Double]
    package let candidateKnots: [Int]
    package let betKnots: [[Int]]

    /// 51 ratios from 1/32 to 32, 15 percent apart, with bets of 1, 3 and 8 such distances to either side: those are
    /// ratios of the same lattice, so 67 knots hold them all.
    package static let standard: RatioGrid = {
        let step = 10 * Double.log(2) / 50
        let shifts = [-8, -3, -1, 1, 3, 8]
        let knots = (-33...33).map { Double.exp(Double($0) * step) }
        return RatioGrid(
            candidates: Array(knots[8..<59]),
            thetas: shifts.map { Double.exp(Double($0) * step) },
            knots: knots,
            candidateKnots: Array(8..<59),
            betKnots: (8..<59).map { index in shifts.map { index + $0 } }
        )
    }()

    package init(candidates: [Double], thetas: [Double]) {
        self.init(
            candidates: candidates,
            thetas: thetas,
            knots: candidates + candidates.flatMap { candidate in thetas.map { candidate * $0 } },
            candidateKnots: Array(candidates.indices),
            betKnots: candidates.indices.map { index in
                thetas.indices.map { candidates.count + index * thetas.count + $0 }
            }
        )
    }

    private init(
        candidates: [Double],
        thetas: [Double],
        knots: [Double],
        candidateKnots: [Int],
        betKnots: [[Int]]
    ) {
        self.candidates = candidates
        self.thetas = thetas
        self.logThetas = thetas.map { Double.log($0) }
        self.knots = knots
        self.candidateKnots = candidateKnots
        self.betKnots = betKnots
    }
}
