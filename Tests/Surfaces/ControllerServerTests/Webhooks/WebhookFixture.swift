import ControllerServer
import Crypto
import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import Testing
import Transport

/// A server of webhooks on a free port, with secrets in files, that notes whom it wakes.
final class WebhookFixture: Sendable {
    static let secret = "It's a Secret to Everybody"
    static let signingToken = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    let folder: URL
    let ledger: WebhookLedger
    let log = RecordedLog()
    private let repositories: [(name: String, kind: Webhook.Kind)]
    private let woken = Mutex<[String]>([])
    private let port = Mutex<Int?>(nil)
    private let client = HTTPClient()

    /// A repository of each kind, of the kind's name, unless others are given.
    init(_ repositories: [(name: String, kind: Webhook.Kind)] = Webhook.Kind.allCases.map { ($0.rawValue, $0) }) throws
    {
        self.repositories = repositories
        self.folder = FileManager.default.temporaryDirectory.appending(path: "webhooks-\(UUID().uuidString)")
        self.ledger = WebhookLedger(repositories: repositories.map(\.name), quiet: .seconds(3600))
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: false)
        for repository in repositories { try self.keep(Self.secret + "\n", of: repository.name) }
    }

    func secretFile(of name: String) -> String { self.folder.appending(path: name).path }

    func keep(_ secret: String, of name: String) throws {
        try Data(secret.utf8).write(to: self.folder.appending(path: name))
    }

    /// Everyone who was woken, in order.
    var wakes: [String] { self.woken.withLock { $0 } }

    func server(port: Int = 0, limits: WebhookServer.Limits = WebhookServer.Limits()) -> WebhookServer {
        WebhookServer(
            host: "127.0.0.1",
            port: port,
            webhooks: self.repositories.map {
                Webhook(repository: $0.name, kind: $0.kind, secretFile: self.secretFile(of: $0.name))
            },
            ledger: self.ledger,
            limits: limits,
            logger: Logger(label: "test") { _ in self.log },
            whenListening: { port in self.port.withLock { $0 = port } },
            wake: { name in
                self.woken.withLock { $0.append(name) }
                return true
            }
        )
    }

    /// Runs `body` while the server serves, and stops it.
    func serving(
        limits: WebhookServer.Limits = WebhookServer.Limits(),
        _ body: @Sendable (WebhookFixture) async throws -> Void
    ) async throws {
        // Whatever stays behind is in the temporary folder.
        defer { try? FileManager.default.removeItem(at: self.folder) }
        defer { self.client.close() }
        try await withThrowingTaskGroup { group in
            let services = self.services(self.server(limits: limits))
            group.addTask { try await services.run() }
            try await Self.poll { self.port.withLock { $0 } != nil }
            try await body(self)
            await services.triggerGracefulShutdown()
            // Cancelled servers may say so; that is not what the tests look at.
            while let result = await group.nextResult() { _ = result }
        }
    }

    /// As the daemon has it. NIO ends the process when a server is cancelled while a connection arrives, so it stops
    /// listening before it is.
    private func services(_ server: some Service) -> ServiceGroup {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var configuration = ServiceGroupConfiguration(services: [server], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(5)
        return ServiceGroup(configuration: configuration)
    }

    /// Nothing before the server listens.
    var listening: Int? { self.port.withLock { $0 } }

    func deliver(
        to path: String,
        method: String = "POST",
        _ headers: HTTPHeaders,
        _ body: [UInt8]
    ) async throws -> HTTPResponse {
        let port = try #require(self.listening)
        return try await self.client.send(
            HTTPRequest(
                method: method,
                url: "http://127.0.0.1:\(port)\(path)",
                headers: headers,
                body: body,
                timeout: .seconds(120)
            )
        )
    }

    static func poll(_ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while !condition() {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// The signature of a body, in hexadecimal digits.
    static func hex(_ body: [UInt8], by secret: String = WebhookFixture.secret) -> String {
        HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Array(secret.utf8)))
            .map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}

/// Keeps what is logged.
struct RecordedLog: LogHandler {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    private let recorded = Lines()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    var lines: [String] { self.recorded.all.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let metadata = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let line = "\(event.level) \(event.message) \(metadata.joined(separator: " "))"
        self.recorded.all.withLock { $0.append(line) }
    }
}
