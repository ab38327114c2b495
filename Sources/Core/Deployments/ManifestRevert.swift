/// Where the commit goes that puts a manifest back.
/// The later ones say more.
package enum RevertMode: String, Hashable, Codable, Sendable, CaseIterable, Comparable {
    /// To a branch of its own, for people to merge.
    case branch
    /// The same, with a pull request.
    case pullRequest
    /// To the watched branch itself.
    case push

    package static func < (left: RevertMode, right: RevertMode) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .branch: 0
        case .pullRequest: 1
        case .push: 2
        }
    }
}

/// A manifest that is to be put back in git, as its revision was taken back.
package struct ManifestRevert: Hashable, Codable, Sendable {
    package var mode: RevertMode
    /// The commit and the file that git names the failed revision by.
    package var failed: CommitReference
    /// Those that brought what serves instead.
    package var restored: CommitReference
    /// The models' versions, and revisions.
    package var failedLabel: String
    package var restoredLabel: String
    package var reason: String
    /// Whether a rule asks for it, and no operator: what was put back by rule is not put back by rule again.
    package var isAutomatic: Bool

    package init(
        mode: RevertMode,
        failed: CommitReference,
        restored: CommitReference,
        failedLabel: String,
        restoredLabel: String,
        reason: String,
        isAutomatic: Bool
    ) {
        self.mode = mode
        self.failed = failed
        self.restored = restored
        self.failedLabel = failedLabel
        self.restoredLabel = restoredLabel
        self.reason = reason
        self.isAutomatic = isAutomatic
    }
}
