import Deployments
import Foundation
import Glibc
import LocalPlatform
import Logging
import LoopbackServer
import Reconciliation
import Testing
import Transport

/// A folder, two ports and a client for tests with the real Envoy.
struct EnvoyBench: Sendable {
    static let deployment = DeploymentID(namespace: "search", name: "file-type")
    static let first = Revision(digest: String(repeating: "1", count: 64))
    static let second = Revision(digest: String(repeating: "2", count: 64))

    let directory: String
    let configuration: EnvoyConfiguration
    let client = HTTPClient()

    struct MissingEnvoy: Error, CustomStringConvertible {
        var description: String { "no Envoy: run `make setup`, or set CONTROLLER_ENVOY to its path" }
    }

    init(configuration: EnvoyConfiguration) throws {
        self.directory = configuration.directory
        self.configuration = configuration
    }

    init() throws {
        self.directory = "/tmp/envoy-\(UUID().uuidString.prefix(8))"
        self.configuration = EnvoyConfiguration(
            executable: try Self.executable(),
            directory: self.directory,
            listen: Endpoint(host: "127.0.0.1", port: Int(try FreePort.take()))
        )
    }

    /// From the environment, else where `make setup` puts it, else from the search path.
    static func executable() throws -> String {
        if let path = ProcessInfo.processInfo.environment["CONTROLLER_ENVOY"] { return path }
        let libraries = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: ".venv/lib").path
        // Without the folder there is nothing to list.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: libraries)) ?? []
        let search = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let candidates =
            names.filter { $0.hasPrefix("python3") }.map { "\(libraries)/\($0)/site-packages/envoy/_bin/envoy" }
            + search.map { "\($0)/envoy" }
        guard let path = candidates.first(where: FileManager.default.isExecutableFile) else { throw MissingEnvoy() }
        return path
    }

    /// An upstream that answers with its name, and with whatever status the path `/status/…` asks for.
    static func upstream(_ name: String) throws -> LoopbackServer {
        try LoopbackServer { request in
            let parts = request.target.split(separator: "/")
            switch parts.first {
            case "status": return .text(name, status: Int(parts[1]) ?? 200)
            case "reset": return .raw([])
            case "silence": return .silence
            case "stall": return .raw(Array("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".utf8))
            case "slow":
                Thread.sleep(forTimeInterval: Double(parts[1]) ?? 0)
                return .text(name)
            default: return .text(name)
            }
        }
    }

    func router(tap: AnswerTap? = nil) -> EnvoyRouter {
        EnvoyRouter(
            configuration: self.configuration,
            client: self.client,
            tap: tap,
            logger: Logger(label: "envoy", factory: { _ in SwiftLogNoOpLogHandler() }),
            now: { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
        )
    }

    /// Runs a router for as long as the body takes; ends Envoy and removes the folder after it.
    func withRouter(tap: AnswerTap? = nil, _ body: (EnvoyRouter) async throws -> Void) async throws {
        let router = self.router(tap: tap)
        do {
            try await self.running(router) { try await body(router) }
        } catch {
            try await self.cleanUp(router)
            throw error
        }
        try await self.cleanUp(router)
    }

    /// The router's run ends with the body, as the controller's end would end it; Envoy goes on.
    func running(_ router: EnvoyRouter, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await router.run() }
            defer { group.cancelAll() }
            try await body()
        }
    }

    private func cleanUp(_ router: EnvoyRouter) async throws {
        try await router.stop()
        try FileManager.default.removeItem(atPath: self.directory)
    }

    // MARK: - Tables

    func table(
        _ backends: [Revision: [RoutingTable.Backend]],
        _ weights: [Revision: Int],
        route: Route = Route(),
        canary: Revision? = nil
    ) -> RoutingTable {
        RoutingTable(deployments: [
            Self.deployment: RoutingTable.Entry(
                route: route,
                backends: backends,
                traffic: Traffic(weights: weights.mapValues { TrafficWeight(percent: $0) }),
                canary: canary
            )
        ])
    }

    static func backend(_ server: LoopbackServer, draining: Bool = false) -> RoutingTable.Backend {
        RoutingTable.Backend(endpoint: Endpoint(host: "127.0.0.1", port: server.port), isDraining: draining)
    }

    // MARK: - Looking

    /// Applies a table and waits until Envoy serves exactly its weights.
    func serve(_ table: RoutingTable, with router: EnvoyRouter) async throws {
        try await router.apply(table)
        let expected = table.deployments.mapValues { $0.traffic.filter { _ in true } }
        try await self.until(router) { observation in
            expected.allSatisfy { observation.states[$0.key]?.traffic == $0.value }
        }
    }

    /// Observes until a condition holds; what can't be observed yet is asked again.
    @discardableResult
    func until(
        _ router: EnvoyRouter,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: (RouterObservation) -> Bool
    ) async throws -> RouterObservation {
        var last: Result<RouterObservation, PlatformError>?
        let holds = await eventually {
            do throws(PlatformError) {
                let observation = try await router.observe()
                last = .success(observation)
                return condition(observation)
            } catch {
                last = .failure(error)
                return false
            }
        }
        try #require(holds, "last seen: \(String(describing: last))", sourceLocation: sourceLocation)
        return try #require(last).get()
    }

    func get(_ path: String = "/", headers: HTTPHeaders = [:]) async throws -> HTTPResponse {
        try await self.client.send(
            HTTPRequest(
                url: "http://127.0.0.1:\(self.configuration.listen.port)\(path)",
                headers: headers,
                timeout: .seconds(30)
            )
        )
    }

    /// The text of an answer 200.
    func text(
        _ path: String = "/",
        headers: HTTPHeaders = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let response = try await self.get(path, headers: headers)
        #expect(response.status == 200, "\(response)", sourceLocation: sourceLocation)
        return response.text
    }

    /// The counters of a revision, once they hold so many requests.
    func counters(
        _ revision: Revision,
        after requests: Int64,
        from router: EnvoyRouter,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> TrackCounters {
        let observation = try await self.until(router, sourceLocation: sourceLocation) {
            $0.samples[Self.deployment]?.tracks[revision]?.requests ?? 0 >= requests
        }
        return try #require(observation.samples[Self.deployment]?.tracks[revision])
    }
}
