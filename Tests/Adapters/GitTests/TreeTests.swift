import Deployments
import Foundation
import Git
import Manifests
import Reconciliation
import Testing

@Suite("Trees")
struct TreeTests {
    /// Pushes a commit whose root tree has these entries, as no git would write them itself.
    private func push(_ entries: [(mode: String, name: String, id: String)], _ workshop: Workshop) async throws {
        var tree = Data()
        for entry in entries {
            tree.append(contentsOf: "\(entry.mode) \(entry.name)\0".utf8)
            let digits = Array(entry.id)
            for index in stride(from: 0, to: digits.count, by: 2) {
                tree.append(try #require(UInt8(String(digits[index...index + 1]), radix: 16)))
            }
        }
        let file = workshop.root + "/tree"
        try tree.write(to: URL(filePath: file))
        let id = try await workshop.git("hash-object", "-t", "tree", "-w", "--literally", file)
        let commit = try await workshop.git("commit-tree", "-p", "HEAD", "-m", "Odd", id)
        try await workshop.push(commit)
    }

    private func blob(_ text: String, _ workshop: Workshop) async throws -> String {
        try await workshop.git("hash-object", "-w", "--stdin", input: text)
    }

    @Test(arguments: [
        ("120000", "linked.yaml", "linked.yaml is a symbolic link"),
        ("120000", "defaults.yaml", "defaults.yaml is a symbolic link"),
        ("120000", "models", "models is a symbolic link"),
        ("160000", "vendor", "vendor is a submodule"),
        ("100000", "odd.yaml", "odd.yaml has the mode 100000"),
        ("100644", "..", ".. has a name that no working tree may hold"),
        ("100644", ".git", ".git has a name"),
        ("100644", ".GiT", ".GiT has a name"),
        ("100644", "a\u{1B}[2J.yaml", "a [2J.yaml is not UTF-8 or holds control characters"),
    ])
    func `an entry that is not accepted fails the snapshot and names its path`(
        mode: String,
        name: String,
        message: String
    ) async throws {
        try await Workshop.run { workshop in
            let repository = workshop.repository()
            _ = try await repository.poll()
            let id = try await self.blob("target", workshop)
            try await self.push([(mode, name, id)], workshop)
            for _ in 1...2 {
                let error = try await sourceError { _ = try await repository.poll() }
                #expect(error.code == .refused)
                #expect(error.recovery == .needsOperator)
                #expect(error.message.contains(message), "\(error.message)")
            }
            // A later commit without it descends from the last good one.
            let good = try await workshop.commit(["b.yaml": "good"])
            try await workshop.push()
            #expect(try await repository.poll()?.origin.commit == good)
        }
    }

    @Test
    func `entries that hold no manifests are not looked into`() async throws {
        try await Workshop.run { workshop in
            let id = try await self.blob("text", workshop)
            try await self.push(
                [
                    ("100644", ".hidden.yaml", id), ("100644", "README", id), ("120000", "README.md", id),
                    ("100644", "model.bin", id), ("100664", "old.yaml", id), ("100755", "run.YML", id),
                ],
                workshop
            )
            let snapshot = try #require(try await workshop.repository().poll())
            #expect(snapshot.files.map(\.path) == ["old.yaml", "run.YML"])
        }
    }

    @Test
    func `a git LFS pointer is refused where a manifest is expected`() async throws {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
        try await Workshop.run(["prompts.jsonl": pointer, "weights.bin": pointer]) { workshop in
            let error = try await sourceError { _ = try await workshop.repository().poll() }
            #expect(error.code == .refused)
            #expect(error.message.contains("prompts.jsonl is a Git LFS pointer"))
        }
    }

    struct Excess: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var limit: @Sendable (inout GitLimits) -> Void
        var message: String
    }

    @Test(arguments: [
        Excess(
            testDescription: "file",
            limit: { $0.fileBytes = 99 },
            message: "a/b/c/big.yaml has 100 bytes, more than the 99"
        ),
        Excess(testDescription: "total", limit: { $0.totalBytes = 101 }, message: "more than 101 bytes together"),
        Excess(testDescription: "files", limit: { $0.files = 2 }, message: "more than 2 manifests"),
        Excess(testDescription: "depth", limit: { $0.depth = 2 }, message: "a/b/c/ lies deeper than 2 folders"),
        Excess(testDescription: "entries", limit: { $0.entries = 5 }, message: "more than 5 entries"),
    ])
    func `a tree above a limit is refused`(excess: Excess) async throws {
        let big = String(repeating: "#", count: 100)
        try await Workshop.run(["a/b/c/big.yaml": big, "a/one.yaml": "1", "a/two.yaml": "2"]) { workshop in
            let error = try await sourceError {
                _ = try await workshop.repository { excess.limit(&$0.limits) }.poll()
            }
            #expect(error.code == .tooLarge)
            #expect(error.message.contains(excess.message), "\(error.message)")
            let atLimit = workshop.repository(name: "enough") {
                $0.limits.fileBytes = 100
                $0.limits.totalBytes = 102
                $0.limits.files = 3
                $0.limits.depth = 3
                $0.limits.entries = 6
            }
            #expect(try await atLimit.poll()?.files.count == 3)
        }
    }

    @Test
    func `a pack that is too large for the disk is refused`() async throws {
        try await Workshop.run { workshop in
            let noise = (0..<400_000).map { _ in UInt8.random(in: 0...255) }
            try Data(noise).write(to: URL(filePath: workshop.work + "/model.bin"))
            try await workshop.commit([:])
            try await workshop.push()
            let error = try await sourceError {
                _ = try await workshop.repository { $0.limits.packBytes = 100_000 }.poll()
            }
            #expect(error.code == .tooLarge, "\(error.message)")
            #expect(try await workshop.repository().poll() != nil)
        }
    }

    @Test
    func `a small pack with a file too large for memory is refused by its size`() async throws {
        try await Workshop.run { workshop in
            let repository = workshop.repository()
            _ = try await repository.poll()
            let size = 66 << 20
            let file = workshop.work + "/big.yaml"
            try Data().write(to: URL(filePath: file))
            // A hole in a file: no disk is used for it, and git packs it as next to nothing.
            try FileHandle(forWritingTo: URL(filePath: file)).truncate(atOffset: UInt64(size))
            try await workshop.commit([:])
            try await workshop.push()
            let error = try await sourceError { _ = try await repository.poll() }
            #expect(error.code == .tooLarge)
            #expect(error.message.contains("big.yaml has \(size) bytes, more than the \(1 << 20)"), "\(error.message)")
            // One without it descends from the last good one.
            try FileManager.default.removeItem(atPath: file)
            let mended = try await workshop.commit(["small.yaml": "1"])
            try await workshop.push()
            #expect(try await repository.poll()?.origin.commit == mended)
        }
    }
}
