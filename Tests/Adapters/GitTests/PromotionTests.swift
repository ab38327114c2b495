import Deployments
import Foundation
import Git
import Reconciliation
import Testing

@Suite("Promotions")
struct PromotionTests {
    private static let id = DeploymentID(namespace: "search", name: "chat")
    private static let path = "models/chat.yaml"
    private static let branch = "controller/promote/search/chat/magika-8"

    private static func manifest(_ version: Int, _ name: String = "chat") -> String {
        "kind: ModelDeployment # ours\nmetadata: {name: \(name), namespace: search}\n"
            + "spec:\n  model:\n    version: \"\(version)\" # champion\n    uri: models:/magika/\(version)\n"
    }

    private func promotion(
        _ mode: ModelPromotion.Mode = .branch,
        previous: String = "7",
        version: String = "8",
        digest: String? = nil
    ) -> ModelPromotion {
        ModelPromotion(
            mode: mode,
            manifest: CommitReference(repository: "models", branch: "main", commit: "c0", path: Self.path),
            model: "magika",
            previous: "models:/magika/\(previous)",
            version: version,
            digest: digest,
            reason: "the alias champion\nof magika names version 8",
            warnings: ["no digest: the registry may serve other bytes"]
        )
    }

    private func begin(_ workshop: Workshop) async throws {
        try await workshop.commit([
            Self.path: Self.manifest(7) + "---\n" + Self.manifest(7, "rank"), "models/search.yaml": "kind: other\n",
        ])
        try await workshop.push()
    }

    private func remote(_ arguments: String..., in workshop: Workshop) async throws -> String {
        try await Workshop.command("git", ["--git-dir", workshop.remote] + arguments)
    }

    @Test
    func `a promotion is one commit on a branch of its own, which changes the model only`() async throws {
        try await Workshop.run { workshop in
            try await self.begin(workshop)
            let repository = workshop.repository { $0.promotions = .branch }
            let result = try await repository.promote(self.promotion(), of: Self.id, isRehearsal: false)
            #expect(result.text == "branch \(Self.branch) makes search/chat name magika 8: merge it")
            #expect(result.branch == Self.branch && result.base == "main" && !result.isRequested)
            let head = try await workshop.head()
            #expect(try await self.remote("rev-parse", "main", in: workshop) == head)
            #expect(try await self.remote("diff", "--name-only", "main..\(Self.branch)", in: workshop) == Self.path)
            let text = try await self.remote("show", "\(Self.branch):\(Self.path)", in: workshop)
            #expect(text + "\n" == Self.manifest(8) + "---\n" + Self.manifest(7, "rank"))
            let log = try await self.remote("log", "-1", "--format=%P%n%an%n%B", Self.branch, in: workshop)
            #expect(
                log == """
                    \(head)
                    controller
                    Let search/chat serve magika 8

                    the alias champion of magika names version 8
                    It names models:/magika/7 now.
                    Warning: no digest: the registry may serve other bytes

                    Promoted-Model: models:/magika/8
                    Deployment: search/chat
                    Promoted-By: controller
                    """
            )
            // An answer that was lost is asked for again, by a controller that knows nothing.
            let commit = try await self.remote("rev-parse", Self.branch, in: workshop)
            let other = workshop.repository(name: "again") { $0.promotions = .branch }
            #expect(try await other.promote(self.promotion(), of: Self.id, isRehearsal: false).text == result.text)
            #expect(try await self.remote("rev-parse", Self.branch, in: workshop) == commit)
        }
    }

    @Test
    func `a rehearsal shows the change and writes nothing`() async throws {
        try await Workshop.run { workshop in
            try await self.begin(workshop)
            let repository = workshop.repository { $0.promotions = .branch }
            let digest = "sha256:" + String(repeating: "b", count: 64)
            let result = try await repository.promote(self.promotion(digest: digest), of: Self.id, isRehearsal: true)
            #expect(result.text == "would write branch \(Self.branch), which makes search/chat name magika 8")
            #expect(
                result.diff == """
                    --- a/models/chat.yaml
                    +++ b/models/chat.yaml
                    @@ -2,8 +2,9 @@
                     metadata: {name: chat, namespace: search}
                     spec:
                       model:
                    -    version: "7" # champion
                    -    uri: models:/magika/7
                    +    version: "8" # champion
                    +    uri: models:/magika/8
                    +    digest: \(digest)
                     ---
                     kind: ModelDeployment # ours
                     metadata: {name: rank, namespace: search}

                    """
            )
            #expect(try await self.remote("branch", "--list", "controller/*", in: workshop).isEmpty)
        }
    }

    @Test
    func `a branch that somebody changed is never overwritten, one that is all merged goes on`() async throws {
        try await Workshop.run { workshop in
            try await self.begin(workshop)
            let repository = workshop.repository { $0.promotions = .branch }
            _ = try await repository.promote(self.promotion(), of: Self.id, isRehearsal: false)
            try await workshop.git("fetch", "--quiet", workshop.remote, Self.branch)
            try await workshop.git("checkout", "--quiet", "-b", "mine", "FETCH_HEAD")
            try await workshop.commit(["models/more.yaml": "kind: other\n"], "A person's")
            try await workshop.push(to: Self.branch)
            let mine = try await workshop.head()
            _ = try await repository.promote(self.promotion(), of: Self.id, isRehearsal: false)
            #expect(try await self.remote("rev-parse", Self.branch, in: workshop) == mine)
            // Merged, taken back and wanted again: what the branch held is part of main.
            try await workshop.push()
            try await workshop.commit([Self.path: Self.manifest(7)], "Back")
            try await workshop.push()
            _ = try await repository.promote(self.promotion(), of: Self.id, isRehearsal: false)
            let text = try await self.remote("show", "\(Self.branch):\(Self.path)", in: workshop)
            #expect(text + "\n" == Self.manifest(8))
            #expect(try await self.remote("merge-base", "--is-ancestor", "main", Self.branch, in: workshop).isEmpty)
        }
    }

    @Test
    func `the commit lies on the branch as it is, however far it moved`() async throws {
        try await Workshop.run { workshop in
            try await self.begin(workshop)
            let repository = workshop.repository { $0.promotions = .branch }
            _ = try await repository.poll()
            try await workshop.commits(30)
            try await workshop.push()
            let result = try await repository.promote(self.promotion(), of: Self.id, isRehearsal: false)
            #expect(result.branch == Self.branch)
            let parent = try await self.remote("rev-parse", "\(Self.branch)^", in: workshop)
            #expect(try await workshop.head() == parent)
        }
    }

    @Test
    func `what names it already, or was changed, moved or is not allowed, is left alone, and it says so`() async throws
    {
        try await Workshop.run { workshop in
            try await self.begin(workshop)
            let told = { (promotion: ModelPromotion, allowed: ModelPromotion.Mode?) in
                let repository = workshop.repository(name: UUID().uuidString) { $0.promotions = allowed }
                let result = try await repository.promote(promotion, of: Self.id, isRehearsal: false)
                #expect(result.branch == nil)
                return result.text
            }
            #expect(
                try await told(self.promotion(), nil).contains("`promotions` of the repository")
            )
            #expect(
                try await told(self.promotion(previous: "6", version: "7"), .branch)
                    == "nothing to propose: search/chat names magika 7 on main already"
            )
            #expect(
                try await told(self.promotion(previous: "6"), .branch)
                    == "nothing was proposed: models/chat.yaml does not name models:/magika/6 any more: it was changed "
                    + "since"
            )
            var moved = self.promotion()
            moved.manifest.path = "models/gone.yaml"
            #expect(
                try await told(moved, .branch) == "nothing was proposed: models/gone.yaml is not on main any more"
            )
            #expect(try await self.remote("branch", "--list", "controller/*", in: workshop).isEmpty)
        }
    }

    @Test
    func `a branch in the way is told, and is not taken for the proposal`() async throws {
        try await Workshop.run { workshop in
            try await self.begin(workshop)
            try await workshop.push(to: "controller/promote/search/chat")
            let repository = workshop.repository { $0.promotions = .branch }
            let error = try await sourceError {
                _ = try await repository.promote(self.promotion(), of: Self.id, isRehearsal: false)
            }
            #expect(error.message.contains("controller/promote/search/chat"), "\(error)")
        }
    }

    @Test(arguments: [(ModelPromotion.Mode.pullRequest, true), (.branch, false)])
    func `a pull request is wanted where it is allowed`(allowed: ModelPromotion.Mode, isRequested: Bool) async throws {
        try await Workshop.run { workshop in
            try await self.begin(workshop)
            let repository = workshop.repository { $0.promotions = allowed }
            let result = try await repository.promote(self.promotion(.pullRequest), of: Self.id, isRehearsal: false)
            #expect(result.isRequested == isRequested)
            #expect(result.text.contains("does not allow a pull request") != isRequested)
        }
    }

    @Test
    func `a server that takes no branch is an error with its words, until it does`() async throws {
        try await Workshop.run { workshop in
            try await self.begin(workshop)
            let hook = workshop.remote + "/hooks/pre-receive"
            try FileManager.default.createDirectory(
                atPath: workshop.remote + "/hooks",
                withIntermediateDirectories: true
            )
            try Data("#!/bin/sh\necho 'no branches from robots' >&2; exit 1\n".utf8).write(to: URL(filePath: hook))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: hook)
            let repository = workshop.repository { $0.promotions = .branch }
            let error = try await sourceError {
                _ = try await repository.promote(self.promotion(), of: Self.id, isRehearsal: false)
            }
            #expect(error.message.contains("no branches from robots"), "\(error)")
            try FileManager.default.removeItem(atPath: hook)
            #expect(try await repository.promote(self.promotion(), of: Self.id, isRehearsal: false).branch != nil)
        }
    }

    @Test(arguments: [
        ("magika", "magika-8"), ("a..b~^c@{", "a__b__c__-8"), (".x", "_x-8"), ("ä b", ""),
    ])
    func `a model's name becomes part of a branch's name`(model: String, part: String) async throws {
        try await Workshop.run { workshop in
            let text = Self.manifest(7).replacing("models:/magika/7", with: "\"models:/\(model)/7\"")
            try await workshop.commit([Self.path: text])
            try await workshop.push()
            var promotion = self.promotion()
            promotion.model = model
            promotion.previous = "models:/\(model)/7"
            let repository = workshop.repository { $0.promotions = .branch }
            let result = try await repository.promote(promotion, of: Self.id, isRehearsal: false)
            // What no manifest can name is refused before.
            if model.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
                #expect(result.branch == "controller/promote/search/chat/\(part)")
            } else {
                #expect(result.branch == nil)
            }
        }
    }
}
