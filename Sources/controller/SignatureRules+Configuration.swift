import ControllerCommands
import Git

extension SignatureRules {
    /// - Returns: Nothing where nobody needs to sign.
    init?(_ signatures: Configuration.Signatures?) {
        guard let signatures else { return nil }
        let requirement: Requirement
        switch signatures.requirement {
        case .none: return nil
        case .head: requirement = .head
        case .since(let commit): requirement = .since(commit)
        }
        self.init(
            requirement: requirement,
            allowedSignersFile: signatures.allowedSigners?.path,
            revokedKeysFile: signatures.revokedKeys?.path,
            gpgKeyring: signatures.gpgKeyring?.path,
            paths: signatures.paths.map { Path(pattern: $0.pattern, groups: $0.groups, signers: $0.signers) }
        )
    }
}
