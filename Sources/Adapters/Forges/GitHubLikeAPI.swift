import Reconciliation

/// What Gitea's and Forgejo's API took over from GitHub's.
protocol GitHubLikeAPI: ForgeAPI {
    var connection: ForgeConnection { get }
    /// `/repos/OWNER/NAME`
    var root: String { get }
    /// The parameter that says how many there are on a page of a list, and its value.
    static var pageSize: (name: String, count: Int) { get }
}

extension GitHubLikeAPI {
    func setStatus(_ status: ShownStatus, named name: String, of report: RolloutReport) async throws(ForgeFailure) {
        var body = ["state": status.state, "context": name, "description": status.description]
        body["target_url"] = status.link
        try await self.connection.send(
            "POST",
            "\(self.root)/statuses/\(ForgeConnection.escaped(report.commit))",
            body: body
        )
    }

    func comments(on pullRequest: Int) async throws(ForgeFailure) -> [ShownComment] {
        let path = "\(self.root)/issues/\(pullRequest)/comments"
        return try await self.connection.list(path, size: Self.pageSize, as: IssueComment.self).map(\.shown)
    }

    func write(_ body: String, on pullRequest: Int) async throws(ForgeFailure) {
        try await self.connection.send("POST", "\(self.root)/issues/\(pullRequest)/comments", body: ["body": body])
    }

    func rewrite(_ comment: ShownComment, to body: String, on pullRequest: Int) async throws(ForgeFailure) {
        try await self.connection.send("PATCH", "\(self.root)/issues/comments/\(comment.id)", body: ["body": body])
    }

    func open(_ request: NewPullRequest) async throws(ForgeFailure) -> String {
        let body = ["title": request.title, "head": request.branch, "base": request.base, "body": request.body]
        let answer = try await self.connection.send("POST", "\(self.root)/pulls", body: body)
        return try self.connection.decode(answer, as: OpenedPullRequest.self).address
    }
}

private struct OpenedPullRequest: Decodable {
    var address: String

    private enum CodingKeys: String, CodingKey { case address = "html_url" }
}

/// A comment of each of the three, as GitLab's notes have these members too.
struct IssueComment: Decodable {
    var id: Int
    var body: String?

    var shown: ShownComment { ShownComment(id: self.id, body: self.body ?? "") }
}
