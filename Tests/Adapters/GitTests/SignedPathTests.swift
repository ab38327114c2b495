import Deployments
import Foundation
import Git
import Manifests
import Reconciliation
import Testing

@Suite("Signers of paths", .serialized)
struct SignedPathTests {
    /// Alice may change what the pattern names, and Bob everything else.
    private struct Team {
        var workshop: Workshop
        var alice: SigningKey
        var bob: SigningKey
        var rules: SignatureRules
        var repository: GitRepository { self.workshop.repository(self.rules) }

        /// Alice's word on what is there, taken.
        func taken() async throws -> GitRepository {
            try await self.workshop.commit([:], by: self.alice)
            try await self.workshop.push()
            let repository = self.repository
            let snapshot = try await repository.poll()
            #expect(try await snapshot?.origin.commit == self.workshop.head())
            return repository
        }
    }

    private static let files = [
        "prod/chat.yaml": "chat\n", "prod/deep/er/rank.yaml": "rank\n", "staging/chat.yaml": "staging\n",
        "teams/search/prod/a.yaml": "a\n", "teams/search/test/a.yaml": "test\n", "prod.yaml": "beside\n",
        "production/a.yaml": "production\n", "run.txt": "text\n",
    ]

    private func run(
        _ pattern: String = "prod/**",
        since: Bool = false,
        _ body: (Team) async throws -> Void
    ) async throws {
        try await Workshop.run(Self.files) { workshop in
            let alice = try await workshop.sshKey("alice")
            let bob = try await workshop.sshKey("bob")
            try workshop.allow(["alice", "bob"])
            let requirement: SignatureRules.Requirement = since ? .since(try await workshop.head()) : .head
            let rules = workshop.rules(requirement) {
                $0.paths = [.init(pattern: pattern, groups: ["approvers"], signers: ["alice@example.org"])]
            }
            try await body(Team(workshop: workshop, alice: alice, bob: bob, rules: rules))
        }
    }

    /// What Bob does, as arguments of git, after what he writes.
    struct Change: Sendable, CustomTestStringConvertible {
        var pattern = "prod/**"
        var files: [String: String] = [:]
        var git: [String] = []
        var isRefused: Bool

        var testDescription: String { "\(self.pattern) \(self.files.keys.sorted()) \(self.git)" }
    }

    private static let changes: [Change] = [
        Change(files: ["prod/chat.yaml": "other\n"], isRefused: true),
        Change(files: ["prod/new.yaml": ""], isRefused: true),
        Change(files: ["prod/deep/er/rank.yaml": "other\n"], isRefused: true),
        Change(git: ["rm", "--quiet", "prod/deep/er/rank.yaml"], isRefused: true),
        Change(git: ["rm", "--quiet", "-r", "prod"], isRefused: true),
        Change(git: ["mv", "staging/chat.yaml", "prod/moved.yaml"], isRefused: true),
        Change(git: ["mv", "prod/chat.yaml", "staging/moved.yaml"], isRefused: true),
        Change(git: ["update-index", "--chmod=+x", "prod/chat.yaml"], isRefused: true),
        Change(files: ["staging/chat.yaml": "other\n"], isRefused: false),
        Change(files: ["prod.yaml": "other\n", "production/a.yaml": "other\n", "a/prod/b.yaml": ""], isRefused: false),
        Change(pattern: "prod", files: ["prod/deep/er/rank.yaml": "other\n"], isRefused: true),
        Change(pattern: "prod.yaml", files: ["prod.yaml": "other\n"], isRefused: true),
        Change(pattern: "prod/*.yaml", files: ["prod/chat.yaml": "other\n"], isRefused: true),
        Change(pattern: "prod/*.yaml", files: ["prod/deep/er/rank.yaml": "other\n"], isRefused: false),
        Change(pattern: "teams/*/prod/**", files: ["teams/search/prod/a.yaml": "other\n"], isRefused: true),
        Change(pattern: "teams/*/prod/**", files: ["teams/new/prod/a.yaml": ""], isRefused: true),
        Change(pattern: "teams/*/prod/**", files: ["teams/search/test/a.yaml": "other\n"], isRefused: false),
        Change(pattern: "**", files: ["run.txt": "other\n"], isRefused: true),
        Change(pattern: "**", git: ["status", "--short"], isRefused: false),
        Change(pattern: "*/chat.yaml", files: ["staging/chat.yaml": "other\n"], isRefused: true),
    ]

    /// With both requirements, in turn: they share what is compared.
    @Test(arguments: Array(Self.changes.enumerated()).map { ($0.offset % 2 == 0, $0.element) })
    func `a change of what matches needs a signer of the group`(since: Bool, change: Change) async throws {
        try await self.run(change.pattern, since: since) { team in
            let repository = try await team.taken()
            try team.workshop.write(change.files)
            if !change.git.isEmpty {
                try await Workshop.command("git", ["-C", team.workshop.work] + change.git)
            }
            // A mode is in the index only.
            if change.git.first != "update-index" { try await team.workshop.git("add", "--all") }
            let arguments = ["commit", "--quiet", "--allow-empty", "-S", "-m", "Change"]
            try await Workshop.command("git", ["-C", team.workshop.work] + team.bob.options + arguments)
            try await team.workshop.push()
            if change.isRefused {
                let message = try await refusal(of: repository)
                let reason = "changes \(change.pattern), and its signer, bob@example.org, is not in approvers"
                #expect(message.contains(reason), "\(message)")
                // Alice's word on it.
                try await team.workshop.commit(treeOf: "HEAD", parents: ["HEAD~1"], by: team.alice)
                try await team.workshop.push()
            }
            #expect(try await repository.poll()?.origin.commit == team.workshop.head())
        }
    }

    @Test
    func `the first commit needs a signer of the group for what it holds`() async throws {
        try await self.run { team in
            try await team.workshop.commit(["staging/a.yaml": ""], by: team.bob)
            try await team.workshop.push()
            #expect(try await refusal(of: team.repository).contains("changes prod/**"))
            var rules = team.rules
            rules.paths[0].pattern = "secret/**"
            #expect(try await team.workshop.repository(rules).poll() != nil)
        }
    }

    @Test
    func `a change that is taken back is none`() async throws {
        try await self.run { team in
            let repository = try await team.taken()
            try await team.workshop.commit(["prod/chat.yaml": "other\n"], by: team.bob)
            try await team.workshop.push()
            _ = try await refusal(of: repository)
            try await team.workshop.commit(["prod/chat.yaml": "chat\n"], by: team.bob)
            try await team.workshop.push()
            #expect(try await repository.poll()?.origin.commit == team.workshop.head())
        }
    }

    @Test(arguments: [false, true])
    func `a change below another's commit counts as the head's, or as its own`(since: Bool) async throws {
        try await self.run(since: since) { team in
            let repository = try await team.taken()
            let change = try await team.workshop.commit(["prod/chat.yaml": "other\n"], by: team.bob)
            try await team.workshop.commit(["staging/chat.yaml": "other\n"], by: team.alice)
            try await team.workshop.push()
            if since {
                #expect(try await refusal(of: repository).contains("brings \(change)"))
            } else {
                #expect(try await repository.poll() != nil)
            }
        }
    }

    @Test(arguments: [false, true])
    func `what a merge brings together is not its own, unless it is from before what was taken`(
        isOlder: Bool
    ) async throws {
        try await self.run(since: true) { team in
            let workshop = team.workshop
            try await workshop.git("branch", "side")
            let repository = try await team.taken()
            try await workshop.git("checkout", "--quiet", "-B", "side", isOlder ? "side" : "main")
            try await workshop.commit(["prod/chat.yaml": "better\n"], by: team.alice)
            try await workshop.git("checkout", "--quiet", "main")
            try await workshop.commit(["prod/deep/er/rank.yaml": "better\n"], by: team.alice)
            try await workshop.merge("side", by: team.bob)
            try await workshop.push()
            if isOlder {
                #expect(try await refusal(of: repository).contains("its signer, bob@example.org"))
                try await workshop.git("reset", "--quiet", "--hard", "HEAD~1")
                try await workshop.merge("side", by: team.alice)
                try await workshop.push()
            }
            #expect(try await repository.poll()?.origin.commit == workshop.head())
        }
    }

    @Test
    func `a merge that brings something of its own needs a signer of the group`() async throws {
        try await self.run(since: true) { team in
            let workshop = team.workshop
            let repository = try await team.taken()
            try await workshop.git("checkout", "--quiet", "-b", "side")
            try await workshop.commit(["prod/new.yaml": "good\n"], by: team.alice)
            try await workshop.git("checkout", "--quiet", "main")
            try await workshop.commit(["staging/chat.yaml": "other\n"], by: team.bob)
            try await workshop.merge("side", "--no-commit", by: team.bob)
            let merge = try await workshop.commit(["prod/new.yaml": "evil\n"], by: team.bob)
            try await workshop.push()
            #expect(try await workshop.git("rev-parse", "HEAD^2") == workshop.git("rev-parse", "side"))
            #expect(try await refusal(of: repository).contains("the commit \(merge)"))
        }
    }

    /// Bob pulls Alice's changes back to what was before, with an older commit as the first parent, or the second.
    @Test(arguments: [false, true], [false, true])
    func `a merge cannot bring back what was before`(isFirst: Bool, isTaken: Bool) async throws {
        try await self.run(since: true) { team in
            let workshop = team.workshop
            let repository = try await team.taken()
            let old = try await workshop.head()
            let new = try await workshop.commit(["prod/chat.yaml": "fixed\n"], by: team.alice)
            try await workshop.push()
            if isTaken { #expect(try await repository.poll() != nil) }
            let merge = try await workshop.commit(
                treeOf: old,
                parents: isFirst ? [old, new] : [new, old],
                by: team.bob
            )
            try await workshop.push()
            if isTaken {
                #expect(try await refusal(of: repository).contains("the commit \(merge)"))
            } else {
                // Nothing but what was taken before.
                #expect(try await repository.poll()?.files.contains { $0.bytes == Array("chat\n".utf8) } == true)
            }
        }
    }

    @Test
    func `folders without end are not looked through`() async throws {
        try await self.run("**", since: true) { team in
            let workshop = team.workshop
            let repository = try await team.taken()
            // Ten folders of ten, nine times over: ten objects, a billion files, and as many with another at the end.
            var ids: [String] = []
            for text in ["a", "b"] {
                var id = try await workshop.git("hash-object", "-w", "--stdin", input: text)
                for level in 1...9 {
                    let entry = level == 1 ? "100644 blob" : "040000 tree"
                    let lines = (0...9).map { "\(entry) \(id)\t\($0)\n" }.joined()
                    id = try await workshop.git("mktree", input: lines)
                }
                ids.append(id)
            }
            for id in ids {
                let root =
                    try await workshop.git("ls-tree", "HEAD")
                    .split(separator: "\n").filter { !$0.hasSuffix("\tz") } + ["040000 tree \(id)\tz"]
                let tree = try await workshop.git("mktree", input: root.joined(separator: "\n") + "\n")
                let parent = try await workshop.head()
                let commit = try await Workshop.command(
                    "git",
                    ["-C", workshop.work] + team.bob.options + ["commit-tree", "-S", "-m", "z", "-p", parent, tree]
                )
                try await workshop.git("update-ref", "HEAD", commit)
            }
            try await workshop.push()
            #expect(try await refusal(of: repository).contains("is not in approvers"))
        }
    }
}
