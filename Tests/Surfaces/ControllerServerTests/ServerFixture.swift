import ControllerAPI
import ControllerServer
import Deployments
import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import Testing

/// A server on a real socket in a folder of its own, with recorded commands.
struct ServerFixture: Sendable {
    let folder: URL
    let socket: String
    let fleet: FleetStatus
    private let commands = Commands()

    private final class Commands: Sendable {
        let all = Mutex<[(DeploymentID, OperatorRequest)]>([])
        let labels = Mutex<[FeedbackLabel]>([])
        let batches = Mutex<[BatchRequest]>([])
    }

    init() throws {
        // Short: a socket's path has at most 103 bytes.
        self.folder = URL(filePath: "/tmp/api-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(
            at: self.folder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        self.socket = self.folder.appending(path: "c.sock").path
        let now = Date(timeIntervalSince1970: 1_795_000_000.25)
        var fleet = FleetStatus(
            time: now,
            deployments: [
                DeploymentStatus(
                    namespace: "search",
                    name: "file-type",
                    phase: "settled",
                    health: .healthy,
                    message: "serves magika 3.3",
                    since: now
                ),
                DeploymentStatus(
                    namespace: "default",
                    name: "embedder",
                    phase: "pending",
                    health: .unknown,
                    message: "",
                    since: now
                ),
            ],
            sources: []
        )
        // Before and behind the deployments, by name.
        fleet.configuration = ConfigurationStatus(file: "/etc/controller/controller.yaml", since: now)
        fleet.unknown = ["search/\"deployments\":[]"]
        self.fleet = fleet
    }

    var client: ControllerClient { ControllerClient(socket: self.socket, timeout: .seconds(300)) }

    var recorded: [(DeploymentID, OperatorRequest)] { self.commands.all.withLock { $0 } }

    var batches: [BatchRequest] { self.commands.batches.withLock { $0 } }

    var labels: [FeedbackLabel] { self.commands.labels.withLock { $0 } }

    func server(socket: String? = nil, tokens: TokenStore? = nil) -> APIServer {
        let (fleet, commands) = (self.fleet, self.commands)
        return APIServer(
            socket: socket ?? self.socket,
            fleet: { fleet },
            history: { id, limit in
                guard id.name == "file-type" else { throw JournalGone() }
                return (0..<min(limit, 3)).map { number in
                    EventStatus(
                        time: fleet.time,
                        deployment: id.description,
                        kind: "promoted",
                        message: "event \(number) of \(limit)",
                        by: nil,
                        commit: nil
                    )
                }
            },
            chapter: { after, id in
                if id?.name == "embedder" { throw JournalGone() }
                return after < 7 ? Array("chapter after \(after) of \(id?.description ?? "all")\n".utf8) : nil
            },
            feedback: { id, labels in
                commands.labels.withLock { $0 += labels }
                return FeedbackAnswer(counted: labels.count, unknown: 0)
            },
            command: { id, request in
                commands.all.withLock { $0.append((id, request)) }
                return OperatorAnswer(accepted: true, changed: true, message: "\(request.verb.rawValue) of \(id)")
            },
            batch: { request in
                commands.batches.withLock { $0.append(request) }
                return BatchAnswer(answers: [])
            },
            tokens: tokens,
            logger: self.silentLogger
        )
    }

    var silentLogger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    struct JournalGone: Error {}

    /// As the daemon has it. NIO ends the process when a server is cancelled while a connection arrives, so it stops
    /// listening before it is.
    private func services(_ server: some Service) -> ServiceGroup {
        var configuration = ServiceGroupConfiguration(services: [server], logger: self.silentLogger)
        configuration.maximumGracefulShutdownDuration = .seconds(5)
        return ServiceGroup(configuration: configuration)
    }

    /// Runs `body` while the server serves, and stops it.
    func serving(_ body: @Sendable (ControllerClient) async throws -> Void) async throws {
        defer { self.remove() }
        try await withThrowingTaskGroup { group in
            let services = self.services(self.server())
            group.addTask { try await services.run() }
            try await self.waitUntilServed()
            try await body(self.client)
            await services.triggerGracefulShutdown()
            // Cancelled servers may say so; that is not what the tests look at.
            while let result = await group.nextResult() { _ = result }
        }
    }

    func waitUntilServed() async throws {
        let deadline = ContinuousClock.now + .seconds(300)
        while true {
            do {
                _ = try await self.client.fleet()
                return
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    func remove() {
        do {
            try FileManager.default.removeItem(at: self.folder)
        } catch {
            Issue.record("the test's folder cannot be removed: \(error)")
        }
    }
}
