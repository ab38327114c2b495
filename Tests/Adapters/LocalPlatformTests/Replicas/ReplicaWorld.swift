import Deployments
import Foundation
import Glibc
import LocalPlatform
import Logging
import Reconciliation
import Synchronization
import Testing
import Transport

/// A folder, some ports and a model server to play with. Whatever was started is ended with it.
final class ReplicaWorld: Sendable {
    let folder: URL
    let ports: ClosedRange<Int>

    /// Each world has ports of its own; two test runs on one machine most likely too.
    private static let nextPorts = Mutex(21_000 + Int(getpid()) % 150 * 40)

    init() throws {
        self.folder = FileManager.default.temporaryDirectory.appending(path: "replicas-\(UUID())")
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        let first = Self.nextPorts.withLock { next in
            defer { next += 4 }
            return next
        }
        self.ports = first...(first + 3)
    }

    deinit {
        for pid in self.startedProcesses { kill(-pid, SIGKILL) }
        try? FileManager.default.removeItem(at: self.folder)
    }

    /// One line for each start of the model server.
    var startsFile: String { self.folder.appending(path: "starts").path }

    var startedProcesses: [pid_t] {
        let text = (try? String(contentsOfFile: self.startsFile, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { pid_t($0) }
    }

    /// A running `LocalReplicas` over the folder, until `body` returns. Its processes live on.
    func run<Result: Sendable>(
        backoff: RestartBackoff = RestartBackoff(first: .milliseconds(50), longest: .milliseconds(400)),
        _ body: @Sendable (LocalReplicas) async throws -> Result
    ) async throws -> Result {
        let platform = LocalReplicas(
            configuration: LocalReplicasConfiguration(
                directory: self.folder.appending(path: "state").path,
                ports: self.ports,
                inheritedEnvironment: ["PATH": "/usr/bin:/bin:\(ProcessInfo.processInfo.environment["PATH"] ?? "")"],
                backoff: backoff
            ),
            client: HTTPClient(),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await platform.run() }
            defer { group.cancelAll() }
            return try await body(platform)
        }
    }

    static func id(_ ordinal: Int = 0) -> ReplicaID {
        ReplicaID(
            deployment: DeploymentID(namespace: "search", name: "file-type"),
            revision: Revision(digest: String(repeating: "ab", count: 32)),
            ordinal: ordinal
        )
    }

    func launch(
        _ faults: String...,
        startupTimeout: Duration = .seconds(60),
        grace: Duration = .seconds(30),
        expected: String = #"{"outputs": [{"data": ["python"]}, {"name": "score", "data": [0.948]}]}"#
    ) -> ReplicaLaunch {
        let server = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/model_server.py").path
        let runtime = ServingRuntime(
            name: "test",
            command: [
                "python3", "-u", server, "--host", "${host}", "--port=${port}", "--model-name", "${model.name}",
                "--model-path", "${model.path}", "--starts", "${parameters.starts}",
            ] + faults,
            readiness: ServingRuntime.Probe(
                path: "/v2/models/${model.name}/ready",
                period: .milliseconds(50),
                timeout: .seconds(10),
                successThreshold: 2,
                failureThreshold: 2
            ),
            startupTimeout: startupTimeout,
            shutdown: ServingRuntime.Shutdown(grace: grace)
        )
        let spec = DeploymentSpec(
            id: Self.id().deployment,
            revision: Self.id().revision,
            origin: CommitReference(repository: "r", branch: "main", commit: String(repeating: "0", count: 40)),
            model: Model(name: "magika", version: "v1", format: "onnx", uri: "file:///m"),
            runtime: runtime,
            parameters: ["starts": self.startsFile],
            golden: [
                GoldenPrediction(request: #"{"inputs": [1]}"#, expected: expected, tolerance: 1e-3)
            ]
        )
        return ReplicaLaunch(spec: spec, artifact: "/models/of magika")
    }

    /// The replica once its state is as asked for.
    static func wait(
        for ordinal: Int = 0,
        of platform: LocalReplicas,
        _ condition: (Replica) -> Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Replica {
        var last: Replica?
        let found = try await eventually {
            last = try await platform.replicas().first { $0.id == Self.id(ordinal) }
            return last.map(condition) ?? false
        }
        #expect(found, "\(last.map { "\($0)" } ?? "no replica")", sourceLocation: sourceLocation)
        return try #require(last, sourceLocation: sourceLocation)
    }

    /// Stops the replica and waits until it is gone.
    static func stop(_ ordinal: Int = 0, of platform: LocalReplicas) async throws {
        try await platform.stop(Self.id(ordinal))
        let gone = try await eventually { try await !platform.replicas().contains { $0.id == Self.id(ordinal) } }
        #expect(gone)
    }

    static func isAlive(_ pid: pid_t) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return !stat.contains(") Z ")
    }

    /// The running processes whose environment names a file of this world or that are children of one that does.
    func children(of pid: pid_t) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { child in
            let stat = (try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)) ?? ""
            let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
            return fields.count > 1 && pid_t(fields[1]) == pid && fields[0] != "Z"
        }
    }
}

extension Replica {
    var isBackingOff: Bool {
        if case .backingOff = self.state { true } else { false }
    }
}
