import ControllerAPI
import Deployments

/// What of the fleet somebody may see: for them there is no more.
enum Visibility: Hashable, Sendable {
    case everything
    case namespaces(Set<String>)

    func contains(_ namespace: String) -> Bool {
        switch self {
        case .everything: true
        case .namespaces(let names): names.contains(namespace)
        }
    }

    func contains(_ id: DeploymentID) -> Bool { self.contains(id.namespace) }

    /// Of equal ones the same, and of others another.
    var key: String {
        switch self {
        case .everything: ""
        case .namespaces(let names): names.sorted().debugDescription
        }
    }
}

extension PeerContext {
    var visibility: Visibility {
        guard let remote = self.remote, let names = remote.namespaces(for: .view) else { return .everything }
        return .namespaces(Set(names))
    }
}
