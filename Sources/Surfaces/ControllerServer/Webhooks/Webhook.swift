/// A repository whose server tells of pushes.
package struct Webhook: Hashable, Sendable {
    /// Who signs, and so how.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case github, gitlab
        /// Forgejo too.
        case gitea
        /// The cloud and the data center.
        case bitbucket
        case generic
    }

    package var repository: String
    package var kind: Kind
    /// Read anew for each delivery, so that a rotated secret needs no restart.
    package var secretFile: String

    package init(repository: String, kind: Kind, secretFile: String) {
        self.repository = repository
        self.kind = kind
        self.secretFile = secretFile
    }
}
