import Artifacts
import Deployments
import FakeMLflow
import Foundation
import Glibc
import LoopbackServer
import ModelRegistries
import Synchronization
import Testing
import Transport

/// Against the MLflow that `make setup` installs.
@Suite("MLflow, real", .timeLimit(.minutes(10)))
struct RealMLflowTests {
    @Test
    func `what an alias meant first is fetched, verified and kept when the alias is moved`() async throws {
        let server = try await RunningMLflow()
        defer { withExtendedLifetime(server) {} }
        let seven: [String: [UInt8]] = ["MLmodel": Array("one\n".utf8), "data/model.onnx": sampleBytes(200_000)]
        try await server.calls.create("magika")
        let first = try await server.calls.register("magika", files: seven)
        let second = try await server.calls.register("magika", files: ["MLmodel": Array("two\n".utf8)])
        try await server.calls.point("champion", of: "magika", to: first)
        let registry = server.registry
        #expect(try await registry.aliases(of: "magika") == ["champion": first])
        for (reference, code) in [
            ("models:/magika@nobody", RegistryError.Code.aliasMissing), ("models:/other@champion", .notFound),
            ("models:/magika/99", .notFound),
        ] {
            let error = await #expect(throws: RegistryError.self) {
                try await registry.version(try #require(ModelReference(reference)))
            }
            #expect(error?.code == code, "\(String(describing: error))")
        }

        let fixture = try StoreFixture(registry: registry)
        let champion = model("models:/magika@champion")
        let state = try await fixture.withStore { try await $0.settled(champion) }
        guard case .ready(let path, let digest, let pinned?) = state else {
            Issue.record("\(state)")
            return
        }
        #expect(pinned.version == first)
        for (name, content) in seven { #expect(try bytes(at: "\(path)/\(name)") == content) }
        // By the command that the reference gives for a folder.
        let list = "find -L . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 -r sha256sum -- | sha256sum"
        let printed = try fixture.run("sh", ["-c", list], in: path)
        #expect(digest == "sha256:\(printed.prefix(64))")

        try await server.calls.point("champion", of: "magika", to: second)
        #expect(try await registry.version(try #require(ModelReference(champion.uri))).number == second)
        try FileManager.default.removeItem(atPath: fixture.cache + "/objects")
        let again = try await fixture.withStore { try await $0.settled(champion) }
        #expect(again == state)
        let digested = model("models:/magika/\(second)", digest: String(digest.dropFirst(7)))
        // Another version may not have the first one's digest.
        let anew = try StoreFixture(registry: registry)
        let message = try await anew.withStore { try await $0.failure(digested) }
        #expect(message.contains("but the manifest wants \(digest)"))
    }
}

/// An MLflow of the test's own, ended with it.
private final class RunningMLflow: Sendable {
    let calls: MLflowCalls
    private let process: Mutex<Process>
    private let folder: String
    private let client = HTTPClient()

    var registry: MLflowRegistry {
        MLflowRegistry(configuration: RegistryConfiguration(url: self.calls.url), client: self.client)
    }

    init() async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let program = try MLflowCalls.program(below: root.path)
        self.folder = NSTemporaryDirectory() + "mlflow-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        let port = try FreePort.take()
        self.calls = MLflowCalls(url: "http://127.0.0.1:\(port)", client: self.client)
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = MLflowCalls.arguments(port: Int(port), in: self.folder)
        process.environment = ProcessInfo.processInfo.environment.merging(MLflowCalls.environment) { $1 }
        process.currentDirectoryURL = URL(filePath: self.folder)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = Mutex(process)
        let deadline = ContinuousClock.now + .seconds(300)
        while await !self.calls.isUp {
            try #require(self.process.withLock { $0.isRunning }, "MLflow ended")
            try #require(ContinuousClock.now < deadline, "MLflow does not answer")
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    deinit {
        // Not SIGTERM, which Foundation hands on as blocked; and the parent alone would leave its worker.
        self.process.withLock { process in
            let family = Self.children(of: process.processIdentifier) + [process.processIdentifier]
            for member in family { kill(member, SIGKILL) }
            process.waitUntilExit()
        }
        // Left-overs in the temporary folder harm nobody.
        try? FileManager.default.removeItem(atPath: self.folder)
    }

    private static func children(of parent: Int32) -> [Int32] {
        let path = "/proc/\(parent)/task/\(parent)/children"
        // What has ended already has none.
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: " ").compactMap { Int32($0) }
    }
}
