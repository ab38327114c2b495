import Deployments
import Foundation
import Git
import Manifests
import Reconciliation
import Testing

@Suite("Polling")
struct PollingTests {
    @Test
    func `a poll brings the manifests of the branch once`() async throws {
        try await Workshop.run(["models/b.yaml": "b\n", "models/a.yml": "a\n", "c.json": "{}", "d.jsonl": "{}\n"]) {
            let repository = $0.repository()
            let snapshot = try #require(try await repository.poll())
            #expect(snapshot.files.map(\.path) == ["c.json", "d.jsonl", "models/a.yml", "models/b.yaml"])
            #expect(snapshot.files.map { String(decoding: $0.bytes, as: UTF8.self) } == ["{}", "{}\n", "a\n", "b\n"])
            #expect(snapshot.files[2].blob == "78981922613b2afb6025042ff6bd878ac1994e85")
            #expect(snapshot.origin.repository == "models")
            #expect(snapshot.origin.branch == "main")
            #expect(try await snapshot.origin.commit == $0.head())
            #expect(snapshot.origin.subject == "Begin")
            #expect(snapshot.origin.author == "Ada")
            #expect(!snapshot.rewroteHistory)
            #expect(try await repository.poll() == nil)
        }
    }

    @Test
    func `a push brings a new snapshot`() async throws {
        try await Workshop.run { workshop in
            let repository = workshop.repository()
            _ = try await repository.poll()
            let commit = try await workshop.commit(["models/chat.yaml": "v2\n"], "Serve v2\n\nBecause.")
            try await workshop.push()
            let snapshot = try #require(try await repository.poll())
            #expect(snapshot.origin.commit == commit)
            #expect(snapshot.origin.subject == "Serve v2")
            #expect(snapshot.files.map(\.bytes) == [Array("v2\n".utf8)])
            #expect(!snapshot.rewroteHistory)
            #expect(try await repository.poll() == nil)
        }
    }

    @Test
    func `what brings more than a push usually does is fetched step by step`() async throws {
        try await Workshop.run { workshop in
            let repository = workshop.repository { $0.limits.incrementBytes = 1 }
            _ = try await repository.poll()
            #expect(try await repository.poll() == nil)
            let commit = try await workshop.commit(["models/chat.yaml": "v2\n"], "Serve v2")
            try await workshop.push()
            #expect(try await repository.poll()?.origin.commit == commit)
            #expect(try await repository.poll() == nil)
        }
    }

    @Test
    func `a commit that was refused does not stand for one that comes after a reset`() async throws {
        try await Workshop.run { workshop in
            let repository = workshop.repository { $0.limits.fileBytes = 12 }
            let first = try #require(try await repository.poll()).origin.commit
            try await workshop.commit(["models/chat.yaml": "more than twelve bytes\n"], "Too large")
            try await workshop.push()
            let error = try await sourceError { _ = try await repository.poll() }
            #expect(error.code == .tooLarge)
            try await workshop.git("reset", "--quiet", "--hard", first)
            try await workshop.push()
            #expect(try await repository.poll() == nil)
            let good = try await workshop.commit(["models/chat.yaml": "small\n"], "Small")
            try await workshop.push()
            #expect(try await repository.poll()?.origin.commit == good)
        }
    }

    @Test
    func `only the watched folder is read`() async throws {
        try await Workshop.run(["a.yaml": "", "models/b.yaml": "", "models/deep/c.yaml": "", "models2/d.yaml": ""]) {
            for path in ["models", "/models/"] {
                let repository = $0.repository(name: "of-\(path.count)") { $0.paths = [path] }
                let snapshot = try #require(try await repository.poll())
                #expect(snapshot.files.map(\.path) == ["models/b.yaml", "models/deep/c.yaml"])
            }
        }
    }

    @Test
    func `a watched folder that never was is an error and one that was emptied is empty`() async throws {
        try await Workshop.run { workshop in
            let typo = workshop.repository(name: "typo") { $0.paths = ["model"] }
            for _ in 1...2 {
                let error = try await sourceError { _ = try await typo.poll() }
                #expect(error.code == .notConfigured)
                #expect(error.message.contains("no folder model;"))
            }
            let repository = workshop.repository { $0.paths = ["models"] }
            _ = try await repository.poll()
            try await workshop.git("rm", "--quiet", "-r", "models")
            try await workshop.commit(["other.txt": ""])
            try await workshop.push()
            #expect(try await repository.poll()?.files == [])
            // A path that was changed since is checked like a new one.
            let moved = workshop.repository { $0.paths = ["serving"] }
            #expect(try await sourceError { _ = try await moved.poll() }.code == .notConfigured)
        }
    }

    @Test
    func `a restart brings the commit that was taken again`() async throws {
        try await Workshop.run { workshop in
            let first = try await workshop.repository().poll()
            #expect(first != nil)
            #expect(try await workshop.repository().poll() == first)
        }
    }

    @Test
    func `a restart without the server brings what was taken and then the error`() async throws {
        try await Workshop.run { workshop in
            let first = try await workshop.repository().poll()
            #expect(first != nil)
            try FileManager.default.moveItem(atPath: workshop.remote, toPath: workshop.root + "/away.git")
            let repository = workshop.repository()
            #expect(try await repository.poll() == first)
            let error = try await sourceError { _ = try await repository.poll() }
            #expect(error.code == .refused)
            try FileManager.default.moveItem(atPath: workshop.root + "/away.git", toPath: workshop.remote)
            #expect(try await repository.poll() == nil)
        }
    }

    @Test
    func `a branch that is gone is an error until it is back`() async throws {
        try await Workshop.run { workshop in
            let repository = workshop.repository { $0.reference = .branch("serving") }
            let error = try await sourceError { _ = try await repository.poll() }
            #expect(error.code == .branchMissing)
            #expect(error.message.contains("no branch serving"))
            // A name that only ends alike is another branch.
            try await workshop.push(to: "old/refs/heads/serving")
            let second = try await sourceError { _ = try await repository.poll() }
            #expect(second.code == .branchMissing)
            try await workshop.push(to: "serving")
            #expect(try await repository.poll() != nil)
            try await workshop.git("push", "--quiet", workshop.remote, ":refs/heads/serving")
            let third = try await sourceError { _ = try await repository.poll() }
            #expect(third.code == .branchMissing)
            try await workshop.push(to: "serving")
            #expect(try await repository.poll() == nil)
        }
    }

    @Test
    func `another branch in the configuration is a new beginning`() async throws {
        try await Workshop.run { workshop in
            _ = try await workshop.repository().poll()
            try await workshop.git("checkout", "--quiet", "--orphan", "other")
            let commit = try await workshop.commit(["models/chat.yaml": "other"])
            try await workshop.push(to: "other")
            let snapshot = try await workshop.repository { $0.reference = .branch("other") }.poll()
            #expect(snapshot?.origin.commit == commit)
            #expect(snapshot?.rewroteHistory == false)
        }
    }

    @Test
    func `calls at the same time take turns`() async throws {
        try await Workshop.run { workshop in
            let repository = workshop.repository { $0.writesNotes = true }
            let commit = try await workshop.head()
            let snapshots = try await withThrowingTaskGroup(of: SourceSnapshot?.self) { group in
                for index in 1...4 {
                    group.addTask { try await repository.poll() }
                    group.addTask {
                        try await repository.annotate(commit: commit, key: "default/\(index)", note: "{}")
                        return nil
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(snapshots.compactMap(\.self).count == 1)
            let note = try await workshop.git("--git-dir", workshop.remote, "notes", "--ref=rollouts", "show", commit)
            #expect((1...4).allSatisfy { note.contains("\"default/\($0)\": {}") }, "\(note)")
        }
    }

    @Test
    func `what others wrote is printable in the origin`() async throws {
        try await Workshop.run { workshop in
            let message = "Red \u{1B}[31malert\u{07} \u{202E}drowssap " + String(repeating: "x", count: 500)
            try await workshop.commit(["a.yaml": ""], message)
            try await workshop.push()
            let origin = try #require(try await workshop.repository().poll()).origin
            #expect(origin.subject.hasPrefix("Red [31malert drowssap xxx"))
            #expect(origin.subject.count == 200)
        }
    }

    @Test(arguments: [
        ("models", "git://host/x", "git:// shows neither who the server is"),
        ("models", "git://127.evil.example/x", "git:// shows neither who the server is"),
        ("models", "ftp://host/x", "git over 'ftp' is not supported"),
        ("models", "ext::sh -c id", "holds spaces"),
        ("models", "https://me:hunter2@host/x", "holds a password"),
        ("models", "-oProxyCommand=id", "begins with '-'"),
        ("models", "file://host/x", "three slashes"),
        ("models", "models.git", "neither https"),
        ("../models", "/srv/git/models.git", "other characters"),
        (".hidden", "/srv/git/models.git", "other characters"),
    ])
    func `a configuration that cannot work says why`(name: String, url: String, reason: String) async throws {
        try await Workshop.run { workshop in
            let repository = workshop.repository(name: name, url: url)
            let error = try await sourceError { _ = try await repository.poll() }
            #expect(error.code == .notConfigured)
            #expect(error.recovery == .needsOperator)
            #expect(error.message.contains(reason), "\(error.message)")
            #expect(!error.message.contains("hunter2"))
        }
    }

    @Test(arguments: ["a b", "--upload-pack=id", "a..b", "x.lock", "*", "", "a//b", ".x"])
    func `a name that no branch can have is refused`(branch: String) async throws {
        try await Workshop.run { workshop in
            let error = try await sourceError {
                _ = try await workshop.repository { $0.reference = .branch(branch) }.poll()
            }
            #expect(error.code == .notConfigured)
            #expect(error.message.contains("is no branch name"))
        }
    }

    @Test(arguments: ["..", "a/../b", "a/.GIT"])
    func `a folder outside the tree is refused`(path: String) async throws {
        try await Workshop.run { workshop in
            let error = try await sourceError { _ = try await workshop.repository { $0.paths = [path] }.poll() }
            #expect(error.code == .notConfigured)
            #expect(error.message.contains("is no folder"))
        }
    }
}
