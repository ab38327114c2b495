package import Logging
import ServiceLifecycle

/// Takes what git servers tell of pushes, on an address of its own: nothing of the operators' API is behind it.
///
/// A delivery that is signed as its repository's server signs wakes a poll of that repository, and that is all it can
/// do. docs/reference/git.md describes it.
package struct WebhookServer: Service {
    package struct Limits: Sendable {
        /// GitHub and GitLab send at most 25 MB. Bodies are hashed as they come in, and not kept.
        package var body = 32 << 20
        /// For a whole connection. GitHub itself waits for 10 s.
        package var exchange = Duration.seconds(10)
        package var connections = 256
        package var headerBytes = 32 << 10

        package init() {}
    }

    private let host: String
    private let port: Int
    private let limits: Limits
    private let responder: WebhookResponder
    private let logger: Logger
    private let whenListening: @Sendable (Int) async -> Void

    /// - Parameters:
    ///   - host: To listen on, a name or an address.
    ///   - port: 0 for one that is free.
    ///   - webhooks: At most one of a repository.
    ///   - ledger: Notes what comes.
    ///   - limits: Of what a stranger may take.
    ///   - logger: Gets what was delivered, and now and then what was refused.
    ///   - whenListening: Is told the port.
    ///   - wake: Has a repository polled soon; says whether that was not going to happen anyway.
    package init(
        host: String,
        port: Int,
        webhooks: [Webhook],
        ledger: WebhookLedger,
        limits: Limits = Limits(),
        logger: Logger,
        whenListening: @escaping @Sendable (Int) async -> Void = { _ in },
        wake: @escaping @Sendable (String) -> Bool
    ) {
        self.host = host
        self.port = port
        self.limits = limits
        self.logger = logger
        self.whenListening = whenListening
        self.responder = WebhookResponder(
            webhooks: Dictionary(webhooks.map { ($0.repository, $0) }, uniquingKeysWith: { first, _ in first }),
            bodyLimit: limits.body,
            ledger: ledger,
            wake: wake,
            logger: logger
        )
    }

    /// Serves until the service group shuts down or the task is cancelled.
    ///
    /// - Throws: A `ControllerServerError` when it cannot listen.
    package func run() async throws {
        self.checkSecrets()
        let server = OpenServer(
            host: self.host,
            port: self.port,
            setting: "webhooks.listen",
            limits: OpenServerLimits(
                exchange: self.limits.exchange,
                connections: self.limits.connections,
                headerBytes: self.limits.headerBytes
            ),
            responder: self.responder,
            logger: self.logger
        )
        try await server.run { port in
            self.logger.info("webhooks are served", metadata: ["webhooks.listen": "\(self.host):\(port)"])
            await self.whenListening(port)
        }
    }

    /// A secret of no use is told of at the start, and not only when somebody pushes. It ends nothing: polls go on.
    private func checkSecrets() {
        for webhook in self.responder.webhooks.values.sorted(by: { $0.repository < $1.repository }) {
            do throws(ControllerServerError) {
                _ = try WebhookSecret.read(webhook.secretFile)
            } catch {
                self.logger.error(
                    "webhook has no secret, and takes no delivery",
                    metadata: ["repository.name": "\(webhook.repository)", "error": "\(error)"]
                )
            }
        }
    }
}
