import ControllerAPI
import Deployments
import Hummingbird

/// What somebody watches.
enum WatchScope: Hashable, Sendable {
    case fleet
    case namespace(String)
    case namespaces(Set<String>)
    case deployment(DeploymentID)

    /// - Throws: A `Problem` that names the parameter.
    init(_ request: Request, _ visible: Visibility) throws(Problem) {
        let parameters = request.uri.queryParameters
        switch (parameters.get("namespace"), parameters.get("deployment")) {
        case (nil, nil):
            switch visible {
            case .everything: self = .fleet
            case .namespaces(let names): self = .namespaces(names)
            }
        case (let namespace?, nil): self = .namespace(namespace)
        case (nil, let name?):
            self = .deployment(try Self.id(name))
        case (let namespace?, let name?):
            let id = try Self.id(name)
            guard id.namespace == namespace else {
                throw Problem(
                    status: 404,
                    title: "Nothing to watch",
                    detail: "\(id) is not in the namespace \(namespace): `deployment` alone says which one is meant"
                )
            }
            self = .deployment(id)
        }
    }

    private static func id(_ name: String) throws(Problem) -> DeploymentID {
        guard let id = DeploymentID(parameter: name) else {
            throw .badParameter("deployment", "a namespace and a name, such as search/file-type")
        }
        return id
    }

    func contains(_ id: DeploymentID) -> Bool {
        switch self {
        case .fleet: true
        case .namespace(let namespace): id.namespace == namespace
        case .namespaces(let namespaces): namespaces.contains(id.namespace)
        case .deployment(let only): id == only
        }
    }

    /// The part of a sorted list in which all that it contains is.
    func places(in names: [DeploymentID]) -> Range<Int> {
        switch self {
        case .fleet, .namespaces:
            return names.indices
        case .namespace(let namespace):
            let first = names.firstIndex(notBefore: DeploymentID(namespace: namespace, name: ""))
            // Nothing comes between a namespace's names and the shortest namespace behind it.
            let last = names.firstIndex(notBefore: DeploymentID(namespace: namespace + "\u{0}", name: ""))
            return first..<last
        case .deployment(let id):
            let place = names.firstIndex(notBefore: id)
            return place..<(place < names.count && names[place] == id ? place + 1 : place)
        }
    }

    /// The only one whose events are needed, where it is one.
    var namespace: String? {
        switch self {
        case .fleet, .namespaces: nil
        case .namespace(let namespace): namespace
        case .deployment(let id): id.namespace
        }
    }
}
