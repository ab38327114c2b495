import ControllerServer
import Foundation
import Logging
import Reconciliation
import ServiceLifecycle
import Synchronization
import Testing
import Transport

/// A server of metrics on a free port, which says the same all the time.
final class MetricsFixture: Sendable {
    struct Answer {
        var status: Int
        var type: String?
        var text: String
    }

    private let port = Mutex<Int?>(nil)
    private let client = HTTPClient()

    /// Runs `body` while the server serves, and stops it.
    static func serving(_ fleet: FleetSnapshot, _ body: @Sendable (MetricsFixture) async throws -> Void) async throws {
        let fixture = MetricsFixture()
        defer { fixture.client.close() }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = MetricsServer(
            host: "127.0.0.1",
            port: 0,
            logger: logger,
            whenListening: { port in fixture.port.withLock { $0 = port } },
            fleet: { fleet }
        )
        var configuration = ServiceGroupConfiguration(services: [server], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(5)
        let services = ServiceGroup(configuration: configuration)
        try await withThrowingTaskGroup { group in
            group.addTask { try await services.run() }
            try await WebhookFixture.poll { fixture.port.withLock { $0 } != nil }
            try await body(fixture)
            await services.triggerGracefulShutdown()
            // Cancelled servers may say so; that is not what the tests look at.
            while let result = await group.nextResult() { _ = result }
        }
    }

    func get(_ path: String, method: String = "GET") async throws -> Answer {
        let port = try #require(self.port.withLock { $0 })
        let response = try await self.client.send(
            HTTPRequest(method: method, url: "http://127.0.0.1:\(port)\(path)", timeout: .seconds(120))
        )
        return Answer(
            status: response.status,
            type: response.headers["Content-Type"],
            text: String(decoding: response.body, as: UTF8.self)
        )
    }
}
