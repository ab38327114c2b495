import ControllerAPI
package import Deployments
package import Manifests

/// What an operator says about the daemon: where things are, and who may.
///
/// Secrets are named by file, never held.
package struct Configuration: Hashable, Sendable {
    /// Absolute. Everything that the daemon remembers is in it.
    package var stateDirectory: String
    /// Absolute. The Unix socket that the API is served on.
    package var socket: String
    package var logLevel: LogLevel
    /// Between two observations, each followed by a decision.
    package var poll: Duration
    /// Folders with ServingRuntimes and AnalysisTemplates that come with the product.
    package var runtimes: [String]
    /// At least one.
    package var repositories: [Repository]
    package var providers: [Provider]
    /// Nothing where no git server tells of pushes.
    package var webhooks: Webhooks?
    /// Nothing where nobody reads the controller's metrics.
    package var metrics: Metrics?
    /// Nothing where the API is served on the socket only.
    package var api: API?
    package var artifacts: Artifacts
    /// Nothing when manifests name no registered models.
    package var modelRegistry: ModelRegistry?
    /// What follows aliases of the model registry; of those that concern a deployment, the first counts.
    package var modelUpdates: [ModelUpdate]
    package var local: Local
    package var journal: Journal
    package var audit: Audit
    /// Folders whose programs job gates may run; with none, no manifest runs a program.
    package var jobPrograms: [String]
    package var notifications = Notifications.none
    /// What is allowed and probably not meant.
    package var warnings: [Diagnostic]

    /// Where commands look, too.
    package static let defaultSocket = ControllerClient.defaultSocket

    package enum LogLevel: String, Hashable, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    /// A watched repository.
    package struct Repository: Hashable, Sendable {
        package var name: String
        package var url: String
        package var reference: WatchedReference
        /// The watched folders, from the root of the repository; none for the whole tree.
        package var paths: [String]
        /// Between two looks at the remote.
        package var interval: Duration
        /// For all that one look does on the network.
        package var timeout: Duration
        package var historyRewrite: HistoryRewrite
        package var signatures: Signatures?
        package var deletion: Deletion
        package var credentials: Credentials
        /// A PEM file with the authorities of an `https` server; nothing for the system's.
        package var caFile: String?
        /// What an `https` server that asks for it is shown.
        package var clientCertificate: ClientCertificate?
        /// On the way to an http or https server; nothing for what the environment says.
        package var proxy: String?
        /// Whether outcomes are written on commits, on `refs/notes/rollouts`.
        package var writesNotes: Bool
        /// The most that a revert may do; nothing when none may be written.
        package var reverts: RevertMode?
        /// The most that a promotion of a model may do; nothing when none may be written.
        package var promotions: ModelPromotion.Mode?
        /// Nothing when its server does not tell of pushes.
        package var webhook: Webhook?
        /// Nothing when its server is told nothing but git's own.
        package var forge: Forge?
    }

    package enum HistoryRewrite: String, Hashable, Sendable, CaseIterable { case reject, accept }

    /// When a manifest that vanished is a deletion.
    package struct Deletion: Hashable, Sendable {
        /// How long it must stay gone.
        package var grace: Duration = .minutes(5)
        /// Percent of a repository's deployments that one commit may remove without an operator's word.
        package var maxShare = 30

        package init() {}
    }

    package enum Credentials: Hashable, Sendable {
        case none
        case token(file: String, username: String)
        /// In a variable of the daemon's environment.
        case tokenVariable(name: String, username: String)
        case gitHubApp(GitHubApp)
        case sshKey(file: String, knownHostsFile: String)
    }

    /// By what a GitHub App gets tokens.
    package struct GitHubApp: Hashable, Sendable {
        package var appID: String
        package var installationID: String
        package var privateKeyFile: String
        /// Without a slash at its end.
        package var api: String
    }

    /// PEM files.
    package struct ClientCertificate: Hashable, Sendable {
        package var certificateFile: String
        package var keyFile: String
    }

    /// A service that gates ask.
    package struct Provider: Hashable, Sendable {
        package enum Kind: String, Hashable, Sendable, CaseIterable {
            case prometheus
            /// Decides on steps.
            case webhook
        }

        package var name: String
        package var kind: Kind
        /// `http` or `https`, without user and password.
        package var url: String
        package var timeout: Duration
        /// A file whose first line is a bearer token.
        package var tokenFile: String?
    }

    /// Where model files are kept.
    package struct Artifacts: Hashable, Sendable {
        package var directory: String
        /// `file:` URIs must lie under one of these; with none, they are refused: a manifest must not read whatever the
        /// daemon may.
        package var fileRoots: [String]
        /// Bytes of all artifacts kept.
        package var maxSize: Int64
        /// For one artifact to arrive.
        package var timeout: Duration
    }
}

/// A host and a port: `127.0.0.1:8080`, `[::1]:8080`.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// - Returns: Nothing when `text` lacks either part.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65_535).contains(port), text[text.index(after: colon)...].allSatisfy(\.isASCII)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else { return nil }
        } else if !NameForm.isHost(host) {
            return nil
        }
        self.init(host: host, port: port)
    }

    package var description: String {
        self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }
}
