import Deployments
import Manifests

/// How the number of replicas follows the load.
enum AutoscalerImport {
    /// Ours for who has none: what a model server with two to four workers takes.
    static let guess = 4

    private static let toDecide = "to decide: how many requests in flight one replica is meant for"

    /// A HorizontalPodAutoscaler's bounds. What it measures is another thing than ours.
    static func read(_ object: ImportObject, into deployment: inout ImportedDeployment) {
        guard let spec = object.spec else { return }
        spec["scaleTargetRef"]?.disregard("apiVersion", "kind", "name")
        let least = spec["minReplicas"]?.integer ?? 1
        guard let most = spec["maxReplicas"]?.integer else { return }
        Self.set(minReplicas: least, maxReplicas: most, at: spec["minReplicas"] ?? spec, of: &deployment)
        for name in ["metrics", "targetCPUUtilizationPercentage"] {
            spec[name]?.decide(
                "replicas follow the requests in flight: set `targetConcurrency` to what one is meant for"
            )
        }
        if let behavior = spec["behavior"] {
            let window = behavior["scaleDown"]?["stabilizationWindowSeconds"]
            if let after = window?.duration, (Duration.seconds(10) ... .seconds(86_400)).contains(after) {
                deployment.autoscaling?.scaleDownAfter = after
            }
            for (key, part) in behavior.members {
                part.lose([
                    "policies": "more replicas start at once, fewer are left after `scaleDownAfter`",
                    "selectPolicy": "more replicas start at once, fewer are left after `scaleDownAfter`",
                    "tolerance": "replicas follow `targetConcurrency` exactly",
                ])
                if key == "scaleUp" {
                    part["stabilizationWindowSeconds"]?.lost("more replicas than there are start at once")
                }
            }
        }
    }

    /// - Parameters:
    ///   - minReplicas: As it says, also 0.
    ///   - maxReplicas: The same.
    ///   - target: Requests in flight per replica, if it says so.
    ///   - field: Where the bounds are.
    ///   - deployment: Takes them.
    static func set(
        minReplicas: Int,
        maxReplicas: Int,
        target: Int? = nil,
        at field: ImportField,
        of deployment: inout ImportedDeployment
    ) {
        var least = minReplicas
        if least < 1 {
            field.lost("a deployment has at least one replica; it does not scale to none")
            least = 1
        }
        let bounds = 1...1000
        guard maxReplicas > least || target != nil else {
            deployment.replicas = min(least, bounds.upperBound)
            return
        }
        let isTarget = target.map { (1...1_000_000).contains($0) } ?? false
        deployment.autoscaling = .init(
            minReplicas: min(least, bounds.upperBound),
            maxReplicas: min(max(maxReplicas, least), bounds.upperBound),
            targetConcurrency: isTarget ? .init(target ?? Self.guess) : .init(Self.guess, Self.toDecide)
        )
        if least > bounds.upperBound || maxReplicas > bounds.upperBound {
            field.lost("there are at most \(bounds.upperBound) replicas")
        }
    }

    /// A fixed number.
    static func read(replicas field: ImportField?, into deployment: inout ImportedDeployment) {
        guard let field, let count = field.integer else { return }
        if !(1...1000).contains(count) { field.lost("a deployment has 1 to 1000 replicas: remove it to stop it") }
        deployment.replicas = min(max(count, 1), 1000)
    }
}
