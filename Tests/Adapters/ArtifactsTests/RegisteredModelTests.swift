import Artifacts
import Deployments
import FakeMLflow
import Foundation
import LoopbackServer
import ModelRegistries
import Testing
import Transport

@Suite("Artifacts of a model registry", .timeLimit(.minutes(5)))
struct RegisteredModelTests {
    let server: FakeMLflow
    let fixture: StoreFixture
    static let seven: [String: [UInt8]] = [
        "MLmodel": Array("seven\n".utf8), "data/empty": [], "data/model.onnx": sampleBytes(300_000),
    ]
    static let eight: [String: [UInt8]] = ["MLmodel": Array("eight\n".utf8), "data/model.onnx": sampleBytes(10)]
    let champion = model("models:/magika@champion")

    init() throws {
        self.server = try FakeMLflow()
        self.fixture = try StoreFixture(
            registry: MLflowRegistry(
                configuration: RegistryConfiguration(url: self.server.url),
                client: HTTPClient()
            )
        )
        self.server.register("magika", 7, files: Self.seven)
        self.server.register("magika", 8, files: Self.eight)
        self.server.point("champion", of: "magika", to: 7)
    }

    /// As docs/reference/artifacts.md says it.
    private static func digest(_ files: [String: [UInt8]]) -> String {
        sha256(files.sorted { $0.key < $1.key }.flatMap { Array("\(sha256($0.value))  \($0.key)\n".utf8) })
    }

    private func expect(_ files: [String: [UInt8]], at path: String) throws {
        for (name, content) in files { #expect(try bytes(at: "\(path)/\(name)") == content, "\(name)") }
    }

    @Test
    func `a version becomes a folder, verified by the digest of its files`() async throws {
        let wanted = model("models:/magika/7", digest: Self.digest(Self.seven))
        let state = try await self.fixture.withStore { try await $0.settled(wanted) }
        guard case .ready(let path, let digest, let pinned) = state else { throw CancellationError() }
        #expect(digest == wanted.digest)
        #expect(pinned == nil)
        try self.expect(Self.seven, at: path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: self.fixture.cache + "/partial").isEmpty)
        let wrong = model("models:/magika/8", digest: Self.digest(Self.seven))
        let message = try await self.fixture.withStore { store in
            #expect(await store.state(of: wrong) != .absent)
            return try await store.failure(model("models:/magika/8", digest: sha256([1])))
        }
        #expect(message.contains("models:/magika/8 has the digest sha256:\(Self.digest(Self.eight))"))
    }

    @Test
    func `an alias goes on meaning its first version, wherever it is moved, also after the cache was emptied`()
        async throws
    {
        let before = Date()
        let first = try await self.fixture.withStore { [champion] in try await $0.settled(champion) }
        guard case .ready(let path, let digest, let pinned?) = first else { throw CancellationError() }
        #expect(pinned.version == 7)
        let since = Double(pinned.since.milliseconds) / 1000
        #expect(since >= before.timeIntervalSince1970 - 1)
        #expect(since <= Date().timeIntervalSince1970 + 1)
        self.server.point("champion", of: "magika", to: 8)
        let asked = self.server.requests.count
        let restarted = try await self.fixture.withStore { [champion] in try await $0.settled(champion) }
        #expect(restarted == first)
        #expect(self.server.requests[asked...].isEmpty)
        try FileManager.default.removeItem(atPath: self.fixture.cache + "/objects")
        let emptied = try await self.fixture.withStore { [champion] in try await $0.settled(champion) }
        #expect(emptied == first)
        #expect(digest == "sha256:\(Self.digest(Self.seven))")
        try self.expect(Self.seven, at: path)
        // Nobody asked what the alias means now.
        #expect(!self.server.requests[asked...].contains { $0.target.contains("alias") })
    }

    @Test
    func `another digest in the manifest is another question about the alias`() async throws {
        let seven = model("models:/magika@champion", digest: Self.digest(Self.seven))
        let eight = model("models:/magika@champion", digest: Self.digest(Self.eight))
        let states = try await self.fixture.withStore { [server] store in
            let first = try await store.settled(seven)
            server.point("champion", of: "magika", to: 8)
            return [first, try await store.settled(eight), await store.state(of: seven)]
        }
        let versions = states.map { state -> Int? in
            guard case .ready(_, _, let pinned) = state else { return nil }
            return pinned?.version
        }
        #expect(versions == [7, 8, 7])
    }

    @Test
    func `files of a version that were written over fail instead of being served`() async throws {
        let wanted = model("models:/magika/7")
        _ = try await self.fixture.withStore { try await $0.path(wanted) }
        self.server.register("magika", 7, files: Self.eight)
        try FileManager.default.removeItem(atPath: self.fixture.cache + "/objects")
        let message = try await self.fixture.withStore { try await $0.failure(wanted) }
        #expect(message.contains("when it was fetched first"))
        #expect(message.contains(Self.digest(Self.seven)) && message.contains(Self.digest(Self.eight)))
    }

    @Test
    func `the tag sha256 says what the files must be, unless the manifest does`() async throws {
        let (right, wrong) = (Self.digest(Self.seven), String(repeating: "a", count: 64))
        self.server.register("right", 1, files: Self.seven, tags: ["sha256": right])
        self.server.register("wrong", 1, files: Self.seven, tags: ["sha256": "sha256:\(wrong)"])
        self.server.register("other", 1, files: Self.seven, tags: ["sha256": "of one file: 12"])
        try await self.fixture.withStore { store in
            _ = try await store.path(model("models:/right/1"))
            _ = try await store.path(model("models:/other/1"))
            let message = try await store.failure(model("models:/wrong/1"))
            #expect(message.contains("its version's tag `sha256` says sha256:\(wrong)"))
            #expect(message.contains(right))
        }
        let fixture = try StoreFixture(registry: self.fixture.registry)
        _ = try await fixture.withStore { try await $0.path(model("models:/wrong/1", digest: right)) }
    }

    @Test
    func `an interrupted download goes on where it stopped, file by file`() async throws {
        let content = Self.seven["data/model.onnx"] ?? []
        self.server.change {
            $0.fault = { request in
                guard request.target.hasSuffix("model.onnx"), request.headers["range"] == nil else { return nil }
                return .truncated(200, headers: ["ETag": "\"x\""], body: Array(content[..<100_000]), length: 300_000)
            }
        }
        let wanted = model("models:/magika/7", digest: Self.digest(Self.seven))
        // The tag that came with the first bytes is of other content for the fake, which sends everything then.
        let path = try await self.fixture.withStore { try await $0.path(wanted) }
        try self.expect(Self.seven, at: path)
        let requests = self.server.requests.filter { $0.target.hasSuffix("model.onnx") }
        #expect(requests.contains { $0.headers["range"] == "bytes=100000-" && $0.headers["if-range"] == "\"x\"" })
        // What had arrived as a whole is asked for only beyond its end.
        let whole = self.server.requests.filter { $0.target.hasSuffix("MLmodel") }
        #expect(whole.filter { $0.headers["range"] == nil }.count == 1)
    }

    @Test
    func `credentials go to the registry's own host only`() async throws {
        let file = self.fixture.folder + "/token"
        try Data("t0ken\n".utf8).write(to: URL(filePath: file))
        let content = Self.seven["data/model.onnx"] ?? []
        let other = try LoopbackServer { _ in .status(200, body: content) }
        self.server.change {
            $0.authorization = "Bearer t0ken"
            $0.fault = { [url = other.url] request in
                request.target.hasSuffix("model.onnx")
                    ? .status(302, headers: ["Location": "\(url)/elsewhere"]) : nil
            }
        }
        let registry = MLflowRegistry(
            configuration: RegistryConfiguration(url: self.server.url, credentials: .tokenFile(file)),
            client: HTTPClient()
        )
        let fixture = try StoreFixture(registry: registry)
        try await fixture.withStore { [champion] store in
            let path = try await store.path(champion)
            #expect(try bytes(at: "\(path)/data/model.onnx") == content)
            _ = try await store.path(model("\(other.url)/by-http.onnx"))
        }
        #expect(other.requests.count == 2)
        #expect(other.requests.allSatisfy { $0.headers["authorization"] == nil })
        #expect(self.server.requests.allSatisfy { $0.headers["authorization"] == "Bearer t0ken" })
        let pins = try String(contentsOfFile: fixture.cache + "/pins.jsonl", encoding: .utf8)
        #expect(!pins.contains("t0ken"))
    }

    @Test(arguments: [(400, false), (401, false), (403, false), (404, false), (429, true), (500, true), (503, true)])
    func `a registry in trouble is asked again, and one that refuses is not`(status: Int, passes: Bool) async throws {
        self.server.change { $0.fault = { _ in .text("no", status: status) } }
        try await self.fixture.withStore { [server, champion] store in
            let state = try await store.settled(champion) {
                switch $0 {
                case .retrying, .failed: true
                case .absent, .fetching, .ready: false
                }
            }
            let isRetrying = if case .retrying = state { true } else { false }
            #expect(isRetrying == passes, "\(state)")
            server.change { $0.fault = nil }
            _ = try await store.path(champion)
        }
    }

    @Test
    func `names that lead elsewhere, too many files and too many bytes are refused`() async throws {
        let listing = #"{"files": [{"path": "../../evil", "is_dir": false, "file_size": 1}]}"#
        self.server.change { $0.fault = { $0.target.contains("artifacts?path=") ? .text(listing) : nil } }
        let message = try await self.fixture.withStore { [champion] in try await $0.failure(champion) }
        #expect(message.contains("../../evil"))
        self.server.change { $0.fault = nil }
        let files = try await self.fixture.withStore({ $0.maxFiles = 2 }) { [champion] in
            try await $0.failure(champion)
        }
        #expect(files.contains("more than 2 files"))
        let large = try await self.fixture.withStore({ $0.maxArtifactBytes = 299_999 }) { [champion] in
            try await $0.failure(champion)
        }
        #expect(large.contains("299999"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: self.fixture.cache + "/objects").isEmpty)
    }

    @Test
    func `a server that stops sending is given up at the deadline, and asked again`() async throws {
        self.server.change { $0.fault = { $0.target.hasSuffix("MLmodel") ? .silence : nil } }
        let state = try await self.fixture.withStore({ $0.timeout = .milliseconds(300) }) { [champion] store in
            try await store.settled(champion) { if case .retrying = $0 { true } else { false } }
        }
        guard case .retrying = state else { throw CancellationError() }
    }

    @Test
    func `a file of another size than its listing says is looked at again`() async throws {
        self.server.change {
            $0.fault = { $0.target.hasSuffix("MLmodel") ? .text("seven, and more of it") : nil }
        }
        let path = try await self.fixture.withStore { [server, champion] store in
            let state = try await store.settled(champion) { if case .retrying = $0 { true } else { false } }
            guard case .retrying(let message) = state else { throw CancellationError() }
            #expect(message.contains("MLmodel with 21 bytes in place of 6"))
            server.change { $0.fault = nil }
            return try await store.path(champion)
        }
        try self.expect(Self.seven, at: path)
    }

    @Test
    func `what cannot be fetched says what to do`() async throws {
        self.server.change {
            $0.models["magika"]?[8]?.uri = "s3://bucket/model"
            $0.models["magika"]?[7]?.status = "FAILED_REGISTRATION"
            $0.models["empty"] = [1: FakeMLflow.Version()]
        }
        try await self.fixture.withStore { [champion] store in
            let stored = try await store.failure(model("models:/magika/8"))
            #expect(stored.contains("s3:") && stored.contains("--serve-artifacts"))
            #expect(try await store.failure(champion).contains("could not be registered"))
            #expect(try await store.failure(model("models:/empty/1")).contains("has no files"))
            let alias = try await store.failure(model("models:/magika@nobody"))
            #expect(alias.contains("does not know the alias nobody of the model magika"))
            #expect(try await store.failure(model("models:/magika")).contains("models:/NAME/VERSION"))
        }
        let without = try StoreFixture()
        let message = try await without.withStore { [champion] in try await $0.failure(champion) }
        #expect(message.contains("add `modelRegistry`"))
    }

    @Test
    func `a version that is not ready yet is waited for`() async throws {
        self.server.change { $0.models["magika"]?[7]?.status = "PENDING_REGISTRATION" }
        try await self.fixture.withStore { [server, champion] store in
            _ = try await store.settled(champion) { if case .retrying = $0 { true } else { false } }
            server.change { $0.models["magika"]?[7]?.status = "READY" }
            _ = try await store.path(champion)
        }
    }

    @Test
    func `a cache of a version that knew no aliases is taken over`() async throws {
        let path = try self.fixture.write([1, 2, 3], to: "m.onnx")
        _ = try await self.fixture.withStore { try await $0.path(model("file://\(path)")) }
        let pins = self.fixture.cache + "/pins.jsonl"
        var text = try String(contentsOfFile: pins, encoding: .utf8)
        text.replace(/,"since":\d+/, with: "")
        try Data(text.utf8).write(to: URL(filePath: pins))
        #expect(!text.contains("since"))
        let state = try await self.fixture.withStore { await $0.state(of: model("file://\(path)")) }
        let isReady = if case .ready(_, _, nil) = state { true } else { false }
        #expect(isReady, "\(state)")
    }
}
