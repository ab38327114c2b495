import FoundationEssentials
import Reconciliation
import Transport

/// GitHub's REST API, version 2022-11-28, of github.com and Enterprise Server.
///
/// https://docs.github.com/en/rest/commits/statuses, …/commits/commits#list-pull-requests-associated-with-a-commit,
/// …/issues/comments, …/pulls/pulls, …/deployments
struct GitHubAPI: GitHubLikeAPI {
    let connection: ForgeConnection
    /// `/repos/OWNER/NAME`
    let root: String
    private let owner: String

    init(_ configuration: ForgeConfiguration, client: HTTPClient) {
        self.connection = ForgeConnection(configuration: configuration, client: client) { token in
            [
                "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28",
                "Authorization": "Bearer \(token)",
            ]
        }
        let parts = configuration.project.split(separator: "/").map(String.init)
        self.root = "/repos/" + parts.map(ForgeConnection.escaped).joined(separator: "/")
        self.owner = parts.first ?? ""
    }

    static let pageSize = (name: "per_page", count: 100)

    // MARK: - Statuses

    let descriptionLimit = 140

    func word(for state: RolloutReport.State) -> String {
        switch state {
        case .running: "pending"
        case .succeeded: "success"
        case .failed: "failure"
        case .superseded: "error"
        }
    }

    private struct Combined: Decodable {
        var statuses: [Status]
        var totalCount: Int

        private enum CodingKeys: String, CodingKey {
            case statuses
            case totalCount = "total_count"
        }
    }

    private struct Status: Decodable {
        var state: String
        var context: String
        var description: String?
        var link: String?

        private enum CodingKeys: String, CodingKey {
            case state, context, description
            case link = "target_url"
        }
    }

    func status(named name: String, of report: RolloutReport) async throws(ForgeFailure) -> ShownStatus? {
        // The newest of each context. GitHub takes contexts that differ in case alone for one.
        let path = "\(self.root)/commits/\(ForgeConnection.escaped(report.commit))/status"
        var seen = 0
        for page in 1...50 {
            let query = [(Self.pageSize.name, "\(Self.pageSize.count)"), ("page", "\(page)")]
            let combined: Combined = try await self.connection.get(path, query)
            if let found = combined.statuses.first(where: { $0.context.lowercased() == name.lowercased() }) {
                return ShownStatus(state: found.state, description: found.description ?? "", link: found.link)
            }
            seen += combined.statuses.count
            if combined.statuses.isEmpty || seen >= combined.totalCount { break }
        }
        return nil
    }

    // MARK: - Pull requests and comments

    private struct PullRequest: Decodable {
        struct Branch: Decodable { var ref: String }

        var number: Int
        var address: String
        var mergedAt: String?
        var mergeCommit: String?
        var base: Branch

        private enum CodingKeys: String, CodingKey {
            case number, base
            case address = "html_url"
            case mergedAt = "merged_at"
            case mergeCommit = "merge_commit_sha"
        }
    }

    func pullRequest(of commit: String) async throws(ForgeFailure) -> Int? {
        let path = "\(self.root)/commits/\(ForgeConnection.escaped(commit))/pulls"
        let found: [PullRequest] = try await self.connection.list(path, size: Self.pageSize)
        let branch = self.connection.configuration.branch
        let merged = found.filter { $0.mergedAt != nil && (branch == nil || $0.base.ref == branch) }
        return (merged.first { $0.mergeCommit == commit } ?? merged.first)?.number
    }

    func openPullRequest(from branch: String, into base: String) async throws(ForgeFailure) -> String? {
        let query = [("state", "open"), ("head", "\(self.owner):\(branch)"), ("base", base)]
        let found: [PullRequest] = try await self.connection.list("\(self.root)/pulls", query, size: Self.pageSize)
        return found.first?.address
    }
}
