package import Audits
import Hummingbird
package import Logging
import NIOCore
package import Reconciliation
import ServiceLifecycle

/// Serves the controller's metrics to Prometheus, on an address of its own: whoever reaches it may read them, and
/// nothing else is behind it.
package struct MetricsServer: Service {
    private let host: String
    private let port: Int
    private let fleet: @Sendable () -> FleetSnapshot
    private let refusals: AccessLedger?
    private let logger: Logger
    private let audit: @Sendable () -> AuditTrail.Account?
    private let whenListening: @Sendable (Int) async -> Void

    /// - Parameters:
    ///   - host: To listen on, a name or an address.
    ///   - port: 0 for one that is free.
    ///   - refusals: What the API refused over the network; nothing where it is not served there.
    ///   - logger: Gets where it listens.
    ///   - audit: What became of entries of the audit; nothing where nobody audits.
    ///   - whenListening: Is told the port.
    ///   - fleet: The newest snapshot.
    package init(
        host: String,
        port: Int,
        refusals: AccessLedger? = nil,
        logger: Logger,
        audit: @escaping @Sendable () -> AuditTrail.Account? = { nil },
        whenListening: @escaping @Sendable (Int) async -> Void = { _ in },
        fleet: @escaping @Sendable () -> FleetSnapshot
    ) {
        self.host = host
        self.port = port
        self.fleet = fleet
        self.refusals = refusals
        self.logger = logger
        self.audit = audit
        self.whenListening = whenListening
    }

    /// Serves until the service group shuts down or the task is cancelled.
    ///
    /// - Throws: A `ControllerServerError` when it cannot listen.
    package func run() async throws {
        let server = OpenServer(
            host: self.host,
            port: self.port,
            setting: "metrics.listen",
            // A scrape of ten thousand deployments is megabytes, perhaps over a slow line.
            limits: OpenServerLimits(exchange: .seconds(60), connections: 16),
            responder: MetricsResponder(fleet: self.fleet, refusals: self.refusals, audit: self.audit),
            logger: self.logger
        )
        try await server.run { port in
            self.logger.info("metrics are served", metadata: ["metrics.listen": "\(self.host):\(port)"])
            await self.whenListening(port)
        }
    }
}

private struct MetricsResponder: HTTPResponder {
    let fleet: @Sendable () -> FleetSnapshot
    let refusals: AccessLedger?
    let audit: @Sendable () -> AuditTrail.Account?

    @concurrent
    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        guard request.uri.path == "/metrics" else {
            return Self.response(.notFound, "there is nothing here: metrics are at /metrics\n")
        }
        guard request.method == .get || request.method == .head else {
            var response = Self.response(.methodNotAllowed, "metrics are read with GET\n")
            response.headers[.allow] = "GET, HEAD"
            return response
        }
        let audit = self.audit().map(AuditMetrics.text) ?? ""
        var response = Self.response(
            .ok,
            FleetMetrics.text(of: self.fleet()) + audit + (self.refusals?.metrics ?? "") + ProcessMetrics.text()
        )
        response.headers[.contentType] = "text/plain; version=0.0.4; charset=utf-8"
        return response
    }

    private static func response(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(
            status: status,
            headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}
