import Deployments
import Manifests

/// Argo's Rollout becomes a ModelDeployment with a rollout of the same steps.
extension ImportConversion {
    func convert(rollout object: ImportObject) {
        guard let spec = object.spec else {
            object.root.lost("it has no `spec`")
            return
        }
        let strategy = spec["strategy"]
        let canary = strategy?["canary"]
        let blueGreen = strategy?["blueGreen"]
        let service = (canary?["stableService"] ?? blueGreen?["activeService"])?.node.scalarText
        var deployment = self.deployment(of: object, service: service)
        self.read(rollout: spec, into: &deployment)
        if let reference = spec["workloadRef"] {
            self.read(workloadOf: reference, of: object, into: &deployment)
        } else {
            PodImport.read(template: spec["template"], port: nil, into: &deployment, conversion: self)
        }
        AutoscalerImport.read(replicas: spec["replicas"], into: &deployment)
        self.readAutoscaler(of: object, into: &deployment)
        if let seconds = spec["progressDeadlineSeconds"]?.duration {
            deployment.rollout.progressDeadline = min(max(seconds, .seconds(1)), .seconds(86_400))
        }
        let analysis = ArgoAnalysis(conversion: self, rollout: object)
        for field in [strategy, canary, blueGreen] where field?.members.isEmpty == true { field?.carried() }
        if let canary {
            deployment.rollout.read(argo: canary, analysis)
        } else if let blueGreen {
            deployment.rollout.read(argo: blueGreen, blueGreen: analysis)
        }
        self.emit(deployment, from: object)
    }

    private func read(rollout spec: ImportField, into deployment: inout ImportedDeployment) {
        spec.disregard("selector", "revisionHistoryLimit", "analysis")
        spec.lose([
            "minReadySeconds": "see `successThreshold` in the runtime's `readiness`",
            "paused": "pause it with `controller pause`",
            "rollbackWindow": "a git revert to the previous revision returns at once",
            "restartAt": "start it anew by a change in git",
        ])
        guard let abort = spec["progressDeadlineAbort"] else { return }
        if abort.boolean == false { abort.chosen("a rollout whose deadline passes is always aborted") }
    }

    private func read(
        workloadOf reference: ImportField,
        of object: ImportObject,
        into deployment: inout ImportedDeployment
    ) {
        let name = reference["name"]?.node.scalarText ?? ""
        let kind = reference["kind"]?.node.scalarText ?? "Deployment"
        reference["scaleDown"]?.meaningless()
        reference.disregard("apiVersion", "kind")
        reference["name"]?.carried()
        guard kind == "Deployment", let workload = self.catalog.object([.deployment], named: name, in: object.namespace)
        else {
            reference.decide("\(kind) \(name.inBackticks) is not among the files: add it, or write model and runtime")
            deployment.decideAll()
            return
        }
        // The Rollout's own number counts; the Deployment is scaled to none.
        workload.spec?["replicas"]?.meaningless()
        self.read(workload: workload, port: nil, into: &deployment)
    }

    /// The HorizontalPodAutoscaler that scales the object, if it is there.
    func readAutoscaler(of object: ImportObject, into deployment: inout ImportedDeployment) {
        let autoscaler = self.catalog.objects(of: .autoscaler).first { autoscaler in
            let target = autoscaler.spec?["scaleTargetRef"]
            return target?["kind"]?.node.scalarText == object.kind.rawValue
                && target?["name"]?.node.scalarText == object.name && autoscaler.namespace == object.namespace
        }
        if let autoscaler { AutoscalerImport.read(autoscaler, into: &deployment) }
    }
}

extension ImportedDeployment {
    /// Of a workload that is not there nothing is known.
    mutating func decideAll() {
        self.model.value.uri.comment = "to decide: where the daemon finds the model's files"
        self.model.comment = "to decide: version and format"
        self.runtime = .init(self.name, "to decide: a ServingRuntime, of git or a shipped one")
    }
}

// MARK: - Strategies

extension ImportedRollout {
    mutating func read(argo canary: ImportField, _ analysis: ArgoAnalysis) {
        canary.disregard("canaryService", "stableService", "pingPong")
        let surge = "see `surge`, in percent of the replicas; 100 when left out"
        canary.lose([
            "maxUnavailable": surge, "dynamicStableScale": surge, "minPodsPerReplicaSet": surge,
            "replicaProgressThreshold": "all replicas of a step must be ready",
            "antiAffinity": "replicas run on the controller's machine",
            "canaryMetadata": "requests and metrics are told apart by the revision",
            "stableMetadata": "requests and metrics are told apart by the revision",
            "abortScaleDownDelaySeconds": "an aborted revision's replicas are drained and stopped",
            "scaleDownDelayRevisionLimit": "the previous revision alone stays warm, for `bakeTime`",
        ])
        if let most = canary["maxSurge"] {
            most.node.scalarText == "100%" ? most.carried() : most.lost(surge)
        }
        self.read(delay: canary["scaleDownDelaySeconds"])
        Self.read(routing: canary["trafficRouting"])
        let background = canary["analysis"]
        let gates = background.map(analysis.gates) ?? .none
        if let background, !gates.names.isEmpty {
            self.gates = Self.builtInGates + gates.names
            background["templates"]?.chosen("judged in every step, beside the errors, refusals and slow answers")
        }
        let start = background?["startingStep"]?.integer ?? 0
        guard let steps = canary["steps"], !steps.items.isEmpty else {
            canary["steps"]?.carried()
            canary.note("without steps it is a canary of 5, 25 and 50 percent, judged by gates")
            return
        }
        var reading = ArgoSteps(analysis: analysis, background: gates, startingStep: start)
        for (index, step) in steps.items.enumerated() { reading.read(step, at: index) }
        self.steps = reading.finished
        if self.steps == nil {
            steps.note("none of the steps has a place here: a canary of 5, 25 and 50 percent instead")
        }
    }

    mutating func read(argo blueGreen: ImportField, blueGreen analysis: ArgoAnalysis) {
        self.isBlueGreen = true
        blueGreen.disregard("activeService", "previewService", "maxUnavailable")
        blueGreen.lose([
            "previewReplicaCount": "the canary has as many replicas as stable before the switch",
            "antiAffinity": "replicas run on the controller's machine",
            "previewMetadata": "requests for the preview say `x-controller-preview: true`",
            "activeMetadata": "requests for the preview say `x-controller-preview: true`",
            "scaleDownDelayRevisionLimit": "the previous revision alone stays warm, for `bakeTime`",
            "abortScaleDownDelaySeconds": "an aborted revision's replicas are drained and stopped",
            "postPromotionAnalysis": "after the switch the objectives are watched, for `bakeTime`: see `slos`",
        ])
        self.read(delay: blueGreen["scaleDownDelaySeconds"])
        var steps: [ImportedStep] = []
        if let before = blueGreen["prePromotionAnalysis"] {
            let gates = analysis.gates(of: before)
            if !gates.names.isEmpty {
                before["templates"]?.chosen("judged before the switch, while requests for the preview reach the canary")
                var step = ImportedStep(.match([.preview]), gates: gates.names)
                step.measuring = gates.measuring
                steps.append(step)
            }
        }
        let isManual = blueGreen["autoPromotionEnabled"]?.boolean == false
        if isManual {
            steps.append(ImportedStep(.approval))
            blueGreen["autoPromotionSeconds"]?.meaningless()
        } else if let delay = blueGreen["autoPromotionSeconds"]?.duration, delay > .zero {
            blueGreen["autoPromotionSeconds"]?.chosen(
                "requests for the preview reach the canary so long before the switch"
            )
            if steps.isEmpty { steps.append(ImportedStep(.match([.preview]), gates: [])) }
            steps[steps.count - 1].atLeast = delay
        }
        if !steps.isEmpty { self.steps = steps }
    }

    private mutating func read(delay field: ImportField?) {
        guard let field, let delay = field.duration else { return }
        self.bakeTime = delay
        field.chosen("so long the previous revision stays warm; meanwhile the objectives are watched")
    }

    private static func read(routing: ImportField?) {
        guard let routing else { return }
        routing.disregard("managedRoutes")
        routing["maxTrafficWeight"]?.lost("weights are percent")
        for (key, field) in routing.members where !field.isTold && key != "managedRoutes" {
            field.lost("the controller's own router moves the traffic: put the hosts into `route.hosts`")
        }
    }
}

extension ImportField {
    /// Says what was chosen of something that is made up of more than this.
    func note(_ what: String) {
        self.ledger.add(.chosen, at: self.node.position, field: self.path, what)
    }
}
