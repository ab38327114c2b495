import ControllerAPI
import ControllerServer
import Deployments
import Foundation
import Logging
import SampleStatuses
import ServiceLifecycle
import Synchronization
import Testing
import Transport

/// The pages of a server on a real socket, and of a forwarder before it, of a fleet that changes when a test says so.
final class PageFixture: Sendable {
    let fleet: Mutex<FleetStatus>
    let series: Mutex<SeriesStatus?>
    private let spec = Mutex<SpecStatus?>(Statuses.spec)
    private let commands = Mutex<[(DeploymentID, OperatorRequest)]>([])
    private let address = Mutex<String?>(nil)
    /// As if the controller were gone.
    let isGone = Atomic(false)
    private let client = HTTPClient()
    let folder: String

    var socket: String { "\(self.folder)/c.sock" }
    var recorded: [(DeploymentID, OperatorRequest)] { self.commands.withLock { $0 } }
    /// What opens the pages in a browser, once.
    var door: String { get throws { try #require(self.address.withLock { $0 }) } }

    private init(_ fleet: FleetStatus) throws {
        // As if it were all happening now.
        let age = Date().timeIntervalSince(Statuses.now).rounded()
        self.fleet = Mutex(try Statuses.later(fleet, by: age))
        self.series = Mutex(try Statuses.later(Statuses.series, by: age))
        self.folder = "/tmp/page-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: self.folder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
    }

    /// Runs `body` while the servers serve, and stops them.
    static func serving(
        _ fleet: FleetStatus = Statuses.fleet,
        _ body: @Sendable (PageFixture) async throws -> Void
    ) async throws {
        let fixture = try PageFixture(fleet)
        defer {
            fixture.client.close()
            try? FileManager.default.removeItem(atPath: fixture.folder)
        }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var configuration = ServiceGroupConfiguration(
            services: [fixture.server(logger), Forwarding(forwarder: fixture.forwarder(logger))],
            logger: logger
        )
        configuration.maximumGracefulShutdownDuration = .seconds(5)
        let services = ServiceGroup(configuration: configuration)
        try await withThrowingTaskGroup { group in
            group.addTask { try await services.run() }
            try await WebhookFixture.poll {
                fixture.address.withLock { $0 } != nil && FileManager.default.fileExists(atPath: fixture.socket)
            }
            try await body(fixture)
            await services.triggerGracefulShutdown()
            // Cancelled servers may say so; that is not what the tests look at.
            while let result = await group.nextResult() { _ = result }
        }
    }

    private struct Gone: Error {}

    private struct Forwarding: Service {
        let forwarder: PageForwarder

        func run() async throws { try await self.forwarder.run() }
    }

    private func server(_ logger: Logger) -> APIServer {
        APIServer(
            socket: self.socket,
            fleet: { self.fleet.withLock { $0 } },
            history: { _, _ in [] },
            events: { _, _, _ in self.fleet.withLock { $0.deployments.flatMap(\.events) } },
            chapter: { _, _ in nil },
            series: { id in
                self.fleet.withLock { $0.deployments.first { $0.name == id.name }?.canary } == nil
                    ? nil : self.series.withLock { $0 }
            },
            spec: { _ in self.spec.withLock { $0 } },
            feedback: { _, _ in FeedbackAnswer(counted: 0, unknown: 0) },
            command: { id, request in
                self.commands.withLock { $0.append((id, request)) }
                return OperatorAnswer(accepted: true, changed: true, message: "\(request.verb.rawValue) is done")
            },
            logger: logger
        )
    }

    private func forwarder(_ logger: Logger) -> PageForwarder {
        PageForwarder(
            port: 0,
            logger: logger,
            whenListening: { address in self.address.withLock { $0 = address } },
            ask: { question in
                if self.isGone.load(ordering: .relaxed) { throw Gone() }
                let answer = try await self.get(
                    question.path,
                    method: question.method,
                    headers: question.headers,
                    body: question.body
                )
                let headers = answer.headers.fields.map { ($0.name.lowercased(), $0.value) }
                return PageForwarder.Answer(
                    status: answer.status,
                    headers: Dictionary(headers, uniquingKeysWith: { first, _ in first }),
                    body: answer.body
                )
            }
        )
    }

    /// Asks the socket itself.
    func get(
        _ path: String,
        method: String = "GET",
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) async throws -> HTTPResponse {
        try await self.send(
            HTTPRequest(
                method: method,
                url: "http://controller\(path)",
                headers: HTTPHeaders(headers.map { HTTPHeaders.Field(name: $0.name, value: $0.value) }),
                body: body.isEmpty ? nil : body,
                unixSocket: self.socket,
                timeout: .seconds(120)
            )
        )
    }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        try await self.client.send(request)
    }

    func change(_ name: String, _ change: (inout DeploymentStatus) -> Void) {
        self.fleet.withLock { fleet in
            for index in fleet.deployments.indices where fleet.deployments[index].name == name {
                change(&fleet.deployments[index])
            }
        }
    }

    /// All values that the pages show, with `text` in place of theirs. The deployment keeps an address.
    func replace(with text: String) throws {
        let everything = try Statuses.with(text, in: Statuses.everything)
        var named = everything
        (named.namespace, named.name) = ("search", "file-type")
        try self.fleet.withLock { fleet in
            fleet = try Statuses.with(text, in: fleet)
            fleet.deployments = [everything, named]
            fleet.sources[0].problem = text
            fleet.unknown = [text]
        }
        let (series, spec) = (try Statuses.with(text, in: Statuses.series), try Statuses.with(text, in: Statuses.spec))
        self.series.withLock { $0 = series }
        self.spec.withLock { $0 = spec }
    }
}
