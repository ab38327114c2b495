import Deployments
import RealModule

/// The state of one gate that compares the canary with stable by what a metric provider has counted for each.
struct ProviderComparison: Hashable, Codable, Sendable {
    var gate: Gate
    /// The gate's share of the rollout's error budget.
    var weight: Double
    var evidence: ProviderEvidence
    private(set) var ledger = CounterLedger()
    /// Of a gate that is made of labels.
    private var labels: Labels?
    private var since: Timestamp?
    private var lastAsked: Timestamp?
    /// The last answer that could be counted with; nothing in this step yet.
    private var lastCounted: Timestamp?
    private var lastMissing: Missing?
    /// Polls of this step in which both revisions were counted, and those in which one of them was.
    private var commonPolls = 0
    private var lonelyPolls = 0
    var hasFailed = false

    private struct Labels: Hashable, Codable, Sendable {
        var ledger = LabelLedger()
        /// How the requests are split in this step.
        var split: TrafficSplit?
        /// Told in this step about requests of other splits that the canary answered.
        var ofOthers = 0.0
    }

    /// Why there was nothing to count with.
    private struct Missing: Hashable, Codable, Sendable {
        var outcome: GateOutcome
        var reason: String
    }

    /// - Returns: Nothing for gates of other kinds.
    init?(gate: Gate, weight: Double, plannedSteps: Int) {
        guard let evidence = ProviderEvidence(gate.kind, plannedSteps: plannedSteps) else { return nil }
        self.gate = gate
        self.weight = weight
        self.evidence = evidence
        self.labels = gate.kind.labels.map { _ in Labels() }
    }

    mutating func beginStep(
        at time: Timestamp,
        nextWeight: TrafficWeight,
        split: TrafficSplit?,
        burst: Double,
        parameters: AnalysisParameters
    ) {
        self.labels?.split = split
        self.labels?.ofOthers = 0
        self.since = time
        self.lastAsked = nil
        self.lastCounted = nil
        self.lastMissing = nil
        (self.commonPolls, self.lonelyPolls) = (0, 0)
        self.evidence.beginStep(nextWeight: nextWeight, burst: burst, parameters: parameters)
        self.rebase(at: time)
    }

    /// What the provider says may be as old as its last scrape, so an interval goes by before anything is counted at
    /// the new weights.
    mutating func rebase(at time: Timestamp) {
        self.ledger.rebase(notBefore: time + self.evidence.interval)
    }

    /// Whether the engine should ask now.
    func isDue(at now: Timestamp) -> Bool {
        guard let since = self.since, !self.hasFailed else { return false }
        return now - (self.lastAsked ?? since) >= self.evidence.interval
    }

    mutating func add(
        _ answer: Measurement.Answer,
        at time: Timestamp,
        burst: Double,
        parameters: AnalysisParameters
    ) {
        guard let since = self.since, time >= since, time >= self.lastAsked ?? since else { return }
        self.lastAsked = time
        switch answer {
        case .counted(var canary, var stable):
            if let objection = self.evidence.align(&canary, &stable) {
                self.lastMissing = Missing(outcome: .noData, reason: objection)
                return
            }
            guard canary.hasForm(of: stable) else {
                self.lastMissing = Missing(outcome: .noData, reason: "canary and stable are not counted alike")
                return
            }
            if let objection = self.evidence.objection(to: canary) {
                self.lastMissing = Missing(outcome: .noData, reason: objection)
                return
            }
            self.count(canary, stable, at: time, burst: burst, parameters: parameters)
        case .compared(let counts):
            let reading = TrackReading(of: counts, at: time)
            if self.evidence.objection(to: reading) != nil {
                self.lastMissing = Missing(outcome: .noData, reason: "the answer is nothing to count with")
                return
            }
            // Counts that grew past those of before a restart would otherwise pass for growth.
            if self.evidence.note(counts) { self.ledger = CounterLedger() }
            // Each comparison is one answer of either revision.
            self.count(reading, reading, at: time, burst: burst, parameters: parameters)
        case .labelled(let counts):
            guard let width = self.gate.kind.labels?.width else {
                self.lastMissing = Missing(outcome: .noData, reason: "the answer is nothing to count with")
                return
            }
            self.count(counts, width: width, at: time, burst: burst, parameters: parameters)
        case .missing(let reason):
            self.lastMissing = Missing(outcome: .noData, reason: reason)
        case .noData, .notANumber, .value, .verdict:
            self.lastMissing = Missing(outcome: .noData, reason: "the answer is nothing to count with")
        case .refused(let reason), .unavailable(let reason):
            self.lastMissing = Missing(outcome: .providerDown, reason: reason)
        }
    }

    private mutating func count(
        _ canary: TrackReading,
        _ stable: TrackReading,
        at time: Timestamp,
        burst: Double,
        parameters: AnalysisParameters
    ) {
        if let increment = self.ledger.add(canary: canary, stable: stable) {
            self.note(increment)
            let objection = self.evidence.add(
                increment,
                bounds: canary.bounds,
                burst: burst,
                parameters: parameters
            )
            if let objection {
                self.lastMissing = Missing(outcome: .noData, reason: objection)
                return
            }
        }
        self.lastCounted = time
        self.lastMissing = nil
    }

    private mutating func count(
        _ counts: LabelCounts,
        width: Int,
        at time: Timestamp,
        burst: Double,
        parameters: AnalysisParameters
    ) {
        self.lastCounted = time
        self.lastMissing = nil
        guard let poll = self.labels?.ledger.add(counts, width: width, at: time) else { return }
        let split = self.labels?.split
        self.evidence.add(poll.groups, of: split, seconds: poll.seconds, burst: burst, parameters: parameters)
        for group in poll.groups where group.split != split { self.labels?.ofOthers += group.labels }
    }

    private mutating func note(_ increment: CounterLedger.Increment) {
        switch (increment.canary.contains { $0 > 0 }, increment.stable.contains { $0 > 0 }) {
        case (true, true): self.commonPolls += 1
        case (true, false), (false, true): self.lonelyPolls += 1
        case (false, false): break
        }
    }

    /// ln of the gate's part of the rollout's evidence.
    var weightedLogE: Double { self.evidence.breachLogE + Double.log(self.weight) }
}

extension ProviderComparison {
    func outcome(at now: Timestamp, parameters: AnalysisParameters) -> GateOutcome {
        if self.hasFailed { return .failed }
        guard let since = self.since else { return .inconclusive }
        let patience = max(parameters.patienceSeconds, 4 * self.evidence.interval.inSeconds)
        if (now - (self.lastCounted ?? since)).inSeconds >= patience { return self.lastMissing?.outcome ?? .noData }
        if self.evidence.missing != nil { return (now - since).inSeconds >= patience ? .noData : .inconclusive }
        return self.evidence.isSafe(parameters: parameters) ? .passed : .inconclusive
    }

    /// Why there is nothing to judge by, if so.
    var missing: String? { self.lastMissing?.reason ?? self.evidence.missing }

    /// Why a gate that is answered may yet never decide; added to what people read.
    var caveats: String {
        var text = ""
        if self.ledger.dropped > 0 {
            text += "; polls dropped, as a counter fell or was no number: \(self.ledger.dropped)"
        }
        if let others = self.labels?.ofOthers, others > 0 {
            text += "; labels of the canary's answers at other weights: \(NumberText.number(others, decimals: 0))"
        }
        if self.lonelyPolls >= 4, self.lonelyPolls > 4 * self.commonPolls {
            text +=
                "; canary and stable are hardly ever counted in the same poll: "
                + "make `interval` at least as long as the provider's"
        }
        return text
    }
}
