package import Analysis
package import ControllerAPI
package import Deployments

extension TrafficStatus {
    package init(_ history: StableHistory, of id: DeploymentID) {
        self.init(
            deployment: id.description,
            revision: history.revision.description,
            pieceSeconds: StableHistory.pieceLength / .seconds(1),
            errors: history.pieces.map { Piece(requests: $0.total, bad: $0.bad) }
        )
    }
}
