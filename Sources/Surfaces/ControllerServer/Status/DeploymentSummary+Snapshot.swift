import ControllerAPI
import Deployments
import Foundation
import Reconciliation
import Rollouts

extension DeploymentSummary {
    init(_ snapshot: DeploymentSnapshot, in fleet: FleetSnapshot) {
        let rollout = snapshot.rollout
        self.init(
            namespace: rollout.id.namespace,
            name: rollout.id.name,
            phase: rollout.phaseName,
            health: DeploymentStatus.health(of: snapshot, in: fleet),
            message: DeploymentStatus.message(of: snapshot),
            since: Date(rollout.since)
        )
        self.holds = rollout.holds.map { HoldStatus($0, of: rollout).kind }
        if DeploymentStatus.isHeldByJournal(rollout, in: fleet) { self.holds.insert(HoldStatus.journal, at: 0) }
        let labels = rollout.labels
        self.labels = labels.isEmpty ? nil : labels
        self.stable = rollout.stable.map { Revision($0, in: snapshot) }
        self.canary = rollout.canary.map { Revision($0, in: snapshot) }
    }
}

extension DeploymentSummary.Revision {
    fileprivate init(_ spec: DeploymentSpec, in snapshot: DeploymentSnapshot) {
        self.init(
            revision: spec.revision.digest,
            modelName: spec.model.name,
            modelVersion: spec.model.version,
            weight: snapshot.observation.router.last.map { $0.traffic[spec.revision].percent }
        )
    }
}

extension Rollout {
    /// Those that are wanted or, before git was read, those that are served.
    var labels: [String: String] { self.desired?.labels ?? self.stable?.labels ?? [:] }
}
