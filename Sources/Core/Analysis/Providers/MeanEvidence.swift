import Deployments
import RealModule

/// What is known of a gate that compares means by a provider's counters.
struct MeanEvidence: Hashable, Codable, Sendable {
    let query: MeanQuery
    private var pairing = LagPairing<MeanCounts>()
    private var breach: LagRobust<StepBets<MeanProcess>>
    private var safe: LagRobust<MeanProcess>?
    /// Of this step.
    private(set) var canary = MeanCounts()
    private(set) var stable = MeanCounts()
    private var seconds = 0.0
    /// Polls in which the canary had values; one alone may be a single burst, and does not decide.
    private(set) var polls = 0

    init(query: MeanQuery, plannedSteps: Int) {
        self.query = query
        self.breach = LagRobust(StepBets(plannedSteps: plannedSteps))
    }

    /// +1 when higher is worse.
    private var sign: Double {
        switch self.query.worse {
        case .higher: 1
        case .lower: -1
        }
    }

    mutating func beginStep(nextWeight: TrafficWeight, parameters: AnalysisParameters) {
        self.pairing.begin()
        let process = MeanProcess(sign: self.sign, margin: self.sign * self.query.margin)
        self.breach.each { $0.beginStep(process, parameters: parameters) }
        // As for shares: a constant worst case for all users together, whatever the weight.
        let margin = min(1, self.query.margin * 100 / Double(max(1, nextWeight.percent)))
        self.safe = LagRobust(MeanProcess(sign: -self.sign, margin: self.sign * margin))
        self.canary = MeanCounts()
        self.stable = MeanCounts()
        self.seconds = 0
    }

    mutating func add(canary: MeanCounts, stable: MeanCounts, seconds: Double) {
        if let pairs = self.pairing.add(canary: canary, stable: stable, seconds: seconds) {
            self.breach.add(pairs) { bets, canary, stable in bets.add { $0.add(canary: canary, stable: stable) } }
            self.safe?.add(pairs) { $0.add(canary: $1, stable: $2) }
        }
        self.canary += canary
        self.stable += stable
        self.seconds += seconds
        if canary.count > 0 { self.polls += 1 }
    }

    /// Labels of requests, as in ``RatioEvidence``.
    mutating func add(_ groups: [LabelIncrement], of split: TrafficSplit?, seconds: Double) {
        var hasValues = false
        for group in groups {
            guard let canary = MeanCounts(increments: group.canary), let stable = MeanCounts(increments: group.stable)
            else { continue }
            self.breach.each { bets in bets.add { $0.add(canary: canary, stable: stable) } }
            if canary.count > 0 { hasValues = true }
            guard group.split == split else { continue }
            self.safe?.each { $0.add(canary: canary, stable: stable) }
            self.canary += canary
            self.stable += stable
        }
        self.seconds += seconds
        if hasValues { self.polls += 1 }
    }

    var breachLogE: Double { self.breach.least { $0.logE(\.logE) } }

    var safeLogE: Double { self.safe?.least(\.logE) ?? 0 }

    func evidence(weight: Double, parameters: AnalysisParameters) -> ComparisonEvidence {
        var evidence = ComparisonEvidence(
            counted: (self.canary.count, self.stable.count),
            breach: (self.breachLogE, parameters.breachLimit - Double.log(weight)),
            safe: (self.safeLogE, parameters.safeLimit)
        )
        guard self.seconds > 0 else { return evidence }
        evidence.requestsPerSecond = self.canary.count / self.seconds
        evidence.secondsUntilSafe = self.safe?.same
            .repetitions(of: self.canary, self.stable, until: parameters.safeLimit).map { $0 * self.seconds }
        return evidence
    }

    func value(parameters: AnalysisParameters) -> String {
        let text = { (counts: MeanCounts) -> String in
            guard let mean = counts.mean, let interval = counts.interval(alpha: parameters.intervalAlpha) else {
                return "without values"
            }
            let (lower, upper) = (NumberText.number(interval.lower), NumberText.number(interval.upper))
            let count = NumberText.number(counts.count, decimals: 0)
            return "\(NumberText.number(mean)) on average of \(count) (\(lower) to \(upper))"
        }
        return "canary \(text(self.canary)), stable \(text(self.stable))"
    }

    var limit: String {
        switch self.query.worse {
        case .higher: "at most \(NumberText.number(self.query.margin)) above stable's"
        case .lower: "at most \(NumberText.number(self.query.margin)) below stable's"
        }
    }
}

extension MeanCounts {
    /// From the growth of the count, the sum and the sum of squares; nothing when no values from 0 to 1 have these.
    init?(increments values: [Double]) {
        let (count, sum, squares) = (values[0], values[1], values[2])
        // Sums of many numbers are rounded.
        let slack = 1e-6 * max(1, count)
        // No square is above its value; the other by Cauchy and Schwarz. Both together keep the mean below 1.
        guard squares <= sum + slack, sum * sum <= count * squares + slack * max(1, count) else { return nil }
        self.init(count: count, sum: min(sum, count), sumOfSquares: min(squares, sum))
    }

    /// An interval for the mean that is valid at every time it is read, for large counts; for display.
    ///
    /// Source: the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2021, arXiv
    /// 2103.06476), narrowest at a thousand values.
    ///
    /// - Returns: Nothing without values.
    func interval(alpha: Double) -> Interval? {
        guard let mean = self.mean else { return nil }
        let level = -2 * Double.log(alpha)
        let tuned = (level + Double.log(1 + level)) / 1000
        let scale = self.count * tuned + 1
        let variance = max(0, self.sumOfSquares / self.count - mean * mean)
        let root = 2 * scale / (self.count * self.count * tuned) * Double.log(scale.squareRoot() / alpha)
        let width = (variance * root).squareRoot()
        return Interval(lower: max(0, mean - width), upper: min(1, mean + width))
    }
}

extension ComparisonEvidence {
    /// Of what has no bad ones: only how many were counted, and what is known.
    init(
        counted: (canary: Double, stable: Double),
        breach: (logE: Double, limit: Double),
        safe: (logE: Double, limit: Double)
    ) {
        let canary = EventCounts(total: Int64(counted.canary.rounded()))
        let stable = EventCounts(total: Int64(counted.stable.rounded()))
        self.init(
            canary: canary,
            stable: stable,
            canaryOverall: canary,
            stableOverall: stable,
            breachLogE: breach.logE,
            breachLimit: breach.limit,
            safeLogE: safe.logE,
            safeLimit: safe.limit
        )
    }
}
