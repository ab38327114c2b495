import Deployments

/// What the kinds of gates with a provider's counters have in common.
enum ProviderEvidence: Hashable, Codable, Sendable {
    case ratio(RatioEvidence)

    /// - Returns: Nothing for gates of other kinds.
    init?(_ kind: Gate.Kind, plannedSteps: Int) {
        switch kind {
        case .ratio(let query): self = .ratio(RatioEvidence(query: query, plannedSteps: plannedSteps))
        case .errors, .clientErrors, .latency, .threshold: return nil
        }
    }

    var interval: Duration {
        switch self {
        case .ratio(let ratio): ratio.query.interval
        }
    }

    /// Whether the reading has one value for each of the gate's queries.
    func takes(_ reading: TrackReading) -> Bool {
        switch self {
        case .ratio: reading.values.count == 2
        }
    }

    mutating func beginStep(nextWeight: TrafficWeight, burst: Double, parameters: AnalysisParameters) {
        switch self {
        case .ratio(var ratio):
            ratio.beginStep(nextWeight: nextWeight, burst: burst, parameters: parameters)
            self = .ratio(ratio)
        }
    }

    mutating func add(_ increment: CounterLedger.Increment, burst: Double, parameters: AnalysisParameters) {
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
        }
    }

    var breachLogE: Double {
        switch self {
        case .ratio(let ratio): ratio.breach.logE
        }
    }

    /// Polls that spoke against the canary.
    var badPolls: Int {
        switch self {
        case .ratio(let ratio): ratio.breach.badPolls
        }
    }

    func isSafe(parameters: AnalysisParameters) -> Bool {
        switch self {
        case .ratio(let ratio): ratio.safeLogE >= parameters.safeLimit
        }
    }

    /// What the canary must keep, in words.
    var limit: String {
        switch self {
        case .ratio(let ratio):
            "at most \(NumberText.number(ratio.query.maximumRatio)) times stable's"
                + (ratio.query.maximumDifference > 0
                    ? " and \(NumberText.percent(ratio.query.maximumDifference)) on top" : "")
        }
    }

    /// Why there is nothing to judge by in this step, if so.
    var missing: String? {
        switch self {
        case .ratio(let ratio): Self.missing(canary: ratio.canary.total, stable: ratio.stable.total)
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
