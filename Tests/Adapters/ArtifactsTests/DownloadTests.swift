import Artifacts
import Deployments
import Foundation
import LoopbackServer
import Testing

@Suite("Artifacts over HTTP", .timeLimit(.minutes(5)))
struct DownloadTests {
    let fixture: StoreFixture
    static let sample = sampleBytes(300_000)
    let file = ServedFile(Self.sample)
    let server: LoopbackServer

    init() throws {
        self.fixture = try StoreFixture()
        self.server = try LoopbackServer(handler: self.file.answer)
    }

    private var content: [UInt8] { self.file.content }
    private var uri: String { "\(self.server.url)/models/magika.onnx" }

    @Test
    func `a download is verified, kept under its own name and read-only`() async throws {
        let wanted = model(self.uri, digest: sha256(self.content))
        let state = try await self.fixture.withStore { store in
            #expect(await store.state(of: wanted) == .absent)
            return try await store.settled(wanted)
        }
        guard case .ready(let path, let digest, _) = state else { throw CancellationError() }
        #expect(path == "\(self.fixture.cache)/objects/\(sha256(self.content))/magika.onnx")
        #expect(digest == wanted.digest)
        #expect(try bytes(at: path) == self.content)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o444)
        #expect(try FileManager.default.contentsOfDirectory(atPath: self.fixture.cache + "/partial").isEmpty)
    }

    @Test
    func `a wrong digest fails with both digests and without secrets`() async throws {
        let wrong = String(repeating: "a", count: 64)
        let wanted = model("http://u:pa55@127.0.0.1:\(self.server.port)/m.onnx?token=s3cret", digest: wrong)
        let message = try await self.fixture.withStore { try await $0.failure(wanted) }
        #expect(message.contains("sha256:\(wrong)"))
        #expect(message.contains("sha256:\(sha256(self.content))"))
        #expect(message.contains("http://127.0.0.1:\(self.server.port)/m.onnx"))
        #expect(!message.contains("pa55") && !message.contains("s3cret"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: self.fixture.cache + "/objects").isEmpty)
    }

    @Test
    func `an interrupted download goes on where it stopped, with or without a digest`() async throws {
        for digest in [sha256(self.content), nil] {
            let fixture = try StoreFixture()
            self.file.change { $0.cuts = [100_000, 50_000] }
            let before = self.server.requests.count
            let path = try await fixture.withStore { try await $0.path(model(self.uri, digest: digest)) }
            #expect(try bytes(at: path) == self.content)
            let requests = self.server.requests[before...]
            #expect(requests.map { $0.headers["range"] } == [nil, "bytes=100000-", "bytes=150000-"])
            #expect(requests.map { $0.headers["if-range"] } == [nil, "\"1\"", "\"1\""])
        }
    }

    @Test
    func `a server that ignores ranges sends everything again`() async throws {
        self.file.change {
            $0.cuts = [100_000]
            $0.ignoresRanges = true
        }
        let path = try await self.fixture.withStore { [uri] in try await $0.path(model(uri)) }
        #expect(try bytes(at: path) == self.content)
    }

    @Test
    func `a file that changes during an interruption is downloaded from its start`() async throws {
        let next = sampleBytes(250_000, seed: 2)
        self.file.change { $0.cuts = [100_000] }
        let wanted = model(self.uri)
        let path = try await self.fixture.withStore(
            { $0.retryDelay = .milliseconds(300) },
            { [file] store in
                _ = try await store.settled(wanted) { if case .retrying = $0 { true } else { false } }
                file.change {
                    $0.content = next
                    $0.tag = "\"2\""
                }
                return try await store.path(wanted)
            }
        )
        #expect(try bytes(at: path) == next)
    }

    @Test
    func `a server in trouble is asked again`() async throws {
        self.file.change { $0.statuses = [503, 500, 429] }
        let seen = try await self.fixture.withStore { [uri] store in
            let first = try await store.settled(model(uri)) { if case .retrying = $0 { true } else { false } }
            _ = try await store.path(model(uri))
            return first
        }
        guard case .retrying(let message) = seen else { throw CancellationError() }
        #expect(message.contains("answered"))
        #expect(self.server.requests.count == 4)
    }

    @Test
    func `what is missing fails, and is looked for again when asked for later`() async throws {
        self.file.change { $0.statuses = [404] }
        try await self.fixture.withStore { [uri] store in
            let message = try await store.failure(model(uri))
            #expect(message.contains("answered 404; upload the artifact"))
            _ = try await store.path(model(uri))
        }
    }

    @Test
    func `artifacts that fail do not hold up the others`() async throws {
        let dead = try LoopbackServer { _ in .text("no", status: 503) }
        try await self.fixture.withStore { [uri] store in
            for number in 0..<4 {
                await store.fetch(model("\(dead.url)/\(number)"))
            }
            _ = try await store.path(model(uri))
        }
    }

    @Test
    func `a download over the limit fails before it fills the disk`() async throws {
        let message = try await self.fixture.withStore({ $0.maxArtifactBytes = 299_999 }) { [uri] in
            try await $0.failure(model(uri))
        }
        #expect(message.contains("299999"))
    }

    @Test
    func `a URI without a digest keeps meaning what it meant first`() async throws {
        let wanted = model(self.uri)
        let first = self.content
        try await self.fixture.withStore { _ = try await $0.path(wanted) }
        try FileManager.default.removeItem(atPath: "\(self.fixture.cache)/objects/\(sha256(first))")
        self.file.change {
            $0.content = [1, 2, 3]
            $0.tag = "\"2\""
        }
        let message = try await self.fixture.withStore { try await $0.failure(wanted) }
        #expect(message.contains("sha256:\(sha256(first)) when it was fetched first"))
        #expect(message.contains(sha256([1, 2, 3])))
        // The manifest's own word overrules the pin.
        let path = try await self.fixture.withStore { [uri] in
            try await $0.path(model(uri, digest: sha256([1, 2, 3])))
        }
        #expect(try bytes(at: path) == [1, 2, 3])
    }

    @Test
    func `an artifact is known after a restart without its server`() async throws {
        let wanted = model(self.uri)
        let path = try await self.fixture.withStore { try await $0.path(wanted) }
        self.server.stop()
        let state = try await self.fixture.withStore { await $0.state(of: wanted) }
        #expect(state == .ready(path: path, digest: "sha256:\(sha256(self.content))"))
    }

    @Test
    func `an object that was changed on the disk is fetched anew`() async throws {
        let wanted = model(self.uri, digest: sha256(self.content))
        let path = try await self.fixture.withStore { try await $0.path(wanted) }
        try FileManager.default.removeItem(atPath: path)
        try Data(repeating: 0, count: 300_000).write(to: URL(filePath: path))
        try await self.fixture.withStore { store in
            #expect(await store.state(of: wanted) == .absent)
            let again = try await store.path(wanted)
            #expect(again == path)
        }
        #expect(try bytes(at: path) == self.content)
    }

    @Test(arguments: ["s3://bucket/m", "m.onnx", "", "file:relative", "file://host/path", "http://"])
    func `a URI of an unknown kind fails`(uri: String) async throws {
        let message = try await self.fixture.withStore { try await $0.failure(model(uri)) }
        #expect(message.contains("uri") || message.contains("URL"))
    }

    @Test
    func `a digest that is none never becomes a path`() async throws {
        let message = try await self.fixture.withStore { [uri] in
            try await $0.failure(model(uri, digest: "../../../etc"))
        }
        #expect(message.contains("64"))
    }
}
