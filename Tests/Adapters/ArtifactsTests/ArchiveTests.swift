import Artifacts
import Deployments
import Foundation
import Testing

@Suite("Archives", .timeLimit(.minutes(5)))
struct ArchiveTests {
    let fixture: StoreFixture

    init() throws {
        self.fixture = try StoreFixture()
    }

    /// Writes an archive with Python's own modules, which write what people's tools write, and what they should not.
    private func archive(_ name: String, _ body: String) throws -> String {
        let path = "\(self.fixture.sources)/\(name)"
        let script = """
            import io, os, stat, sys, tarfile, zipfile
            path = sys.argv[1]
            def member(name, data=b"", **fields):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                for key, value in fields.items():
                    setattr(info, key, value)
                return info, io.BytesIO(data)
            \(body.replacingOccurrences(of: "\n", with: "\n            "))
            """
        let lines = script.split(separator: "\n", omittingEmptySubsequences: false)
        let text = lines.map { $0.hasPrefix("            ") ? String($0.dropFirst(12)) : String($0) }
        try self.fixture.run("python3", ["-c", text.joined(separator: "\n"), path])
        return path
    }

    private func failure(_ path: String) async throws -> String {
        try await self.fixture.withStore { try await $0.failure(model("file://\(path)")) }
    }

    static let tars = [
        ("m.tar", "w", "USTAR"), ("m.tar", "w", "PAX"), ("m.tar.gz", "w:gz", "GNU"), ("m.tgz", "w:gz", "PAX"),
    ]

    @Test(arguments: Self.tars)
    func `tar files of every format are unpacked`(name: String, mode: String, format: String) async throws {
        let long =
            format == "USTAR"
            ? String(repeating: "d", count: 90) + "/" + String(repeating: "f", count: 90)
            : String(repeating: "long/", count: 60) + String(repeating: "f", count: 120)
        let path = try self.archive(
            name,
            """
            with tarfile.open(path, "\(mode)", format=tarfile.\(format)_FORMAT) as tar:
                tar.addfile(*member("model", type=tarfile.DIRTYPE, mode=0o755))
                tar.addfile(*member("./model/weights.bin", bytes(range(256)) * 3000))
                tar.addfile(*member("model/run.sh", b"echo", mode=0o755))
                tar.addfile(*member("empty"))
                tar.addfile(*member("\(long)", b"deep"))
                tar.addfile(*member("model/same", type=tarfile.LNKTYPE, linkname="model/weights.bin"))
                tar.addfile(*member("model/latest", type=tarfile.SYMTYPE, linkname="../model/link"))
                tar.addfile(*member("model/link", type=tarfile.SYMTYPE, linkname="weights.bin"))
            """
        )
        let digest = sha256(try bytes(at: path))
        let folder = try await self.fixture.withStore { try await $0.path(model("file://\(path)", digest: digest)) }
        #expect(folder.hasSuffix("/objects/\(digest).unpacked/files"))
        let weights = (0..<3000).flatMap { _ in (0...255).map { UInt8($0) } }
        for name in ["weights.bin", "same", "latest", "link"] {
            #expect(try bytes(at: "\(folder)/model/\(name)") == weights)
        }
        #expect(try bytes(at: "\(folder)/\(long)") == Array("deep".utf8))
        #expect(try bytes(at: "\(folder)/empty").isEmpty)
        #expect(FileManager.default.isExecutableFile(atPath: "\(folder)/model/run.sh"))
        #expect(try self.fixture.run("find", [folder, "-type", "l"]).isEmpty)
    }

    @Test
    func `zip files are unpacked, with zip64 and stored members`() async throws {
        let path = try self.archive(
            "m.zip",
            """
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
                z.writestr("model/", b"")
                z.writestr("model/weights.bin", bytes(range(256)) * 3000)
                z.writestr("model/stored", b"plain", zipfile.ZIP_STORED)
                z.writestr("empty", b"")
                with z.open("big", "w", force_zip64=True) as f:
                    f.write(b"zip64")
                info = zipfile.ZipInfo("model/link")
                info.create_system = 3
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
                z.writestr(info, b"weights.bin")
                z.comment = b"a comment"
            """
        )
        let folder = try await self.fixture.withStore { try await $0.path(model("file://\(path)")) }
        let weights = (0..<3000).flatMap { _ in (0...255).map { UInt8($0) } }
        #expect(try bytes(at: "\(folder)/model/weights.bin") == weights)
        #expect(try bytes(at: "\(folder)/model/link") == weights)
        #expect(try bytes(at: "\(folder)/model/stored") == Array("plain".utf8))
        #expect(try bytes(at: "\(folder)/big") == Array("zip64".utf8))
        #expect(try bytes(at: "\(folder)/empty").isEmpty)
    }

    @Test
    func `an archive may be named by the digest of what is in it`() async throws {
        try self.fixture.write(sampleBytes(5000), to: "tree/a/b.bin")
        try self.fixture.write([1], to: "tree/c")
        let tree = self.fixture.sources + "/tree"
        let digest = try String(self.fixture.run("sh", ["-c", LocalFileTests.digestCommand], in: tree).prefix(64))
        try self.fixture.run("tar", ["-czf", "\(self.fixture.sources)/m.tar.gz", "."], in: tree)
        let wanted = model("file://\(self.fixture.sources)/m.tar.gz", digest: digest)
        try await self.fixture.withStore { store in
            let path = try await store.path(wanted)
            #expect(path.hasSuffix("/objects/\(digest)/files"))
        }
        // The same content from a directory needs no second copy.
        let state = try await self.fixture.withStore { await $0.state(of: model("file://\(tree)", digest: digest)) }
        #expect(state != .absent)
        let wrong = model(wanted.uri, digest: String(repeating: "0", count: 64))
        let message = try await self.fixture.withStore { try await $0.failure(wrong) }
        #expect(message.contains(digest))
    }

    @Test
    func `several gzip members in one file are one archive`() async throws {
        let tar = try self.archive(
            "m.tar",
            "with tarfile.open(path, \"w\") as tar: tar.addfile(*member(\"a\", bytes(1000) + os.urandom(200000)))"
        )
        let all = try bytes(at: tar)
        try self.fixture.write(Array(all[..<70_000]), to: "1")
        try self.fixture.write(Array(all[70_000...]), to: "2")
        try self.fixture.run("sh", ["-c", "(gzip -c 1; gzip -c 2) > two.tar.gz"], in: self.fixture.sources)
        let folder = try await self.fixture.withStore { [fixture] in
            try await $0.path(model("file://\(fixture.sources)/two.tar.gz"))
        }
        #expect(try bytes(at: "\(folder)/a") == Array(all[512..<(512 + 201_000)]))
    }

    static let evilTars = [
        ("member(\"../evil\", b\"x\")", "has .."),
        ("member(\"a/../../evil\", b\"x\")", "has .."),
        ("member(\"/evil\", b\"x\")", "absolute path"),
        ("member(\"a\\\\b\", b\"x\")", "backslash"),
        ("member(\"a\\nb\", b\"x\")", "control character"),
        ("member(\"l\", type=tarfile.SYMTYPE, linkname=\"../evil\")", "leaves its root"),
        ("member(\"l\", type=tarfile.SYMTYPE, linkname=\"/etc/passwd\")", "leaves its root"),
        ("member(\"l\", type=tarfile.LNKTYPE, linkname=\"/etc/passwd\")", "absolute path"),
        ("member(\"l\", type=tarfile.LNKTYPE, linkname=\"missing\")", "no file in it"),
        ("member(\"l\", type=tarfile.SYMTYPE, linkname=\"l\")", "no file in it"),
        ("member(\"n\", type=tarfile.CHRTYPE)", "device"),
        ("member(\"n\", type=tarfile.BLKTYPE)", "device"),
        ("member(\"n\", type=tarfile.FIFOTYPE)", "pipe"),
        ("member(\"ok\", b\"twice\")", "twice"),
        ("member(\"ok/below\", b\"x\")", "twice"),
        ("member(\"big\", b\"x\" * 60000)", "larger than 50000 bytes"),
    ]

    @Test(arguments: Self.evilTars)
    func `a tar file that reaches out of its folder or limits is refused`(last: String, words: String) async throws {
        let path = try self.archive(
            "evil.tar.gz",
            """
            with tarfile.open(path, "w:gz") as tar:
                tar.addfile(*member("ok", b"fine"))
                tar.addfile(*\(last))
            """
        )
        let message = try await self.fixture.withStore({ $0.maxArtifactBytes = 50_000 }) {
            try await $0.failure(model("file://\(path)"))
        }
        #expect(message.contains(words), "\(message)")
        #expect(!FileManager.default.fileExists(atPath: self.fixture.cache + "/partial/evil"))
        #expect(try self.fixture.run("find", [self.fixture.cache + "/objects", "-type", "f"]).isEmpty)
    }

    @Test
    func `a link to a folder that leads out cannot carry a file there`() async throws {
        let path = try self.archive(
            "evil.tar",
            """
            with tarfile.open(path, "w") as tar:
                tar.addfile(*member("d", type=tarfile.DIRTYPE))
                tar.addfile(*member("d/e", type=tarfile.SYMTYPE, linkname=".."))
                tar.addfile(*member("d/e/evil", b"x"))
            """
        )
        _ = try await self.failure(path)
        #expect(try self.fixture.run("find", [self.fixture.folder, "-name", "evil", "-type", "f"]).isEmpty)
    }

    @Test(arguments: [
        ("z.writestr(\"../evil\", b\"x\")", "has .."),
        ("z.writestr(\"/evil\", b\"x\")", "absolute path"),
        ("z.writestr(\"big\", b\"0\" * 60000)", "larger than 50000 bytes"),
        ("z.writestr(\"m\", b\"0\", zipfile.ZIP_BZIP2)", "method 12"),
    ])
    func `a zip file that reaches out of its folder or limits is refused`(last: String, words: String) async throws {
        let path = try self.archive(
            "evil.zip",
            """
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
                z.writestr("ok", b"fine")
                \(last)
            """
        )
        let message = try await self.fixture.withStore({ $0.maxArtifactBytes = 50_000 }) {
            try await $0.failure(model("file://\(path)"))
        }
        #expect(message.contains(words), "\(message)")
    }

    @Test
    func `more files than allowed are refused`() async throws {
        let path = try self.archive(
            "many.tar",
            """
            with tarfile.open(path, "w") as tar:
                for i in range(20):
                    tar.addfile(*member(f"f{i}"))
            """
        )
        let message = try await self.fixture.withStore({ $0.maxFiles = 19 }) {
            try await $0.failure(model("file://\(path)"))
        }
        #expect(message.contains("more than 19 files"))
    }

    @Test(arguments: ["m.tar", "m.tar.gz", "m.zip"])
    func `a broken archive fails wherever it is cut or damaged`(name: String) async throws {
        let body =
            name.hasSuffix("zip")
            ? "with zipfile.ZipFile(path, \"w\", zipfile.ZIP_DEFLATED) as z: z.writestr(\"a\", os.urandom(3000))"
            : """
            with tarfile.open(path, "\(name.hasSuffix("gz") ? "w:gz" : "w")") as tar:
                tar.addfile(*member("a", os.urandom(3000)))
            """
        let whole = try bytes(at: try self.archive(name, body))
        var broken = stride(from: 0, to: 3000, by: 600).map { Array(whole.prefix($0)) }
        broken.append(sampleBytes(5000))
        if name != "m.tar" {
            var flipped = whole
            flipped[1500] ^= 0x55
            broken.append(flipped)
        }
        for (index, content) in broken.enumerated() {
            let path = try self.fixture.write(content, to: "\(index)-\(name)")
            let message = try await self.failure(path)
            #expect(message.contains("archive"), "\(message)")
        }
    }
}
