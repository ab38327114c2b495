/// How many replicas a deployment is to have, by its requests in flight. No part of the revision.
package struct Autoscaling: Hashable, Codable, Sendable {
    package var minReplicas: Int
    package var maxReplicas: Int
    /// How many requests in flight one replica is meant for.
    package var targetConcurrency: Double
    /// For how long fewer replicas must have been enough before some go.
    package var scaleDownAfter: Duration

    /// Models take long to load: what goes too early is missed for longer than it was in the way.
    package static let defaultScaleDownAfter: Duration = .minutes(5)

    package init(
        minReplicas: Int,
        maxReplicas: Int,
        targetConcurrency: Double,
        scaleDownAfter: Duration = Autoscaling.defaultScaleDownAfter
    ) {
        self.minReplicas = minReplicas
        self.maxReplicas = maxReplicas
        self.targetConcurrency = targetConcurrency
        self.scaleDownAfter = scaleDownAfter
    }

    /// The nearest number of replicas that is allowed.
    package func clamp(_ replicas: Int) -> Int {
        max(self.minReplicas, min(self.maxReplicas, replicas))
    }

    /// How many replicas so many requests in flight need, whether or not that is allowed; at least one.
    package func need(for requests: Double) -> Int {
        // Less than a millionth of a replica is an error of rounding.
        let need = (requests / self.targetConcurrency - 1e-6).rounded(.up)
        // Not a number does not convert.
        return need > 1 ? Int(min(need, Self.countableNeed)) : 1
    }

    private static let countableNeed = 1e9

    /// `4`, `2.5`.
    package static func text(_ number: Double) -> String {
        number.magnitude < Self.countableNeed && number == number.rounded() ? "\(Int(number))" : "\(number)"
    }
}
