import Deployments
import RealModule

/// What is known of a gate on slower answers, besides what a ``BreachProcess`` has bet on it.
///
/// Each answer is ranked among stable's from before the rollout (``RankScores``), so that no bound has to be chosen,
/// and the canary's mean rank is compared with stable's of the same polls. With `maximumRatio` some quantiles are
/// compared as well, by a ``DominanceTest``. For a breach all bets together are one mixture; safe is what is safe by
/// ranks and at each quantile.
struct SlowdownEvidence: Hashable, Codable, Sendable {
    let rule: SlowdownRule
    /// Stable's answers that others are ranked among; nothing until there are enough. Frozen, so that a canary cannot
    /// move its own limit.
    private(set) var history: BinCounts?
    /// What this step has shown of the mean ranks.
    private(set) var ranks = MeanDifference()
    private var quantiles: [SafeProcess]?
    /// Answers of this step by bin, and the time that they took to come.
    private var canary: [Int64] = []
    private var stable: [Int64] = []
    private(set) var seconds = 0.0
    private var nextWeight = TrafficWeight.all

    /// As many answers that the ranks of a few are no accident.
    static let enough: Int64 = 100

    /// The quantiles of stable's answers that `maximumRatio` is about: the median tells of all, the last of the tail.
    private static let levels = [0.5, 0.75, 0.9, 0.99]
    /// Multiples of the allowed share that are betted on at each quantile: few, as all of them share their capital with
    /// the bets on ranks.
    private static let grid = [1.3, 2, 4]

    init(rule: SlowdownRule) {
        self.rule = rule
    }

    /// δ: how far the canary's mean rank may be above stable's.
    private var margin: Double { self.rule.maximumPairs - 0.5 }

    /// The margin of the next weight: a constant worst case for all users together, as for shares.
    private var safeMargin: Double { Self.safeMargin(of: self.rule, toward: self.nextWeight) }

    static func safeMargin(of rule: SlowdownRule, toward weight: TrafficWeight) -> Double {
        min(1, (rule.maximumPairs - 0.5) * 100 / Double(max(1, weight.percent)))
    }

    /// Ranks answers among these from now on, unless they are ranked already. Buckets that have changed, as after an
    /// upgrade, end what was counted by the old ones in this step.
    mutating func rank(among answers: LatencyHistogram) {
        guard answers.total >= Self.enough, !answers.bounds.isEmpty, self.history?.bounds != answers.bounds else {
            return
        }
        let history = BinCounts(answers)
        // A histogram that is not cumulative ranks nobody.
        guard history.counts.allSatisfy({ $0 >= 0 }) else { return }
        self.history = history
        (self.canary, self.stable) = ([], [])
    }

    mutating func beginStep(nextWeight: TrafficWeight, burst: Double, parameters: AnalysisParameters) {
        self.nextWeight = nextWeight
        self.ranks = MeanDifference()
        if self.rule.maximumRatio != nil {
            let test = AffineTest.safe(
                toward: Double(max(1, nextWeight.percent)) / 100,
                ratio: DominanceTest.usual.ratio + parameters.safeRatio - parameters.breachRatio,
                difference: DominanceTest.usual.difference + parameters.safeDifference,
                burst: burst
            )
            self.quantiles = Self.levels.map { _ in SafeProcess(test: test, grid: parameters.safeGrid) }
        }
        (self.canary, self.stable) = ([], [])
        self.seconds = 0
    }

    /// - Parameters:
    ///   - canary: What the canary answered in one poll.
    ///   - stable: The same of stable.
    ///   - seconds: Since the poll before.
    ///   - burst: φ.
    ///   - parameters: The grid of the safe processes.
    /// - Returns: ln e of each bet on a breach; nothing when the answers cannot be ranked.
    mutating func add(
        canary: BinCounts,
        stable: BinCounts,
        seconds: Double,
        burst: Double,
        parameters: AnalysisParameters
    ) -> [Double]? {
        guard let history, canary.bounds == history.bounds, stable.bounds == history.bounds else { return nil }
        let scores = RankScores(history: history)
        let poll = MeanDifference(canary: scores.moments(of: canary), stable: scores.moments(of: stable))
        self.ranks += poll
        self.seconds += seconds
        self.canary = Self.sum(self.canary, canary.counts)
        self.stable = Self.sum(self.stable, stable.counts)
        var increments = poll.logs(sign: 1, difference: self.margin, burst: burst)
        if let dominance = self.dominance(burst: burst) {
            increments += dominance.logE(canary: canary, stable: stable, grid: Self.grid)
            for (index, pair) in dominance.pairs.enumerated() {
                guard let counts = pair?.increment(canary: canary, stable: stable) else { continue }
                self.quantiles?[index].add(counts, grid: parameters.safeGrid)
            }
        }
        return increments
    }

    private static func sum(_ counts: [Int64], _ more: [Int64]) -> [Int64] {
        counts.isEmpty ? more : zip(counts, more).map { $0 + $1 }
    }

    /// Nothing unless the rule asks for it.
    private func dominance(burst: Double = 1) -> DominanceTest? {
        guard let factor = self.rule.maximumRatio, let history = self.history else { return nil }
        var test = DominanceTest.usual
        test.burst = burst
        return DominanceTest(history: history, levels: Self.levels, factor: factor, test: test)
    }

    /// ln E that the next weight is safe: by ranks and at each quantile.
    func safeLogE(burst: Double) -> Double {
        let byRanks = self.ranks.logE(sign: -1, difference: self.safeMargin, burst: burst)
        return zip(self.dominance()?.pairs ?? [], self.quantiles ?? []).reduce(byRanks) { least, quantile in
            quantile.0 == nil ? least : min(least, quantile.1.logE)
        }
    }

    var counts: (canary: EventCounts, stable: EventCounts) {
        (EventCounts(total: self.canary.reduce(0, +)), EventCounts(total: self.stable.reduce(0, +)))
    }

    /// Why there is nothing to judge by in this step, if so.
    var missing: String? {
        if self.history == nil {
            return "stable has fewer than \(Self.enough) answers to rank the canary's among"
        }
        return switch (self.counts.canary.total, self.counts.stable.total) {
        case (0, 0): "no answers in this step"
        case (0, _): "the canary gave no answers in this step"
        case (_, 0): "stable gave no answers in this step to compare with"
        default: nil
        }
    }

    /// Until a canary that is as fast as stable has passed by its ranks, at the present traffic.
    func secondsUntilSafe(burst: Double, parameters: AnalysisParameters) -> Double? {
        self.ranks.repetitions(untilBelow: self.safeMargin, limit: parameters.safeLimit, burst: burst)
            .map { $0 * self.seconds }
    }
}

// MARK: - Words

extension SlowdownEvidence {
    /// `canary slower than stable in 57 % of random pairs (51 to 63 %)`.
    func value(burst: Double, parameters: AnalysisParameters) -> String {
        guard let difference = self.ranks.estimate else { return "without answers on both sides" }
        let interval = self.ranks.interval(alpha: parameters.intervalAlpha, burst: burst)
        let (canary, stable) = (self.counts.canary.total, self.counts.stable.total)
        return "canary slower than stable in \(Self.pairs(difference)) % of random pairs "
            + "(\(Self.pairs(interval.lower)) to \(Self.pairs(interval.upper)) %), by \(canary) of its answers and "
            + "\(stable) of stable's" + (self.worstQuantile.map { "; \($0)" } ?? "")
    }

    private static func pairs(_ difference: Double) -> String {
        NumberText.number(min(1, max(0, 0.5 + difference)) * 100, decimals: 1)
    }

    /// The compared quantile at which the canary is the furthest above what it may be.
    private var worstQuantile: String? {
        guard let bounds = self.history?.bounds, !self.canary.isEmpty else { return nil }
        let canary = BinCounts(bounds: bounds, counts: self.canary)
        let stable = BinCounts(bounds: bounds, counts: self.stable)
        let excess = { (poll: PairedIncrement) in
            poll.canaryBad / poll.canaryTotal - DominanceTest.usual.ratio * poll.stableBad / poll.stableTotal
        }
        let worst = (self.dominance()?.pairs ?? []).compactMap { pair in
            pair.map { (pair: $0, poll: $0.increment(canary: canary, stable: stable)) }
        }
        .max { excess($0.poll) < excess($1.poll) }
        guard let (pair, poll) = worst, poll.canaryTotal > 0, poll.stableTotal > 0 else { return nil }
        let above = { (bound: Int) in "above \(NumberText.number(bounds[bound], decimals: 3)) ms" }
        return "\(NumberText.percent(poll.canaryBad / poll.canaryTotal)) of its answers \(above(pair.canary)), "
            + "\(NumberText.percent(poll.stableBad / poll.stableTotal)) of stable's \(above(pair.stable))"
    }

    /// What the canary must keep.
    var limit: String {
        "slower in at most \(NumberText.number(self.rule.maximumPairs * 100, decimals: 1)) % of pairs"
            + (self.rule.maximumRatio.map { ", and " + Self.limit(ratio: $0) } ?? "")
    }

    private static func limit(ratio: Double) -> String {
        (ratio == 1 ? "no slower" : "at most \(NumberText.number(ratio)) times as slow") + " at any of four percentiles"
    }

    func detail(_ outcome: GateOutcome, safeShare: Double, parameters: AnalysisParameters) -> String {
        switch outcome {
        case .failed:
            "slower than stable beyond chance (false alarms: at most "
                + "\(NumberText.percent(parameters.alpha)) of rollouts)"
        case .passed: "no slower than \(self.nextWeight) of the traffic allows"
        case .inconclusive, .noData, .providerDown:
            "\(NumberText.number(safeShare * 100, decimals: 0)) % of the evidence for \(self.nextWeight) is in"
        }
    }
}
