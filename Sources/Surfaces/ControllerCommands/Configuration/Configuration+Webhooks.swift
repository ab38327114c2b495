import Deployments
import Manifests

extension Configuration {
    /// Where git servers may tell of pushes.
    package struct Webhooks: Hashable, Sendable {
        package var listen: SocketAddress

        init?(decoding field: Field) {
            guard let listen = field.members(of: .webhooks)?["listen"]?.socketAddress() else { return nil }
            self.listen = listen
        }
    }

    /// How a repository's server shows that a delivery is its own.
    package struct Webhook: Hashable, Sendable {
        package enum Kind: String, Hashable, Sendable, CaseIterable {
            case github, gitlab, gitea, bitbucket, generic
        }

        package var kind: Kind
        package var secretFile: String

        init?(decoding field: Field) {
            guard let members = field.members(of: .webhook) else { return nil }
            let kind = members["kind"]?.choice(of: Kind.self)
            let file = members["secretFile"]?.absolutePath()
            guard let kind, let file else { return nil }
            self.kind = kind
            self.secretFile = file
        }
    }
}

extension ConfigurationDecoder {
    /// Webhooks need an address, which needs webhooks, and which nothing else may listen on.
    func checkWebhooks(_ configuration: Configuration, _ field: Field?, _ repositories: [Field], log: DiagnosticLog) {
        let first = repositories.first { $0.node["webhook"] != nil }
        guard let field else {
            guard let first, let position = first.node["webhook"]?.position else { return }
            let message =
                "deliveries need an address to come to: write for example `webhooks: {listen: \"127.0.0.1:8090\"}`"
            return log.add(.error, at: position, field: "\(first.path).webhook", message)
        }
        guard let listen = configuration.webhooks?.listen else { return }
        if first == nil { field.warning("no repository has a `webhook`: nothing will be delivered here") }
        if configuration.local.ports.contains(listen.port) || listen == configuration.local.listen {
            field.error("the router or its replicas use port \(listen.port): choose another one for webhooks")
        }
    }
}
