import Foundation
import Git
import Reconciliation
import Testing

@Suite("Notes")
struct NotesTests {
    private func note(_ commit: String, _ workshop: Workshop) async throws -> String {
        try await workshop.git("--git-dir", workshop.remote, "notes", "--ref=rollouts", "show", commit)
    }

    private func notesCommit(_ workshop: Workshop) async throws -> String {
        try await workshop.git("--git-dir", workshop.remote, "rev-parse", "refs/notes/rollouts")
    }

    @Test
    func `git log shows the note on a clone`() async throws {
        try await Workshop.run { workshop in
            let commit = try await workshop.head()
            let repository = workshop.repository { $0.writesNotes = true }
            try await repository.annotate(commit: commit, key: "default/chat", note: #"{"outcome": "promoted"}"#)
            let clone = workshop.root + "/clone"
            try await Workshop.command("git", ["clone", "--quiet", workshop.remote, clone])
            try await Workshop.command("git", ["-C", clone, "fetch", "--quiet", "origin", "refs/notes/*:refs/notes/*"])
            let log = try await Workshop.command("git", ["-C", clone, "log", "--notes=rollouts"])
            #expect(log.contains("Notes (rollouts):"))
            #expect(log.contains(#""default/chat": {"outcome":"promoted"}"#), "\(log)")
            let author = try await Workshop.command(
                "git",
                ["-C", clone, "log", "-1", "--format=%an <%ae>: %s", "refs/notes/rollouts"]
            )
            #expect(author == "controller <controller@localhost>: Note the rollout of default/chat")
        }
    }

    @Test
    func `the same note again makes no commit`() async throws {
        try await Workshop.run { workshop in
            let commit = try await workshop.head()
            let repository = workshop.repository { $0.writesNotes = true }
            try await repository.annotate(commit: commit, key: "a/b", note: #"{"x": 1, "y": [0.1, "é", null]}"#)
            let before = try await self.notesCommit(workshop)
            try await repository.annotate(commit: commit, key: "a/b", note: #"{"y":[0.1,"\#u{E9}",null],"x":1}"#)
            try await workshop.repository { $0.writesNotes = true }
                .annotate(commit: commit, key: "a/b", note: #"{"y":[0.1,"é",null],"x":1}"#)
            #expect(try await self.notesCommit(workshop) == before)
            try await repository.annotate(commit: commit, key: "a/b", note: #"{"x": 2}"#)
            #expect(try await self.note(commit, workshop) == "{\n  \"a/b\": {\"x\":2}\n}")
        }
    }

    @Test
    func `what others wrote stays`() async throws {
        try await Workshop.run { workshop in
            let first = try await workshop.head()
            let second = try await workshop.commit(["a.yaml": ""])
            try await workshop.push()
            try await workshop.git(
                "notes",
                "--ref=rollouts",
                "add",
                "-m",
                #"{"zoo/x": {"n": 0.10, "ok": true}}"#,
                first
            )
            try await workshop.git("notes", "--ref=rollouts", "add", "-m", "looks good to me", second)
            try await workshop.git("push", "--quiet", workshop.remote, "refs/notes/rollouts")
            let repository = workshop.repository { $0.writesNotes = true }
            for commit in [first, second] {
                try await repository.annotate(commit: commit, key: "default/chat", note: "[1]")
            }
            #expect(
                try await self.note(first, workshop)
                    == "{\n  \"default/chat\": [1],\n  \"zoo/x\": {\"n\":0.1,\"ok\":true}\n}"
            )
            #expect(
                try await self.note(second, workshop)
                    == "{\n  \"default/chat\": [1],\n  \"text\": \"looks good to me\\n\"\n}"
            )
            // The history of the notes is one line, without force.
            let count = try await workshop.git(
                "--git-dir",
                workshop.remote,
                "rev-list",
                "--count",
                "refs/notes/rollouts"
            )
            #expect(count == "4")
        }
    }

    @Test
    func `notes that git spread over folders are found and kept`() async throws {
        try await Workshop.run { workshop in
            // 300 commits and a note on each, which is where git begins to spread them.
            var stream = ""
            for index in 1...300 {
                stream += "commit refs/heads/many\nmark :\(index)\ncommitter A <a@a> \(index) +0000\ndata 0\n\n"
            }
            stream += "commit refs/notes/rollouts\ncommitter A <a@a> 1 +0000\ndata 0\n"
            for index in 1...300 { stream += "N inline :\(index)\ndata 2\n{}\n" }
            try await workshop.git("fast-import", "--quiet", input: stream)
            try await workshop.git("push", "--quiet", workshop.remote, "refs/notes/rollouts", "refs/heads/many")
            let tree = try await workshop.git("ls-tree", "refs/notes/rollouts")
            try #require(tree.hasPrefix("040000"), "git no longer spreads 300 notes")
            let commit = try await workshop.git("rev-parse", "many~7")
            let repository = workshop.repository { $0.writesNotes = true }
            try await repository.annotate(commit: commit, key: "a/b", note: "1")
            try await repository.annotate(commit: try await workshop.head(), key: "a/b", note: "2")
            #expect(try await self.note(commit, workshop) == "{\n  \"a/b\": 1\n}")
            #expect(try await self.note(workshop.head(), workshop) == "{\n  \"a/b\": 2\n}")
            let list = try await workshop.git("--git-dir", workshop.remote, "notes", "--ref=rollouts", "list")
            #expect(list.split(separator: "\n").count == 301)
        }
    }

    @Test
    func `controllers that write at once all get their notes in`() async throws {
        try await Workshop.run { workshop in
            let commit = try await workshop.head()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 1...3 {
                    let repository = workshop.repository(name: "controller-\(index)") { $0.writesNotes = true }
                    group.addTask { try await repository.annotate(commit: commit, key: "a/\(index)", note: "\(index)") }
                }
                try await group.waitForAll()
            }
            #expect(try await self.note(commit, workshop) == "{\n  \"a/1\": 1,\n  \"a/2\": 2,\n  \"a/3\": 3\n}")
        }
    }

    @Test
    func `a push that a hook rejects brings the server's message`() async throws {
        try await Workshop.run { workshop in
            try self.hook("echo 'policy 7: notes are closed' >&2; exit 1", workshop)
            let repository = workshop.repository { $0.writesNotes = true }
            let commit = try await workshop.head()
            let error = try await sourceError {
                try await repository.annotate(commit: commit, key: "a/b", note: "1")
            }
            #expect(error.code == .refused)
            #expect(error.message.contains("pre-receive hook declined"), "\(error.message)")
            #expect(error.message.contains("policy 7: notes are closed"), "\(error.message)")
            // Nothing is in the way when the server has changed its mind.
            try self.hook("exit 0", workshop)
            try await repository.annotate(commit: commit, key: "a/b", note: "1")
            #expect(try await self.note(commit, workshop) == "{\n  \"a/b\": 1\n}")
        }
    }

    @Test
    func `a push that hangs is ended with all its processes`() async throws {
        try await Workshop.run { workshop in
            try self.hook("trap '' TERM; sleep 1000", workshop)
            let repository = workshop.repository {
                $0.writesNotes = true
                $0.timeout = .seconds(1)
            }
            let commit = try await workshop.head()
            let error = try await sourceError {
                try await repository.annotate(commit: commit, key: "a/b", note: "1")
            }
            #expect(error.code == .timedOut)
            try await Processes.expectNone(withHome: workshop.storage + "/models/home")
        }
    }

    private func hook(_ script: String, _ workshop: Workshop) throws {
        let path = workshop.remote + "/hooks/pre-receive"
        try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }

    @Test
    func `notes are off unless the configuration says so`() async throws {
        try await Workshop.run { workshop in
            try await workshop.repository().annotate(commit: workshop.head(), key: "a/b", note: "1")
            #expect(try await workshop.git("--git-dir", workshop.remote, "for-each-ref", "refs/notes").isEmpty)
        }
    }

    @Test(arguments: [("HEAD", "1", "full id"), ("0123456789012345678901234567890123456789", "{", "not JSON")])
    func `a note that makes no sense is refused`(commit: String, note: String, reason: String) async throws {
        try await Workshop.run { workshop in
            let repository = workshop.repository { $0.writesNotes = true }
            let error = try await sourceError { try await repository.annotate(commit: commit, key: "a/b", note: note) }
            #expect(error.code == .refused)
            #expect(error.message.contains(reason))
        }
    }

    @Test
    func `a note above the limit is left alone`() async throws {
        try await Workshop.run { workshop in
            let commit = try await workshop.head()
            try await workshop.git("notes", "--ref=rollouts", "add", "-m", String(repeating: "x", count: 200), commit)
            try await workshop.git("push", "--quiet", workshop.remote, "refs/notes/rollouts")
            let repository = workshop.repository {
                $0.writesNotes = true
                $0.limits.noteBytes = 100
            }
            let error = try await sourceError { try await repository.annotate(commit: commit, key: "a/b", note: "1") }
            #expect(error.code == .tooLarge)
        }
    }
}
