import ArgumentParser
import Audits
import ControllerAPI
import ControllerCommands
import ControllerServer
import Deployments
import Foundation
import Logging
import Manifests
import SampleStatuses
import ServiceLifecycle
import Synchronization
import Testing

/// The program's root, as `controller` builds it around these commands.
struct TestRoot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "controller", subcommands: ClientCommands.all)
}

/// What a command printed, and how it ended.
struct Run: Sendable {
    var status: Int32
    var output: String
    var remarks: String
}

/// Runs command lines against a real daemon's API, with everything else under the test's control.
final class CommandFixture: Sendable {
    let folder: URL
    let fleet: Mutex<FleetStatus>
    let answer = Mutex(OperatorAnswer(accepted: true, changed: true, message: "done"))
    let commands = Mutex<[OperatorRequest]>([])
    /// Of all deployments, as the daemon lists them.
    let events = Mutex<[EventStatus]>([])
    /// What replicas wrote, by their names; those that are gone are named in `goneReplicas`.
    let logs = Mutex<[String: String]>([:])
    let goneReplicas = Mutex<Set<String>>([])
    let batches = Mutex<[BatchRequest]>([])
    let batchAnswer = Mutex(BatchAnswer(answers: []))
    let models = Mutex<[ModelRequest]>([])
    /// Receivers of notifications that were tried, and by whom.
    let tested = Mutex<[(receiver: String, by: String)]>([])
    let modelAnswer = Mutex(ModelAnswer(accepted: true, changed: true, message: "done"))
    /// Recorded decisions, as the daemon serves them.
    let chapters = Mutex<[(number: Int64, lines: [UInt8])]>([])
    /// Labels, as they came in one request each.
    let feedback = Mutex<[[FeedbackLabel]]>([])
    let traffic = Mutex<TrafficStatus?>(nil)
    let spec = Mutex<SpecStatus?>(nil)
    /// Commits of the repository that commands are run in.
    let revisions = Mutex<[String: [SourceFile]]>([:])
    let environment: [String: String]
    private let daemon = Mutex<ServiceGroup?>(nil)
    private let (starts, start) = AsyncStream.makeStream(of: Void.self)

    init() throws {
        // Short: a socket's path has at most 103 bytes.
        self.folder = URL(filePath: "/tmp/cli-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(
            at: self.folder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        self.environment = ["CONTROLLER_SOCKET": self.folder.appending(path: "c.sock").path]
        self.fleet = Mutex(FleetStatus(time: Statuses.now, deployments: [Statuses.midCanary], sources: []))
    }

    deinit {
        do {
            try FileManager.default.removeItem(at: self.folder)
        } catch {
            Issue.record("the test's folder cannot be removed: \(error)")
        }
    }

    var socket: String { self.folder.appending(path: "c.sock").path }

    /// Runs `body` while the API is served.
    func serving(_ body: @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask {
                for await _ in self.starts {
                    let trail = self.trail()
                    let services: [any Service] = [trail, self.server(trail)]
                    let daemon = ServiceGroup(services: services, logger: Self.silentLogger)
                    self.daemon.withLock { $0 = daemon }
                    try await daemon.run()
                }
            }
            try await self.startDaemon()
            try await body()
            group.cancelAll()
            // A cancelled server may say so; that is not what the tests look at.
            while let result = await group.nextResult() { _ = result }
        }
    }

    func startDaemon() async throws {
        self.start.yield()
        try await self.poll { await self.run("get").status == 0 }
    }

    func stopDaemon() async throws {
        await self.daemon.withLock { $0 }?.triggerGracefulShutdown()
        try await self.poll { await self.run("get").status == 3 }
    }

    private func poll(_ condition: () async -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(300)
        while !(await condition()) {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func server(_ trail: AuditTrail) -> APIServer {
        APIServer(
            socket: self.socket,
            fleet: { self.fleet.withLock { $0 } },
            history: { _, limit in self.fleet.withLock { Array($0.deployments[0].events.suffix(limit)) } },
            events: { after, namespace, limit in
                let events = self.events.withLock { $0 }.filter { event in
                    (event.id ?? 0) > (after ?? 0)
                        && namespace.map { event.deployment.hasPrefix("\($0)/") } ?? true
                }
                return Array(after == nil ? events.suffix(limit) : events.prefix(limit))
            },
            chapter: { after, _ in self.chapters.withLock { $0.first { $0.number > after }?.lines } },
            logs: { _ in
                let gone = self.goneReplicas.withLock { $0 }
                return self.logs.withLock { $0 }.sorted { $0.key < $1.key }.map { replica, text in
                    LogStatus(
                        replica: replica,
                        size: Int64(text.utf8.count),
                        modified: Statuses.now,
                        isCurrent: !gone.contains(replica)
                    )
                }
            },
            log: { _, replica, offset in
                self.logs.withLock { $0[replica] }.map { text in
                    let bytes = Array(text.utf8)
                    let start =
                        offset < 0 ? max(0, bytes.count + Int(offset)) : Int(offset) > bytes.count ? 0 : Int(offset)
                    return LogPiece(
                        replica: replica,
                        offset: Int64(start),
                        next: Int64(bytes.count),
                        text: String(decoding: bytes[start...], as: UTF8.self)
                    )
                }
            },
            traffic: { _ in self.traffic.withLock { $0 } },
            spec: { _ in self.spec.withLock { $0 } },
            feedback: { _, labels in
                self.feedback.withLock { $0.append(labels) }
                return FeedbackAnswer(counted: labels.count - 1, unknown: 1, unknownRevisions: ["3f2a91c0de"])
            },
            command: { _, request in
                self.commands.withLock { $0.append(request) }
                return self.answer.withLock { $0 }
            },
            batch: { request in
                self.batches.withLock { $0.append(request) }
                return self.batchAnswer.withLock { $0 }
            },
            model: { _, request in
                self.models.withLock { $0.append(request) }
                return self.modelAnswer.withLock { $0 }
            },
            testReceiver: { receiver, name in
                self.tested.withLock { $0.append((receiver, name)) }
                return self.answer.withLock { $0 }
            },
            freeze: { self.begin($0) },
            unfreeze: { number, _ in self.end(number) },
            audit: trail,
            logger: Self.silentLogger
        )
    }

    private static var silentLogger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    func run(
        _ arguments: String...,
        environment: [String: String] = [:],
        terminal: Terminal? = nil,
        typed: [String]? = nil,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { _ in throw CancellationError() }
    ) async -> Run {
        await self.run(arguments, environment: environment, terminal: terminal, typed: typed, sleep: sleep)
    }

    func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        terminal: Terminal? = nil,
        typed: [String]? = nil,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { _ in throw CancellationError() }
    ) async -> Run {
        let (output, remarks) = (Captured(), Captured())
        let lines = typed.map(Typed.init)
        let console = Console(
            environment: self.environment.merging(environment) { $1 },
            now: { Statuses.now },
            sleep: sleep,
            output: { output.add($0) },
            remark: { remarks.add($0) },
            terminal: { terminal },
            remarksToTerminal: false,
            connect: { ControllerClient($0, timeout: .seconds(300)) },
            openJournal: { path, _ in throw CommandFailure(code: .usage, message: "no journal \(path)") },
            restoreCursorOnSignals: {},
            readRevision: { revision, folder in
                guard let files = self.revisions.withLock({ $0[revision] }) else {
                    throw CommandFailure(code: .usage, message: "there is no commit \(revision)")
                }
                let inside = files.filter { $0.path.hasPrefix(folder) }
                return Console.Revision(commit: "\(revision)00000000", subject: "Of \(revision)", files: inside)
            },
            fetchPullRequest: { number, branch, remote in
                guard number == 42 else {
                    throw CommandFailure(code: .usage, message: "\(remote) has no pull request \(number)")
                }
                return (branch, "HEAD")
            },
            keyboard: lines?.next,
            secret: { lines?.next() }
        )
        let status = await CommandRunner.run(TestRoot.self, arguments: arguments, console: console)
        return Run(status: status, output: output.text, remarks: remarks.text)
    }

    /// What somebody types, line by line, until they close the terminal.
    private final class Typed: Sendable {
        private let lines: Mutex<[String]>
        init(_ lines: [String]) { self.lines = Mutex(lines) }
        func next() -> String? { self.lines.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
    }

    private final class Captured: Sendable {
        private let storage = Mutex("")
        var text: String { self.storage.withLock { $0 } }
        func add(_ text: String) { self.storage.withLock { $0 += text } }
    }
}
