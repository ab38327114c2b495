import FoundationEssentials
import Reconciliation
import Transport

/// The REST API, version 1, of Gitea and Forgejo.
///
/// https://docs.gitea.com/api/, https://codeberg.org/api/swagger
struct GiteaAPI: GitHubLikeAPI {
    let connection: ForgeConnection
    /// `/repos/OWNER/NAME`
    let root: String
    private let project: String

    init(_ configuration: ForgeConfiguration, client: HTTPClient) {
        self.connection = ForgeConnection(configuration: configuration, client: client) { token in
            ["Accept": "application/json", "Authorization": "token \(token)"]
        }
        self.project = configuration.project
        let parts = configuration.project.split(separator: "/").map(String.init)
        self.root = "/repos/" + parts.map(ForgeConnection.escaped).joined(separator: "/")
    }

    /// Servers give out 50 at most, unless they are told otherwise.
    static let pageSize = (name: "limit", count: 50)

    // MARK: - Statuses

    /// Gitea has no limit of its own; more is not shown.
    let descriptionLimit = 255

    func word(for state: RolloutReport.State) -> String {
        switch state {
        case .running: "pending"
        case .succeeded: "success"
        case .failed: "failure"
        case .superseded: "warning"
        }
    }

    private struct Status: Decodable {
        var status: String
        var context: String
        var description: String?
        var link: String?

        private enum CodingKeys: String, CodingKey {
            case status, context, description
            case link = "target_url"
        }
    }

    func status(named name: String, of report: RolloutReport) async throws(ForgeFailure) -> ShownStatus? {
        let found: [Status] = try await self.connection.list(
            "\(self.root)/commits/\(ForgeConnection.escaped(report.commit))/statuses",
            [("sort", "highestindex")],
            size: Self.pageSize
        )
        let newest = found.first { $0.context == name }
        return newest.map { ShownStatus(state: $0.status, description: $0.description ?? "", link: $0.link) }
    }

    // MARK: - Pull requests and comments

    private struct PullRequest: Decodable {
        struct Branch: Decodable {
            struct Repository: Decodable {
                var name: String

                private enum CodingKeys: String, CodingKey { case name = "full_name" }
            }

            var ref: String
            /// Nothing when the fork is gone.
            var repo: Repository?
        }

        var number: Int
        var address: String
        var isMerged: Bool
        var base: Branch
        var head: Branch

        private enum CodingKeys: String, CodingKey {
            case number, base, head
            case address = "html_url"
            case isMerged = "merged"
        }
    }

    private struct Repository: Decodable { var id: Int }

    func pullRequest(of commit: String) async throws(ForgeFailure) -> Int? {
        do throws(ForgeFailure) {
            let path = "\(self.root)/commits/\(ForgeConnection.escaped(commit))/pull"
            let found: PullRequest = try await self.connection.get(path)
            let branch = self.connection.configuration.branch
            return found.isMerged && (branch == nil || found.base.ref == branch) ? found.number : nil
        } catch {
            guard error.status == 404 else { throw error }
            // The same answer is given of a repository that the token may not see.
            _ = try await self.connection.get(self.root, as: Repository.self)
            return nil
        }
    }

    func openPullRequest(from branch: String, into base: String) async throws(ForgeFailure) -> String? {
        // Gitea does not filter by branch. Pull requests of forks have branches of any name.
        let found: [PullRequest] = try await self.connection.list(
            "\(self.root)/pulls",
            [("state", "open")],
            size: Self.pageSize
        )
        return found.first { request in
            request.head.ref == branch && request.base.ref == base
                && request.head.repo?.name.lowercased() == self.project.lowercased()
        }?.address
    }
}
