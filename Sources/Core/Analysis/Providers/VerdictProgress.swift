import Deployments

/// The state of one gate that somebody else decides.
struct VerdictProgress: Hashable, Codable, Sendable {
    var gate: Gate
    /// Who decides, as people call it.
    private let judge: String
    /// Until the next question; nothing when there is one for each step.
    private let interval: Duration?
    private var since: Timestamp?
    private var lastAsked: Timestamp?
    /// Of this step.
    private var verdict: GateVerdict?
    /// Why there is none.
    private var trouble: String?
    private(set) var hasFailed = false

    /// - Returns: Nothing for gates of other kinds.
    init?(gate: Gate) {
        self.gate = gate
        switch gate.kind {
        case .webhook(let query): (self.judge, self.interval) = (query.provider, query.interval)
        case .job: (self.judge, self.interval) = ("the job", nil)
        case .errors, .clientErrors, .latency, .slowdown, .threshold, .ratio, .mean, .drift, .answers, .preset:
            return nil
        }
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
        guard let last = self.lastAsked else { return now >= since }
        return self.interval.map { now - last >= $0 } ?? false
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
        case .value, .counted, .compared, .labelled, .noData, .notANumber:
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
        let words = self.verdict.map { $0.message.isEmpty ? "" : ": \($0.message)" } ?? ""
        let said: String =
            switch self.verdict?.outcome {
            case .pass: "\(self.judge) says pass\(words)"
            case .fail: "\(self.judge) says fail\(words)"
            case .wait: "\(self.judge) says wait\(words)"
            case nil: "\(self.judge) has not answered yet"
            }
        let again = self.interval.map { "asked again every \($0.short)" } ?? ""
        let waits = self.outcome == .inconclusive ? again : ""
        return GateAssessment(
            gate: self.gate,
            outcome: self.outcome,
            value: said,
            limit: "passed by \(self.judge)",
            detail: self.trouble ?? waits
        )
    }
}
