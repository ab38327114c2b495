package import Deployments
package import Manifests

/// A watched branch of a git repository.
package protocol ManifestSource: Sendable {
    /// The repository's name in the configuration.
    var name: String { get }

    /// Looks at the remote once and brings what is new.
    ///
    /// - Returns: A snapshot when there is one that the last call did not return; nothing when nothing moved.
    /// - Throws: A `SourceError`; the last good snapshot stands.
    func poll() async throws(SourceError) -> SourceSnapshot?

    /// Puts `note` under `key` into the JSON note of a commit on `refs/notes/rollouts`, keeping what others wrote
    /// there, and pushes it.
    func annotate(commit: String, key: String, note: String) async throws(SourceError)

    /// Puts a deployment's manifest back, with a commit that changes nothing else, unless somebody changed it since.
    ///
    /// - Parameters:
    ///   - revert: What is put back, and where the commit goes.
    ///   - deployment: Whose manifest in the file it is.
    /// - Returns: What was done, or why nothing is to be done. A second time changes nothing more.
    /// - Throws: A `SourceError`: it is to be tried again.
    func revert(_ revert: ManifestRevert, of deployment: DeploymentID) async throws(SourceError) -> RevertResult

    /// What follows from `commit` and those before it is journaled: that one of them rewrote history need not be told
    /// again. Until then every snapshot tells it, also after a restart.
    func acknowledge(commit: String) async throws(SourceError)
}

/// The manifests of one commit.
package struct SourceSnapshot: Hashable, Sendable {
    /// The commit, without the path of a manifest.
    package var origin: CommitReference
    /// Every manifest and every file that one may refer to, under the watched path, sorted by path.
    package var files: [SourceFile]
    /// The commit, or one before it that was not acknowledged, does not descend from the one before it, and the
    /// repository's policy accepts that.
    package var rewroteHistory: Bool

    package init(origin: CommitReference, files: [SourceFile], rewroteHistory: Bool = false) {
        self.origin = origin
        self.files = files
        self.rewroteHistory = rewroteHistory
    }
}

/// What became of a revert.
package struct RevertResult: Hashable, Sendable {
    /// For people.
    package var text: String
    /// The branch for which a pull request is wanted.
    package var proposed: String?
    /// The branch that it is to be merged into.
    package var base: String

    package init(_ text: String, proposed: String? = nil, base: String = "") {
        self.text = text
        self.proposed = proposed
        self.base = base
    }
}

package struct SourceError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case unreachable, timedOut, refused, branchMissing, historyRewritten, unreadable, tooLarge, notConfigured
        /// Nobody whom the repository's rules name signed the commit.
        case unverified
    }

    package var code: Code
    /// What happened and what to do; without secrets.
    package var message: String
    package var recovery: Recovery

    package init(code: Code, message: String, recovery: Recovery) {
        self.code = code
        self.message = message
        self.recovery = recovery
    }

    package var description: String { self.message }
}

/// What helps after an error.
package enum Recovery: Hashable, Sendable {
    case retry
    case wait(Duration)
    case needsOperator
}
