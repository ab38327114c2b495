package import Deployments

extension AnalysisRun {
    /// The outcome of each gate of the current step, in its order, without the texts and intervals of
    /// ``assessments(at:)``: cheap enough to ask at every tick.
    package func outcomes(at now: Timestamp) -> [GateResult] {
        guard let step = self.step else { return [] }
        var results: [GateResult] = []
        results.reserveCapacity(step.gates.count)
        // By index: what a search returns is a copy of all that a gate knows.
        for gate in step.gates {
            if let index = self.thresholds.firstIndex(where: { $0.gate.name == gate.name }) {
                results.append(GateResult(gate: gate, outcome: self.thresholds[index].outcome))
            } else if let index = self.comparisons.firstIndex(where: { $0.gate.name == gate.name }) {
                results.append(GateResult(gate: gate, outcome: self.outcome(ofComparison: index, step: step, at: now)))
            } else if let comparison = self.providerComparison(of: gate) {
                let outcome = comparison.outcome(at: now, parameters: self.parameters)
                results.append(GateResult(gate: gate, outcome: outcome))
            } else if let index = self.verdictIndex(of: gate), let progress = self.verdicts?[index] {
                results.append(GateResult(gate: gate, outcome: progress.outcome))
            } else if let index = self.presetIndex(of: gate), let progress = self.presets?[index] {
                let outcome = progress.outcome(since: step.since, at: now, self.parameters)
                results.append(GateResult(gate: gate, outcome: outcome))
            }
        }
        return results
    }

    /// Everything about one gate of the current step.
    package func assessment(of gate: Gate, at now: Timestamp) -> GateAssessment? {
        guard let step = self.step, step.gates.contains(where: { $0.name == gate.name }) else { return nil }
        return self.assessment(of: gate, step: step, at: now)
    }

    /// Why a gate has nothing to judge by, in words; empty when it has. As cheap as its outcome.
    package func missingEvidence(of gate: Gate) -> String {
        if let progress = self.thresholds.first(where: { $0.gate.name == gate.name }) {
            return progress.assessment.detail
        }
        if let comparison = self.providerComparison(of: gate) { return comparison.missing ?? "" }
        if let index = self.verdictIndex(of: gate), let progress = self.verdicts?[index] { return progress.missing }
        if let index = self.presetIndex(of: gate), let progress = self.presets?[index] { return progress.missing ?? "" }
        return self.comparisons.first { $0.gate.name == gate.name }.flatMap { self.missing($0) } ?? ""
    }

    func outcome(ofComparison index: Int, step: CurrentStep, at now: Timestamp) -> GateOutcome {
        if self.comparisons[index].hasFailed { return .failed }
        guard self.comparisons[index].hasEvidence else {
            return (now - step.since).inSeconds >= self.parameters.patienceSeconds ? .noData : .inconclusive
        }
        let isSafe = self.comparisons[index].safeLogE(burst: self.burst) >= self.parameters.safeLimit
        return isSafe ? .passed : .inconclusive
    }
}

/// A gate and how it stands.
package struct GateResult: Hashable, Sendable {
    package var gate: Gate
    package var outcome: GateOutcome
}
