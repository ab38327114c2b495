import FoundationEssentials
import Reconciliation
import Transport

/// GitLab's REST API, version 4.
///
/// https://docs.gitlab.com/api/commits/, …/merge_requests/, …/notes/, …/deployments/
struct GitLabAPI: ForgeAPI {
    let connection: ForgeConnection
    /// `/projects/GROUP%2FNAME`
    let root: String

    init(_ configuration: ForgeConfiguration, client: HTTPClient) {
        self.connection = ForgeConnection(configuration: configuration, client: client) { token in
            ["Accept": "application/json", "PRIVATE-TOKEN": token]
        }
        self.root = "/projects/" + ForgeConnection.escaped(configuration.project)
    }

    static let pageSize = (name: "per_page", count: 100)

    // MARK: - Statuses

    let descriptionLimit = 255

    func word(for state: RolloutReport.State) -> String {
        switch state {
        case .running: "running"
        case .succeeded: "success"
        case .failed: "failed"
        case .superseded: "canceled"
        }
    }

    /// What runs cannot be told anew that it runs, whatever the words.
    func shows(_ shown: ShownStatus, _ wanted: ShownStatus) -> Bool {
        shown == wanted || shown.state == wanted.state && wanted.state == self.word(for: .running)
    }

    private struct Status: Decodable {
        var id: Int
        var status: String
        var name: String
        var ref: String?
        var description: String?
        var link: String?

        private enum CodingKeys: String, CodingKey {
            case id, status, name, ref, description
            case link = "target_url"
        }
    }

    func status(named name: String, of report: RolloutReport) async throws(ForgeFailure) -> ShownStatus? {
        let path = "\(self.root)/repository/commits/\(ForgeConnection.escaped(report.commit))/statuses"
        let found: [Status] = try await self.connection.list(
            path,
            (self.connection.configuration.branch.map { [("ref", $0)] } ?? []) + [("name", name)],
            size: Self.pageSize
        )
        let newest = found.filter { $0.name == name }.max { $0.id < $1.id }
        return newest.map { ShownStatus(state: $0.status, description: $0.description ?? "", link: $0.link) }
    }

    func setStatus(_ status: ShownStatus, named name: String, of report: RolloutReport) async throws(ForgeFailure) {
        var body = ["state": status.state, "name": name, "description": status.description]
        body["ref"] = self.connection.configuration.branch
        body["target_url"] = status.link
        let path = "\(self.root)/statuses/\(ForgeConnection.escaped(report.commit))"
        do throws(ForgeFailure) {
            try await self.connection.send("POST", path, body: body)
        } catch {
            // `Cannot transition status`: it is in that state already, since somebody else's look or an answer that
            // was lost.
            guard error.status == 400, try await self.status(named: name, of: report)?.state == status.state else {
                throw error
            }
        }
    }

    // MARK: - Merge requests and notes

    private struct MergeRequest: Decodable {
        var iid: Int
        var state: String
        var target: String
        var address: String

        private enum CodingKeys: String, CodingKey {
            case iid, state
            case target = "target_branch"
            case address = "web_url"
        }
    }

    func pullRequest(of commit: String) async throws(ForgeFailure) -> Int? {
        let path = "\(self.root)/repository/commits/\(ForgeConnection.escaped(commit))/merge_requests"
        let found: [MergeRequest] = try await self.connection.list(path, size: Self.pageSize)
        let branch = self.connection.configuration.branch
        return found.first { $0.state == "merged" && (branch == nil || $0.target == branch) }?.iid
    }

    func comments(on pullRequest: Int) async throws(ForgeFailure) -> [ShownComment] {
        // A note may have a megabyte.
        try await self.connection.list(
            "\(self.root)/merge_requests/\(pullRequest)/notes",
            [("sort", "asc"), ("order_by", "created_at")],
            size: (Self.pageSize.name, 20),
            as: IssueComment.self
        ).map(\.shown)
    }

    func write(_ body: String, on pullRequest: Int) async throws(ForgeFailure) {
        try await self.connection.send("POST", "\(self.root)/merge_requests/\(pullRequest)/notes", body: ["body": body])
    }

    func rewrite(_ comment: ShownComment, to body: String, on pullRequest: Int) async throws(ForgeFailure) {
        try await self.connection.send(
            "PUT",
            "\(self.root)/merge_requests/\(pullRequest)/notes/\(comment.id)",
            body: ["body": body]
        )
    }

    func openPullRequest(from branch: String, into base: String) async throws(ForgeFailure) -> String? {
        let found: [MergeRequest] = try await self.connection.list(
            "\(self.root)/merge_requests",
            [("state", "opened"), ("source_branch", branch), ("target_branch", base)],
            size: Self.pageSize
        )
        return found.first?.address
    }

    func open(_ request: NewPullRequest) async throws(ForgeFailure) -> String {
        let body = [
            "source_branch": request.branch, "target_branch": request.base, "title": request.title,
            "description": request.body,
        ]
        let answer = try await self.connection.send("POST", "\(self.root)/merge_requests", body: body)
        return try self.connection.decode(answer, as: MergeRequest.self).address
    }
}
