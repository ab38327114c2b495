import Deployments
import RealModule

/// What the kinds of gates with a provider's counters have in common.
enum ProviderEvidence: Hashable, Codable, Sendable {
    case ratio(RatioEvidence)
    case mean(MeanEvidence)
    case drift(DriftEvidence)
    case answers(AnswersEvidence)

    /// - Returns: Nothing for gates of other kinds.
    init?(_ kind: Gate.Kind, plannedSteps: Int) {
        switch kind {
        case .ratio(let query): self = .ratio(RatioEvidence(query: query, plannedSteps: plannedSteps))
        case .mean(let query): self = .mean(MeanEvidence(query: query, plannedSteps: plannedSteps))
        case .drift(let query): self = .drift(DriftEvidence(query: query, plannedSteps: plannedSteps))
        case .answers(let rule): self = .answers(AnswersEvidence(rule: rule, plannedSteps: plannedSteps))
        case .errors, .clientErrors, .latency, .slowdown, .threshold, .webhook, .job, .preset: return nil
        }
    }

    var interval: Duration {
        switch self {
        case .ratio(let ratio): ratio.query.interval
        case .mean(let mean): mean.query.interval
        case .drift(let drift): drift.query.interval
        case .answers: AnswersEvidence.interval
        }
    }

    /// What is wrong with a reading, if anything.
    func objection(to reading: TrackReading) -> String? {
        switch self {
        case .ratio: reading.values.count == 2 ? nil : Self.otherQueries
        case .mean: reading.values.count == 3 ? nil : Self.otherQueries
        case .drift(let drift):
            if reading.bounds.map({ $0.count + 1 }) != reading.values.count || reading.values.count < 2 {
                "the histogram has no buckets to compare"
            } else if let bounds = drift.bounds, bounds != reading.bounds {
                "the buckets of the histogram have changed since the rollout began"
            } else {
                nil
            }
        case .answers: reading.values.count == AnswersEvidence.valueCount ? nil : Self.otherQueries
        }
    }

    /// Brings two sparse histograms to the bounds that the rollout compares by.
    ///
    /// - Returns: Why that is not possible, if so.
    mutating func align(_ canary: inout TrackReading, _ stable: inout TrackReading) -> String? {
        guard canary.isSparse == true, stable.isSparse == true, case .drift(var drift) = self else { return nil }
        let objection = drift.align(&canary, &stable)
        self = .drift(drift)
        return objection
    }

    private static let otherQueries = "the answer is not that of this gate's queries"

    mutating func beginStep(nextWeight: TrafficWeight, burst: Double, parameters: AnalysisParameters) {
        switch self {
        case .ratio(var ratio):
            ratio.beginStep(nextWeight: nextWeight, burst: burst, parameters: parameters)
            self = .ratio(ratio)
        case .mean(var mean):
            mean.beginStep(nextWeight: nextWeight, parameters: parameters)
            self = .mean(mean)
        case .drift(var drift):
            drift.beginStep()
            self = .drift(drift)
        case .answers(var answers):
            answers.beginStep(burst: burst, parameters: parameters)
            self = .answers(answers)
        }
    }

    /// - Returns: Why the increment is nothing to judge by, if so.
    mutating func add(
        _ increment: CounterLedger.Increment,
        bounds: [Double]?,
        burst: Double,
        parameters: AnalysisParameters
    ) -> String? {
        switch self {
        case .ratio(var ratio):
            ratio.add(
                canary: ShareCounts(increments: increment.canary),
                stable: ShareCounts(increments: increment.stable),
                seconds: increment.seconds,
                burst: burst,
                parameters: parameters
            )
            self = .ratio(ratio)
        case .mean(var mean):
            guard let canary = MeanCounts(increments: increment.canary),
                let stable = MeanCounts(increments: increment.stable)
            else { return "`sum` or `sumOfSquares` is not that of `count` values from 0 to 1" }
            mean.add(canary: canary, stable: stable, seconds: increment.seconds)
            self = .mean(mean)
        case .drift(var drift):
            guard let canary = DriftEvidence.bins(increment.canary), let stable = DriftEvidence.bins(increment.stable)
            else { return "the buckets of the histogram are not cumulative" }
            drift.add(
                canary: canary,
                stable: stable,
                bounds: bounds ?? [],
                seconds: increment.seconds,
                parameters: parameters
            )
            self = .drift(drift)
        case .answers(var answers):
            answers.add(increment, parameters: parameters)
            self = .answers(answers)
        }
        return nil
    }

    /// Takes labels of requests; the groups are of one split of the traffic each, and `split` is that of the step.
    mutating func add(
        _ groups: [LabelIncrement],
        of split: TrafficSplit?,
        seconds: Double,
        burst: Double,
        parameters: AnalysisParameters
    ) {
        switch self {
        case .ratio(var ratio):
            ratio.add(groups, of: split, seconds: seconds, burst: burst, parameters: parameters)
            self = .ratio(ratio)
        case .mean(var mean):
            mean.add(groups, of: split, seconds: seconds)
            self = .mean(mean)
        case .drift, .answers: break
        }
    }

    /// Takes what is said of comparisons besides their number.
    ///
    /// - Returns: Whether they begin anew, so that nothing can be counted from the last ones.
    mutating func note(_ counts: AnswerCounts) -> Bool {
        guard case .answers(var answers) = self else { return false }
        let isNew = answers.note(counts)
        self = .answers(answers)
        return isNew
    }

    var breachLogE: Double {
        switch self {
        case .ratio(let ratio): ratio.breach.logE
        case .mean(let mean): mean.breachLogE
        case .drift(let drift): drift.breachLogE
        case .answers(let answers): answers.breach.logE
        }
    }

    /// Whether its evidence is merged with that of other gates. One that also asks whether a difference matters keeps
    /// its share of the error budget to itself.
    var isMerged: Bool {
        switch self {
        case .ratio, .mean, .answers: true
        case .drift: false
        }
    }

    /// Whether what is known may fail the gate: one poll alone may be a single burst.
    func mayFail(parameters: AnalysisParameters) -> Bool {
        switch self {
        case .ratio(let ratio): ratio.breach.badPolls >= parameters.minimumBadPolls
        case .mean(let mean): mean.polls >= parameters.minimumBadPolls
        case .drift(let drift): drift.polls >= parameters.minimumBadPolls && drift.matters
        case .answers(let answers): answers.breach.badPolls >= parameters.minimumBadPolls
        }
    }

    func isSafe(parameters: AnalysisParameters) -> Bool {
        switch self {
        case .ratio(let ratio): ratio.safeLogE >= parameters.safeLimit
        case .mean(let mean): mean.safeLogE >= parameters.safeLimit
        case .drift(let drift): drift.isEnough
        case .answers(let answers): answers.safeLogE >= parameters.safeLimit
        }
    }

    /// What the canary must keep, in words.
    var limit: String {
        switch self {
        case .ratio(let ratio): ratio.limit
        case .mean(let mean): mean.limit
        case .drift(let drift): "below a stability index of \(NumberText.number(drift.query.tolerance))"
        case .answers(let answers): "at most \(NumberText.percent(answers.rule.maximumShare))"
        }
    }

    /// Why there is nothing to judge by in this step, if so.
    var missing: String? {
        switch self {
        case .ratio(let ratio): Self.missing(canary: ratio.canary.total, stable: ratio.stable.total)
        case .mean(let mean): Self.missing(canary: mean.canary.count, stable: mean.stable.count)
        case .drift(let drift): Self.missing(canary: drift.canary, stable: drift.stable)
        case .answers(let answers): answers.missing
        }
    }

    private static func missing(canary: Double, stable: Double) -> String? {
        switch (canary > 0, stable > 0) {
        case (false, false): "nothing was counted in this step"
        case (false, true): "nothing was counted for the canary in this step"
        case (true, false): "nothing was counted for stable in this step to compare with"
        case (true, true): nil
        }
    }
}

extension RatioEvidence {
    var limit: String {
        let difference = self.query.maximumDifference
        return "at most \(NumberText.number(self.query.maximumRatio)) times stable's"
            + (difference > 0 ? " and \(NumberText.percent(difference)) on top" : "")
    }
}
