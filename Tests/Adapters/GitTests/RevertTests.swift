import Deployments
import Foundation
import Git
import Manifests
import Reconciliation
import Testing

@Suite("Reverts")
struct RevertTests {
    private static let id = DeploymentID(namespace: "search", name: "chat")
    private static let path = "models/chat.yaml"
    private static let good = Self.manifest("chat", 1)
    private static let bad = Self.manifest("chat", 2)

    private static func manifest(_ name: String, _ version: Int) -> String {
        "kind: ModelDeployment\nmetadata: {name: \(name), namespace: search}\nspec: {version: \(version)}\n"
    }

    /// A commit with the good manifest, some others, and one with the bad manifest.
    private func story(_ workshop: Workshop) async throws -> ManifestRevert {
        let restored = try await workshop.commit([Self.path: Self.good, "models/search.yaml": "kind: other\n"])
        try await workshop.commits(3)
        try await workshop.git("reset", "--quiet", "--hard")
        let failed = try await workshop.commit([Self.path: Self.bad], "Serve version 2")
        try await workshop.push()
        return self.revert(failed: failed, restored: restored)
    }

    private func revert(failed: String, restored: String, _ mode: RevertMode = .branch) -> ManifestRevert {
        let reference = { (commit: String) in
            CommitReference(repository: "models", branch: "main", commit: commit, path: Self.path)
        }
        return ManifestRevert(
            mode: mode,
            failed: reference(failed),
            restored: reference(restored),
            failedLabel: "chat 2",
            restoredLabel: "chat 1",
            reason: "gate errors failed: 5 of 100",
            isAutomatic: true
        )
    }

    private func show(_ what: String, _ workshop: Workshop) async throws -> String {
        try await workshop.git("--git-dir", workshop.remote, "show", what)
    }

    private func branch(_ revert: ManifestRevert) -> String {
        "controller/revert/search/chat/\(revert.failed.commit.prefix(10))"
    }

    @Test
    func `a revert to a branch is one commit on top of the watched one, which changes only the manifest`() async throws
    {
        try await Workshop.run { workshop in
            let revert = try await self.story(workshop)
            let repository = workshop.repository { $0.reverts = .branch }
            _ = try await repository.poll()
            let told = try await repository.revert(revert, of: Self.id).text
            let branch = self.branch(revert)
            #expect(told == "branch \(branch) reverts search/chat of \(revert.failed.commit.prefix(10)): merge it")
            let head = try await workshop.head()
            #expect(try await self.show("-s", workshop).contains(head))
            let files = try await workshop.git(
                "--git-dir",
                workshop.remote,
                "diff",
                "--name-only",
                "\(head)..\(branch)"
            )
            #expect(files == Self.path)
            #expect(try await self.show("\(branch):\(Self.path)", workshop) + "\n" == Self.good)
            let log = try await workshop.git("--git-dir", workshop.remote, "log", "--format=%P%n%an%n%B", "-1", branch)
            #expect(log.hasPrefix("\(head)\ncontroller\nRevert search/chat to chat 1\n"), "\(log)")
            #expect(log.contains("\ngate errors failed: 5 of 100\n"))
            #expect(log.contains("\nRolled-Back-Commit: \(revert.failed.commit)\n"))
            #expect(log.contains("\nRestored-Commit: \(revert.restored.commit)\n"))
            // An answer that was lost is asked for again.
            let commit = try await workshop.git("--git-dir", workshop.remote, "rev-parse", branch)
            #expect(try await workshop.repository { $0.reverts = .branch }.revert(revert, of: Self.id).text == told)
            #expect(try await workshop.git("--git-dir", workshop.remote, "rev-parse", branch) == commit)
        }
    }

    @Test
    func `a revert to the watched branch is polled as the good manifest, and a second time changes nothing`()
        async throws
    {
        try await Workshop.run { workshop in
            var revert = try await self.story(workshop)
            revert.mode = .push
            let repository = workshop.repository { $0.reverts = .push }
            _ = try await repository.poll()
            let told = try await repository.revert(revert, of: Self.id).text
            #expect(told.hasPrefix("commit ") && told.contains(" on main reverts search/chat"), "\(told)")
            let snapshot = try #require(try await repository.poll())
            #expect(!snapshot.rewroteHistory)
            #expect(snapshot.files.first { $0.path == Self.path }?.bytes == Array(Self.good.utf8))
            let again = try await repository.revert(revert, of: Self.id).text
            #expect(again.hasPrefix("nothing to revert"), "\(again)")
            #expect(try await repository.poll() == nil)
            // Forge branches are left alone.
            #expect(try await workshop.git("--git-dir", workshop.remote, "branch", "--list", "controller/*").isEmpty)
        }
    }

    @Test
    func `a commit that is not in the shallow copy is fetched`() async throws {
        try await Workshop.run { workshop in
            let revert = try await self.story(workshop)
            try await workshop.commits(30)
            try await workshop.push()
            // Its first poll brings one commit.
            let repository = workshop.repository { $0.reverts = .branch }
            _ = try await repository.poll()
            let told = try await repository.revert(revert, of: Self.id).text
            #expect(told.hasPrefix("branch "), "\(told)")
            // What the next polls need is there still.
            let new = try await workshop.commit(["models/new.yaml": "kind: new\n"])
            try await workshop.push()
            let snapshot = try #require(try await repository.poll())
            #expect(snapshot.origin.commit == new)
            #expect(!snapshot.rewroteHistory)
        }
    }

    @Test
    func `a manifest that somebody changed, moved or removed since is left alone`() async throws {
        for change in ["changed", "removed", "reverted"] {
            try await Workshop.run { workshop in
                var revert = try await self.story(workshop)
                revert.mode = .push
                switch change {
                case "changed": try await workshop.commit([Self.path: Self.manifest("chat", 3)])
                case "removed": try await workshop.git("rm", "--quiet", Self.path); try await workshop.commit([:])
                default: try await workshop.commit([Self.path: Self.good])
                }
                try await workshop.push()
                let head = try await workshop.head()
                let told = try await workshop.repository { $0.reverts = .push }.revert(revert, of: Self.id).text
                #expect(told.hasPrefix("nothing"), "\(told)")
                let main = try await workshop.git("--git-dir", workshop.remote, "rev-parse", "main")
                #expect(main == head)
            }
        }
    }

    private static func defaults(_ spec: String) -> String {
        "apiVersion: controller/v1\nkind: ModelDeploymentDefaults\nspec: \(spec)\n"
    }

    @Test
    func `when a rollout came from a changed defaults.yaml, nothing is reverted, and it says so`() async throws {
        try await Workshop.run { workshop in
            let restored = try await workshop.commit([
                Self.path: Self.good, "models/defaults.yaml": Self.defaults("{resources: {gpu: 0}}"),
            ])
            let failed = try await workshop.commit(["models/defaults.yaml": Self.defaults("{resources: {gpu: 1}}")])
            try await workshop.push()
            let revert = self.revert(failed: failed, restored: restored, .push)
            let told = try await workshop.repository { $0.reverts = .push }.revert(revert, of: Self.id).text
            #expect(
                told == "nothing to revert: the manifest on main is that of \(restored.prefix(10)) (what it refers to, "
                    + "such as a runtime, or a defaults.yaml above it may have changed)"
            )
            #expect(try await workshop.git("--git-dir", workshop.remote, "rev-parse", "main") == failed)
        }
    }

    /// A `defaults.yaml` changes with the manifest, above or below the watched folder, in a way that concerns it or not.
    @Test(arguments: [
        ("models/defaults.yaml", "{resources: {gpu: 1}}", false),
        ("defaults.yaml", "{resources: {gpu: 1}}", false),
        ("models/defaults.yaml", "{replicas: many}", false),
        ("models/defaults.yaml", "{resources: {gpu: 0}} # still", true),
        ("models/other/defaults.yaml", "{resources: {gpu: 1}}", true),
    ])
    func `a manifest that would say something else than it did is not put back`(
        path: String,
        spec: String,
        isReverted: Bool
    ) async throws {
        try await Workshop.run { workshop in
            let restored = try await workshop.commit([
                Self.path: Self.good, path: Self.defaults("{resources: {gpu: 0}}"),
            ])
            let failed = try await workshop.commit([Self.path: Self.bad, path: Self.defaults(spec)])
            try await workshop.push()
            let revert = self.revert(failed: failed, restored: restored, .push)
            let told = try await workshop.repository { $0.reverts = .push }.revert(revert, of: Self.id).text
            if isReverted {
                #expect(told.hasPrefix("commit "), "\(told)")
                #expect(try await self.show("main:\(Self.path)", workshop) + "\n" == Self.good)
            } else {
                #expect(told.hasPrefix("nothing was reverted: with a defaults.yaml above it"), "\(told)")
                #expect(try await workshop.git("--git-dir", workshop.remote, "rev-parse", "main") == failed)
            }
        }
    }

    @Test
    func `a defaults.yaml above the watched folder does not count`() async throws {
        try await Workshop.run { workshop in
            let restored = try await workshop.commit([
                Self.path: Self.good, "defaults.yaml": Self.defaults("{resources: {gpu: 0}}"),
            ])
            let failed = try await workshop.commit([
                Self.path: Self.bad, "defaults.yaml": Self.defaults("{resources: {gpu: 1}}"),
            ])
            try await workshop.push()
            let revert = self.revert(failed: failed, restored: restored, .push)
            let repository = workshop.repository {
                $0.reverts = .push
                $0.paths = ["models"]
            }
            let told = try await repository.revert(revert, of: Self.id).text
            #expect(told.hasPrefix("commit "), "\(told)")
        }
    }

    @Test
    func `two deployments of one file are reverted one by one, at once, and nothing is lost`() async throws {
        try await Workshop.run { workshop in
            let other = DeploymentID(namespace: "search", name: "rank")
            let before = Self.good + "---\n" + Self.manifest("rank", 1)
            let after = Self.bad + "---\n" + Self.manifest("rank", 2)
            let restored = try await workshop.commit([Self.path: before])
            let failed = try await workshop.commit([Self.path: after])
            try await workshop.push()
            let revert = self.revert(failed: failed, restored: restored, .push)
            try await withThrowingTaskGroup(of: String.self) { group in
                for (index, id) in [Self.id, other].enumerated() {
                    let repository = workshop.repository(name: "controller-\(index)") { $0.reverts = .push }
                    group.addTask { try await repository.revert(revert, of: id).text }
                }
                for try await told in group { #expect(told.hasPrefix("commit "), "\(told)") }
            }
            #expect(try await self.show("main:\(Self.path)", workshop) + "\n" == before)
            let count = try await workshop.git("--git-dir", workshop.remote, "rev-list", "--count", "\(failed)..main")
            #expect(count == "2")
        }
    }

    @Test(arguments: [
        (RevertMode.branch, RevertMode.push, false), (.pullRequest, .pullRequest, true), (.pullRequest, .push, true),
        (.push, .pullRequest, true), (.pullRequest, .branch, false), (.push, .branch, false),
    ])
    func `a pull request is wanted where one was asked for and is allowed`(
        asked: RevertMode,
        allowed: RevertMode,
        isProposed: Bool
    ) async throws {
        try await Workshop.run { workshop in
            var revert = try await self.story(workshop)
            revert.mode = asked
            let repository = workshop.repository { $0.reverts = allowed }
            let result = try await repository.revert(revert, of: Self.id)
            #expect(result.proposed == (isProposed ? self.branch(revert) : nil))
            #expect(result.text.hasPrefix("branch \(self.branch(revert)) reverts "), "\(result.text)")
            #expect(result.text.contains("does not allow a pull request") == (asked == .pullRequest && !isProposed))
            #expect(result.base == "main")
            // A retry after a lost answer wants the same.
            #expect(try await repository.revert(revert, of: Self.id) == result)
            // What needs no revert needs no pull request.
            try await workshop.commit([Self.path: Self.good])
            try await workshop.push()
            try await workshop.git("--git-dir", workshop.remote, "branch", "-D", self.branch(revert))
            #expect(try await repository.revert(revert, of: Self.id).proposed == nil)
        }
    }

    @Test
    func `a protected branch gets a branch beside it, and what the server said is told`() async throws {
        try await Workshop.run { workshop in
            var revert = try await self.story(workshop)
            revert.mode = .push
            try self.hook(
                "while read o n name; do [ $name = refs/heads/main ] && echo 'main is protected' >&2 && exit 1; done; exit 0",
                workshop
            )
            let told = try await workshop.repository { $0.reverts = .push }.revert(revert, of: Self.id).text
            #expect(told.hasPrefix("branch \(self.branch(revert)) reverts"), "\(told)")
            #expect(told.contains("main itself did not take it") && told.contains("main is protected"), "\(told)")
            #expect(try await self.show("\(self.branch(revert)):\(Self.path)", workshop) + "\n" == Self.good)
        }
    }

    @Test
    func `a server that takes no branch is an error, until it does`() async throws {
        try await Workshop.run { workshop in
            let revert = try await self.story(workshop)
            try self.hook("echo 'no branches from robots' >&2; exit 1", workshop)
            let repository = workshop.repository { $0.reverts = .branch }
            let error = try await sourceError { _ = try await repository.revert(revert, of: Self.id).text }
            #expect(error.code == .refused)
            #expect(error.message.contains("no branches from robots"), "\(error.message)")
            try self.hook("exit 0", workshop)
            #expect(try await repository.revert(revert, of: Self.id).text.hasPrefix("branch "))
        }
    }

    @Test
    func `a revert is not reverted by rule, but by an operator`() async throws {
        try await Workshop.run { workshop in
            var revert = try await self.story(workshop)
            revert.mode = .push
            let repository = workshop.repository { $0.reverts = .push }
            _ = try await repository.revert(revert, of: Self.id).text
            let ours = try await workshop.git("--git-dir", workshop.remote, "rev-parse", "main")
            var back = self.revert(failed: ours, restored: revert.failed.commit, .push)
            let told = try await repository.revert(back, of: Self.id).text
            #expect(told.contains("is a revert itself"), "\(told)")
            back.isAutomatic = false
            #expect(try await repository.revert(back, of: Self.id).text.hasPrefix("commit "))
            #expect(try await self.show("main:\(Self.path)", workshop) + "\n" == Self.bad)
        }
    }

    @Test
    func `what the operator does not allow is not written`() async throws {
        try await Workshop.run { workshop in
            var revert = try await self.story(workshop)
            revert.mode = .push
            #expect(try await workshop.repository().revert(revert, of: Self.id).text.contains("does not allow it"))
            let told = try await workshop.repository { $0.reverts = .branch }.revert(revert, of: Self.id).text
            #expect(told.hasPrefix("branch ") && told.hasSuffix("does not allow to push to main"), "\(told)")
            let tag = workshop.repository {
                $0.reverts = .branch
                $0.reference = .tag("v1")
            }
            #expect(try await tag.revert(revert, of: Self.id).text.contains("v1 is watched, and no branch"))
            let head = try await workshop.head()
            #expect(try await workshop.git("--git-dir", workshop.remote, "rev-parse", "main") == head)
        }
    }

    /// What the server runs before it takes a push.
    private func hook(_ script: String, _ workshop: Workshop) throws {
        let path = workshop.remote + "/hooks/pre-receive"
        try FileManager.default.createDirectory(atPath: workshop.remote + "/hooks", withIntermediateDirectories: true)
        try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }
}
