/// What `gpg --verify --status-fd` says of one signature, as in GnuPG's doc/DETAILS.
struct GPGStatus {
    private let lines: [[Substring]]

    init(_ output: String) {
        let prefix = "[GNUPG:] "
        self.lines = output.split(separator: "\n").filter { $0.hasPrefix(prefix) }
            .map { $0.dropFirst(prefix.count).split(separator: " ") }
    }

    /// SHA-2 and SHA-3, by their numbers in RFC 9580. Files that share a SHA-1 can be made.
    private static let digests: Set<Substring> = ["8", "9", "10", "11", "12", "14"]

    /// - Parameter keyring: The file with the keys that count, for messages.
    /// - Returns: The fingerprints of the key that signed and of its primary key.
    /// - Throws: Why the signature does not count.
    func signer(in keyring: String) throws(CommitSignature.Refusal) -> Set<String> {
        let key = self.fields("ERRSIG")?.first ?? self.fields("NO_PUBKEY")?.first ?? ""
        guard self.count("NEWSIG") <= 1 else { throw .init(reason: "has two signatures, and may have one") }
        guard self.fields("BADSIG") == nil else {
            throw .init(reason: "is not what its signature was made for: it was changed since")
        }
        guard self.fields("NO_PUBKEY") == nil else {
            throw .init(reason: "is signed with the key \(PrintableText.line(key, limit: 40)), not in \(keyring)")
        }
        guard self.fields("REVKEYSIG") == nil else { throw .init(reason: "is signed with a key that was revoked") }
        guard self.fields("EXPKEYSIG") == nil else { throw .init(reason: "is signed with a key that has expired") }
        guard self.fields("EXPSIG") == nil else { throw .init(reason: "has a signature that has expired") }
        guard self.count("GOODSIG") == 1, self.count("VALIDSIG") == 1, self.fields("ERRSIG") == nil,
            let valid = self.fields("VALIDSIG"), valid.count >= 10
        else { throw .init(reason: "has a signature that gpg cannot verify") }
        // Fingerprint, date, time, expiry, version, reserved, algorithm, digest, class, primary key's fingerprint.
        guard Self.digests.contains(valid[7]) else {
            throw .init(reason: "is signed by a digest that can be forged: sign with SHA-256 or better")
        }
        guard valid[8] == "00" else { throw .init(reason: "has a signature that is not one of bytes") }
        return [valid[0].uppercased(), valid[9].uppercased()]
    }

    private func count(_ keyword: String) -> Int {
        self.lines.count { $0.first == keyword[...] }
    }

    /// What follows the first of that name.
    private func fields(_ keyword: String) -> [Substring]? {
        self.lines.first { $0.first == keyword[...] }.map { Array($0.dropFirst()) }
    }
}
