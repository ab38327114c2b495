/// A Deployment of `apps/v1` that a Rollout or a Canary refers to.
extension ImportConversion {
    func read(workload object: ImportObject, port: String?, into deployment: inout ImportedDeployment) {
        guard let spec = object.spec else { return }
        spec.disregard("selector", "revisionHistoryLimit")
        spec.lose([
            "strategy": "how pods replace each other is the rollout's affair: see `rollout`",
            "minReadySeconds": "see `successThreshold` in the runtime's `readiness`",
            "paused": "pause it with `controller pause`",
        ])
        if let seconds = spec["progressDeadlineSeconds"]?.duration, deployment.rollout.progressDeadline == nil {
            deployment.rollout.progressDeadline = min(max(seconds, .seconds(1)), .seconds(86_400))
        }
        PodImport.read(template: spec["template"], port: port, into: &deployment, conversion: self)
        if deployment.labels.isEmpty, let labels = object.root["metadata"]?["labels"] { labels.meaningless() }
    }
}
