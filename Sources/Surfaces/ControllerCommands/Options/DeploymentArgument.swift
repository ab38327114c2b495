package import ArgumentParser
package import Deployments

/// A deployment's name on the command line: `namespace/name`, or `name` in the namespace `default`.
package struct DeploymentArgument: ExpressibleByArgument, Hashable, Sendable {
    package let id: DeploymentID

    package init?(argument: String) {
        // RFC 1123 labels, as manifests allow them; nothing else can be a name, whatever a daemon says.
        let label = /[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?/
        guard let id = DeploymentID(argument), id.namespace.wholeMatch(of: label) != nil,
            id.name.wholeMatch(of: label) != nil
        else { return nil }
        self.id = id
    }

    init(_ id: DeploymentID) { self.id = id }

    package static let help: ArgumentHelp = "The deployment: namespace/name, or name in the namespace default."
}
