package import Deployments

/// Who is told what became of answered requests.
package protocol FeedbackSource: Sendable {
    /// What was told so far about requests of each split that these two revisions answered.
    func labels(
        _ kind: LabelKind,
        of deployment: DeploymentID,
        canary: Revision,
        stable: Revision
    ) async -> LabelCounts
}
