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

    func providerComparison(of gate: Gate) -> ProviderComparison? {
        self.provided?.first { $0.gate.name == gate.name }
    }

    func assessment(
        of comparison: ProviderComparison,
        gate: Gate,
        step: CurrentStep,
        at now: Timestamp
    ) -> GateAssessment {
        let outcome = comparison.outcome(at: now, parameters: self.parameters)
        switch comparison.evidence {
        case .ratio(let ratio):
            let evidence = ratio.evidence(
                weight: comparison.weight,
                burst: self.burst,
                parameters: self.parameters
            )
            let missing = outcome == .failed || outcome == .passed ? nil : comparison.missing
            return GateAssessment(
                gate: gate,
                outcome: outcome,
                value: Self.value(of: evidence),
                limit: comparison.evidence.limit,
                detail: (missing ?? self.detail(outcome, evidence, nextWeight: step.nextWeight))
                    + comparison.caveats,
                prediction: outcome == .inconclusive ? self.prediction(evidence) : nil,
                comparison: evidence
            )
        }
    }
}
