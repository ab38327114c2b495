/// Another tool's rule, applied to the errors that the router counts, with the options as that tool names them.
///
/// Such a rule carries no statistical guarantee.
package enum PresetRule: Hashable, Codable, Sendable {
    case flagger(FlaggerRule)
    case argo(ArgoRule)
    case kayenta(KayentaRule)

    /// As manifests and `--preset` have it.
    package var tool: String {
        switch self {
        case .flagger: "flagger"
        case .argo: "argo"
        case .kayenta: "kayenta"
        }
    }

    /// The time until a canary can have passed, at the earliest.
    package var shortestDuration: Duration {
        switch self {
        case .flagger(let rule): rule.interval
        case .argo(let rule): rule.interval * rule.count
        case .kayenta(let rule): rule.lifetimeDuration
        }
    }
}

/// The options of a Flagger `Canary`'s `analysis` with the metric `request-success-rate`. Defaults are those of its
/// documented example.
package struct FlaggerRule: Hashable, Codable, Sendable {
    /// Between two checks; each covers as much.
    package var interval: Duration
    /// Failed checks, of all steps together, at which the canary is rolled back.
    package var threshold: Int
    /// `thresholdRange.min`: percent of the canary's requests that must succeed.
    package var minimum: Double

    package init(interval: Duration = .minutes(1), threshold: Int = 5, minimum: Double = 99) {
        self.interval = interval
        self.threshold = threshold
        self.minimum = minimum
    }
}

/// The options of a metric in an `AnalysisTemplate` of Argo Rollouts. Limits have that tool's defaults; interval, count
/// and condition are those of its documented `success-rate` template.
package struct ArgoRule: Hashable, Codable, Sendable {
    /// Between two measurements; each covers as much.
    package var interval: Duration
    /// Measurements after which a step passes.
    package var count: Int
    package var failureLimit: Int
    package var consecutiveErrorLimit: Int
    /// From `successCondition: result[0] >= 0.95`: the share of the canary's requests that must succeed, 0 to 1.
    package var minimum: Double

    package init(
        interval: Duration = .minutes(5),
        count: Int = 5,
        failureLimit: Int = 0,
        consecutiveErrorLimit: Int = 4,
        minimum: Double = 0.95
    ) {
        self.interval = interval
        self.count = count
        self.failureLimit = failureLimit
        self.consecutiveErrorLimit = consecutiveErrorLimit
        self.minimum = minimum
    }
}

/// The options of a Kayenta canary analysis.
package struct KayentaRule: Hashable, Codable, Sendable {
    /// After which a step whose canary was never found worse passes.
    package var lifetimeDuration: Duration
    /// Between two judgements, each over all of the step so far.
    package var analysisInterval: Duration

    package init(lifetimeDuration: Duration = .minutes(30), analysisInterval: Duration = .minutes(5)) {
        self.lifetimeDuration = lifetimeDuration
        self.analysisInterval = analysisInterval
    }
}
