import Deployments
import Manifests

/// KServe's InferenceService: the model of its predictor becomes a ModelDeployment.
extension ImportConversion {
    func convert(inferenceService object: ImportObject) {
        guard let predictor = object.spec?["predictor"] else {
            object.root.lost("it has no `spec.predictor`, so there is no model to serve")
            return
        }
        var deployment = self.deployment(of: object)
        let advice = "declare it as a ModelDeployment of its own, with `dependsOn`, and call the model by its host"
        object.spec?.lose(["transformer": advice, "explainer": advice])
        self.read(scale: predictor, annotations: object.annotations, into: &deployment)
        self.read(component: predictor, into: &deployment)
        let named = predictor.members.first { KServeFormat.frameworks.contains($0.key) }
        if predictor["model"] != nil || named != nil {
            PodImport.read(pod: predictor)
            predictor.lose([
                "containers":
                    "a replica is one process: run what the sidecar does beside the controller, or not at all",
                "terminationGracePeriodSeconds": "see `shutdown.grace` of the runtime",
            ])
        }
        if let model = predictor["model"] {
            let format = model["modelFormat"]
            self.read(model: model, format: format?["name"]?.text ?? "", object, into: &deployment)
            format?["version"]?.lost("a runtime serves a format whatever its version: see that this one does")
        } else if let named {
            self.read(model: named.field, format: named.key, object, into: &deployment)
        } else {
            PodImport(predictor, container: "kserve-container", conversion: self).read(into: &deployment)
        }
        self.emit(deployment, from: object)
    }

    private func read(component: ImportField, into deployment: inout ImportedDeployment) {
        component.lose([
            "logger": "requests are not logged; feedback on answers is given by `controller feedback`",
            "batcher": "batches are the model server's affair",
            "workerSpec": "a replica is one process on one machine",
            "annotations": "manifests have labels, but no annotations",
            "storageUris": "a deployment has one artifact: put the files into one folder, and name that in `model.uri`",
            "storageContainerName": "artifacts are fetched by the daemon",
            "deploymentStrategy": "how replicas replace each other is the rollout's affair: see `rollout`",
        ])
        component.disregard("labels", "name")
        if let timeout = component["timeout"] {
            if let duration = timeout.duration, (.milliseconds(1) ... .seconds(3600)).contains(duration) {
                deployment.timeout = duration
            } else {
                timeout.lost("`route.timeout` is from 1ms to 1h")
            }
        }
        guard let canary = component["canaryTrafficPercent"], let percent = canary.integer else {
            component.note(
                "the next model gets 5, 25 and 50 percent, judged by gates, where it had all traffic at once"
            )
            return
        }
        if (1...99).contains(percent) {
            canary.chosen("the next model gets \(percent) percent, until somebody promotes it")
            deployment.rollout.steps = [ImportedStep(.weight(percent)), ImportedStep(.approval)]
        } else if percent <= 0 {
            canary.chosen("the next model waits for `controller promote`")
            deployment.rollout.steps = [ImportedStep(.approval)]
        } else {
            canary.chosen("all traffic at once is left to the default: 5, 25 and 50 percent, judged by gates")
        }
    }

    private func read(scale: ImportField, annotations: ImportField?, into deployment: inout ImportedDeployment) {
        let least = scale["minReplicas"]
        let most = scale["maxReplicas"]
        var target = scale["scaleTarget"]?.node.scalarText.flatMap { Int($0) }
        if let metric = scale["scaleMetric"], metric.node.scalarText != "concurrency" {
            metric.decide("replicas follow the requests in flight: set `targetConcurrency` to what one is meant for")
            target = nil
            scale["scaleTarget"]?.carried()
        } else if target != nil {
            scale["scaleMetric"]?.carried()
            scale["scaleTarget"]?.carried()
        }
        for key in ["scaleMetric", "scaleMetricType"] { scale[key]?.carriedUnlessTold() }
        if let field = annotations?["autoscaling.knative.dev/target"], target == nil {
            target = field.integer
        }
        if let limit = scale["containerConcurrency"] {
            limit.lost(
                "a replica has no hard limit of requests in flight: `targetConcurrency` says what it is meant for"
            )
            if target == nil { target = limit.node.scalarText.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } }
        }
        scale["autoScaling"]?.decide(
            "replicas follow the requests in flight: set `targetConcurrency` to what one is meant for"
        )
        let minReplicas = least?.integer ?? 1
        if let most, let maxReplicas = most.integer, maxReplicas > 0 {
            let field = least ?? most
            AutoscalerImport.set(
                minReplicas: minReplicas,
                maxReplicas: maxReplicas,
                target: maxReplicas > minReplicas ? target : nil,
                at: field,
                of: &deployment
            )
        } else {
            most?.carried()
            if minReplicas < 1 { least?.lost("a deployment has at least one replica; it does not scale to none") }
            deployment.replicas = min(max(1, minReplicas), 1000)
            if least != nil { least?.chosen("without `maxReplicas` the number is fixed: see `autoscaling`") }
            if target != nil { (scale["scaleTarget"] ?? least)?.lost("without `maxReplicas` the number is fixed") }
        }
    }

    private func read(
        model: ImportField,
        format name: String,
        _ object: ImportObject,
        into deployment: inout ImportedDeployment
    ) {
        if let text = model["storageUri"]?.node.scalarText, let field = model["storageUri"] {
            deployment.model.value.uri = self.uri(text, for: deployment.name, at: field)
            deployment.model.value.version = Self.version(of: text) ?? "1"
        } else {
            (model["storage"] ?? model).decide("name the model's files in `model.uri`")
            deployment.model.value.uri.comment = "to decide: where the daemon finds the model's files"
        }
        model["storage"]?.carriedOrLost("credentials for artifacts are the daemon's, in its configuration")
        deployment.resources = ResourceImport.read(model["resources"])
        let runtime = model["runtime"]?.text
        let version = model["protocolVersion"]?.text
        let own = self.catalog.object(
            [.kserveRuntime, .kserveClusterRuntime],
            named: runtime ?? "",
            in: self.namespace(of: object)
        )
        if let own {
            deployment.model.value.format = Self.label(name)
            deployment.runtime = self.runtime(from: own, format: Self.label(name), for: deployment)
        } else if let known = KServeFormat.of(name, runtime: runtime, protocolVersion: version) {
            (model["runtime"] ?? model["modelFormat"] ?? model).chosen(
                "served by the shipped runtime \(known.runtime.inBackticks)"
            )
            deployment.model.value.format = known.format
            deployment.runtime = .init(known.runtime)
            deployment.parameters = known.parameters.sorted { $0.key < $1.key }
        } else {
            let wanted = Self.label(runtime ?? (name.isEmpty ? deployment.name : name))
            (model["runtime"] ?? model["modelFormat"] ?? model).decide(
                "no shipped runtime serves it: write a ServingRuntime \(wanted.inBackticks)"
            )
            deployment.model.value.format = Self.label(name)
            deployment.runtime = .init(wanted, "to decide: a ServingRuntime of this name")
        }
        let runtimeAdvice = "a shipped runtime has its own: copy it under another name, and change it there"
        model.lose([
            "args": runtimeAdvice, "command": runtimeAdvice, "env": runtimeAdvice, "envFrom": runtimeAdvice,
            "image": "replicas are processes: install what the image holds on the machine that serves",
            "runtimeVersion": "the version is that of the program which is installed",
            "readinessProbe": runtimeAdvice, "livenessProbe": runtimeAdvice, "startupProbe": runtimeAdvice,
            "volumeMounts": "a replica reads its artifact and the machine's own files: no volumes are mounted",
            "securityContext": "replicas run as the daemon's user: confine that one",
        ])
        model.disregard("name", "imagePullPolicy", "ports")
    }

    /// The last part of an address that looks like a version: `…/magika/v3.3/` is `v3.3`.
    private static func version(of uri: String) -> String? {
        uri.split(separator: "/").dropFirst(2).last { $0.wholeMatch(of: /v?[0-9][0-9.]*/) != nil }
            .map(String.init).flatMap { $0.hasSuffix(".") ? nil : $0 }
    }
}

extension ImportField {
    fileprivate func carriedUnlessTold() {
        if !self.isTold { self.carried() }
    }

    fileprivate func carriedOrLost(_ instead: String) {
        if !self.isTold { self.lost(instead) }
    }
}
