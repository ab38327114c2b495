import Deployments

/// The state of one gate that decides by another tool's rule; it carries no statistical guarantee.
struct PresetProgress: Hashable, Codable, Sendable {
    var gate: Gate
    private let rule: PresetRule
    private var judge: PresetJudge
    private var last = StepVerdict.continue
    /// The canary's and stable's errors in this step.
    private var canary = EventCounts()
    private var stable = EventCounts()
    private(set) var hasFailed = false

    init(gate: Gate, rule: PresetRule) {
        self.gate = gate
        self.rule = rule
        self.judge = PresetJudge(rule)
    }

    mutating func beginStep() {
        self.judge.beginStep(self.rule)
        self.last = .continue
        self.canary = EventCounts()
        self.stable = EventCounts()
    }

    mutating func add(canary: EventCounts, stable: EventCounts, seconds: Double) {
        self.canary += canary
        self.stable += stable
        self.last = self.judge.add(HoldPoll(seconds: seconds, canary: canary, stable: stable))
        if self.last == .rollback { self.hasFailed = true }
    }

    /// Passed by the tool's rule alone, but never without a request: silence is not success here.
    func outcome(since begin: Timestamp, at now: Timestamp, _ parameters: AnalysisParameters) -> GateOutcome {
        if self.hasFailed { return .failed }
        guard self.missing == nil else {
            return (now - begin) / .seconds(1) >= parameters.patienceSeconds ? .noData : .inconclusive
        }
        return self.last == .advance ? .passed : .inconclusive
    }

    /// Why there is nothing to judge by, if so.
    var missing: String? {
        if self.canary.total == 0 { return "the canary got no requests in this step" }
        if case .kayenta = self.rule, self.stable.total == 0 {
            return "stable got no requests in this step to compare with"
        }
        return nil
    }

    func assessment(since begin: Timestamp, at now: Timestamp, _ parameters: AnalysisParameters) -> GateAssessment {
        let outcome = self.outcome(since: begin, at: now, parameters)
        let missing = outcome == .failed || outcome == .passed ? nil : self.missing
        return GateAssessment(
            gate: self.gate,
            outcome: outcome,
            value: "canary \(Self.text(self.canary)), stable \(Self.text(self.stable))",
            limit: self.rule.limit,
            detail: "\(missing.map { "\($0); " } ?? "")\(self.judge.progress) (\(self.rule.words))"
        )
    }

    private static func text(_ counts: EventCounts) -> String {
        counts.rate.map { "\(NumberText.percent($0)) of \(counts.total)" } ?? "without requests"
    }
}

/// Counters of one revision at two times.
struct TrackChange {
    var from: TrackCounters
    var to: TrackCounters

    var errors: EventCounts? {
        guard let before = self.from.events(of: .errors, bound: nil) else { return nil }
        return self.to.events(of: .errors, bound: nil)?.since(before)
    }
}

/// Gates that decide by another tool's rule. Nothing of the error budget is theirs.
extension AnalysisRun {
    func presetIndex(of gate: Gate) -> Int? {
        self.presets?.firstIndex { $0.gate.name == gate.name }
    }

    mutating func enroll(_ rule: PresetRule, as gate: Gate) {
        guard self.presetIndex(of: gate) == nil else { return }
        self.presets = (self.presets ?? []) + [PresetProgress(gate: gate, rule: rule)]
    }

    mutating func beginPresets() {
        for index in self.presets?.indices ?? 0..<0 {
            guard let progress = self.presets?[index], self.isActive(progress.gate) else { continue }
            self.presets?[index].beginStep()
        }
    }

    mutating func judgePresets(canary: TrackChange, stable: TrackChange, seconds: Double) {
        guard let presets = self.presets, let canary = canary.errors, let stable = stable.errors else { return }
        for index in presets.indices where self.isActive(presets[index].gate) {
            self.presets?[index].add(canary: canary, stable: stable, seconds: seconds)
        }
    }
}
