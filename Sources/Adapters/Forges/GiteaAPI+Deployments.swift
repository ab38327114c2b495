import Reconciliation

/// Gitea and Forgejo have no deployments, and the configuration refuses them.
extension GiteaAPI {
    func deploymentWord(for state: RolloutReport.State) -> String { self.word(for: state) }

    func showDeployment(
        _ status: ShownStatus,
        in environment: String,
        of report: RolloutReport
    ) async throws(ForgeFailure) {
        throw self.connection.failure(.notConfigured, "has no deployments: turn off `deployments`")
    }
}
