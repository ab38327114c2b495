import Deployments

/// The state of one gate that somebody else decides.
struct VerdictProgress: Hashable, Codable, Sendable {
    var gate: Gate
    let query: WebhookQuery
    private var since: Timestamp?
    private var lastAsked: Timestamp?
    /// Of this step.
    private var verdict: GateVerdict?
    /// Why there is none.
    private var trouble: String?
    private(set) var hasFailed = false

    init(gate: Gate, query: WebhookQuery) {
        self.gate = gate
        self.query = query
    }

    mutating func beginStep(at time: Timestamp) {
        self.since = time
        self.lastAsked = nil
        self.verdict = nil
        self.trouble = nil
    }

    /// Whether the engine should ask now. A step that was passed stays so.
    func isDue(at now: Timestamp) -> Bool {
        guard let since = self.since, !self.hasFailed, self.verdict?.outcome != .pass else { return false }
        return self.lastAsked.map { now - $0 >= self.query.interval } ?? (now >= since)
    }

    mutating func add(_ answer: Measurement.Answer, at time: Timestamp) {
        guard let since = self.since, time >= since, time >= self.lastAsked ?? since, self.verdict?.outcome != .pass
        else { return }
        self.lastAsked = time
        switch answer {
        case .verdict(let verdict):
            self.verdict = verdict
            self.trouble = nil
            if verdict.outcome == .fail { self.hasFailed = true }
        case .refused(let reason), .unavailable(let reason), .missing(let reason):
            self.trouble = reason
        case .value, .counted, .noData, .notANumber:
            self.trouble = "the answer is no verdict"
        }
    }

    var outcome: GateOutcome {
        if self.hasFailed { return .failed }
        if self.trouble != nil { return .providerDown }
        return self.verdict?.outcome == .pass ? .passed : .inconclusive
    }

    /// Why there is nothing to judge by; empty when there is.
    var missing: String { self.trouble ?? "" }

    var assessment: GateAssessment {
        let provider = self.query.provider
        let words = self.verdict.map { $0.message.isEmpty ? "" : ": \($0.message)" } ?? ""
        let said: String =
            switch self.verdict?.outcome {
            case .pass: "\(provider) says pass\(words)"
            case .fail: "\(provider) says fail\(words)"
            case .wait: "\(provider) says wait\(words)"
            case nil: "\(provider) has not answered yet"
            }
        let waits = self.outcome == .inconclusive ? "asked again every \(self.query.interval.short)" : ""
        return GateAssessment(
            gate: self.gate,
            outcome: self.outcome,
            value: said,
            limit: "passed by \(provider)",
            detail: self.trouble ?? waits
        )
    }
}
