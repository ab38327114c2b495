import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// Serves HTTP on an address that others than the socket's owner may reach: what a stranger may take is limited, and
/// nothing of the operators' API is behind it.
struct OpenServer<Responder: HTTPResponder> where Responder.Context == BasicRequestContext {
    let host: String
    /// 0 for one that is free.
    let port: Int
    /// The setting that names them.
    let setting: String
    let limits: OpenServerLimits
    let responder: Responder
    let logger: Logger

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
        let application = Application(
            responder: self.responder,
            server: .http1(
                configuration: HTTP1Channel.Configuration(
                    additionalChannelHandlers: [ConnectionDeadline(TimeAmount(limits.exchange))],
                    httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                        maxHeaderFieldSize: limits.headerBytes,
                        maxHeaderListSize: limits.headerBytes,
                        maxHeaderFieldCount: 200
                    )
                )
            ),
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
    /// For a whole connection.
    var exchange = Duration.seconds(10)
    var connections = 256
    var headerBytes = 32 << 10
}
