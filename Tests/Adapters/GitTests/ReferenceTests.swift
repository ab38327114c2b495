import Deployments
import Foundation
import Git
import Manifests
import Reconciliation
import Testing

/// Tags, versions and commits in place of a branch.
@Suite("References")
struct ReferenceTests {
    private func tag(_ name: String, _ workshop: Workshop, message: String? = nil) async throws {
        if let message {
            try await workshop.git("tag", "--force", "--annotate", "-m", message, name)
        } else {
            try await workshop.git("tag", "--force", name)
        }
        try await workshop.git("push", "--quiet", "--force", workshop.remote, "refs/tags/\(name)")
    }

    private func versions(_ text: String, _ workshop: Workshop) throws -> GitRepository {
        let range = try #require(VersionRange(text))
        return workshop.repository { $0.reference = .versions(range) }
    }

    @Test(arguments: [nil, "A text of its own"])
    func `a tag is followed when it moves on, and not when it moves elsewhere`(message: String?) async throws {
        try await Workshop.run { workshop in
            try await self.tag("live", workshop, message: message)
            let repository = workshop.repository { $0.reference = .tag("live") }
            let first = try #require(try await repository.poll()).origin
            #expect(try await first.commit == workshop.head())
            #expect(first.branch == "live")
            #expect(try await repository.poll() == nil)

            let second = try await workshop.commit(["models/chat.yaml": "v2\n"])
            #expect(try await repository.poll() == nil, "the branch is not what is watched")
            try await self.tag("live", workshop, message: message)
            #expect(try await repository.poll()?.origin.commit == second)

            try await workshop.git("reset", "--quiet", "--hard", first.commit)
            try await workshop.commit(["models/chat.yaml": "other\n"])
            try await self.tag("live", workshop, message: message)
            let error = try await sourceError { _ = try await repository.poll() }
            #expect(error.code == .historyRewritten)
            #expect(error.message.contains("tag live was rewritten"), "\(error.message)")
        }
    }

    @Test
    func `of the versions that are wanted the highest is taken, whatever it descends from`() async throws {
        try await Workshop.run { workshop in
            let base = try await workshop.head()
            for name in ["v1.2.0", "v1.10.0", "v2.0.0", "v1.11.0-rc.1", "1.x", "latest"] {
                try await workshop.commit(["models/chat.yaml": "\(name)\n"])
                try await self.tag(name, workshop, message: name == "v1.10.0" ? "With a text" : nil)
            }
            let repository = try self.versions("^1.2", workshop)
            let first = try #require(try await repository.poll())
            #expect(first.origin.branch == "v1.10.0")
            #expect(first.files.map { String(decoding: $0.bytes, as: UTF8.self) } == ["v1.10.0\n"])
            #expect(try await repository.poll() == nil)

            // From a branch of its own, as hot fixes are.
            try await workshop.git("reset", "--quiet", "--hard", base)
            let fix = try await workshop.commit(["models/chat.yaml": "fix\n"])
            try await self.tag("v1.10.1", workshop)
            let second = try #require(try await repository.poll())
            #expect(second.origin.commit == fix)
            #expect(second.origin.branch == "v1.10.1")
            #expect(!second.rewroteHistory)
            // As after a restart.
            #expect(try await self.versions("^1.2", workshop).poll()?.origin.branch == "v1.10.1")
        }
    }

    @Test
    func `a version that goes, or names another commit, does not change what is served`() async throws {
        try await Workshop.run { workshop in
            for name in ["1.0.0", "1.1.0"] {
                try await workshop.commit(["models/chat.yaml": "\(name)\n"])
                try await self.tag(name, workshop)
            }
            let repository = try self.versions("1.x", workshop)
            #expect(try await repository.poll()?.origin.branch == "1.1.0")
            try await workshop.git("push", "--quiet", workshop.remote, ":refs/tags/1.1.0")
            let gone = try await sourceError { _ = try await repository.poll() }
            #expect(gone.code == .historyRewritten)
            #expect(gone.message.contains("the tag 1.1.0, which was taken last, is gone, and 1.0.0 is the highest"))

            try await workshop.git("reset", "--quiet", "--hard", "HEAD~1")
            try await workshop.commit(["models/chat.yaml": "moved\n"])
            try await self.tag("1.1.0", workshop)
            let moved = try await sourceError { _ = try await repository.poll() }
            #expect(moved.message.contains("tag 1.1.0 was rewritten"), "\(moved.message)")
            let accepting = workshop.repository(name: "accepting") {
                $0.reference = .versions(VersionRange("1.x") ?? VersionRange("*")!)
                $0.historyRewrite = .accept
            }
            #expect(try await accepting.poll()?.origin.branch == "1.1.0")
        }
    }

    @Test
    func `two tags of one version that name different commits are an error, and of one commit are not`() async throws {
        try await Workshop.run { workshop in
            try await self.tag("1.0.0", workshop)
            try await self.tag("v1.0.0", workshop, message: "The same")
            let repository = try self.versions("*", workshop)
            #expect(try await repository.poll() != nil)
            try await workshop.commit(["models/chat.yaml": "v2\n"])
            try await self.tag("v1.0.0", workshop)
            let error = try await sourceError { _ = try await repository.poll() }
            #expect(error.code == .refused)
            #expect(error.message.contains("are the same version and name different commits"), "\(error.message)")
        }
    }

    @Test
    func `no version, no tag and a tag of something else are told`() async throws {
        try await Workshop.run { workshop in
            let none = try await sourceError { _ = try await self.versions(">=3", workshop).poll() }
            #expect(none.code == .branchMissing)
            #expect(none.message.contains("there is no tag with a version in >=3"), "\(none.message)")
            let lost = workshop.repository(name: "lost") { $0.reference = .tag("lost") }
            let missing = try await sourceError { _ = try await lost.poll() }
            #expect(missing.message.contains("there is no tag lost"), "\(missing.message)")
            try await workshop.git("tag", "blob", "HEAD:models/chat.yaml")
            try await workshop.git("push", "--quiet", workshop.remote, "refs/tags/blob")
            let blob = workshop.repository(name: "blob") { $0.reference = .tag("blob") }
            let error = try await sourceError { _ = try await blob.poll() }
            #expect(error.code == .refused)
            #expect(error.message.contains("tag blob names no commit"), "\(error.message)")
        }
    }

    @Test
    func `a commit is taken by its id and asked for once`() async throws {
        try await Workshop.run { workshop in
            let first = try await workshop.head()
            try await workshop.commit(["models/chat.yaml": "v2\n"])
            try await workshop.push()
            let repository = workshop.repository { $0.reference = .commit(first) }
            let snapshot = try #require(try await repository.poll())
            #expect(snapshot.origin.commit == first)
            #expect(snapshot.files.map { String(decoding: $0.bytes, as: UTF8.self) } == ["kind: chat\n"])
            // Nothing can have changed, so the server may be away.
            try FileManager.default.removeItem(atPath: workshop.remote)
            #expect(try await repository.poll() == nil)
            let unknown = workshop.repository(name: "short") { $0.reference = .commit("0123456789") }
            let error = try await sourceError { _ = try await unknown.poll() }
            #expect(error.message.contains("write all 40 digits"), "\(error.message)")
        }
    }

    @Test
    func `a commit that the server does not have is told`() async throws {
        try await Workshop.run { workshop in
            let id = String(repeating: "ab", count: 20)
            let repository = workshop.repository { $0.reference = .commit(id) }
            let error = try await sourceError { _ = try await repository.poll() }
            #expect(error.code == .refused)
            #expect(error.message.contains("the server has no such commit"), "\(error.message)")
        }
    }
}

/// Commits of a clone that nobody watches.
@Suite("Local revisions")
struct LocalRevisionTests {
    @Test
    func `a revision of a clone is read as the daemon would read it`() async throws {
        try await Workshop.run { workshop in
            let first = try await workshop.head()
            let second = try await workshop.commit(["models/chat.yaml": "v2\n", "other/x.yaml": "x\n"], "Serve v2")
            for (revision, place) in [
                ("HEAD", workshop.work), ("main", workshop.work + "/models"), (second, workshop.work),
            ] {
                let snapshot = try LocalRevision.read(revision, at: place, folder: "models")
                #expect(snapshot.origin.commit == second)
                #expect(snapshot.origin.subject == "Serve v2")
                #expect(snapshot.files.map { String(decoding: $0.bytes, as: UTF8.self) } == ["v2\n"])
            }
            #expect(try LocalRevision.read("HEAD~1", at: workshop.work, folder: "").origin.commit == first)
            #expect(try LocalRevision.read("main", at: workshop.remote, folder: "").origin.commit == first)
            #expect(try LocalRevision.read("HEAD", at: workshop.work, folder: "nowhere").files.isEmpty)
        }
    }

    @Test(arguments: ["refs/pull/42/head", "refs/merge-requests/42/head"])
    func `a pull request is fetched, with the commit where it left the branch`(reference: String) async throws {
        try await Workshop.run { workshop in
            let start = try await workshop.head()
            try await workshop.push()
            // Somebody else's clone, which has neither.
            let place = workshop.work + "-other"
            defer { try? FileManager.default.removeItem(atPath: place) }  // it lies beside the workshop's own
            try await workshop.git("clone", "--quiet", workshop.remote, place)
            let request = try await workshop.commit(["models/chat.yaml": "v2\n"], "Serve v2")
            try await workshop.git("push", "--quiet", workshop.remote, "HEAD:\(reference)")
            try await workshop.git("reset", "--quiet", "--hard", start)
            try await workshop.commit(["models/other.yaml": "merged since\n"])
            try await workshop.push()
            let references = try await workshop.git("-C", place, "for-each-ref")
            let found = try await LocalRevision.pullRequest(42, into: "main", of: "origin", at: place)
            #expect(found.base == start)
            #expect(found.head == request)
            let snapshot = try LocalRevision.read(found.head, at: place, folder: "models")
            #expect(snapshot.files.contains { $0.bytes == Array("v2\n".utf8) })
            #expect(try await workshop.git("-C", place, "for-each-ref") == references)
            // By its address, too.
            #expect(try await LocalRevision.pullRequest(42, into: "main", of: workshop.remote, at: place) == found)
        }
    }

    @Test
    func `a pull request that cannot be planned is told`() async throws {
        try await Workshop.run { workshop in
            try await workshop.push()
            let remote = workshop.remote
            for (number, branch, server, expected) in [
                (7, "main", remote, "has no pull request 7: neither refs/pull/7/head nor"),
                (7, "lost", remote, "has no branch lost: say with --branch"),
                (7, "--upload-pack=x", remote, "is no name"),
                (7, "main", "--upload-pack=x", "git ls-remote failed"),
                (7, "main", "/nowhere", "/nowhere cannot be asked for its pull requests: say with --remote"),
            ] {
                let error = try await sourceError {
                    _ = try await LocalRevision.pullRequest(number, into: branch, of: server, at: workshop.work)
                }
                #expect(error.message.contains(expected), "\(error.message)")
            }
            // A clone that does not go back far enough.
            try await workshop.commits(3)
            try await workshop.push()
            try await workshop.git("checkout", "--quiet", "--orphan", "alone")
            try await workshop.commit(["models/chat.yaml": "alone\n"])
            try await workshop.git("push", "--quiet", remote, "HEAD:refs/pull/8/head")
            let unrelated = try await sourceError {
                _ = try await LocalRevision.pullRequest(8, into: "main", of: remote, at: workshop.work)
            }
            #expect(unrelated.message.contains("have no commit in common here"), "\(unrelated.message)")
        }
    }

    @Test
    func `what cannot be read of a clone is told`() async throws {
        try await Workshop.run { workshop in
            let lost = try await sourceError {
                _ = try LocalRevision.read("origin/lost", at: workshop.work, folder: "")
            }
            #expect(lost.message.contains("there is no commit origin/lost"), "\(lost.message)")
            #expect(lost.message.contains("fetch-depth: 0"), "\(lost.message)")
            let blob = try await sourceError {
                _ = try LocalRevision.read("HEAD:models/chat.yaml", at: workshop.work, folder: "")
            }
            #expect(blob.message.contains("there is no commit"), "\(blob.message)")
            let none = try await sourceError { _ = try LocalRevision.read("HEAD", at: "/", folder: "") }
            #expect(none.message.contains("run this in a clone"), "\(none.message)")
            try FileManager.default.createSymbolicLink(
                atPath: workshop.work + "/linked.yaml",
                withDestinationPath: "models/chat.yaml"
            )
            try await workshop.commit([:])
            let link = try await sourceError { _ = try LocalRevision.read("HEAD", at: workshop.work, folder: "") }
            #expect(link.message.contains("at HEAD linked.yaml is a symbolic link"), "\(link.message)")
        }
    }
}
