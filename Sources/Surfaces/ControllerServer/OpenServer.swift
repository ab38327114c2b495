import Glibc
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// Serves HTTP on an address that others than the socket's owner may reach: what a stranger may take is limited.
struct OpenServer<Responder: HTTPResponder>
where Responder.Context: RequestContext, Responder.Context.Source == ApplicationRequestContextSource {
    let host: String
    /// 0 for one that is free.
    let port: Int
    /// The setting that names them.
    let setting: String
    let limits: OpenServerLimits
    let responder: Responder
    let logger: Logger
    /// Nothing for plain HTTP.
    var tls: TLSConfiguration?

    /// Serves until the service group shuts down or the task is cancelled.
    ///
    /// - Parameter whenListening: Is told the port.
    /// - Throws: A `ControllerServerError` when it cannot listen.
    func run(_ whenListening: @escaping @Sendable (Int) async -> Void) async throws {
        let isListening = Atomic(false)
        do {
            try await self.serve { channel in
                isListening.store(true, ordering: .relaxed)
                await whenListening(channel.localAddress?.port ?? self.port)
            }
        } catch {
            guard !isListening.load(ordering: .relaxed), !(error is CancellationError) else { throw error }
            let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
            throw ControllerServerError(
                code: .cannotListen,
                message:
                    "cannot listen on \(self.host):\(self.port), which `\(self.setting)` names (\(reason)): free it, "
                    + "or choose another address or port"
            )
        }
    }

    private func serve(_ whenListening: @escaping @Sendable (any Channel) async -> Void) async throws {
        let limits = self.limits
        var quiet = self.logger
        // Hummingbird tells of each start and request; ours says what matters.
        quiet.logLevel = max(quiet.logLevel, .critical)
        let plain = HTTPServerBuilder.http1(
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [
                    limits.isPerRequest
                        ? RequestDeadline(TimeAmount(limits.exchange)) : ConnectionDeadline(TimeAmount(limits.exchange))
                ],
                httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                    maxHeaderFieldSize: limits.headerBytes,
                    maxHeaderListSize: limits.headerBytes,
                    maxHeaderFieldCount: 200
                )
            )
        )
        let application = Application(
            responder: self.responder,
            server: try self.tls.map { try .tls(plain, tlsConfiguration: $0) } ?? plain,
            configuration: ApplicationConfiguration(
                address: .hostname(self.host, port: self.port),
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections)
            ),
            onServerRunning: whenListening,
            logger: quiet
        )
        try await application.run()
    }
}

/// What a stranger may take.
struct OpenServerLimits {
    /// For a whole connection, or for each of its requests to arrive.
    var exchange = Duration.seconds(10)
    var isPerRequest = false
    var connections = 256
    var headerBytes = 32 << 10
}
