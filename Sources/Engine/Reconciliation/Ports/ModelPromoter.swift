package import Deployments

/// A watched branch whose manifests can be proposed to name another version of a model.
package protocol ModelPromoter: Sendable {
    /// Writes a branch with one commit that makes a deployment's manifest name another version, and changes nothing
    /// else. Never forced, and never on the watched branch.
    ///
    /// - Parameters:
    ///   - promotion: What the manifest is to name.
    ///   - deployment: Whose manifest in the file it is.
    ///   - isRehearsal: Whether nothing is written, and only said what would be.
    /// - Returns: What was done, or why nothing is to be done. A second time changes nothing more.
    /// - Throws: A `SourceError`: it is to be tried again.
    func promote(
        _ promotion: ModelPromotion,
        of deployment: DeploymentID,
        isRehearsal: Bool
    ) async throws(SourceError) -> PromotionResult
}

/// What became of a promotion.
package struct PromotionResult: Hashable, Sendable {
    /// For people.
    package var text: String
    /// The branch that holds it; nothing when there is none, as the text says.
    package var branch: String?
    /// The branch that it is to be merged into.
    package var base: String
    /// Whether a pull request is wanted.
    package var isRequested: Bool
    /// What the commit changes, as `diff -u` writes it.
    package var diff: String

    package init(text: String, branch: String?, base: String, isRequested: Bool, diff: String) {
        self.text = text
        self.branch = branch
        self.base = base
        self.isRequested = isRequested
        self.diff = diff
    }

    package static func nothing(_ text: String) -> PromotionResult {
        PromotionResult(text: text, branch: nil, base: "", isRequested: false, diff: "")
    }
}
