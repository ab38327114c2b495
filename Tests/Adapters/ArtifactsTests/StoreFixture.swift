import Crypto
import Deployments
import Foundation
import Logging
import LoopbackServer
import ModelRegistries
import Synchronization
import Testing
import Transport

@testable import Artifacts

/// A folder for one test, and stores in it.
final class StoreFixture: Sendable {
    let folder: String
    let client = HTTPClient()
    let registry: (any ModelRegistry)?

    init(registry: (any ModelRegistry)? = nil) throws {
        self.registry = registry
        self.folder = NSTemporaryDirectory() + "artifacts-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: self.folder + "/sources", withIntermediateDirectories: true)
    }

    deinit {
        // Left-overs in the temporary folder harm nobody.
        try? FileManager.default.removeItem(atPath: self.folder)
    }

    var cache: String { self.folder + "/cache" }
    var sources: String { self.folder + "/sources" }

    func configuration(_ change: (inout ArtifactConfiguration) -> Void = { _ in }) -> ArtifactConfiguration {
        var configuration = ArtifactConfiguration(
            directory: self.cache,
            fileRoots: [self.sources],
            retryDelay: .milliseconds(10),
            maxRetryDelay: .milliseconds(50),
            failureExpiry: .zero,
            evictionGrace: .zero
        )
        change(&configuration)
        return configuration
    }

    /// Runs a store for as long as `body` does.
    func withStore<Result: Sendable>(
        _ change: (inout ArtifactConfiguration) -> Void = { _ in },
        _ body: @Sendable (ContentStore) async throws -> Result
    ) async throws -> Result {
        let store = ContentStore(
            configuration: self.configuration(change),
            registry: self.registry,
            client: self.client,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await store.run() }
            defer { group.cancelAll() }
            return try await body(store)
        }
    }

    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let url = URL(filePath: "\(self.sources)/\(name)")
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
        return url.path
    }

    /// Runs a program and returns what it prints.
    @discardableResult
    func run(_ program: String, _ arguments: [String], in folder: String? = nil) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.currentDirectoryURL = URL(filePath: folder ?? self.folder)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(program) \(arguments)")
        return text
    }
}

extension ContentStore {
    /// Asks for a model and waits until `isEnough` says so of its state.
    func settled(
        _ model: Model,
        isEnough: (ArtifactState) -> Bool = { state in
            switch state {
            case .ready, .failed: true
            case .absent, .fetching, .retrying: false
            }
        }
    ) async throws -> ArtifactState {
        self.fetch(model)
        return try await self.watched(model, isEnough: isEnough)
    }

    func watched(_ model: Model, isEnough: (ArtifactState) -> Bool) async throws -> ArtifactState {
        let deadline = ContinuousClock.now + .seconds(120)
        while true {
            let state = self.state(of: model)
            if isEnough(state) { return state }
            try #require(ContinuousClock.now < deadline, "still \(state)")
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    func path(_ model: Model) async throws -> String {
        guard case .ready(let path, _, _) = try await self.settled(model) else {
            Issue.record("\(self.state(of: model))")
            throw CancellationError()
        }
        return path
    }

    func failure(_ model: Model) async throws -> String {
        guard case .failed(let message) = try await self.settled(model) else {
            Issue.record("\(self.state(of: model))")
            throw CancellationError()
        }
        return message
    }
}

/// A file on a server that knows ranges, and what goes wrong on the way.
final class ServedFile: Sendable {
    struct State {
        var content: [UInt8]
        var tag = "\"1\""
        var ignoresRanges = false
        /// The next answers end after so many bytes of their body.
        var cuts: [Int] = []
        /// The next answers are only these.
        var statuses: [Int] = []
    }

    private let state: Mutex<State>

    init(_ content: [UInt8]) {
        self.state = Mutex(State(content: content))
    }

    var content: [UInt8] { self.state.withLock { $0.content } }

    func change(_ body: (inout State) -> Void) {
        self.state.withLock { body(&$0) }
    }

    func answer(_ request: LoopbackServer.Request) -> LoopbackServer.Answer {
        self.state.withLock { state in
            if !state.statuses.isEmpty { return .text("no", status: state.statuses.removeFirst()) }
            var headers = ["ETag": state.tag]
            var status = 200
            var body = state.content
            if let range = request.headers["range"], !state.ignoresRanges,
                request.headers["if-range"] ?? state.tag == state.tag,
                let start = Int(range.dropFirst("bytes=".count).dropLast())
            {
                guard start < body.count else {
                    return .status(416, headers: ["Content-Range": "bytes */\(body.count)"])
                }
                headers["Content-Range"] = "bytes \(start)-\(body.count - 1)/\(body.count)"
                status = 206
                body = Array(body[start...])
            }
            guard !state.cuts.isEmpty else { return .status(status, headers: headers, body: body) }
            let cut = state.cuts.removeFirst()
            return .truncated(status, headers: headers, body: Array(body.prefix(cut)), length: body.count)
        }
    }
}

func sha256(_ bytes: [UInt8]) -> String {
    SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
}

func model(_ uri: String, digest: String? = nil) -> Model {
    Model(name: "m", version: "1", format: "onnx", uri: uri, digest: digest.map { "sha256:\($0)" })
}

func bytes(at path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path)))
}

/// Bytes that compress badly and differ from place to place.
func sampleBytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 33)
    }
}
