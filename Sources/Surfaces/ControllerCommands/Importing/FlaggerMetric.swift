import Deployments
import Manifests

/// One metric of Flagger's analysis.
struct FlaggerMetric {
    enum Outcome {
        case none
        /// 99 percent of the answers must be quicker.
        case latency(Duration)
        /// A gate's name, how long it measures, and the built-in gate that it stands for.
        case gate(String, Duration, replacing: String?)
    }

    private let metric: ImportField
    private let name: String
    private let object: ImportObject
    private let interval: Duration
    private let threshold: Int
    private let conversion: ImportConversion

    init(
        _ metric: ImportField,
        named name: String,
        of object: ImportObject,
        interval: Duration,
        threshold: Int,
        conversion: ImportConversion
    ) {
        self.metric = metric
        self.name = name
        self.object = object
        self.interval = interval
        self.threshold = threshold
        self.conversion = conversion
    }

    var outcome: Outcome {
        let isOwn = self.metric["query"] != nil || self.metric["templateRef"] != nil
        switch self.name {
        case "request-success-rate" where !isOwn: return self.successRate
        case "request-duration" where !isOwn: return self.duration
        default: return self.query
        }
    }

    /// Judged by Flagger's own rule, on what the router counts.
    private var successRate: Outcome {
        let field = self.metric["thresholdRange"]?["min"] ?? self.metric["threshold"]
        self.metric["thresholdRange"]?["max"]?.lost("a rate of success has no upper limit")
        let minimum = field?.number ?? 99
        guard (0...100).contains(minimum) else {
            field?.lost("a rate of success is 0 to 100 percent")
            return .none
        }
        let interval = min(max(self.interval, .seconds(10)), .seconds(3600))
        if interval != self.interval {
            self.metric.note("checked every \(Quantity.text(interval)): Flagger's rule knows 10s to 1h here")
        }
        self.metric["interval"]?.chosen("each check covers the \(Quantity.text(interval)) since the one before")
        self.metric.note("decided by Flagger's own rule on the router's counts: see the gate `flagger`")
        let rule = ManifestNode.members(
            .init("interval", .plain(Quantity.text(interval))),
            .init("threshold", .plain("\(self.threshold)")),
            .init("thresholdRange", .members(.init("min", .plain(ArgoCondition.text(minimum)))))
        )
        return self.emit(.members(.init("flagger", rule)), measuring: interval, replacing: "errors")
    }

    /// 99 percent of the answers within the bound is an objective, and the gate `latency` compares by it.
    private var duration: Outcome {
        let field = self.metric["thresholdRange"]?["max"] ?? self.metric["threshold"]
        self.metric["thresholdRange"]?["min"]?.lost("answer times have no lower limit")
        guard let field, let milliseconds = field.number, (1...3_600_000).contains(milliseconds) else {
            (field ?? self.metric).lost("a bound of answer times is 1 ms to 1 h")
            return .none
        }
        let bound = Duration.milliseconds(Int64(milliseconds.rounded()))
        self.metric["interval"]?.meaningless()
        self.metric.note(
            "99 percent below \(Quantity.text(bound)) became an objective, by which the gate `latency` compares"
        )
        return .latency(bound)
    }

    // MARK: - Queries

    private var query: Outcome {
        guard let (field, variables) = self.source, let text = field.node.scalarText else {
            if self.metric["templateRef"] == nil { self.metric.lost("there is no built-in metric of this name") }
            return .none
        }
        let range = self.metric["thresholdRange"]
        let minimum = range?["min"]?.number
        let maximum = range?["max"]?.number ?? self.metric["threshold"]?.number
        guard minimum != nil || maximum != nil else {
            self.metric.lost("it has no limits, so it never decides")
            return .none
        }
        field.carried()
        let query = ImportedQuery(text, arguments: variables, prefix: "")
        query.tell(at: field)
        let limits = ArgoCondition(minimum: minimum, maximum: maximum).limits
        let most = min(self.threshold, 100)
        if most > 1 {
            self.metric.note(
                "\(most) of \(most) measurements outside of the limits fail a step, which takes so many: lower `count` "
                    + "for quicker steps"
            )
        }
        let timing: [ManifestNode.Member?] = [
            .init("interval", .plain(Quantity.text(min(self.interval, .seconds(86_400))))),
            .init("count", .plain("\(most)")),
            most > 1 ? .init("failureLimit", .plain("\(most - 1)")) : nil,
        ]
        let members = [ManifestNode.Member("query", .text(query.query), comment: query.comment)]
        let threshold = ManifestNode.mapping(members + limits + timing.compactMap(\.self))
        return self.emit(.members(.init("threshold", threshold)), measuring: self.interval * (most - 1), replacing: nil)
    }

    /// The query, and what its variables stand for.
    private var source: (ImportField, [String: String])? {
        let window = self.metric["interval"]?.text ?? "1m"
        var variables = [
            "name": "${deployment}", "target": "${deployment}", "service": "${deployment}", "ingress": "${deployment}",
            "route": "${deployment}", "namespace": "${namespace}", "interval": window,
        ]
        for (name, field) in self.metric["templateVariables"]?.members ?? [] {
            if let value = field.text { variables["variables.\(name)"] = value }
        }
        if let query = self.metric["query"] { return (query, variables) }
        guard let reference = self.metric["templateRef"], let name = reference["name"]?.text else { return nil }
        let namespace = reference["namespace"]?.text ?? self.object.namespace
        reference.disregard("apiVersion", "kind")
        guard let template = self.conversion.catalog.object([.metricTemplate], named: name, in: namespace),
            let spec = template.spec
        else {
            reference.lost("MetricTemplate \(name.inBackticks) is not among the files: add the file that has it")
            return nil
        }
        let provider = spec["provider"]
        let type = provider?["type"]?.node.scalarText ?? ""
        guard type == "prometheus" else {
            self.metric.lost(
                "\(type.inBackticks) is no metric provider here: ask a Prometheus, or run a program as a gate `job`"
            )
            spec.lost("only queries of Prometheus have a place here")
            return nil
        }
        provider?["type"]?.carried()
        let advice = "name the provider `prometheus` in the daemon's configuration, with its `url` and credentials"
        provider?.lose(["address": advice, "secretRef": advice, "headers": advice, "insecureSkipVerify": advice])
        return spec["query"].map { ($0, variables) }
    }

    private func emit(_ spec: ManifestNode, measuring: Duration, replacing: String?) -> Outcome {
        let own = "\(self.object.name)-\(self.name)"
        let isRule = replacing != nil
        let name = self.conversion.emit(
            .analysisTemplate,
            named: isRule ? [own] : [self.name, own],
            spec: spec,
            from: self.metric
        )
        return .gate(name, measuring, replacing: replacing)
    }
}
