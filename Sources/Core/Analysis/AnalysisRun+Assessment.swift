package import Deployments
import RealModule

extension AnalysisRun {
    /// The gates of the current step with all their evidence, in its order; none before the first step. Computes
    /// intervals and predictions: about a tenth of a millisecond per gate.
    package func assessments(at now: Timestamp) -> [GateAssessment] {
        guard let step = self.step else { return [] }
        return step.gates.compactMap { self.assessment(of: $0, step: step, at: now) }
    }

    func assessment(of gate: Gate, step: CurrentStep, at now: Timestamp) -> GateAssessment? {
        if let progress = self.thresholds.first(where: { $0.gate.name == gate.name }) {
            var assessment = progress.assessment
            assessment.gate = gate
            return assessment
        }
        if let index = self.verdictIndex(of: gate), var assessment = self.verdicts?[index].assessment {
            assessment.gate = gate
            return assessment
        }
        if let index = self.presetIndex(of: gate),
            var assessment = self.presets?[index].assessment(since: step.since, at: now, self.parameters)
        {
            assessment.gate = gate
            return assessment
        }
        if let comparison = self.providerComparison(of: gate) {
            return self.assessment(of: comparison, gate: gate, step: step, at: now)
        }
        return self.comparisons.firstIndex { $0.gate.name == gate.name }.map {
            self.assessment(ofComparison: $0, gate: gate, step: step, at: now)
        }
    }

    private func assessment(
        ofComparison index: Int,
        gate: Gate,
        step: CurrentStep,
        at now: Timestamp
    ) -> GateAssessment {
        let comparison = self.comparisons[index]
        if let slowdown = comparison.slowdown {
            return self.assessment(of: slowdown, ofComparison: index, gate: gate, step: step, at: now)
        }
        let evidence = comparison.evidence(burst: self.burst, parameters: self.parameters)
        let outcome = self.outcome(ofComparison: index, step: step, at: now)
        return GateAssessment(
            gate: gate,
            outcome: outcome,
            value: self.value(of: comparison, evidence),
            limit: "at most \(NumberText.number(self.parameters.breachRatio)) times stable's",
            detail: outcome == .failed || outcome == .passed
                ? self.detail(outcome, evidence, nextWeight: step.nextWeight)
                : self.missing(comparison) ?? self.detail(outcome, evidence, nextWeight: step.nextWeight),
            prediction: outcome == .inconclusive ? self.prediction(evidence) : nil,
            comparison: evidence
        )
    }

    /// Why there is nothing to judge by, if so.
    func missing(_ comparison: GateComparison) -> String? {
        if let slowdown = comparison.slowdown { return slowdown.missing }
        if case .latency = comparison.gate.kind, comparison.bound == nil {
            return "no bound: the gate and the objectives name none, and stable has too few answers to take one from"
        }
        return switch (comparison.canary.total, comparison.stable.total) {
        case (0, 0): "no requests in this step"
        case (0, _): "the canary got no requests in this step"
        case (_, 0): "stable got no requests in this step to compare with"
        default: nil
        }
    }

    private func value(of comparison: GateComparison, _ evidence: ComparisonEvidence) -> String {
        let bound =
            if case .latency = comparison.gate.kind, let bound = comparison.bound {
                "slower than \(NumberText.number(bound, decimals: 3)) ms: "
            } else {
                ""
            }
        return bound + Self.value(of: evidence)
    }

    static func value(of evidence: ComparisonEvidence) -> String {
        let canary = Self.text(evidence.canary, evidence.canaryInterval)
        return "canary \(canary), stable \(Self.text(evidence.stable, evidence.stableInterval))"
    }

    private static func text(_ counts: EventCounts, _ interval: Interval?) -> String {
        guard let rate = counts.rate, let interval else { return "without requests" }
        return "\(NumberText.percent(rate)) of \(counts.total) (\(NumberText.percentRange(interval)))"
    }

    func detail(_ outcome: GateOutcome, _ evidence: ComparisonEvidence, nextWeight: TrafficWeight) -> String {
        let ratio = evidence.ratio.map { "; \(Self.text($0))" } ?? ""
        switch outcome {
        case .failed:
            let chance = NumberText.percent(self.parameters.alpha)
            return "worse than stable beyond chance (false alarms: at most \(chance) of rollouts)\(ratio)"
        case .passed:
            return "no worse than \(nextWeight) of the traffic allows\(ratio)"
        case .inconclusive, .noData, .providerDown:
            let percent = NumberText.number(evidence.safeShare * 100, decimals: 0)
            return "\(percent) % of the evidence for \(nextWeight) is in\(ratio)"
        }
    }

    private static func text(_ ratio: RatioInterval) -> String {
        switch (ratio.lower, ratio.upper) {
        case (let lower?, let upper?): "\(NumberText.number(lower)) to \(NumberText.number(upper)) times stable's rate"
        case (let lower?, nil): "at least \(NumberText.number(lower)) times stable's rate"
        case (nil, let upper?): "at most \(NumberText.number(upper)) times stable's rate"
        case (nil, nil): "no bounds yet"
        }
    }

    /// When the canary would have passed; `counted` is what the evidence is made of.
    func prediction(_ evidence: ComparisonEvidence, counted: String = "requests") -> String? {
        guard let rate = evidence.requestsPerSecond, let seconds = evidence.secondsUntilSafe else { return nil }
        return "about \(NumberText.about(seconds: seconds)) at \(NumberText.number(rate)) \(counted)/s on the canary"
    }
}

extension AnalysisRun {
    /// Whether an objective is broken while no gate has failed: usually stable is as bad as the canary (a dead
    /// database, a broken client). Going on would be wrong and going back would not help, so the rollout holds. Ends
    /// when the evidence fades.
    package var isSharedIncident: Bool {
        !self.incidents.isEmpty && !self.comparisons.contains { $0.hasFailed }
            && !self.providerComparisons.contains { $0.hasFailed }
    }

    /// The availability objectives that the canary alone breaks, more than ten times faster than they allow.
    package var incidents: [ObjectiveBreach] {
        self.objectives.filter {
            $0.monitor.logE >= self.objectiveLimit && $0.monitor.badPolls >= self.parameters.minimumBadPolls
        }.map { watched in
            let stable = watched.stable.rate.map { ", stable \(NumberText.percent($0))" } ?? ""
            return ObjectiveBreach(
                objective: watched.objective.name,
                text: "canary \(NumberText.percent(watched.canary.rate ?? 0)) bad\(stable) in this step; "
                    + "the objective allows \(NumberText.percent(1 - watched.objective.percent / 100))"
            )
        }
    }
}
