import ControllerAPI
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// Serves the controller's API over TCP with TLS, to those who show who they are.
package struct RemoteAPIServer: Service {
    package struct Listener: Sendable {
        /// To listen on, a name or an address.
        package var host: String
        /// 0 for one that is free.
        package var port: Int
        /// PEM: the server's certificate, and what leads from it to an authority.
        package var certificateFile: String
        /// PEM.
        package var keyFile: String
        package var limits = Limits()
        /// Is told the port.
        package var whenListening: @Sendable (Int) async -> Void = { _ in }

        package init(host: String, port: Int, certificateFile: String, keyFile: String) {
            self.host = host
            self.port = port
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    package struct Limits: Sendable {
        /// For a request to arrive, the greeting of TLS before the first one included.
        package var request = Duration.seconds(15)
        package var connections = 2048
        /// A token of an identity provider may have 16 KiB.
        package var headerBytes = 24 << 10

        package init() {}
    }

    let listener: Listener
    let authenticator: Authenticator
    let routes: APIRoutes
    let logger: Logger

    /// Serves until the service group shuts down or the task is cancelled.
    ///
    /// A certificate that cannot be read, or an address that is taken, is tried again: rollbacks go on meanwhile, and
    /// the socket answers.
    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while true {
                do {
                    return try await self.serve()
                } catch let error as ControllerServerError {
                    self.logger.error("API over TLS is not served", metadata: ["error": "\(error)"])
                }
                try await Task.sleep(for: .seconds(15))
            }
        }
    }

    private func serve() async throws {
        let (listener, logger, routes) = (self.listener, self.logger, self.routes)
        let server = OpenServer(
            host: listener.host,
            port: listener.port,
            setting: "api.listen",
            limits: OpenServerLimits(
                exchange: listener.limits.request,
                isPerRequest: true,
                connections: listener.limits.connections,
                headerBytes: listener.limits.headerBytes
            ),
            responder: GuardedResponder(
                inner: ProblemResponder(
                    inner: routes.router(.sessions(self.authenticator)).buildResponder(),
                    methods: { routes.methods(of: $0) }
                ),
                authenticator: self.authenticator,
                desk: self.routes.desk
            ),
            logger: logger,
            tls: try ServerCertificate.configuration(listener.certificateFile, key: listener.keyFile)
        )
        try await server.run { port in
            logger.info("API is served over TLS", metadata: ["api.listen": "\(listener.host):\(port)"])
            await listener.whenListening(port)
        }
    }
}

/// Lets nobody to the routes who has not shown who they are.
struct GuardedResponder<Inner: HTTPResponder>: HTTPResponder where Inner.Context == PeerContext {
    let inner: Inner
    let authenticator: Authenticator
    let desk: AuditDesk

    @concurrent
    func respond(to request: Request, context: PeerContext) async throws -> Response {
        var context = context
        var response: Response
        do {
            if request.uri.path == APIRoute.health {
                return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: "ok\n")))
            }
            try BrowserGuard.check(request, isOwnMachine: false)
            if let login = try await LoginRoutes(authenticator: self.authenticator)
                .answer(request, from: context.address)
            {
                if login.status == .unauthorized { self.audit(request, context) }
                return Self.protected(login)
            }
            if LoginRoutes.isOpen(request) {
                return Self.protected(try await self.inner.respond(to: request, context: context))
            }
            let identity = try await self.authenticator.authenticate(request, from: context.address)
            (context.remote, context.cookie) = (identity.access, identity.cookie)
            try self.checkForm(request, identity)
            response = try await self.inner.respond(to: request, context: context)
            if response.status == .forbidden { self.authenticator.noteForbidden(request, context) }
        } catch let problem as Problem {
            // Who shows nothing has tried nothing.
            if problem.status == 401, request.headers[.authorization] != nil { self.audit(request, context) }
            if problem.status == 401, let detour = LoginRoutes.detour(request) { return Self.protected(detour) }
            response = try ProblemResponder<Inner>.response(problem)
            if problem.status == 401 { response.headers[.wwwAuthenticate] = "Bearer realm=\"controller\"" }
        } catch let wait as RetryLater {
            let problem = Problem(
                status: 429,
                title: "Too many requests",
                detail: "this comes too often: try again in \(wait.seconds) s"
            )
            response = try ProblemResponder<Inner>.response(problem)
            response.headers[.retryAfter] = "\(wait.seconds)"
        }
        return Self.protected(response)
    }

    private func audit(_ request: Request, _ context: PeerContext) {
        self.desk.unauthenticated(from: context.address, what: "\(request.method.rawValue) \(request.uri.path)")
    }

    /// A browser sends a cookie by itself. That the page itself asked, a field shows that only the page can know.
    private func checkForm(_ request: Request, _ identity: Authenticator.Identity) throws(Problem) {
        guard let cookie = identity.cookie, request.method != .get, request.method != .head,
            request.uri.path.hasPrefix("\(APIRoute.root)/")
        else { return }
        let token = request.headers.first { $0.name.canonicalName == "x-form-token" }?.value
        guard let token, self.authenticator.isValid(formToken: token, for: cookie) else {
            throw Problem(
                status: 403,
                title: "Not the page's request",
                detail: "somebody who has logged in on the page must send its X-Form-Token: reload the page"
            )
        }
    }

    private static func protected(_ response: Response) -> Response {
        var response = response
        // RFC 6797; and answers are nobody's but the caller's.
        response.headers[.strictTransportSecurity] = "max-age=31536000"
        response.headers[.xContentTypeOptions] = "nosniff"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return response
    }
}
