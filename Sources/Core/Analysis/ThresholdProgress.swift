import Deployments

/// The state of one threshold gate: counts of answers, as in other tools; it carries no statistical guarantee.
struct ThresholdProgress: Hashable, Codable, Sendable {
    var gate: Gate
    var query: ThresholdQuery
    private var since: Timestamp?
    private var lastAsked: Timestamp?
    /// In this step.
    private var good = 0
    private var bad = 0
    private var missingInARow = 0
    private var last = ""
    private var lastMissing = GateOutcome.noData
    private(set) var hasFailed = false

    init(gate: Gate, query: ThresholdQuery) {
        self.gate = gate
        self.query = query
    }

    mutating func beginStep(at time: Timestamp) {
        self.since = time
        self.lastAsked = nil
        self.good = 0
        self.bad = 0
        self.missingInARow = 0
        self.last = ""
    }

    /// Whether the engine should ask now. It asks on after the gate has passed: a later answer may still fail it.
    func isDue(at now: Timestamp) -> Bool {
        guard let since = self.since, !self.hasFailed, now >= since + self.query.initialDelay else { return false }
        return self.lastAsked.map { now - $0 >= self.query.interval } ?? true
    }

    mutating func add(_ answer: Measurement.Answer, at time: Timestamp) {
        guard let since = self.since, time >= since, time >= self.lastAsked ?? since else { return }
        self.lastAsked = time
        switch answer {
        case .value(let value) where !value.isNaN:
            self.missingInARow = 0
            self.last = NumberText.number(value)
            if self.isWithinLimits(value) { self.good += 1 } else { self.bad += 1 }
            if self.bad > self.query.failureLimit { self.hasFailed = true }
        case .value, .notANumber:
            self.miss(.noData, "not a number")
        case .noData, .counted, .compared, .labelled, .missing, .verdict:
            self.miss(.noData, "the query matches nothing")
        case .refused(let reason):
            self.miss(.providerDown, "\(self.query.provider) refuses the query: \(reason)")
        case .unavailable(let reason):
            self.miss(.providerDown, "\(self.query.provider) does not answer: \(reason)")
        }
    }

    private mutating func miss(_ outcome: GateOutcome, _ reason: String) {
        self.missingInARow += 1
        self.lastMissing = outcome
        self.last = reason
    }

    private func isWithinLimits(_ value: Double) -> Bool {
        value >= self.query.minimum ?? -.infinity && value <= self.query.maximum ?? .infinity
    }
}

extension ThresholdProgress {
    var outcome: GateOutcome {
        if self.hasFailed { return .failed }
        if self.missingInARow > self.query.consecutiveErrorLimit { return self.lastMissing }
        return self.good >= self.query.count ? .passed : .inconclusive
    }

    var assessment: GateAssessment {
        let limits = [
            self.query.minimum.map { "at least \(NumberText.number($0))" },
            self.query.maximum.map { "at most \(NumberText.number($0))" },
        ]
        return GateAssessment(
            gate: self.gate,
            outcome: self.outcome,
            value: self.last.isEmpty ? "not measured yet" : self.last,
            limit: limits.compactMap { $0 }.joined(separator: ", "),
            detail: self.detail
        )
    }

    private var detail: String {
        let counts = "\(self.good) of \(self.query.count) good measurements, \(self.bad) bad"
        return switch self.outcome {
        case .failed: "\(self.bad) bad measurements, \(self.query.failureLimit) allowed (a fixed limit, no guarantee)"
        case .passed: "\(counts) (a fixed limit, no guarantee)"
        case .inconclusive where self.missingInARow > 0:
            "\(counts); no answer \(self.missingInARow) times: \(self.last)"
        case .inconclusive: counts
        case .noData, .providerDown: "no answer \(self.missingInARow) times in a row: \(self.last)"
        }
    }
}
