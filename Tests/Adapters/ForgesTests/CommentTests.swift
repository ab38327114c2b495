import Deployments
import Forges
import Foundation
import LoopbackServer
import Reconciliation
import Testing

@Suite("Comments and pull requests", .timeLimit(.minutes(5)))
struct CommentTests {
    private static let marker = "<!-- controller:models -->"

    private func merge(_ fake: FakeForge) {
        fake.change { state in
            state.pullRequests = [
                FakeForge.PullRequest(
                    number: 5,
                    head: "backport",
                    base: "release",
                    isOpen: false,
                    merged: FakeForge.commit
                ),
                FakeForge.PullRequest(number: 7, head: "chat-2", base: "main", isOpen: false, merged: FakeForge.commit),
            ]
            // Gitea names one.
            if fake.kind == .gitea { state.pullRequests.removeFirst() }
            state.nextID = 100
        }
    }

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `one comment has a line for each deployment, and is changed in its place`(
        kind: ForgeConfiguration.Kind
    ) async throws {
        try await withForge(kind) { fake, forge in
            self.merge(fake)
            try await forge.show(report(.running, "rollout-started"), as: .comment)
            try await forge.show(report(.running, "rollout-started", of: "search/a"), as: .comment)
            try await forge.show(report(.failed, "rolled-back", reason: "errors: 5 of 100"), as: .comment)
            try await forge.show(report(.succeeded, "promoted", of: "search/a"), as: .comment)
            #expect(fake.now.comments.count == 1)
            #expect(
                fake.now.comments.first?.body == """
                    \(Self.marker)
                    ### What became of this

                    | deployment | outcome | model | why | when |
                    |---|---|---|---|---|
                    | `search/a` | **promoted** | `chat 2` | `all gates passed` | 2026-11-30T12:00:00Z |
                    | `search/chat` | **rolled-back** | `chat 2` | `errors: 5 of 100` | 2026-11-30T12:00:00Z |

                    """
            )
            let place = kind == .gitlab ? "/merge_requests/7/notes" : "/issues/7/comments"
            #expect(fake.requests.contains { $0.target.contains(place) })
            #expect(!fake.requests.contains { $0.target.contains("/5/") })
            let writes = fake.requests.count { $0.method != "GET" }
            try await forge.show(report(.succeeded, "promoted", of: "search/a"), as: .comment)
            #expect(fake.requests.count { $0.method != "GET" } == writes)
        }
    }

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `an answer that was lost makes no second comment`(kind: ForgeConfiguration.Kind) async throws {
        try await withForge(kind) { fake, forge in
            self.merge(fake)
            for state in [RolloutReport.State.running, .succeeded] {
                fake.change { $0.lostAnswers = 1 }
                _ = try await refusal { () async throws(SourceError) in
                    try await forge.show(report(state, "x"), as: .comment)
                }
                try await forge.show(report(state, "x"), as: .comment)
            }
            #expect(fake.now.comments.count == 1)
            #expect(fake.requests.count { $0.method != "GET" } == 2)
        }
    }

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `ours is found behind two hundred others, and one that only looks like it is passed over`(
        kind: ForgeConfiguration.Kind
    ) async throws {
        try await withForge(kind) { fake, forge in
            self.merge(fake)
            fake.change { state in
                state.comments = [FakeForge.Comment(id: 1, body: "\(Self.marker) gotcha", isOurs: false)]
                for id in 2..<230 { state.comments.append(FakeForge.Comment(id: id, body: "I like \(Self.marker)")) }
                state.nextID = 300
            }
            try await forge.show(report(.running, "rollout-started"), as: .comment)
            try await forge.show(report(.succeeded, "promoted"), as: .comment)
            #expect(fake.now.comments.count == 230)
            #expect(fake.now.comments.last?.body.contains("**promoted**") == true)
            #expect(fake.now.comments.first?.body == "\(Self.marker) gotcha")
        }
    }

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `what others wrote mentions nobody, commands nothing and leaves its cell`(
        kind: ForgeConfiguration.Kind
    ) async throws {
        try await withForge(kind) { fake, forge in
            self.merge(fake)
            let reason = "@all `x` | <img src=x>\n/close\n| `search/b` | **promoted** |"
            try await forge.show(report(.failed, "rolled-back", reason: reason), as: .comment)
            let body = try #require(fake.now.comments.first).body
            let cell = "| `@all 'x' ¦ <img src=x> /close ¦ 'search/b' ¦ **promoted** ¦` |"
            #expect(body.contains(cell), "\(body)")
            try await forge.show(report(.running, "rollout-started", of: "search/a"), as: .comment)
            #expect(fake.now.comments.first?.body.contains("| `search/b`") == false)
        }
    }

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `a commit that no pull request brought has no comment`(kind: ForgeConfiguration.Kind) async throws {
        try await withForge(kind) { fake, forge in
            try await forge.show(report(.succeeded, "promoted"), as: .comment)
            #expect(fake.now.comments.isEmpty)
            #expect(!fake.requests.contains { $0.method != "GET" })
        }
        // That of a project that is not there is an error, though the answer is the same.
        try await withForge(kind, { $0.project = "team/other" }) { fake, forge in
            let error = try await refusal { () async throws(SourceError) in
                try await forge.show(report(.succeeded, "promoted"), as: .comment)
            }
            #expect(error.message.contains("check `project`"), "\(error)")
        }
    }

    // MARK: - Pull requests

    private static let proposal: BranchProposal = {
        let reference = { (commit: Character) in
            CommitReference(repository: "models", branch: "main", commit: String(repeating: commit, count: 40))
        }
        return BranchProposal(
            deployment: DeploymentID(namespace: "search", name: "chat"),
            change: .revert(
                ManifestRevert(
                    mode: .pullRequest,
                    failed: reference("f"),
                    restored: reference("a"),
                    failedLabel: "chat 2",
                    restoredLabel: "chat 1",
                    reason: "gate errors failed: 5 of 100\n/merge @all",
                    isAutomatic: true
                )
            ),
            branch: "controller/revert/search/chat/ffffffffff",
            base: "main"
        )
    }()

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `a pull request says what failed and why, and is opened once`(kind: ForgeConfiguration.Kind) async throws {
        try await withForge(kind) { fake, forge in
            fake.change { state in
                // Of the same name, and into another branch.
                state.pullRequests = [
                    FakeForge.PullRequest(number: 3, head: Self.proposal.branch, base: "release"),
                    FakeForge.PullRequest(number: 4, head: Self.proposal.branch, base: "main", isOpen: false),
                ]
                state.nextID = 10
                state.lostAnswers = 1
            }
            _ = try await refusal { () async throws(SourceError) in _ = try await forge.propose(Self.proposal) }
            let address = try await forge.propose(Self.proposal)
            #expect(try await forge.propose(Self.proposal) == address)
            #expect(address.hasSuffix("/10"), "\(address)")
            #expect(fake.now.pullRequests.count == 3)
            let request = try #require(fake.now.pullRequests.last)
            #expect(request.head == Self.proposal.branch)
            #expect(request.base == "main")
            #expect(request.title == "Revert search/chat to chat 1")
            #expect(request.body.contains("rolled back `chat 2` of `search/chat`, which commit ffffffff"))
            #expect(request.body.contains("\n`gate errors failed: 5 of 100 /merge @all`\n"), "\(request.body)")
        }
    }

    private static let promotion = BranchProposal(
        deployment: DeploymentID(namespace: "search", name: "chat"),
        change: .promotion(
            ModelPromotion(
                mode: .pullRequest,
                manifest: CommitReference(repository: "models", branch: "main", commit: "c0"),
                model: "magika",
                previous: "models:/magika/7",
                version: "8",
                digest: "sha256:ab",
                reason: "ada asked for version 8: better\n/merge @all",
                warnings: ["version 8 is `older`"]
            )
        ),
        branch: "controller/promote/search/chat/magika-8",
        base: "main"
    )

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `a pull request for a model says which, why and what to know, and is opened once`(
        kind: ForgeConfiguration.Kind
    ) async throws {
        try await withForge(kind) { fake, forge in
            fake.change { $0.lostAnswers = 1 }
            _ = try await refusal { () async throws(SourceError) in _ = try await forge.propose(Self.promotion) }
            let address = try await forge.propose(Self.promotion)
            #expect(try await forge.propose(Self.promotion) == address)
            #expect(fake.now.pullRequests.count == 1)
            let request = try #require(fake.now.pullRequests.last)
            #expect(request.head == Self.promotion.branch && request.base == "main")
            #expect(request.title == "Let search/chat serve magika 8")
            #expect(request.body.contains("\n`ada asked for version 8: better /merge @all`\n"), "\(request.body)")
            #expect(request.body.contains("in place of `models:/magika/7`"))
            #expect(request.body.contains("digest `sha256:ab`") && request.body.contains("Warning: "))
        }
    }

    @Test(arguments: ForgeConfiguration.Kind.allCases)
    func `a pull request that may not be opened is told in the forge's words`(
        kind: ForgeConfiguration.Kind
    ) async throws {
        try await withForge(kind) { fake, forge in
            fake.change {
                $0.refusals = [
                    FakeForge.json(200, [Any]()), FakeForge.json(403, ["message": "Resource not accessible"]),
                ]
            }
            let error = try await refusal { () async throws(SourceError) in _ = try await forge.propose(Self.proposal) }
            #expect(error.message.contains("403 to POST "), "\(error)")
            #expect(error.message.contains("Resource not accessible"), "\(error)")
        }
    }
}
