import Deployments

extension Shape {
    static let analysisSpec = Shape(
        "analysisSpec",
        [
            .optional("threshold", "{query: \"…\", max: 0.25}"),
            .optional("ratio", "{bad: \"…\", total: \"…\"}"),
            .optional("mean", "{count: \"…\", sum: \"…\", sumOfSquares: \"…\", worse: lower}"),
            .optional("drift", "{query: \"…\"}"),
            .optional("webhook", "{provider: approvals}"),
            .optional("job", "{command: [evaluate, --endpoint, \"${endpoint}\"]}"),
            .optional("answers", "{compare: label}"),
            .optional("slowdown", "{maxSlowerPairs: 52%}"),
            .optional("flagger", "{interval: 1m, threshold: 5}"),
            .optional("argo", "{interval: 5m, count: 5}"),
            .optional("kayenta", "{lifetimeDuration: 30m}"),
            .optional("onFailure", "rollback"),
        ]
    )
    static let threshold = Shape(
        "threshold",
        [
            .optional("provider", "prometheus"),
            .required("query", "'rate(requests_failed{revision=\"${revision}\"}[1m])'"),
            .optional("min", "0"),
            .optional("max", "0.25"),
            .optional("interval", "30s"),
            .optional("count", "5"),
            .optional("failureLimit", "0"),
            .optional("consecutiveErrorLimit", "4"),
            .optional("initialDelay", "1m"),
        ]
    )
}

extension Gate {
    /// Those that every deployment may name without a template.
    static let builtIn = [Gate.errors, .clientErrors, .latency(), .slowdown]

    private static let kinds = [
        "threshold", "ratio", "mean", "drift", "webhook", "job", "answers", "slowdown", "flagger", "argo", "kayenta",
    ]

    init?(name: String, decoding spec: Members) {
        let onFailure = spec["onFailure"]?.choice(of: FailureAction.self)
        guard let chosen = spec.exactlyOne(of: Self.kinds), let kind = Kind(chosen, decoding: spec[chosen]) else {
            return nil
        }
        // Other inputs drift as well as a bad model does, so a person looks first.
        let usual: FailureAction = if case .drift = kind { .hold } else { .rollback }
        self.init(name: name, kind: kind, onFailure: onFailure ?? usual)
    }

    /// The time until it can have passed, at the earliest.
    var shortestDuration: Duration {
        switch self.kind {
        case .threshold(let query): query.shortestDuration
        // One to begin with, one to count from, one to count, and one of stable's to compare with.
        case .ratio(let query): query.interval * 4
        case .mean(let query): query.interval * 4
        // Two more, whose answers are what the next are compared with.
        case .drift(let query): query.interval * 6
        case .errors, .clientErrors, .latency, .slowdown, .answers: .zero
        case .webhook, .job: .zero
        // And the look at the router that ends it.
        case .preset(let rule): rule.shortestDuration + .seconds(1)
        }
    }
}

extension Gate.Kind {
    fileprivate init?(_ name: String, decoding field: Field?) {
        switch name {
        case "threshold":
            guard let members = field?.members(of: .threshold) else { return nil }
            self = .threshold(ThresholdQuery(decoding: members, at: field))
        case "ratio":
            guard let members = field?.members(of: .ratio) else { return nil }
            self = .ratio(RatioQuery(decoding: members))
        case "mean":
            guard let members = field?.members(of: .mean) else { return nil }
            self = .mean(MeanQuery(decoding: members))
        case "drift":
            guard let members = field?.members(of: .drift) else { return nil }
            self = .drift(DriftQuery(decoding: members))
        case "webhook":
            guard let members = field?.members(of: .webhook) else { return nil }
            self = .webhook(WebhookQuery(decoding: members))
        case "job":
            guard let members = field?.members(of: .job) else { return nil }
            self = .job(JobRun(decoding: members))
        case "answers":
            guard let rule = field?.members(of: .answers).flatMap({ AnswerRule(decoding: $0) }) else { return nil }
            self = .answers(rule)
        case "slowdown":
            guard let members = field?.members(of: .slowdown) else { return nil }
            self = .slowdown(SlowdownRule(decoding: members))
        case "flagger":
            guard let members = field?.members(of: .flagger) else { return nil }
            self = .preset(.flagger(FlaggerRule(decoding: members)))
        case "argo":
            guard let members = field?.members(of: .argo) else { return nil }
            self = .preset(.argo(ArgoRule(decoding: members)))
        case "kayenta":
            guard let members = field?.members(of: .kayenta) else { return nil }
            self = .preset(.kayenta(KayentaRule(decoding: members)))
        default: return nil
        }
    }
}

extension ThresholdQuery {
    /// The provider when a template names none.
    static let defaultProvider = "prometheus"
    static let variables = ["revision", "deployment", "namespace"]

    fileprivate init(decoding members: Members, at field: Field?) {
        let query = members["query"]?.string(limit: 8192, isMultiline: true) ?? ""
        members["query"]?.checkVariables(in: query, known: Self.variables)
        members.refuseFeedback()
        self.init(provider: members["provider"]?.label() ?? Self.defaultProvider, query: query)
        self.minimum = members["min"]?.number()
        self.maximum = members["max"]?.number()
        if members["min"] == nil, members["max"] == nil {
            field?.error("`min` or `max` is missing: add for example `max: 0.25`")
        }
        if let minimum, let maximum, minimum > maximum {
            members["min"]?.error("min is greater than max: no number would pass")
        }
        let range: ClosedRange<Duration> = .zero ... .hours(24)
        self.interval = members["interval"]?.duration(in: .seconds(1) ... .hours(24)) ?? self.interval
        self.initialDelay = members["initialDelay"]?.duration(in: range) ?? self.initialDelay
        self.count = members["count"]?.integer(in: 1...10_000) ?? self.count
        self.failureLimit = members["failureLimit"]?.integer(in: 0...10_000) ?? self.failureLimit
        self.consecutiveErrorLimit =
            members["consecutiveErrorLimit"]?.integer(in: 1...10_000) ?? self.consecutiveErrorLimit
        if self.failureLimit >= self.count {
            let place = members["failureLimit"] ?? members["count"] ?? field
            place?.error("of \(self.count) measurements \(self.failureLimit) may fail: the gate could never fail")
        }
    }

    /// The time after which it has measured often enough, at the earliest.
    var shortestDuration: Duration { self.initialDelay + self.interval * (self.count - 1) }
}
