package import Deployments

/// Who asks stable and a canary the same requests, and compares what they answer.
package protocol AnswerSource: Sendable {
    /// What was found since it began with this canary, by the rule of the last table of routes.
    ///
    /// - Returns: Nothing when no answers of this canary are compared.
    func answers(of deployment: DeploymentID, canary: Revision) async -> AnswerCounts?
}
