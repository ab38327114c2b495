package import Analysis
package import ControllerAPI
package import Deployments

extension TrafficStatus {
    /// What the stable revision counted, for each of the built-in gates of a rollout by `spec`.
    package init(_ history: StableHistory, of id: DeploymentID, by spec: DeploymentSpec) {
        let gates = spec.rollout.gates + spec.rollout.steps.flatMap { $0.gates ?? [] }
        let gate = gates.first { if case .latency = $0.kind { true } else { false } } ?? .latency()
        let bound = latencyBound(for: gate, objectives: spec.objectives, history: history.latency)
        self.init(
            deployment: id.description,
            revision: history.revision.description,
            pieceSeconds: StableHistory.pieceLength / .seconds(1),
            errors: history.pieces.map(Piece.init),
            clientErrors: history.clientErrorPieces.map(Piece.init),
            latency: bound.flatMap { bound in
                history.slowPieces(above: bound).map {
                    Latency(boundMilliseconds: bound, pieces: $0.map(Piece.init))
                }
            }
        )
    }
}

extension TrafficStatus.Piece {
    fileprivate init(_ counts: EventCounts) {
        self.init(requests: counts.total, bad: counts.bad)
    }
}
