package import ControllerAPI
package import Deployments
import Foundation
package import Reconciliation
package import Rollouts

extension FleetStatus {
    /// What the API shows of an engine's snapshot.
    package init(_ snapshot: FleetSnapshot) {
        self.init(frameOf: snapshot)
        self.deployments = snapshot.deployments.keys.sorted().compactMap { id in
            snapshot.deployments[id].map { DeploymentStatus($0, in: snapshot) }
        }
    }

    /// All but the deployments.
    init(frameOf snapshot: FleetSnapshot) {
        self.init(
            time: Date(snapshot.time),
            deployments: [],
            sources: snapshot.sources.map { source in
                SourceStatus(
                    repository: source.repository,
                    branch: source.branch,
                    commit: source.commit,
                    lastPolled: source.lastPolled.map(Date.init),
                    problem: source.problem,
                    diagnostics: source.diagnostics,
                    undelivered: source.undelivered.isEmpty
                        ? nil : source.undelivered.map { "\($0.problem); since \($0.since.rfc3339)" },
                    lastRevert: source.lastRevert
                )
            },
            unknown: snapshot.strangers.isEmpty ? nil : snapshot.strangers.map(\.description)
        )
        self.receivers = snapshot.receivers.isEmpty ? nil : snapshot.receivers.map { ReceiverStatus($0) }
        self.freezes = snapshot.freezes.isEmpty ? nil : snapshot.freezes.map { FreezeStatus($0) }
    }
}

extension Date {
    init(_ time: Timestamp) {
        self.init(timeIntervalSince1970: Double(time.milliseconds) / 1000)
    }
}

extension CommitStatus {
    init(_ origin: CommitReference) {
        self.init(
            repository: origin.repository,
            branch: origin.branch,
            commit: origin.commit,
            subject: origin.subject,
            author: origin.author
        )
    }
}

extension EventStatus {
    package init(_ transition: Transition, of deployment: DeploymentID) {
        self.init(
            time: Date(transition.time),
            deployment: deployment.description,
            kind: transition.kind.rawValue,
            message: transition.message,
            by: transition.by,
            commit: transition.origin.map(CommitStatus.init)
        )
    }
}

extension ReplicaStatus {
    init(_ replica: Replica) {
        let state =
            switch replica.state {
            case .starting: "starting"
            case .ready: "ready"
            case .draining: "draining"
            case .stopping: "stopping"
            case .backingOff: "backing-off"
            case .failed: "failed"
            }
        self.init(
            name: replica.id.description,
            state: state,
            endpoint: replica.endpoint?.description,
            restarts: replica.restarts,
            lastFailure: replica.lastFailure
        )
    }
}

extension ArtifactState {
    /// What the alias of a registered model meant when it was fetched first, and means here from then on.
    var resolved: String? {
        guard case .ready(_, _, let pinned?) = self else { return nil }
        return "version \(pinned.version), pinned since \(pinned.since.utc)"
    }

    var words: String {
        switch self {
        case .absent: "not fetched"
        case .fetching(let received, let total): "fetching, \(received)\(total.map { " of \($0)" } ?? "") bytes"
        case .ready(_, let digest, _): digest
        case .failed(let message), .retrying(let message): message
        }
    }
}
