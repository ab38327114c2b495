import ControllerAPI
import Deployments
import Foundation
import Glibc
import Testing

/// A corner of the machine for one test: a folder, ports, a git repository, and the processes that belong to them.
final class Sandbox {
    static let name = "echo"
    static let id = DeploymentID(namespace: "default", name: Sandbox.name)

    let folder: String
    let listen: Int
    let replicaPorts: ClosedRange<Int>
    let sparePort: Int
    let client: ControllerClient
    private var controller: Process?
    /// What only the controller gets, as from a service manager.
    var controllerVariables: [String: String] = [:]

    var state: String { "\(self.folder)/state" }
    var socket: String { "\(self.folder)/c.sock" }
    var log: String { "\(self.folder)/controller.log" }
    var models: String { "\(self.folder)/models" }
    var remote: String { "\(self.folder)/remote.git" }
    var clone: String { "\(self.folder)/clone" }
    var webhookSecret: String { "\(self.folder)/webhook-secret" }
    var url: String { "http://127.0.0.1:\(self.listen)/v2/models/echo/infer" }

    /// Runs `body` in a sandbox, and ends all that it started, however `body` ends.
    ///
    /// With `keepsFailures` the folder of a run that failed is kept, with its logs and journal.
    static func run(keepsFailures: Bool = false, _ body: (Sandbox) async throws -> Void) async throws {
        let sandbox = try Sandbox()
        do {
            try await sandbox.setUp()
            try await body(sandbox)
        } catch {
            sandbox.cleanUp(keeping: keepsFailures)
            throw error
        }
        sandbox.cleanUp()
    }

    private init() throws {
        let ports = try Machine.freePorts(20)
        self.listen = ports.lowerBound
        self.sparePort = ports.lowerBound + 1
        self.replicaPorts = (ports.lowerBound + 2)...ports.upperBound
        // Short, because a Unix socket's path has room for 107 bytes, and /tmp because $TMPDIR may be long.
        self.folder = "/tmp/ci-\(UUID().uuidString.prefix(8).lowercased())"
        self.client = ControllerClient(socket: "\(self.folder)/c.sock", timeout: .seconds(30))
    }

    private func setUp() async throws {
        try FileManager.default.createDirectory(
            atPath: self.folder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        try FileManager.default.createDirectory(atPath: self.models, withIntermediateDirectories: false)
        try await self.setUpRepository()
        try self.configure()
    }

    /// Writes the configuration, which the controller reads when it starts.
    func configure(
        poll: String = "500ms",
        interval: String = "1s",
        webhook: String? = nil,
        signatures: String? = nil,
        providers: [String] = [],
        programs: String? = nil,
        reverts: String = "push",
        forge: String? = nil,
        registry: String? = nil,
        promotions: String? = nil,
        settings: String = ""
    ) throws {
        let jobs = programs.map { "jobs: {programs: [\"\($0)\"]}" } ?? ""
        let webhooks = webhook == nil ? "" : "webhooks: {listen: \"127.0.0.1:\(self.sparePort)\"}"
        let taken = webhook.map { ", webhook: {kind: \($0), secretFile: \"\(self.webhookSecret)\"}" } ?? ""
        let models = registry.map { "modelRegistry: \($0)" } ?? ""
        let told = forge.map { ", forge: \($0)" } ?? ""
        let promoted = promotions.map { ", promotions: \($0)" } ?? ""
        // A controller that could push to a branch whose commits must be signed would stop it.
        let trust = signatures.map { "reverts: branch, signatures: \($0)" } ?? "reverts: \(reverts)"
        let git = "path: deployments, interval: \(interval), notes: true, \(trust)\(taken)\(told)\(promoted)"
        try self.write(
            "\(self.folder)/controller.yaml",
            """
            stateDirectory: "\(self.state)"
            socket: "\(self.socket)"
            logLevel: info
            poll: \(poll)
            repositories:
              - {name: models, url: "file://\(self.remote)", \(git)}
            \(webhooks)
            providers: [\(providers.joined(separator: ", "))]
            artifacts: {fileRoots: ["\(self.models)"]}
            \(models)
            \(jobs)
            \(settings)
            local:
              envoy: "\(try Machine.envoy())"
              listen: "127.0.0.1:\(self.listen)"
              ports: \(self.replicaPorts.lowerBound)-\(self.replicaPorts.upperBound)

            """
        )
    }

    func write(_ path: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    /// What this sandbox's programs get: the folder in it is what they are known by.
    var environment: [String: String] {
        [
            "PATH": (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin") + ":/usr/bin",
            "HOME": "\(self.folder)/home", "TMPDIR": self.folder, "LC_ALL": "C", "NO_COLOR": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org",
        ]
    }

    /// Starts a program that goes on beside the test.
    func start(
        _ program: String,
        _ arguments: [String],
        output: String,
        adding variables: [String: String] = [:]
    ) throws -> Process {
        if !FileManager.default.fileExists(atPath: output) { try self.write(output, "") }
        let file = try #require(FileHandle(forWritingAtPath: output))
        try file.seekToEnd()
        let process = Process()
        // Foundation hands on the signal mask of a thread of Dispatch's, which blocks SIGINT and SIGTERM.
        let unblock = "import os,signal,sys; signal.pthread_sigmask(signal.SIG_SETMASK, []); "
        process.executableURL = URL(filePath: try Machine.python())
        process.arguments = ["-SEc", unblock + "os.execv(sys.argv[1], sys.argv[1:])", program] + arguments
        process.environment = self.environment.merging(variables) { $1 }
        process.currentDirectoryURL = URL(filePath: self.folder)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = file
        process.standardError = file
        try process.run()
        return process
    }

    /// The last lines of the controller's log.
    var lastWords: String {
        // Without a log there is nothing to tell.
        let text = (try? String(contentsOfFile: self.log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(12).joined(separator: "\n")
    }

    private func cleanUp(keeping: Bool = false) {
        if let controller = self.controller { Self.end(controller) }
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            let left = Machine.processes(of: self.folder)
            if left.isEmpty { break }
            for process in left { kill(process.pid, SIGKILL) }
            usleep(10_000)
        }
        let left = Machine.processes(of: self.folder)
        if !left.isEmpty { Issue.record("these processes do not end: \(left)") }
        guard !keeping, ProcessInfo.processInfo.environment["INTEGRATION_KEEP"] == nil else {
            print("kept \(self.folder)")
            return
        }
        do {
            try FileManager.default.removeItem(atPath: self.folder)
        } catch {
            Issue.record("\(self.folder) cannot be removed: \(error)")
        }
    }

    private static func end(_ process: Process) {
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    // MARK: - The controller

    func startController() async throws {
        try self.launchController()
        try await self.until("the controller answers") {
            try #require(self.isControllerRunning, "the controller ended:\n\(self.lastWords)")
            return await self.fleet() != nil
        }
    }

    /// Starts the controller, or another version's `program`, without waiting for it.
    func launchController(_ program: String? = nil) throws {
        self.controller = try self.start(
            try program ?? Machine.controller(),
            ["run", "--config", "\(self.folder)/controller.yaml"],
            output: self.log,
            adding: self.controllerVariables
        )
    }

    var controllerID: pid_t? { self.controller?.processIdentifier }

    var isControllerRunning: Bool { self.controller?.isRunning ?? false }

    /// `kill -9`, as a crash.
    func killController() {
        if let controller = self.controller { Self.end(controller) }
        self.controller = nil
    }

    /// SIGTERM, as an operator or a service manager ends it.
    func stopController(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let controller = try #require(self.controller, sourceLocation: sourceLocation)
        kill(controller.processIdentifier, SIGTERM)
        try await self.until("the controller ends", sourceLocation: sourceLocation) { !controller.isRunning }
        try #require(
            controller.terminationReason == .exit && controller.terminationStatus == 0,
            "it ended with \(controller.terminationStatus):\n\(self.lastWords)",
            sourceLocation: sourceLocation
        )
        self.controller = nil
    }

    /// A command as an operator types it.
    func command(_ arguments: String...) async throws -> Machine.Ended {
        try await Machine.run(
            try Machine.controller(),
            arguments + ["--socket", self.socket],
            environment: self.environment,
            at: self.folder
        )
    }

    /// Exports all decisions and decides them again, as somebody would who has nothing but the file.
    ///
    /// The decisions come from the controller, or from the journal's file.
    func replay(fromJournal: Bool = false) async throws -> Machine.Ended {
        let source = fromJournal ? ["--journal", "\(self.state)/journal.sqlite"] : ["--socket", self.socket]
        let export = try await Machine.run(
            try Machine.controller(),
            ["history", "--export", "night.jsonl"] + source,
            environment: self.environment,
            at: self.folder
        )
        try #require(export.status == 0, "\(export.error)")
        return try await Machine.run(
            try Machine.controller(),
            ["replay", "night.jsonl"],
            environment: self.environment,
            at: self.folder
        )
    }

    /// Every decision comes out again.
    ///
    /// - Returns: What the replay printed.
    /// - Throws: As ``replay(fromJournal:)`` does.
    @discardableResult
    func expectReplay(fromJournal: Bool = false, at place: SourceLocation = #_sourceLocation) async throws -> String {
        let replay = try await self.replay(fromJournal: fromJournal)
        #expect(replay.status == 0, "\(replay.output)\(replay.error)", sourceLocation: place)
        return replay.output
    }

    /// Nothing while the controller does not answer.
    func fleet() async -> FleetStatus? {
        // Not answering is what callers wait out.
        try? await self.client.fleet()
    }

    func status() async -> DeploymentStatus? {
        await self.fleet()?.deployments.first { $0.name == Self.name }
    }

    func events() async throws -> [EventStatus] {
        try await self.client.history(Self.id, limit: 500)
    }

    func count(_ kind: String) async throws -> Int {
        try await self.events().count { $0.kind == kind }
    }

    // MARK: - Waiting

    func until(
        _ what: String,
        within limit: Duration = .seconds(120),
        sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + limit
        while true {
            if try await condition() { return }
            if ContinuousClock.now > deadline {
                let status = await self.status()
                let seen = status.map { "\($0.phase): \($0.message) \($0.holds) \($0.gates)" } ?? "no status"
                try #require(
                    Bool(false),
                    "not within \(limit): \(what); \(seen)\n\(self.lastWords)",
                    sourceLocation: sourceLocation
                )
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Waits until the deployment is as `condition` says, and returns it.
    @discardableResult
    func wait(
        for what: String,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: (DeploymentStatus) -> Bool
    ) async throws -> DeploymentStatus {
        var found: DeploymentStatus?
        try await self.until(what, sourceLocation: sourceLocation) {
            found = await self.status()
            return found.map(condition) ?? false
        }
        return try #require(found)
    }

    /// Waits until `version` is promoted and nothing is in flight.
    @discardableResult
    func serves(
        _ version: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> DeploymentStatus {
        try await self.wait(for: "\(version) serves", sourceLocation: sourceLocation) {
            $0.stable?.modelVersion == version && $0.canary == nil && ["settled", "baking"].contains($0.phase)
        }
    }

    /// Waits until the router gives the canary `percent` of the traffic.
    @discardableResult
    func canary(
        _ version: String,
        at percent: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> DeploymentStatus {
        try await self.wait(for: "\(version) has \(percent) percent", sourceLocation: sourceLocation) {
            $0.canary?.modelVersion == version && $0.canary?.weight == percent
        }
    }

    /// The processes of this sandbox whose command line holds `text`.
    func processes(_ text: String) -> [Int32] {
        Machine.processes(of: self.folder).filter { $0.command.contains(text) }.map(\.pid)
    }
}
