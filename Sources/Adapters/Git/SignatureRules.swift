/// Which commits of a repository must be signed, and by whom.
package struct SignatureRules: Hashable, Sendable {
    package enum Requirement: Hashable, Sendable {
        /// The commit that is taken. Its signer answers for all that it brings.
        case head
        /// Each commit after this one, also those that merges bring. 40 digits.
        case since(String)
    }

    /// Files that only some signers may change.
    package struct Path: Hashable, Sendable {
        /// From the root of the repository, as in `PathPattern`.
        package var pattern: String
        /// The names of the groups, for messages.
        package var groups: [String]
        /// Their members: principals of the allowed signers file, and fingerprints of OpenPGP keys in upper case.
        package var signers: Set<String>

        package init(pattern: String, groups: [String], signers: Set<String>) {
            self.pattern = pattern
            self.groups = groups
            self.signers = signers
        }
    }

    package var requirement: Requirement
    /// Whose SSH keys count, as in ALLOWED SIGNERS of ssh-keygen(1).
    package var allowedSignersFile: String?
    /// SSH keys that count no longer: public keys, one a line, or a revocation list of `ssh-keygen -k`.
    package var revokedKeysFile: String?
    /// The OpenPGP keys that count, as `gpg --export` writes them.
    package var gpgKeyring: String?
    package var paths: [Path]
    /// Where `ssh-keygen` and `gpg` are looked up, as in `PATH`; nothing for where this process looks.
    package var searchPath: String?

    package init(
        requirement: Requirement,
        allowedSignersFile: String? = nil,
        revokedKeysFile: String? = nil,
        gpgKeyring: String? = nil,
        paths: [Path] = [],
        searchPath: String? = nil
    ) {
        self.requirement = requirement
        self.allowedSignersFile = allowedSignersFile
        self.revokedKeysFile = revokedKeysFile
        self.gpgKeyring = gpgKeyring
        self.paths = paths
        self.searchPath = searchPath
    }

    /// What a commit that was taken is marked with, so that a stricter requirement is not met by it unseen.
    var mark: String {
        switch self.requirement {
        case .head: "head"
        case .since(let commit): "since \(commit)"
        }
    }
}
