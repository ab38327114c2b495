import Deployments

/// What identifies an artifact to its users: its URI and the digest they want.
struct ArtifactKey: Hashable, Sendable {
    var uri: String
    /// 64 hexadecimal digits, without `sha256:`.
    var digest: String?

    init(_ model: Model) {
        self.uri = model.uri
        self.digest = model.digest.map { $0.hasPrefix("sha256:") ? String($0.dropFirst(7)) : $0 }
    }

    /// Under which ``PinFile`` knows it: what an alias means may be another version for another digest.
    var pinKey: String {
        ArtifactLocation.key(of: self.digest.map { "\(self.uri) sha256:\($0)" } ?? self.uri)
    }

    /// Nothing is looked up by a digest that is none: it is part of paths.
    var hasValidDigest: Bool {
        guard let digest else { return true }
        return digest.utf8.count == 64
            && digest.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
