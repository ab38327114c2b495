package import Reconciliation
package import Transport

/// Where a receiver is, and what opens it. Secrets are named by file and read for each delivery.
package struct ReceiverConfiguration: Hashable, Sendable {
    package enum Address: Hashable, Sendable {
        /// `http` or `https`.
        case url(String)
        /// A file whose first line is the URL, which is a secret by itself.
        case file(String)
    }

    package enum Kind: Hashable, Sendable {
        /// Takes what Slack's incoming webhooks take, as Mattermost and others do.
        case slack(Address)
        /// Takes CloudEvents.
        case webhook(Address, Signing)
        /// Alertmanager's API, version 2, without `/api/v2`.
        case alertmanager(Address, tokenFile: String?)
        case email(MailServer)
    }

    package struct Signing: Hashable, Sendable {
        /// A file whose first line is `whsec_` and a key in base64.
        package var secretFile: String?
        /// A file whose first line is a bearer token.
        package var tokenFile: String?

        package init(secretFile: String? = nil, tokenFile: String? = nil) {
            self.secretFile = secretFile
            self.tokenFile = tokenFile
        }
    }

    package struct MailServer: Hashable, Sendable {
        package var host: String
        package var port: Int
        package var encryption: MailRequest.Encryption
        package var username: String?
        package var passwordFile: String?
        /// Bare addresses.
        package var from: String
        package var to: [String]

        package init(
            host: String,
            port: Int,
            encryption: MailRequest.Encryption,
            username: String? = nil,
            passwordFile: String? = nil,
            from: String,
            to: [String]
        ) {
            self.host = host
            self.port = port
            self.encryption = encryption
            self.username = username
            self.passwordFile = passwordFile
            self.from = from
            self.to = to
        }
    }

    package var name: String
    package var kind: Kind
    package var caFile: String?
    /// For one delivery.
    package var timeout: Duration
    /// What this controller is called among others: the `source` of events.
    package var source: String

    package init(
        name: String,
        kind: Kind,
        caFile: String? = nil,
        timeout: Duration = .seconds(15),
        source: String = "/controller"
    ) {
        self.name = name
        self.kind = kind
        self.caFile = caFile
        self.timeout = timeout
        self.source = source
    }
}

extension Receivers {
    /// Makes what each configuration describes; asks nobody yet.
    package init(
        _ configurations: [ReceiverConfiguration],
        routes: NoticeRoutes,
        client: HTTPClient,
        now: @escaping NotificationClock
    ) {
        self.init(routes: routes)
        for configuration in configurations {
            switch configuration.kind {
            case .slack(let address):
                let connection = ReceiverConnection(configuration, address: address, client: client)
                self.notifiers.append(SlackNotifier(connection: connection))
            case .webhook(let address, let signing):
                let connection = ReceiverConnection(configuration, address: address, client: client)
                self.notifiers.append(WebhookNotifier(connection: connection, signing: signing, now: now))
            case .alertmanager(let address, let tokenFile):
                let connection = ReceiverConnection(
                    configuration,
                    address: address,
                    path: "/api/v2/alerts",
                    client: client
                )
                self.alerts.append(AlertmanagerReceiver(connection: connection, tokenFile: tokenFile))
            case .email(let server):
                self.notifiers.append(MailNotifier(configuration, server: server, client: client, now: now))
            }
        }
    }
}
