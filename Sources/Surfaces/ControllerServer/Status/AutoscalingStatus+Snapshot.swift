import ControllerAPI
import Deployments
import Foundation
import Reconciliation
import Rollouts

extension AutoscalingStatus {
    /// - Returns: Nothing when the number of replicas is fixed.
    init?(_ snapshot: DeploymentSnapshot) {
        let rollout = snapshot.rollout
        guard let spec = rollout.stable ?? rollout.canary, let autoscaling = spec.autoscaling else { return nil }
        self.init(
            minReplicas: autoscaling.minReplicas,
            maxReplicas: autoscaling.maxReplicas,
            targetConcurrency: autoscaling.targetConcurrency,
            replicas: spec.replicas,
            requestsInFlight: snapshot.requestsInFlight,
            neededReplicas: snapshot.requestsInFlight.map { autoscaling.need(for: $0) },
            isHeldStill: !rollout.isScalable,
            fewerAt: rollout.surplus?.first.map { Date($0.since + autoscaling.scaleDownAfter) },
            fewerReplicas: rollout.surplus?.first?.replicas
        )
    }
}
