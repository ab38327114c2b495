import Deployments

extension Shape {
    static let ratio = Shape(
        "ratio",
        [
            .optional("provider", "prometheus"),
            .optional("bad", "'sum(answers_total{wrong=\"true\",revision=\"${revision}\"})'"),
            .optional("total", "'sum(answers_total{revision=\"${revision}\"})'"),
            .optional("maxRatio", "1.1"),
            .optional("maxDifference", "0"),
            .optional("interval", "10s"),
        ]
    )
}

extension RatioQuery {
    init(decoding members: Members) {
        let provider = members["provider"]?.label() ?? ThresholdQuery.defaultProvider
        self.init(
            provider: provider,
            bad: members.query("bad", of: provider),
            total: members.query("total", of: provider)
        )
        self.maximumRatio = members["maxRatio"]?.number(in: 1...100) ?? self.maximumRatio
        self.maximumDifference = members["maxDifference"]?.number(in: 0...1) ?? self.maximumDifference
        self.interval = members["interval"]?.duration(in: Self.intervals) ?? self.interval
    }

    /// Shorter ones see nothing new, as nobody scrapes more often; longer ones give no verdict in a step.
    static let intervals: ClosedRange<Duration> = .seconds(1) ... .hours(1)
}

extension Shape {
    static let mean = Shape(
        "mean",
        [
            .optional("provider", "prometheus"),
            .optional("count", "'sum(score_count{revision=\"${revision}\"})'"),
            .optional("sum", "'sum(score_sum{revision=\"${revision}\"})'"),
            .optional("sumOfSquares", "'sum(score_squares_sum{revision=\"${revision}\"})'"),
            .optional("margin", "0.01"),
            .required("worse", "lower"),
            .optional("interval", "10s"),
        ]
    )
    static let drift = Shape(
        "drift",
        [
            .optional("provider", "prometheus"),
            .required("query", "'sum by (le) (score_bucket{revision=\"${revision}\"})'"),
            .optional("tolerance", "0.05"),
            .optional("interval", "10s"),
        ]
    )
}

extension MeanQuery {
    init(decoding members: Members) {
        let provider = members["provider"]?.label() ?? ThresholdQuery.defaultProvider
        self.init(
            provider: provider,
            count: members.query("count", of: provider),
            sum: members.query("sum", of: provider),
            sumOfSquares: members.query("sumOfSquares", of: provider),
            worse: members["worse"]?.choice(of: Direction.self) ?? .lower
        )
        self.margin = members["margin"]?.number(in: 0...1) ?? self.margin
        self.interval = members["interval"]?.duration(in: RatioQuery.intervals) ?? self.interval
        if self.margin == 0 {
            members["margin"]?.error("with a margin of 0 no canary is ever shown to be as good: write for example 0.01")
        }
    }
}

extension DriftQuery {
    init(decoding members: Members) {
        self.init(
            provider: members["provider"]?.label() ?? ThresholdQuery.defaultProvider,
            query: members["query"]?.queryForEachRevision() ?? ""
        )
        members.refuseFeedback()
        self.tolerance = members["tolerance"]?.number(in: 0.001...10) ?? self.tolerance
        self.interval = members["interval"]?.duration(in: RatioQuery.intervals) ?? self.interval
    }
}

extension Members {
    /// What the controller is told itself is not asked for by queries; everything else is.
    fileprivate func query(_ name: String, of provider: String) -> String {
        guard provider == Gate.Kind.feedback else {
            self.require([name])
            return self[name]?.queryForEachRevision() ?? ""
        }
        self[name]?.error("\(name.inBackticks) is no question to `feedback`, which counts labels: remove it")
        return ""
    }

    func refuseFeedback() {
        guard let provider = self["provider"], provider.label() == Gate.Kind.feedback else { return }
        provider.error("`feedback` counts labels for `ratio` and `mean` gates: make it one of these")
    }
}

extension Field {
    /// A query that is asked for the canary and for stable.
    func queryForEachRevision() -> String? {
        guard let query = self.string(limit: 8192, isMultiline: true) else { return nil }
        self.checkVariables(in: query, known: ThresholdQuery.variables)
        if !TemplateVariables.names(in: query).contains("revision") {
            self.error("the query is asked for the canary and for stable: select one of them with `${revision}`")
        }
        return query
    }
}
