import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Transport

extension AnswerTap {
    /// Listens on its socket until the task is cancelled. When it cannot, it says so and tries again: a rollout without
    /// compared answers waits, and nothing else does.
    package func run() async {
        while !Task.isCancelled {
            do {
                try await self.serve()
            } catch is CancellationError {
                return
            } catch {
                let problem = "the controller can't listen on \(self.socket): \(error)"
                self.note(problem)
                self.logger.warning("answers are not compared", metadata: ["error": "\(problem)"])
            }
            guard await pause(for: .seconds(5)) else { return }
        }
    }

    private func serve() async throws {
        // Of a controller before this one: only one at a time has the state directory.
        unlink(self.socket)
        defer { unlink(self.socket) }
        var quiet = self.logger
        // It ends by being cancelled, which Hummingbird tells of as of an error at every end of the controller. What
        // really ends it is thrown.
        quiet.logLevel = max(quiet.logLevel, .critical)
        let application = Application(
            responder: CallbackResponder { (request: Request, _: BasicRequestContext) in
                await self.take(request)
                return Response(status: .noContent)
            },
            server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: ApplicationConfiguration(
                address: .unixDomainSocket(path: self.socket),
                // Twice what Envoy opens: after its restart the old connections may still be there.
                availableConnectionsDelegate: MaximumAvailableConnections(128)
            ),
            onServerRunning: { _ in
                chmod(self.socket, 0o600)
                self.note(nil)
            },
            logger: quiet
        )
        try await application.run()
    }

    private func take(_ request: Request) async {
        guard let field = request.headers.first(where: { $0.name.canonicalName == Self.header }),
            let place = self.enter(field.value)
        else { return }
        let finding: Finding
        do {
            let body = try await request.body.collect(upTo: Self.bodyLimit)
            finding = await self.finding(for: CopiedRequest(request, body: body), at: place)
        } catch is NIOTooManyBytesError {
            finding = .uncompared("a request is larger than \(Self.bodyLimit >> 20) MiB")
        } catch {
            finding = .uncompared("a copy broke off: \(error)")
        }
        self.leave(place, with: finding)
    }
}

extension CopiedRequest {
    fileprivate init(_ request: Request, body: ByteBuffer) {
        self.init(
            method: request.method.rawValue,
            path: request.uri.string,
            host: request.head.authority,
            headers: HTTPHeaders(request.headers.map { HTTPHeaders.Field(name: $0.name.rawName, value: $0.value) }),
            body: Array(body.readableBytesView)
        )
    }
}
