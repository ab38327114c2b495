package import Foundation

/// How many replicas an autoscaled deployment has, and why.
package struct AutoscalingStatus: Codable, Hashable, Sendable {
    package var minReplicas: Int
    package var maxReplicas: Int
    /// Requests in flight that one replica is meant for.
    package var targetConcurrency: Double
    /// How many each revision is to have now.
    package var replicas: Int
    /// Of the whole deployment, smoothed; nothing when not seen for long enough or lately.
    package var requestsInFlight: Double?
    /// How many replicas these requests need, whatever the bounds.
    package var neededReplicas: Int?
    /// A rollout is in flight or being taken back: until it ends, the number stays.
    package var isHeldStill: Bool
    /// When some replicas go, unless more are needed until then, and how many stay.
    package var fewerAt: Date?
    package var fewerReplicas: Int?

    package init(
        minReplicas: Int,
        maxReplicas: Int,
        targetConcurrency: Double,
        replicas: Int,
        requestsInFlight: Double? = nil,
        neededReplicas: Int? = nil,
        isHeldStill: Bool = false,
        fewerAt: Date? = nil,
        fewerReplicas: Int? = nil
    ) {
        self.minReplicas = minReplicas
        self.maxReplicas = maxReplicas
        self.targetConcurrency = targetConcurrency
        self.replicas = replicas
        self.requestsInFlight = requestsInFlight
        self.neededReplicas = neededReplicas
        self.isHeldStill = isHeldStill
        self.fewerAt = fewerAt
        self.fewerReplicas = fewerReplicas
    }
}
