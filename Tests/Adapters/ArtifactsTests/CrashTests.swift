import Artifacts
import Deployments
import Foundation
import LoopbackServer
import Testing

/// What `kill -9` leaves at each point, and what the next start makes of it.
@Suite("Artifacts after a crash", .timeLimit(.minutes(5)))
struct CrashTests {
    let fixture: StoreFixture
    static let sample = sampleBytes(300_000)
    let file = ServedFile(Self.sample)
    let server: LoopbackServer
    let partial: String
    let uri: String

    init() throws {
        self.fixture = try StoreFixture()
        self.server = try LoopbackServer(handler: self.file.answer)
        self.uri = "\(self.server.url)/m.onnx"
        self.partial = "\(self.fixture.cache)/partial/\(sha256(Array(self.uri.utf8)))"
        try FileManager.default.createDirectory(atPath: self.partial, withIntermediateDirectories: true)
    }

    private var content: [UInt8] { self.file.content }

    private func leave(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(filePath: "\(self.partial)/\(name)"))
    }

    private static let state = Array(#"{"session":"another","validator":"\"1\""}"#.utf8)

    @Test
    func `a download goes on when a digest will tell whether that was right`() async throws {
        try self.leave(Array(self.content[..<120_000]), "data")
        try self.leave(Self.state, "state.json")
        let wanted = model(self.uri, digest: sha256(self.content))
        let path = try await self.fixture.withStore { try await $0.path(wanted) }
        #expect(try bytes(at: path) == self.content)
        #expect(self.server.requests.map { $0.headers["range"] } == ["bytes=120000-"])
    }

    @Test
    func `a download that was complete is only verified`() async throws {
        try self.leave(self.content, "data")
        try self.leave(Self.state, "state.json")
        let wanted = model(self.uri, digest: sha256(self.content))
        let path = try await self.fixture.withStore { try await $0.path(wanted) }
        #expect(try bytes(at: path) == self.content)
        #expect(self.server.requests.count == 1)
    }

    @Test
    func `bytes that a power failure turned into zeros are found out and replaced`() async throws {
        try self.leave([UInt8](repeating: 0, count: 120_000), "data")
        try self.leave(Self.state, "state.json")
        let wanted = model(self.uri, digest: sha256(self.content))
        let path = try await self.fixture.withStore { try await $0.path(wanted) }
        #expect(try bytes(at: path) == self.content)
        #expect(self.server.requests.map { $0.headers["range"] } == ["bytes=120000-", nil])
    }

    @Test
    func `without a digest nothing of an earlier run is trusted`() async throws {
        try self.leave([UInt8](repeating: 0, count: 120_000), "data")
        try self.leave(Self.state, "state.json")
        let path = try await self.fixture.withStore { [uri] in try await $0.path(model(uri)) }
        #expect(try bytes(at: path) == self.content)
        #expect(self.server.requests.map { $0.headers["range"] } == [nil])
    }

    @Test(arguments: ["", "{", #"{"session":1}"#])
    func `bytes without a readable validator are not used`(state: String) async throws {
        try self.leave([9, 9, 9], "data")
        try self.leave(Array(state.utf8), "state.json")
        let wanted = model(self.uri, digest: sha256(self.content))
        let path = try await self.fixture.withStore { try await $0.path(wanted) }
        #expect(try bytes(at: path) == self.content)
    }

    @Test
    func `half-staged objects and half-written records are not mistaken for whole ones`() async throws {
        try FileManager.default.createDirectory(atPath: "\(self.partial)/object", withIntermediateDirectories: true)
        try self.leave([1], "object/m.onnx")
        try self.leave([1], "state.json.new")
        let id = sha256(self.content)
        let object = "\(self.fixture.cache)/objects/\(id)"
        try FileManager.default.createDirectory(atPath: object, withIntermediateDirectories: true)
        try Data([1]).write(to: URL(filePath: "\(object)/m.onnx"))
        let trash = "\(self.fixture.cache)/trash/left"
        try FileManager.default.createDirectory(atPath: trash, withIntermediateDirectories: true)

        let wanted = model(self.uri, digest: id)
        try await self.fixture.withStore { store in
            #expect(await store.state(of: wanted) == .absent)
            let path = try await store.path(wanted)
            #expect(try bytes(at: path) == Self.sample)
        }
        #expect(!FileManager.default.fileExists(atPath: trash))
    }

    @Test
    func `a damaged pin file stops fetches instead of losing its pins`() async throws {
        let pins = "\(self.fixture.cache)/pins.jsonl"
        try Data("{\"key\":".utf8).write(to: URL(filePath: pins))
        let message = try await self.fixture.withStore { [uri] in try await $0.failure(model(uri)) }
        #expect(message.contains(pins))
        #expect(try bytes(at: pins) == Array("{\"key\":".utf8))
    }
}
