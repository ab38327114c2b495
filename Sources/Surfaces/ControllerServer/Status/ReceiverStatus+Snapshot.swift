import ControllerAPI
import Deployments
import Foundation
import Reconciliation

extension ReceiverStatus {
    init(_ state: ReceiverState) {
        self.init(
            name: state.name,
            waiting: state.waiting,
            delivered: state.delivered,
            refused: state.refused,
            leftOut: state.leftOut,
            problem: state.problem,
            problemSince: state.problemSince.map(Date.init),
            lastDelivered: state.lastDelivered.map(Date.init)
        )
    }

    /// Of those that are not told, a line each, as the sources of a deployment's status are.
    static func troubles(in fleet: FleetSnapshot) -> [String] {
        fleet.receivers.compactMap { state in
            state.problem == nil ? nil : Self(state).trouble.map { "receiver \(state.name): \($0)" }
        }
    }
}
