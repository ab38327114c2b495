import Deployments
import RealModule

/// What is known of a gate that compares answers: how many differ, against a fixed limit.
///
/// The canary alone is judged: stable's answers are the measure, so there is no rate of stable's to compare with.
struct AnswersEvidence: Hashable, Codable, Sendable {
    let rule: AnswerRule
    private(set) var breach: AbsoluteBreach
    private var safe: AbsoluteSafety?
    /// Of this step, and of all.
    private var counts = EventCounts()
    private var overall = EventCounts()
    private var dropped: Int64 = 0
    private var uncompared: Int64 = 0
    private var seconds = 0.0
    private var examples: [AnswerDifference] = []
    private var problem: String?
    private var began: Timestamp?

    /// Whoever compares is in the same process: to ask costs nothing but a line of the journal.
    static let interval: Duration = .seconds(2)
    /// Compared, differing, dropped, uncompared.
    static let valueCount = 4

    init(rule: AnswerRule, plannedSteps: Int) {
        self.rule = rule
        self.breach = AbsoluteBreach(plannedSteps: plannedSteps)
    }

    mutating func beginStep(burst: Double, parameters: AnalysisParameters) {
        self.breach.beginStep(parameters: parameters)
        let test = AbsoluteTest(limit: self.rule.maximumShare, burst: burst)
        self.safe = AbsoluteSafety(test: test, grid: parameters.safeGrid)
        self.counts = EventCounts()
        (self.dropped, self.uncompared, self.seconds) = (0, 0, 0)
        self.problem = nil
    }

    /// - Returns: Whether they begin anew, so that nothing can be counted from the last ones.
    mutating func note(_ counts: AnswerCounts) -> Bool {
        defer { self.began = counts.began }
        self.examples = Array(counts.examples.suffix(AnswerCounts.exampleLimit))
        self.problem = counts.problem
        return self.began.map { $0 != counts.began } ?? false
    }

    mutating func add(_ increment: CounterLedger.Increment, parameters: AnalysisParameters) {
        guard let safe = self.safe, increment.canary.count == Self.valueCount else { return }
        let values = increment.canary.map { Int64($0) }
        let poll = EventCounts(bad: values[1], total: max(values[0], values[1]))
        self.breach.add(poll, seconds: increment.seconds, test: safe.test, parameters: parameters)
        self.safe?.add(poll, grid: parameters.safeGrid)
        self.counts += poll
        self.overall += poll
        self.dropped += values[2]
        self.uncompared += values[3]
        self.seconds += increment.seconds
    }

    var safeLogE: Double { self.safe?.logE ?? 0 }

    /// Why there is nothing to judge by in this step, if so.
    var missing: String? {
        guard self.counts.total == 0 else { return nil }
        return "no answers were compared in this step" + (self.problem.map { ": \($0)" } ?? "")
    }
}

extension TrackReading {
    init(of counts: AnswerCounts, at time: Timestamp) {
        self.init(
            times: [time],
            values: [counts.compared, counts.differing, counts.dropped, counts.uncompared].map(Double.init)
        )
    }
}

extension AnswersEvidence {
    func evidence(weight: Double, burst: Double, parameters: AnalysisParameters) -> ComparisonEvidence {
        var evidence = ComparisonEvidence(
            canary: self.counts,
            stable: EventCounts(),
            canaryOverall: self.overall,
            stableOverall: EventCounts(),
            canaryInterval: RateSequence.interval(self.counts, alpha: parameters.intervalAlpha, burst: burst),
            breachLogE: self.breach.logE,
            breachLimit: parameters.breachLimit - Double.log(weight),
            safeLogE: self.safeLogE,
            safeLimit: parameters.safeLimit
        )
        guard let safe = self.safe, self.seconds > 0, let rate = self.overall.rate, self.counts.total > 0 else {
            return evidence
        }
        let perSecond = Double(self.counts.total) / self.seconds
        evidence.requestsPerSecond = perSecond
        evidence.secondsUntilSafe = safe.remaining(rate: rate, grid: parameters.safeGrid, limit: parameters.safeLimit)
            .map { $0 / perSecond }
        return evidence
    }

    /// `answers differ in 0.4 % of 1200 (0.2 to 0.9 %)`
    func value(_ evidence: ComparisonEvidence) -> String {
        guard let rate = self.counts.rate, let interval = evidence.canaryInterval else {
            return "no answers compared"
        }
        return "answers differ in \(NumberText.percent(rate)) of \(self.counts.total) "
            + "(\(NumberText.percentRange(interval)))"
    }

    func detail(_ outcome: GateOutcome, _ evidence: ComparisonEvidence, parameters: AnalysisParameters) -> String {
        switch outcome {
        case .failed:
            let chance = NumberText.percent(parameters.alpha)
            return "more answers differ than may, beyond chance (false alarms: at most \(chance) of rollouts)"
        case .passed:
            return "fewer answers differ than may"
        case .inconclusive, .noData, .providerDown:
            return "\(NumberText.number(evidence.safeShare * 100, decimals: 0)) % of the evidence is in"
        }
    }

    /// What else people should know: examples, and what was not compared.
    var caveats: String {
        var text = self.counts.bad > 0 ? self.examples.map { "; \($0)" }.joined() : ""
        if self.dropped > 0 { text += "; not compared, as too many were at once: \(self.dropped)" }
        if self.uncompared > 0 {
            text += "; not comparable: \(self.uncompared)"
            if self.counts.total > 0, let problem = self.problem { text += ", the last as \(problem)" }
        }
        return text
    }
}
