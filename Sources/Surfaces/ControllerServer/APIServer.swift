package import Audits
package import ControllerAPI
package import Deployments
import Foundation
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import ServiceLifecycle

/// Serves the controller's API on a unix socket that only its owner can open.
///
/// Reads come from snapshots and commands go to the engine, both through closures: the server holds no state.
/// docs/reference/api.md describes the routes.
package struct APIServer: Service {
    private let socket: String
    private let logger: Logger
    /// Not private, so that tests can set limits.
    var routes: APIRoutes

    /// - Parameters:
    ///   - socket: The absolute path of the socket. Its folder is made when missing and must be the controller's own,
    ///     with mode 0700.
    ///   - fleet: The newest snapshot.
    ///   - view: The same, of which only what is asked for is worked out; made of the fleet where nobody says it.
    ///   - history: The newest so many events of a deployment, oldest first.
    ///   - events: The newest so many events of all deployments or of a namespace, or the first after a number; oldest
    ///     first.
    ///   - chapter: The next chapter of decisions after a number, of a deployment or of all, as lines of an export;
    ///     nothing after the last.
    ///   - logs: What replicas of a deployment wrote, the newest first.
    ///   - log: A part of it from a place on, which counts from the end when it is negative; nothing when there is no
    ///     such log.
    ///   - traffic: What the stable revision of a deployment counted lately, if anything.
    ///   - series: What the gates of its newest rollout measured over time, if one was seen.
    ///   - spec: Where each value of a deployment's manifest comes from, if its commit was read.
    ///   - feedback: Counts labels of a deployment's answers.
    ///   - command: Carries a command out; `by` is set already.
    ///   - batch: Carries a command out on each deployment that it selects; `by` is set already.
    ///   - model: Proposes another version of a deployment's model, or says what it would propose.
    ///   - tokens: Of those who may ask over the network; nothing where none are kept.
    ///   - testReceiver: Sends a test to a receiver of notifications, by its name, for whom it says second.
    ///   - freeze: Begins a freeze; `by` is set already.
    ///   - unfreeze: Ends the freeze of a number; by whom.
    ///   - audit: Has everything written that is asked; nothing where nobody audits.
    ///   - logger: Gets every command, and what goes wrong.
    package init(
        socket: String,
        fleet: @escaping @Sendable () async -> FleetStatus,
        view: (@Sendable () async -> FleetView)? = nil,
        history: @escaping @Sendable (DeploymentID, Int) async throws -> [EventStatus],
        events: @escaping @Sendable (Int64?, String?, Int) async throws -> [EventStatus] = { _, _, _ in [] },
        chapter: @escaping @Sendable (Int64, DeploymentID?) async throws -> [UInt8]?,
        logs: @escaping @Sendable (DeploymentID) async -> [LogStatus] = { _ in [] },
        log: @escaping @Sendable (DeploymentID, String, Int64) async -> LogPiece? = { _, _, _ in nil },
        traffic: @escaping @Sendable (DeploymentID) async -> TrafficStatus? = { _ in nil },
        series: @escaping @Sendable (DeploymentID) async -> SeriesStatus? = { _ in nil },
        spec: @escaping @Sendable (DeploymentID) async -> SpecStatus? = { _ in nil },
        feedback: @escaping @Sendable (DeploymentID, [FeedbackLabel]) async -> FeedbackAnswer,
        command: @escaping @Sendable (DeploymentID, OperatorRequest) async -> OperatorAnswer,
        batch: @escaping @Sendable (BatchRequest) async -> BatchAnswer = { _ in BatchAnswer(answers: []) },
        model: @escaping @Sendable (DeploymentID, ModelRequest) async -> ModelAnswer = { _, _ in
            ModelAnswer(accepted: false, changed: false, message: "this controller proposes no models")
        },
        tokens: TokenStore? = nil,
        testReceiver: @escaping @Sendable (String, String) async -> OperatorAnswer = { _, _ in
            OperatorAnswer(accepted: false, changed: false, message: "this controller tells nobody of anything")
        },
        freeze: @escaping @Sendable (FreezeRequest) async -> FreezeAnswer = { _ in
            FreezeAnswer(accepted: false, changed: false, message: "this controller keeps no freezes")
        },
        unfreeze: @escaping @Sendable (Int64, String) async -> FreezeAnswer = { _, _ in
            FreezeAnswer(accepted: false, changed: false, message: "this controller keeps no freezes")
        },
        audit: AuditTrail? = nil,
        logger: Logger
    ) {
        self.socket = socket
        self.logger = logger
        let look = view ?? { FleetView(await fleet()) }
        self.routes = APIRoutes(
            reader: FleetReader(look: look),
            watchers: Watchers(look: look, events: events, logger: logger),
            history: history,
            events: events,
            chapter: chapter,
            logs: logs,
            log: log,
            traffic: traffic,
            series: series,
            spec: spec,
            command: command,
            batch: batch,
            model: model,
            feedback: feedback,
            tokens: tokens,
            testReceiver: testReceiver,
            freeze: freeze,
            unfreeze: unfreeze,
            desk: AuditDesk(trail: audit, deployment: { await look().deployment($0) }),
            logger: logger
        )
    }

    /// Every route: `GET /api/v1/fleet`, sorted.
    package var routeNames: [String] {
        self.routes.router().routes.map { "\($0.method.rawValue) \($0.path)" }.sorted()
    }

    /// The same API for those who show who they are, over TLS.
    package func remote(_ listener: RemoteAPIServer.Listener, authenticator: Authenticator) -> RemoteAPIServer {
        RemoteAPIServer(listener: listener, authenticator: authenticator, routes: self.routes, logger: self.logger)
    }

    /// Serves until the service group shuts down or the task is cancelled.
    ///
    /// - Throws: A `ControllerServerError` when the socket cannot be had.
    package func run() async throws {
        let claim = try SocketClaim.take(self.socket)
        defer { claim.removeSocket() }
        let watchers = self.routes.watchers
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await watchers.run() }
            // The server ends when its last connection has: streams must not wait for that.
            try await withGracefulShutdownHandler {
                try await self.serve()
            } onGracefulShutdown: {
                watchers.end()
            }
            group.cancelAll()
        }
    }

    private func serve() async throws {
        let (socket, logger) = (self.socket, self.logger)
        let routes = self.routes
        let application = Application(
            responder: ProblemResponder(
                inner: SocketResponder(inner: routes.router().buildResponder()),
                methods: { routes.methods(of: $0) }
            ),
            server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: ApplicationConfiguration(
                address: .unixDomainSocket(path: socket),
                availableConnectionsDelegate: MaximumAvailableConnections(
                    routes.watchers.limits.watchers + Self.connections
                )
            ),
            onServerRunning: { channel in
                do throws(ControllerServerError) {
                    try SocketClaim.restrict(socket)
                    logger.info("API is served", metadata: ["api.socket": "\(socket)"])
                } catch {
                    logger.error("API socket cannot be restricted", metadata: ["error": "\(error)"])
                    channel.close(promise: nil)
                }
            },
            logger: Self.quiet(logger)
        )
        try await application.run()
    }

    /// Beside those who watch: terminals and scripts. More would be a runaway loop.
    private static let connections = 256

    /// Hummingbird tells of each start and request; ours says what matters.
    private static func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        return logger
    }
}
