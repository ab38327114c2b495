import Deployments
import Manifests

/// Flagger's analysis as steps and gates.
struct FlaggerAnalysis {
    private let analysis: ImportField
    private let object: ImportObject
    private let conversion: ImportConversion
    private let interval: Duration
    private let threshold: Int
    private var gates: [String] = []
    private var measuring: Duration = .zero

    init(_ analysis: ImportField, of object: ImportObject, conversion: ImportConversion) {
        self.analysis = analysis
        self.object = object
        self.conversion = conversion
        // Its defaults: a minute, and one failed check.
        self.interval = max(.seconds(1), analysis["interval"]?.duration ?? .seconds(60))
        self.threshold = min(max(1, analysis["threshold"]?.integer ?? 1), 1000)
    }

    mutating func read(into deployment: inout ImportedDeployment) {
        self.analysis.lose([
            "alerts": "who is told is said in the daemon's configuration, not in a manifest",
            "sessionAffinity": "a header keeps users on one revision: see `route.affinity`",
            "stepWeightPromotion": "after the last step the canary has all traffic",
            "primaryReadyThreshold": "all replicas must be ready",
            "canaryReadyThreshold": "all replicas must be ready",
        ])
        for metric in self.analysis["metrics"]?.items ?? [] { self.read(metric: metric, into: &deployment) }
        if self.analysis["metrics"]?.items.isEmpty == true { self.analysis["metrics"]?.carried() }
        var steps = self.steps(of: &deployment.rollout)
        let rest = Set(ImportedRollout.builtInGates).subtracting(self.replaced)
        let kept = ImportedRollout.builtInGates.filter(rest.contains)
        if self.gates.isEmpty {
            // Nothing is checked that could fail.
            self.analysis["threshold"]?.meaningless()
        } else {
            for index in steps.indices {
                if case .approval = steps[index].action { continue }
                steps[index].gates = self.gates + kept
                steps[index].measuring = self.measuring
            }
        }
        self.readWebhooks(into: &steps)
        if steps.count > Self.maxSteps {
            self.analysis.note("a rollout has at most \(Self.maxSteps) steps: the later ones are left out")
            steps.removeLast(steps.count - Self.maxSteps)
        }
        if !steps.isEmpty { deployment.rollout.steps = steps }
    }

    private static let maxSteps = 50
    /// Built-in gates in whose place a rule of Flagger's stands.
    private var replaced: Set<String> = []

    // MARK: - Steps

    private func steps(of rollout: inout ImportedRollout) -> [ImportedStep] {
        let isMirrored = self.analysis["mirror"]?.boolean ?? false
        let percent = self.analysis["mirrorWeight"]?.integer ?? 100
        let shadow = ImportedStep(.shadow(percent: min(max(percent, 1), 100)), atLeast: self.interval)
        let weights = self.weights
        guard weights.isEmpty else {
            self.analysis["iterations"]?.lost("weights go before `iterations`")
            self.analysis["match"]?.lost("name the headers in a `match` step")
            return (isMirrored ? [shadow] : []) + weights.map { ImportedStep(.weight($0), atLeast: self.interval) }
        }
        let count = self.analysis["iterations"]?.integer ?? 10
        let lasting = min(self.interval * max(1, min(count, 100_000)), ImportedDuration.longest)
        if let match = self.analysis["match"] {
            let (headers, comment) = self.headers(of: match)
            self.analysis["iterations"]?.chosen("so many intervals, requests with these headers go to the canary")
            return (isMirrored ? [shadow] : [])
                + [ImportedStep(.match(headers), atLeast: lasting, comment: comment)]
        }
        rollout.isBlueGreen = true
        if isMirrored {
            self.analysis["mirror"]?.chosen("so many intervals, requests are copied; then one switch")
            return [ImportedStep(.shadow(percent: min(max(percent, 1), 100)), atLeast: lasting)]
        }
        (self.analysis["iterations"] ?? self.analysis).note(
            "so many intervals, requests with `x-controller-preview: true` go to the canary; then one switch"
        )
        return [ImportedStep(.match([.preview]), atLeast: lasting)]
    }

    private var weights: [Int] {
        let most = min(max(1, self.analysis["maxWeight"]?.integer ?? 100), 100)
        if let list = self.analysis["stepWeights"] {
            self.analysis["stepWeight"]?.chosen("`stepWeights` go before it")
            let weights = list.items.compactMap(\.integer).filter { (1...100).contains($0) }
            let rising = weights.enumerated().filter { index, weight in
                weights[..<index].allSatisfy { $0 < weight }
            }.map(\.element)
            if rising.count < list.items.count { list.lost("weights are 1 to 100 and only go forward") }
            if list.items.isEmpty { list.carried() }
            return rising
        }
        guard let field = self.analysis["stepWeight"], let step = field.integer, step > 0 else { return [] }
        return Array(stride(from: min(step, most), through: most, by: step))
    }

    /// The headers of the first alternative; there one alternative suffices.
    private func headers(of match: ImportField) -> (headers: [ImportedHeader], comment: String?) {
        for (index, alternative) in match.items.enumerated() {
            if index > 0 {
                alternative.lost("a `match` step has one set of headers, which all must be there")
                continue
            }
            alternative.disregard("sourceLabels")
            for (key, field) in alternative.members where key != "headers" && key != "sourceLabels" {
                field.lost("requests are matched by their headers alone")
            }
        }
        let headers = (match.items.first?["headers"]?.members ?? []).compactMap { name, value in
            ImportedHeader.read(name, value)
        }
        guard headers.isEmpty else { return (Array(headers.prefix(8)), nil) }
        match.note("nothing of it can be matched here: a header of its own, `x-canary: true`, instead")
        let header = ImportedHeader(name: "x-canary", value: .exact("true"))
        return ([header], "to decide: which requests go to the canary")
    }

    // MARK: - Metrics

    private mutating func read(metric: ImportField, into deployment: inout ImportedDeployment) {
        guard let name = metric["name"]?.text else { return }
        let reading = FlaggerMetric(
            metric,
            named: name,
            of: self.object,
            interval: self.interval,
            threshold: self.threshold,
            conversion: self.conversion
        )
        switch reading.outcome {
        case .none: return
        case .latency(let bound): deployment.latency = min(bound, deployment.latency ?? bound)
        case .gate(let gate, let measuring, let replacing):
            if !self.gates.contains(gate) { self.gates.append(gate) }
            self.measuring = max(self.measuring, measuring)
            if let replacing { self.replaced.insert(replacing) }
        }
    }

    // MARK: - Webhooks

    private func readWebhooks(into steps: inout [ImportedStep]) {
        for webhook in self.analysis["webhooks"]?.items ?? [] {
            switch webhook["type"]?.node.scalarText {
            case "confirm-rollout":
                webhook.chosen(
                    "somebody approves before the first step; to ask a service, use a gate of kind `webhook`"
                )
                steps.insert(ImportedStep(.approval), at: 0)
            case "confirm-promotion":
                webhook.chosen("somebody approves after the last step; to ask a service, use a gate of kind `webhook`")
                steps.append(ImportedStep(.approval))
            case "confirm-traffic-increase":
                webhook.lost(
                    "let a service answer `pass` or `wait`, and ask it by a gate of kind `webhook` in every step"
                )
            case "pre-rollout", "rollout", nil:
                webhook.lost("run tests and load as a program, by a gate of kind `job`")
            default:
                webhook.lost("who is told what happened is said in the daemon's configuration")
            }
        }
        if self.analysis["webhooks"]?.items.isEmpty == true { self.analysis["webhooks"]?.carried() }
    }
}
