package import Deployments

/// The server around a repository, as people see it: where they look what became of their commits.
package protocol Forge: Sendable {
    /// What it is told of rollouts.
    var topics: Set<ForgeTopic> { get }

    /// Shows a report. What is shown already is left as it is, so that a second time changes nothing.
    ///
    /// - Throws: A `SourceError`: it is to be tried again.
    func show(_ report: RolloutReport, as topic: ForgeTopic) async throws(SourceError)

    /// Opens a pull request for a branch, unless there is one.
    ///
    /// - Returns: Its address.
    /// - Throws: A `SourceError`: it is to be tried again.
    func propose(_ proposal: BranchProposal) async throws(SourceError) -> String
}

/// The places where a forge shows what became of a commit.
package enum ForgeTopic: String, Hashable, Codable, Sendable, CaseIterable {
    /// The state beside a commit.
    case status
    /// What is written under the pull request that brought a commit.
    case comment
    /// The list of what was deployed, by environment.
    case deployment
}

/// What became of one deployment by one commit.
package struct RolloutReport: Hashable, Codable, Sendable {
    package enum State: String, Hashable, Codable, Sendable, CaseIterable {
        case running, succeeded, failed
        /// It ended without being judged, as git wanted something else.
        case superseded
    }

    /// `NAMESPACE/NAME`
    package var deployment: String
    package var commit: String
    package var state: State
    /// A ``Transition/Kind``.
    package var outcome: String
    /// Holds what others wrote.
    package var reason: String
    /// The model and its version.
    package var label: String
    /// RFC 3339.
    package var time: String

    package init(
        deployment: String,
        commit: String,
        state: State,
        outcome: String,
        reason: String,
        label: String,
        time: String
    ) {
        self.deployment = deployment
        self.commit = commit
        self.state = state
        self.outcome = outcome
        self.reason = reason
        self.label = label
        self.time = time
    }
}

/// A report, and where it is to be shown.
package struct ForgeNews: Hashable, Codable, Sendable {
    package var topic: ForgeTopic
    package var report: RolloutReport

    package init(topic: ForgeTopic, report: RolloutReport) {
        self.topic = topic
        self.report = report
    }
}

/// A branch that changes a manifest, for people to merge.
package struct BranchProposal: Hashable, Sendable {
    /// What it does.
    package enum Change: Hashable, Sendable {
        case revert(ManifestRevert)
        case promotion(ModelPromotion)
    }

    package var deployment: DeploymentID
    package var change: Change
    package var branch: String
    /// What it is to be merged into.
    package var base: String

    package init(deployment: DeploymentID, change: Change, branch: String, base: String) {
        self.deployment = deployment
        self.change = change
        self.branch = branch
        self.base = base
    }
}
