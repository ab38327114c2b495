import Reconciliation

/// https://docs.github.com/en/rest/deployments/deployments, …/deployments/statuses
extension GitHubAPI {
    private struct Deployment: Decodable { var id: Int }

    private struct DeploymentStatus: Decodable {
        var state: String
        var description: String?
    }

    private struct NewDeployment: Encodable, Sendable {
        var ref: String
        var environment: String
        var description: String
        /// The commit is deployed as it is: nothing is merged into it, and no status has to be there before.
        var isMerged = false
        var requiredContexts: [String] = []

        private enum CodingKeys: String, CodingKey {
            case ref, environment, description
            case isMerged = "auto_merge"
            case requiredContexts = "required_contexts"
        }
    }

    func deploymentWord(for state: RolloutReport.State) -> String {
        switch state {
        case .running: "in_progress"
        case .succeeded: "success"
        case .failed: "failure"
        case .superseded: "inactive"
        }
    }

    func showDeployment(
        _ status: ShownStatus,
        in environment: String,
        of report: RolloutReport
    ) async throws(ForgeFailure) {
        let query = [("sha", report.commit), ("environment", environment), (Self.pageSize.name, "1")]
        // The newest first.
        let known: [Deployment] = try await self.connection.get("\(self.root)/deployments", query)
        let id: Int
        if let deployment = known.first {
            id = deployment.id
            let path = "\(self.root)/deployments/\(id)/statuses"
            let shown: [DeploymentStatus] = try await self.connection.get(path, [(Self.pageSize.name, "1")])
            if let last = shown.first, last.state == status.state, last.description ?? "" == status.description {
                return
            }
        } else {
            let new = NewDeployment(ref: report.commit, environment: environment, description: "")
            let answer = try await self.connection.send("POST", "\(self.root)/deployments", body: new)
            id = try self.connection.decode(answer, as: Deployment.self).id
        }
        var body = ["state": status.state, "description": status.description]
        body["log_url"] = status.link
        try await self.connection.send("POST", "\(self.root)/deployments/\(id)/statuses", body: body)
    }
}
