import Deployments
import Manifests

/// Argo's steps, one by one: weights, what lasts at them, what is judged at them.
struct ArgoSteps {
    private let analysis: ArgoAnalysis
    private let background: ArgoAnalysis.Gates
    private let startingStep: Int
    private var steps: [ImportedStep] = []
    private var weight = 0
    /// Of an analysis before the canary has any traffic.
    private var early = ArgoAnalysis.Gates.none

    init(analysis: ArgoAnalysis, background: ArgoAnalysis.Gates, startingStep: Int) {
        self.analysis = analysis
        self.background = background
        self.startingStep = startingStep
    }

    /// Nothing when none has a place here.
    var finished: [ImportedStep]? { self.steps.isEmpty ? nil : self.steps }

    mutating func read(_ step: ImportField, at index: Int) {
        if let weight = step["setWeight"] { self.read(weight: weight, at: index) }
        if let pause = step["pause"] { self.read(pause: pause) }
        if let analysis = step["analysis"] { self.read(analysis: analysis) }
        if let route = step["setHeaderRoute"] { self.read(headerRoute: route, at: index) }
        if let mirror = step["setMirrorRoute"] { self.read(mirror: mirror, at: index) }
        step.lose([
            "experiment": "compare answers in a `shadow` step with a gate of kind `answers`",
            "setCanaryScale": "the canary has the replicas that its traffic takes: see `surge`",
            "plugin": "run a program as a gate of kind `job`",
        ])
    }

    private mutating func read(weight field: ImportField, at index: Int) {
        guard let weight = field.integer else { return }
        guard weight > self.weight else {
            let isFirst = weight == 0 && self.steps.isEmpty
            isFirst ? field.chosen("a rollout begins without traffic") : field.lost("a rollout only goes forward")
            return
        }
        guard weight <= 100 else {
            field.lost("a weight is 1 to 100")
            return
        }
        self.weight = weight
        var step = self.step(.weight(weight), at: index)
        self.add(self.early, to: &step)
        self.early = .none
        self.steps.append(step)
    }

    /// A step that lasts as long as its gates take, judged by the analysis in the background once that has begun.
    private func step(_ action: ImportedStep.Action, at index: Int) -> ImportedStep {
        var step = ImportedStep(action, atLeast: .zero)
        guard !self.background.names.isEmpty else { return step }
        if index < self.startingStep {
            step.gates = ImportedRollout.builtInGates
        } else {
            step.measuring = self.background.measuring
        }
        return step
    }

    private mutating func read(pause: ImportField) {
        guard let field = pause["duration"] else {
            pause.chosen("somebody promotes it: a step of its own")
            self.steps.append(ImportedStep(.approval))
            return
        }
        guard let duration = field.duration else {
            field.lost("a step lasts 30 days at most: set `atLeast`")
            return
        }
        guard let last = self.steps.indices.last else {
            field.lost("nothing lasts before the first weight: see `progressDeadline`")
            return
        }
        if case .approval = self.steps[last].action {
            field.chosen("the next step begins as soon as somebody promotes it")
            return
        }
        self.steps[last].atLeast = (self.steps[last].atLeast ?? .zero) + duration
    }

    private mutating func read(analysis field: ImportField) {
        let gates = self.analysis.gates(of: field)
        guard !gates.names.isEmpty else { return }
        guard let last = self.steps.indices.last else {
            field.note("judged in the first step, as nothing is known of a canary without traffic")
            self.early.names += gates.names.filter { !self.early.names.contains($0) }
            self.early.measuring = max(self.early.measuring, gates.measuring)
            return
        }
        field.note("judged at this weight, beside the errors, refusals and slow answers")
        self.add(gates, to: &self.steps[last])
    }

    private func add(_ gates: ArgoAnalysis.Gates, to step: inout ImportedStep) {
        guard !gates.names.isEmpty else { return }
        let base = step.gates ?? ImportedRollout.builtInGates + self.background.names
        step.gates = base + gates.names.filter { !base.contains($0) }
        step.measuring = max(step.measuring, gates.measuring)
    }

    private mutating func read(headerRoute route: ImportField, at index: Int) {
        route["name"]?.meaningless()
        guard let matches = route["match"], !matches.items.isEmpty else {
            route.chosen("what a `match` step gives ends with the step")
            return
        }
        let headers = matches.items.compactMap { match -> ImportedHeader? in
            guard let name = match["headerName"]?.text else { return nil }
            return ImportedHeader.read(name, match["headerValue"])
        }
        guard !headers.isEmpty else { return }
        if matches.items.count > 1 {
            matches.ledger.add(
                .decide,
                at: matches.node.position,
                field: matches.path,
                "there one of them sufficed, here a request needs all: choose one"
            )
        }
        var step = self.step(.match(Array(headers.prefix(8))), at: index)
        if matches.items.count > 1 { step.comment = "to decide: a request needs all of these headers" }
        self.steps.append(step)
        route.note("these requests go to the canary until the step ends")
    }

    private mutating func read(mirror route: ImportField, at index: Int) {
        route["name"]?.meaningless()
        let percentage = route["percentage"]
        guard percentage != nil || route["match"] != nil else {
            route.chosen("what a `shadow` step copies ends with the step")
            return
        }
        guard self.weight == 0 else {
            route.lost("only stable's requests are copied: shadow before the first weight")
            return
        }
        route["match"]?.lost("requests are copied by chance, not by their path or headers")
        let percent = percentage?.integer ?? 100
        self.steps.append(self.step(.shadow(percent: min(max(percent, 1), 100)), at: index))
    }
}
