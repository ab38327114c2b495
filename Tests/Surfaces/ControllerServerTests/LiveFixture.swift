import ControllerAPI
import Deployments
import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import Testing
import Transport

@testable import ControllerServer

/// A server on a real socket whose fleet, events and answers the test changes.
final class LiveFixture: Sendable {
    let base: ServerFixture
    let fleet: Mutex<FleetStatus>
    let events = Mutex<[EventStatus]>([])
    let commands = Mutex<[OperatorRequest]>([])
    /// Awaited by each command, after it was counted.
    let hold = Mutex<(@Sendable () async -> Void)?>(nil)
    let views = Atomic(0)

    init() throws {
        self.base = try ServerFixture()
        self.fleet = Mutex(self.base.fleet)
    }

    var socket: String { self.base.socket }

    static func status(
        _ name: String,
        in namespace: String = "search",
        phase: String = "settled",
        message: String = "serves"
    ) -> DeploymentStatus {
        DeploymentStatus(
            namespace: namespace,
            name: name,
            phase: phase,
            health: .healthy,
            message: message,
            since: Date(timeIntervalSince1970: 1_795_000_000)
        )
    }

    /// Changes one of the deployments, or adds it.
    func put(_ status: DeploymentStatus) {
        self.fleet.withLock { fleet in
            let place = fleet.deployments.firstIndex { $0.namespace == status.namespace && $0.name == status.name }
            if let place { fleet.deployments[place] = status } else { fleet.deployments.append(status) }
        }
    }

    @discardableResult
    func happen(_ kind: String, to deployment: String) -> Int64 {
        self.events.withLock { events in
            var event = EventStatus(
                time: Date(timeIntervalSince1970: 1_795_000_000),
                deployment: deployment,
                kind: kind,
                message: "\(kind) \(events.count + 1)",
                by: nil,
                commit: nil
            )
            event.id = Int64(events.count + 1)
            events.append(event)
            return Int64(events.count)
        }
    }

    func server(_ limits: Watchers.Limits = LiveFixture.quick) -> APIServer {
        let look: @Sendable () async -> FleetView = {
            self.views.add(1, ordering: .relaxed)
            return FleetView(self.fleet.withLock { $0 })
        }
        let events: @Sendable (Int64?, String?, Int) async throws -> [EventStatus] = { after, namespace, limit in
            let events = self.events.withLock { $0 }.filter { event in
                (event.id ?? 0) > (after ?? 0) && namespace.map { event.deployment.hasPrefix("\($0)/") } ?? true
            }
            return Array(after == nil ? events.suffix(limit) : events.prefix(limit))
        }
        var server = APIServer(
            socket: self.socket,
            fleet: { self.fleet.withLock { $0 } },
            view: look,
            history: { _, _ in [] },
            events: events,
            chapter: { _, _ in nil },
            feedback: { _, labels in FeedbackAnswer(counted: labels.count) },
            command: { id, request in
                let number = self.commands.withLock { commands in
                    commands.append(request)
                    return commands.count
                }
                await self.hold.withLock { $0 }?()
                return OperatorAnswer(accepted: true, changed: true, message: "command \(number) of \(id)")
            },
            logger: self.base.silentLogger
        )
        server.routes.watchers = Watchers(
            limits: limits,
            look: look,
            events: events,
            logger: self.base.silentLogger
        )
        return server
    }

    /// So that tests wait for nothing.
    static let quick: Watchers.Limits = {
        var limits = Watchers.Limits()
        limits.pause = .milliseconds(5)
        limits.patience = .seconds(300)
        return limits
    }()

    /// Runs `body` while the server serves, and ends it as the daemon does.
    func serving(
        _ limits: Watchers.Limits = LiveFixture.quick,
        keepsFolder: Bool = false,
        _ body: @Sendable (APIServer) async throws -> Void
    ) async throws {
        defer { if !keepsFolder { self.base.remove() } }
        let server = self.server(limits)
        var configuration = ServiceGroupConfiguration(services: [server], logger: self.base.silentLogger)
        configuration.maximumGracefulShutdownDuration = .seconds(300)
        let services = ServiceGroup(configuration: configuration)
        try await withThrowingTaskGroup { group in
            group.addTask { try await services.run() }
            try await self.base.waitUntilServed()
            try await body(server)
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
        }
    }

    func send(
        _ method: String,
        _ path: String,
        _ body: String = "",
        headers: [String: String] = [:]
    ) async throws -> HTTPResponse {
        var request = HTTPRequest(
            method: method,
            url: "http://controller\(path)",
            body: body.isEmpty ? nil : Array(body.utf8),
            unixSocket: self.socket,
            timeout: .seconds(300)
        )
        for (name, value) in headers { request.headers[name] = value }
        return try await HTTPClient().send(request)
    }

    func problem(_ response: HTTPResponse) throws -> Problem {
        try APICoding.decoder().decode(Problem.self, from: Data(response.body))
    }
}

/// Polls until something is true.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(300)
    while !(try await condition()) {
        try #require(ContinuousClock.now < deadline, "not in time: \(what)")
        try await Task.sleep(for: .milliseconds(5))
    }
}
