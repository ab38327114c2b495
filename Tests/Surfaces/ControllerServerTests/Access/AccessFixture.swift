import ControllerAPI
import ControllerServer
import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import Testing
import Transport

/// A server on a free loopback port with TLS, and tokens of all kinds.
struct AccessFixture: Sendable {
    let base: ServerFixture
    let tokens: TokenStore
    let ledger: AccessLedger
    var limits = RemoteAPIServer.Limits()
    var verifier: Authenticator.Verifier?
    var bindings: [Authenticator.Binding] = []
    private let clock = Clock()

    private final class Clock: Sendable {
        let now = Mutex(Date(timeIntervalSince1970: 1_795_000_000))
    }

    init() throws {
        self.base = try ServerFixture()
        let clock = self.clock
        self.tokens = try TokenStore(path: self.base.folder.appending(path: "tokens.json").path) {
            clock.now.withLock { $0 }
        }
        self.ledger = AccessLedger(logger: self.base.silentLogger)
        try self.run(
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout",
            self.key,
            "-out",
            self.certificate
        )
    }

    var certificate: String { self.base.folder.appending(path: "cert.pem").path }
    private var key: String { self.base.folder.appending(path: "key.pem").path }

    func advance(_ seconds: TimeInterval) {
        self.clock.now.withLock { $0 += seconds }
    }

    func token(_ grants: Grant..., lifetime: Int = 3600) throws -> String {
        try self.tokens.create(TokenRequest(name: "tester", grants: grants, lifetime: lifetime), by: "root").token
    }

    struct Served: Sendable {
        let port: Int
        let certificate: String
        let server: APIServer

        /// - Returns: The answer, refusals too.
        func send(
            _ method: String,
            _ path: String,
            token: String? = nil,
            body: String? = nil,
            form: String? = nil,
            headers: HTTPHeaders = [:]
        ) async throws -> HTTPResponse {
            var headers = headers
            if let token { headers["Authorization"] = "Bearer \(token)" }
            if body != nil { headers["Content-Type"] = "application/json" }
            return try await HTTPClient().send(
                HTTPRequest(
                    method: method,
                    url: "https://127.0.0.1:\(self.port)\(path)",
                    headers: headers,
                    body: (body ?? form).map { Array($0.utf8) },
                    timeout: .seconds(300),
                    caFile: self.certificate
                )
            )
        }

        func client(_ token: String?) -> ControllerClient {
            ControllerClient(
                .server(
                    ControllerTarget.RemoteServer(
                        url: "https://127.0.0.1:\(self.port)",
                        token: token,
                        caFile: self.certificate
                    )
                ),
                timeout: .seconds(300)
            )
        }
    }

    /// Runs `body` while the server serves, and stops it.
    func serving(_ body: @Sendable (Served) async throws -> Void) async throws {
        defer { self.base.remove() }
        let ports = AsyncStream<Int>.makeStream()
        var listener = RemoteAPIServer.Listener(
            host: "127.0.0.1",
            port: 0,
            certificateFile: self.certificate,
            keyFile: self.key
        )
        listener.limits = self.limits
        listener.whenListening = { ports.continuation.yield($0) }
        let server = self.base.server(tokens: self.tokens)
        let remote = server.remote(
            listener,
            authenticator: Authenticator(
                tokens: self.tokens,
                verifier: self.verifier,
                bindings: self.bindings,
                sessions: SessionCookie(key: Data(repeating: 7, count: 32)),
                now: { [clock] in clock.now.withLock { $0 } },
                ledger: self.ledger
            )
        )
        var configuration = ServiceGroupConfiguration(services: [remote], logger: self.base.silentLogger)
        configuration.maximumGracefulShutdownDuration = .seconds(5)
        let services = ServiceGroup(configuration: configuration)
        try await withThrowingTaskGroup { group in
            group.addTask { try await services.run() }
            var iterator = ports.stream.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await body(Served(port: port, certificate: self.certificate, server: server))
            await services.triggerGracefulShutdown()
            // Cancelled servers may say so; that is not what the tests look at.
            while let result = await group.nextResult() { _ = result }
        }
    }

    private func run(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }
}
