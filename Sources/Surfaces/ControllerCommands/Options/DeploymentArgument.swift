package import ArgumentParser
import ControllerAPI
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

    /// The names that the daemon knows, for whoever presses the tab key.
    package static var defaultCompletionKind: CompletionKind {
        .custom { words, _, _ in await Self.names(for: words) }
    }

    /// - Parameter words: Of the command line, which may name a socket.
    /// - Returns: Nothing when no daemon answers at once: a shell shows no errors.
    private static func names(for words: [String]) async -> [String] {
        var options = ConnectionOptions()
        options.socket = zip(words, words.dropFirst()).first { $0.0 == "--socket" }?.1
        let client = ControllerClient(socket: options.client(.live()).socket, timeout: .seconds(2))
        let fleet = try? await client.fleet()
        return fleet?.deployments.map { "\($0.namespace)/\($0.name)" } ?? []
    }

    init(_ id: DeploymentID) { self.id = id }

    package static let help: ArgumentHelp = "The deployment: namespace/name, or name in the namespace default."
}
