import Deployments
import RealModule

/// Gates whose counters a metric provider has. They share the error budget with those on the router's counters.
extension AnalysisRun {
    /// Nothing rather than empty while there are none, as in records from before there were such gates.
    var providerComparisons: [ProviderComparison] {
        get { self.provided ?? [] }
        set { self.provided = newValue.isEmpty ? nil : newValue }
    }

    mutating func rebaseProviders(at time: Timestamp) {
        for index in self.providerComparisons.indices { self.providerComparisons[index].rebase(at: time) }
    }

    /// Takes the answer, if it is for a gate of this kind.
    mutating func addProvided(_ measurement: Measurement) {
        for index in self.providerComparisons.indices
        where self.providerComparisons[index].gate.name == measurement.gate
            && self.isActive(self.providerComparisons[index].gate)
        {
            self.providerComparisons[index].add(
                measurement.answer,
                at: measurement.time,
                burst: self.burst,
                parameters: self.parameters
            )
            self.decide()
        }
    }

    /// Fails the gates whose evidence is not merged with others'.
    mutating func decideProvidedAlone() {
        for index in self.providerComparisons.indices {
            let comparison = self.providerComparisons[index]
            guard self.isActive(comparison.gate), !comparison.evidence.isMerged,
                comparison.weightedLogE >= self.parameters.breachLimit,
                comparison.evidence.mayFail(parameters: self.parameters)
            else { continue }
            self.providerComparisons[index].hasFailed = true
        }
    }

    func providerComparison(of gate: Gate) -> ProviderComparison? {
        self.provided?.first { $0.gate.name == gate.name }
    }

    private static func counted(by gate: Gate) -> String {
        if gate.kind.labels != nil { return "labels" }
        return if case .mean = gate.kind { "values" } else { "requests" }
    }

    func assessment(
        of comparison: ProviderComparison,
        gate: Gate,
        step: CurrentStep,
        at now: Timestamp
    ) -> GateAssessment {
        let outcome = comparison.outcome(at: now, parameters: self.parameters)
        let evidence: ComparisonEvidence
        let value: String
        var detail: String?
        var caveats = comparison.caveats
        switch comparison.evidence {
        case .ratio(let ratio):
            evidence = ratio.evidence(weight: comparison.weight, burst: self.burst, parameters: self.parameters)
            value = Self.value(of: evidence)
        case .mean(let mean):
            evidence = mean.evidence(weight: comparison.weight, parameters: self.parameters)
            value = mean.value(parameters: self.parameters)
        case .drift(let drift):
            evidence = drift.evidence(weight: comparison.weight, parameters: self.parameters)
            value = drift.value
            let isBeyondChance = comparison.weightedLogE >= self.parameters.breachLimit
            detail = drift.detail(outcome, isBeyondChance: isBeyondChance, parameters: self.parameters)
        case .answers(let answers):
            evidence = answers.evidence(weight: comparison.weight, burst: self.burst, parameters: self.parameters)
            value = answers.value(evidence)
            detail = answers.detail(outcome, evidence, parameters: self.parameters)
            caveats = answers.caveats + caveats
        }
        let missing = outcome == .failed || outcome == .passed ? nil : comparison.missing
        return GateAssessment(
            gate: gate,
            outcome: outcome,
            value: value,
            limit: comparison.evidence.limit,
            detail: (missing ?? detail ?? self.detail(outcome, evidence, nextWeight: step.nextWeight))
                + caveats,
            prediction: outcome == .inconclusive
                ? self.prediction(evidence, counted: Self.counted(by: gate)) : nil,
            comparison: evidence
        )
    }
}

/// Gates that somebody else decides.
extension AnalysisRun {
    func verdictIndex(of gate: Gate) -> Int? {
        self.verdicts?.firstIndex { $0.gate.name == gate.name }
    }

    mutating func beginVerdicts(at time: Timestamp) {
        for index in self.verdicts?.indices ?? 0..<0 {
            guard let progress = self.verdicts?[index], self.isActive(progress.gate) else { continue }
            self.verdicts?[index].beginStep(at: time)
        }
    }

    mutating func addVerdict(_ measurement: Measurement) {
        for index in self.verdicts?.indices ?? 0..<0 {
            guard let progress = self.verdicts?[index], progress.gate.name == measurement.gate,
                self.isActive(progress.gate)
            else { continue }
            self.verdicts?[index].add(measurement.answer, at: measurement.time)
        }
    }
}
