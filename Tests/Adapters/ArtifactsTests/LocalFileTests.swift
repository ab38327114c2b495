import Artifacts
import Deployments
import Foundation
import Testing

@Suite("Artifacts of this machine", .timeLimit(.minutes(5)))
struct LocalFileTests {
    let fixture: StoreFixture

    init() throws {
        self.fixture = try StoreFixture()
    }

    /// As docs/reference/artifacts.md gives it to users.
    static let digestCommand =
        "find -L . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 -r sha256sum -- | sha256sum"

    @Test
    func `a file is copied, so that what runs does not change under it`() async throws {
        let source = try self.fixture.write([1, 2, 3], to: "my model.onnx")
        let wanted = model("file://\(source.replacingOccurrences(of: " ", with: "%20"))", digest: sha256([1, 2, 3]))
        let path = try await self.fixture.withStore { try await $0.path(wanted) }
        try Data([9]).write(to: URL(filePath: source))
        #expect(try bytes(at: path) == [1, 2, 3])
        let state = try await self.fixture.withStore { await $0.state(of: wanted) }
        #expect(state == .ready(path: path, digest: "sha256:\(sha256([1, 2, 3]))"))
    }

    @Test
    func `a directory's digest is what the documented command prints`() async throws {
        for name in ["b.txt", "a/z.bin", "a-b", "a/b/c d.json", "Z", "é"] {
            try self.fixture.write(sampleBytes(1000, seed: UInt64(name.utf8.count)), to: "tree/\(name)")
        }
        try FileManager.default.createSymbolicLink(
            atPath: "\(self.fixture.sources)/tree/link",
            withDestinationPath: "a/z.bin"
        )
        let tree = "\(self.fixture.sources)/tree"
        let digest = try String(self.fixture.run("sh", ["-c", Self.digestCommand], in: tree).prefix(64))
        let path = try await self.fixture.withStore { try await $0.path(model("file://\(tree)", digest: digest)) }
        #expect(path.hasSuffix("/objects/\(digest)/files"))
        #expect(try bytes(at: path + "/a/b/c d.json") == bytes(at: tree + "/a/b/c d.json"))
        #expect(try bytes(at: path + "/link") == bytes(at: tree + "/a/z.bin"))
        let copied = try String(self.fixture.run("sh", ["-c", Self.digestCommand], in: path).prefix(64))
        #expect(copied == digest)
    }

    @Test
    func `a directory's digest does not change between versions`() async throws {
        try self.fixture.write(Array("hello\n".utf8), to: "tree/a/hello.txt")
        try self.fixture.write([], to: "tree/empty")
        let state = try await self.fixture.withStore { [fixture] in
            try await $0.settled(model("file://\(fixture.sources)/tree"))
        }
        guard case .ready(_, let digest, _) = state else { throw CancellationError() }
        // printf of both lines into sha256sum.
        #expect(digest == "sha256:882c29190943816ece8079efb42e93e20516dbd7adbcf9485ba640dcd6edb63c")
    }

    @Test
    func `only the folders that the operator named are read`() async throws {
        let outside = self.fixture.folder + "/outside.onnx"
        try Data([1]).write(to: URL(filePath: outside))
        for (name, target) in [("link.onnx", outside), ("up", self.fixture.folder)] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(self.fixture.sources)/\(name)",
                withDestinationPath: target
            )
        }
        try self.fixture.write([1], to: "tree/a")
        try FileManager.default.createSymbolicLink(
            atPath: "\(self.fixture.sources)/tree/link",
            withDestinationPath: outside
        )
        let sources = self.fixture.sources
        for path in [
            outside, "\(sources)/../outside.onnx", "\(sources)/link.onnx", "\(sources)/up/outside.onnx",
            "\(sources)/tree", "/etc/passwd", "/nowhere", "\(sources)x/a",
        ] {
            let message = try await self.fixture.withStore { try await $0.failure(model("file://\(path)")) }
            #expect(message.contains("folders that manifests may name"), "\(path): \(message)")
        }
        let none = try await self.fixture.withStore({ $0.fileRoots = [] }) {
            try await $0.failure(model("file://\(sources)/tree/a"))
        }
        #expect(none.contains("set artifacts.fileRoots"))
    }

    @Test
    func `a missing file, a pipe and an empty directory fail and say why`() async throws {
        let sources = self.fixture.sources
        try FileManager.default.createDirectory(atPath: sources + "/empty", withIntermediateDirectories: true)
        try self.fixture.run("mkfifo", ["\(sources)/pipe"])
        for (name, words) in [
            ("missing.onnx", "No such file"), ("pipe", "not a regular file"), ("empty", "has no files"),
        ] {
            let message = try await self.fixture.withStore { try await $0.failure(model("file://\(sources)/\(name)")) }
            #expect(message.contains(words), "\(message)")
        }
    }
}
