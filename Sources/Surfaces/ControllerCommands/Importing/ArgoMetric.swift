import Deployments
import Manifests

/// One metric of an analysis as a gate.
struct ArgoMetric {
    private let metric: ImportField
    private let values: [String: String]
    private let conversion: ImportConversion

    /// An AnalysisTemplate's `spec`, and how long it measures.
    struct Gate {
        var spec: ManifestNode
        var measuring: Duration
    }

    init(_ metric: ImportField, values: [String: String], conversion: ImportConversion) {
        self.metric = metric
        self.values = values
        self.conversion = conversion
    }

    /// Nothing when none of ours asks the same; then it is told.
    var gate: Gate? {
        guard let provider = self.metric["provider"] else { return nil }
        if let prometheus = provider["prometheus"] { return self.threshold(prometheus) }
        if let job = provider["job"] { return self.job(job) }
        guard let (name, _) = provider.members.first else { return nil }
        let advice: [String: String] = [
            "web": "write a service that answers `pass`, `fail` or `wait`, and a gate of kind `webhook`; or a `job`",
            "kayenta": "see the gate `kayenta`, which judges the canary's errors by the same test",
        ]
        self.metric.lost(
            advice[name]
                ?? "\(name.inBackticks) is no metric provider here: ask a Prometheus, or run a program as a gate `job`"
        )
        return nil
    }

    // MARK: - Prometheus

    private func threshold(_ prometheus: ImportField) -> Gate? {
        guard let field = prometheus["query"], let query = field.node.scalarText else { return nil }
        guard let condition = self.condition else { return nil }
        prometheus["address"]?.lost("name the provider `prometheus` in the daemon's configuration, with its `url`")
        let advice = "how a provider is asked is said in the daemon's configuration"
        prometheus.lose([
            "timeout": advice, "insecure": advice, "headers": advice, "authentication": advice,
            "rangeQuery": "a query is asked for this moment: use a range such as [5m] within it",
        ])
        field.carried()
        let text = ImportedQuery(query, arguments: self.values, prefix: "args.")
        text.tell(at: field)
        let timing = self.timing
        let members: [ManifestNode.Member?] = [
            .init("query", .text(text.query), comment: text.comment)
        ]
        let rest = condition.limits + timing.members
        let spec = ManifestNode.members(.init("threshold", .mapping(members.compactMap(\.self) + rest)))
        return Gate(spec: spec, measuring: timing.measuring)
    }

    /// The limits of success, or those beyond which it fails.
    private var condition: ArgoCondition? {
        let success = self.metric["successCondition"]
        let failure = self.metric["failureCondition"]
        guard let field = success ?? failure, let text = field.node.scalarText else {
            self.metric.lost("it has no condition, so it never decides")
            return nil
        }
        guard let parsed = ArgoCondition.parse(text), let limits = success == nil ? parsed.negated : parsed else {
            self.metric.decide(
                "no limits say \(text.inBackticks): write a gate of kind `threshold` with `min` and `max`, and a query "
                    + "whose answer is one number"
            )
            return nil
        }
        field.carried()
        if limits.isStrict { field.chosen("a limit itself is still good here") }
        if !limits.emptyAnswers.isEmpty {
            field.lost("no answer is no evidence: it holds the rollout after `consecutiveErrorLimit`")
        }
        if success != nil {
            failure?.lost("there is no middle between good and bad here: what is not within the limits fails")
        }
        return limits
    }

    private var timing: (members: [ManifestNode.Member], measuring: Duration) {
        self.metric["inconclusiveLimit"]?.lost("a measurement is within the limits or not")
        self.metric["consecutiveSuccessLimit"]?.lost("a gate passes after `count` measurements")
        let interval = self.interval
        let delay = self.metric["initialDelay"]?.duration
        var limit = self.count(self.metric["failureLimit"]) ?? 0
        if limit < 0 {
            self.metric["failureLimit"]?.lost("a gate that cannot fail is none: it fails as the first measurement does")
            limit = 0
        }
        var count = self.count(self.metric["count"]) ?? (interval == nil ? 1 : 5)
        if self.metric["count"] == nil, interval != nil {
            self.metric["interval"]?.chosen(
                "it went on and on; here each step takes \(max(count, limit + 1)) measurements"
            )
        }
        if count <= limit {
            self.metric["failureLimit"]?.chosen("a step takes \(limit + 1) measurements, so that it can fail")
            count = limit + 1
        }
        var members = [ManifestNode.Member("count", .plain("\(count)"))]
        if let interval { members.append(.init("interval", .plain(Quantity.text(interval)))) }
        if limit > 0 { members.append(.init("failureLimit", .plain("\(limit)"))) }
        if let errors = self.count(self.metric["consecutiveErrorLimit"]) {
            if errors < 1 { self.metric["consecutiveErrorLimit"]?.chosen("one missing answer is the least that holds") }
            members.append(.init("consecutiveErrorLimit", .plain("\(max(1, errors))")))
        }
        if let delay { members.append(.init("initialDelay", .plain(Quantity.text(delay)))) }
        let pause = interval ?? .seconds(30)
        return (members, (delay ?? .zero) + pause * (count - 1))
    }

    private var interval: Duration? {
        guard let field = self.metric["interval"], let interval = field.duration else { return nil }
        if interval < .seconds(1) {
            field.chosen("a second is the shortest interval")
            return .seconds(1)
        }
        return interval
    }

    /// A number that may stand in an argument.
    private func count(_ field: ImportField?) -> Int? {
        guard let field, let text = field.node.scalarText else { return nil }
        let query = ImportedQuery(text, arguments: self.values, prefix: "args.")
        guard let number = Int(query.query), number <= 10_000 else { return nil }
        field.carried()
        return number
    }

    // MARK: - Jobs

    private func job(_ job: ImportField) -> Gate? {
        let spec = job["spec"]
        let pod = spec?["template"]?["spec"]
        guard let container = pod?["containers"]?.items.first, let first = container["command"]?.items.first else {
            self.metric.lost("the job's image alone knows what runs: write a program, and a gate of kind `job`")
            return nil
        }
        let words = (container["command"]?.items ?? []) + (container["args"]?.items ?? [])
        var command = words.map { word in
            ImportedQuery(word.text ?? "", arguments: self.values, prefix: "args.").query
        }
        let program = command.first?.split(separator: "/").last.map(String.init) ?? ""
        guard NameForm.isIdentifier(program, also: "-.") else {
            self.metric.lost("\(program.inBackticks) is no name of a program: write one, and a gate of kind `job`")
            return nil
        }
        command[0] = program
        first.decide("put the program into a folder that `jobs.programs` of the daemon's configuration names, no shell")
        container["image"]?.lost("a job is a program of the machine: install what the image holds")
        container.lose(["env": "a job gets PATH and LANG and no other variable: hand it over as arguments"])
        container.disregard("name", "imagePullPolicy", "resources")
        pod?.disregard("restartPolicy", "serviceAccountName", "imagePullSecrets")
        spec?.disregard("backoffLimit", "ttlSecondsAfterFinished", "parallelism", "completions")
        job["metadata"]?.meaningless()
        spec?["template"]?["metadata"]?.meaningless()
        let timeout = spec?["activeDeadlineSeconds"]?.duration
        for key in ["count", "interval", "failureLimit", "inconclusiveLimit", "consecutiveErrorLimit", "initialDelay"] {
            self.metric[key]?.chosen("a job runs once in each step, and its exit code decides")
        }
        let members: [ManifestNode.Member?] = [
            .init(
                "command",
                .flow(command),
                comment: "to decide: the program must be one of those that the daemon's `jobs` allows"
            ),
            timeout.map { .init("timeout", .plain(Quantity.text(max(.seconds(1), $0)))) },
        ]
        return Gate(spec: .members(.init("job", .mapping(members.compactMap(\.self)))), measuring: timeout ?? .zero)
    }
}
