/// Another version of a registry's model, which a deployment's manifest is to name.
package struct ModelPromotion: Hashable, Codable, Sendable {
    /// Where the commit goes. The later one says more. None goes to the watched branch: people merge.
    package enum Mode: String, Hashable, Codable, Sendable, CaseIterable, Comparable {
        /// To a branch of its own.
        case branch
        /// The same, with a pull request.
        case pullRequest

        package static func < (left: Mode, right: Mode) -> Bool { left == .branch && right == .pullRequest }
    }

    package var mode: Mode
    /// The commit and the file that git names the deployment by.
    package var manifest: CommitReference
    /// The model's name in the registry.
    package var model: String
    /// What the manifest names: `models:/NAME/VERSION`, or `models:/NAME@ALIAS`.
    package var previous: String
    /// The version that it is to name.
    package var version: String
    /// `sha256:` and 64 digits; nothing when the registry does not say: then the manifest will have none.
    package var digest: String?
    /// Who or what asks for it, and why. For people.
    package var reason: String
    /// What whoever merges it should know.
    package var warnings: [String]

    package init(
        mode: Mode,
        manifest: CommitReference,
        model: String,
        previous: String,
        version: String,
        digest: String?,
        reason: String,
        warnings: [String] = []
    ) {
        self.mode = mode
        self.manifest = manifest
        self.model = model
        self.previous = previous
        self.version = version
        self.digest = digest
        self.reason = reason
        self.warnings = warnings
    }

    package var label: String { "\(self.model) \(self.version)" }
    package var uri: String { "models:/\(self.model)/\(self.version)" }
}
