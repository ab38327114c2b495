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

    /// - Parameter words: Of the command line, which may name a controller.
    /// - Returns: Nothing when no daemon answers at once: a shell shows no errors.
    private static func names(for words: [String]) async -> [String] {
        var options = ConnectionOptions()
        func value(of name: String) -> String? { zip(words, words.dropFirst()).first { $0.0 == name }?.1 }
        options.socket = value(of: "--socket")
        options.server = value(of: "--server")
        options.tokenFile = value(of: "--token-file")
        options.caFile = value(of: "--ca-file")
        options.context = value(of: "--context")
        guard let target = try? options.target(Console.live().environment) else { return [] }
        let fleet = try? await ControllerClient(target, timeout: .seconds(2)).fleet()
        return fleet?.deployments.map { "\($0.namespace)/\($0.name)" } ?? []
    }

    init(_ id: DeploymentID) { self.id = id }

    package static let help: ArgumentHelp = "The deployment: namespace/name, or name in the namespace default."
}
