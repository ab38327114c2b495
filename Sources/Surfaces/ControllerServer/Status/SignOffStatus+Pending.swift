import Analysis
import ControllerAPI
import Deployments
import Foundation
import Rollouts

extension SignOffStatus {
    init(_ pending: PendingSignOff, of rollout: Rollout, at now: Timestamp) {
        let model = rollout.spec(waitingAt: pending.place)?.model
        self.init(
            place: pending.place.rawValue,
            since: Date(pending.since),
            model: model.map { "\($0.name) \($0.version)" } ?? "",
            needsApproval: pending.wanted.needsApproval,
            approvedBy: pending.approvedBy,
            gates: pending.run?.assessments(at: now).map { GateStatus($0) } ?? []
        )
    }
}
