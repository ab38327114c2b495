/// Annotations: most of them steer the tool that is left.
enum ImportAnnotations {
    /// What a cluster or a person's tool wrote, and how that tool runs things.
    private static let meaningless = [
        "kubectl.kubernetes.io/", "deployment.kubernetes.io/", "meta.helm.sh/", "helm.sh/",
        "kustomize.toolkit.fluxcd.io/",
        "argocd.argoproj.io/", "rollout.argoproj.io/revision", "rollout.argoproj.io/workload-generation",
        "sidecar.istio.io/", "sidecar.opentelemetry.io/", "linkerd.io/", "config.kubernetes.io/",
        "serving.kserve.io/deploymentMode", "serving.kserve.io/autoscalerClass",
    ]

    private static let advice: [(prefix: String, instead: String)] = [
        ("notifications.argoproj.io/", "who is told is said in the daemon's configuration, not in a manifest"),
        ("prometheus.io/", "the controller counts at its router; what a server says itself is `metrics` of a runtime"),
        ("serving.kserve.io/enable-prometheus-scraping", "what a server says itself is `metrics` of a ServingRuntime"),
        ("autoscaling.knative.dev/", "see `autoscaling`: minReplicas, maxReplicas and targetConcurrency"),
    ]

    static func read(_ annotations: ImportField) {
        for (key, field) in annotations.members {
            if field.isTold { continue }
            if self.meaningless.contains(where: key.hasPrefix) {
                field.meaningless()
            } else if let known = self.advice.first(where: { key.hasPrefix($0.prefix) }) {
                field.lost(known.instead)
            } else {
                field.lost("manifests have labels, but no annotations")
            }
        }
    }
}
