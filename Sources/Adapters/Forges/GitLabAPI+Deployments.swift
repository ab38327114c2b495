import Reconciliation

/// https://docs.gitlab.com/api/deployments/
extension GitLabAPI {
    private struct Deployment: Decodable {
        var id: Int
        var sha: String
        var status: String
    }

    private struct NewDeployment: Encodable, Sendable {
        var environment: String
        var sha: String
        var ref: String
        var tag = false
        var status: String
    }

    func deploymentWord(for state: RolloutReport.State) -> String { self.word(for: state) }

    func showDeployment(
        _ status: ShownStatus,
        in environment: String,
        of report: RolloutReport
    ) async throws(ForgeFailure) {
        let path = "\(self.root)/deployments"
        // The newest of the environment; older ones than a hundred are history.
        let query = [
            ("environment", environment), ("order_by", "id"), ("sort", "desc"),
            (Self.pageSize.name, "\(Self.pageSize.count)"),
        ]
        let known: [Deployment] = try await self.connection.get(path, query)
        let last = known.first { $0.sha == report.commit }
        if last?.status == status.state { return }
        if let last, last.status == self.word(for: .running) {
            try await self.connection.send("PUT", "\(path)/\(last.id)", body: ["status": status.state])
        } else {
            // What has ended does not change any more: a revision that is taken back later is another deployment.
            let new = NewDeployment(
                environment: environment,
                sha: report.commit,
                ref: self.connection.configuration.branch ?? "",
                status: status.state
            )
            try await self.connection.send("POST", path, body: new)
        }
    }
}
