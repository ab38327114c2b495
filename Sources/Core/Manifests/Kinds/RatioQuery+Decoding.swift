import Deployments

extension Shape {
    static let ratio = Shape(
        "ratio",
        [
            .optional("provider", "prometheus"),
            .required("bad", "'sum(answers_total{wrong=\"true\",revision=\"${revision}\"})'"),
            .required("total", "'sum(answers_total{revision=\"${revision}\"})'"),
            .optional("maxRatio", "1.1"),
            .optional("maxDifference", "0"),
            .optional("interval", "10s"),
        ]
    )
}

extension RatioQuery {
    init(decoding members: Members) {
        self.init(
            provider: members["provider"]?.label() ?? ThresholdQuery.defaultProvider,
            bad: members["bad"]?.queryForEachRevision() ?? "",
            total: members["total"]?.queryForEachRevision() ?? ""
        )
        self.maximumRatio = members["maxRatio"]?.number(in: 1...100) ?? self.maximumRatio
        self.maximumDifference = members["maxDifference"]?.number(in: 0...1) ?? self.maximumDifference
        self.interval = members["interval"]?.duration(in: Self.intervals) ?? self.interval
    }

    /// Shorter ones see nothing new, as nobody scrapes more often; longer ones give no verdict in a step.
    static let intervals: ClosedRange<Duration> = .seconds(1) ... .hours(1)
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
