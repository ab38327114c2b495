import RealModule

/// A confidence sequence for the relative risk: "the canary's rate is 0.8 to 1.6 times stable's".
///
/// Guarantee: with probability 1 − α the true ratio lies in all the intervals ever shown, if the ratio is constant; the
/// rates themselves may move with the hour and with incidents, and the split may change. For display; no verdict
/// rests on it.
///
/// Each candidate ratio r is tested by an equal mixture of ``AffineTest`` bets θ with δ = 0; the interval spans those not
/// refuted. With Φ(u) = Σ (x_c + x_s) ln(u n_c + n_s) over polls, ln e(r, θ) = x_c ln θ + Φ(r) − Φ(rθ), so the state is Φ
/// at the grid's knots, not one sum per candidate and bet, and polls without bad requests cost nothing.
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

    /// ln of the evidence against the candidate ratio at `index`, in nats.
    package func logE(candidate index: Int, burst: Double = 1, grid: RatioGrid = .standard) -> Double {
        let base = self.potentials[grid.candidateKnots[index]]
        return logMean(
            zip(grid.thetas, grid.betKnots[index]).map { theta, knot in
                (self.canaryBad * Double.log(theta) + base - self.potentials[knot]) / burst
            }
        )
    }

    /// - Returns: Nothing while no ratio of the grid is refuted.
    package func interval(alpha: Double, burst: Double = 1, grid: RatioGrid = .standard) -> RatioInterval? {
        let evidence = grid.candidates.indices.map { self.logE(candidate: $0, burst: burst, grid: grid) }
        let kept = evidence.indices.filter { evidence[$0] < -Double.log(alpha) }
        guard let first = kept.first, let last = kept.last else {
            // Every candidate is refuted: the true ratio lies beyond the end that is refuted least.
            guard let low = evidence.first, let high = evidence.last else { return nil }
            return high <= low
                ? RatioInterval(lower: grid.candidates.last, upper: nil)
                : RatioInterval(lower: nil, upper: grid.candidates.first)
        }
        let interval = RatioInterval(
            lower: first == evidence.startIndex ? nil : grid.candidates[first],
            upper: last == evidence.endIndex - 1 ? nil : grid.candidates[last]
        )
        return interval.lower == nil && interval.upper == nil ? nil : interval
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
        self.knots = knots
        self.candidateKnots = candidateKnots
        self.betKnots = betKnots
    }
}
