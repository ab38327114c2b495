/// What a commit says, and the signature that it carries.
struct CommitSignature: Hashable {
    enum Format: Hashable { case ssh, openPGP }

    /// Why nothing shows that somebody signed a commit, as the end of a sentence that begins with it.
    struct Refusal: Error, Hashable {
        var reason: String
    }

    var format: Format
    /// All bytes of the commit but those of the signature.
    var payload: [UInt8]
    /// Armored.
    var signature: [UInt8]

    /// The largest keys that OpenSSH and GnuPG make give a twentieth of this.
    private static let limit = 64 << 10
    private static let unsupported = "-----BEGIN SIGNED MESSAGE-----"

    /// Takes a commit apart. Whatever can be read in two ways is refused.
    ///
    /// - Parameter commit: As the object database holds it.
    /// - Throws: Why it cannot be verified.
    init(of commit: [UInt8]) throws(Refusal) {
        guard let end = Self.endOfHeaders(commit) else { throw Refusal(reason: "is malformed: it has no message") }
        guard !commit[..<end].contains(0) else { throw Refusal(reason: "is malformed: it has a zero byte in a header") }
        var payload: [UInt8] = []
        var signature: [UInt8]?
        var isInSignature = false
        for line in commit[..<end].split(separator: Self.newline, omittingEmptySubsequences: false) {
            if line.first == Self.space {
                if isInSignature {
                    signature?.append(contentsOf: line.dropFirst() + [Self.newline])
                    continue
                }
            } else {
                let name = line.prefix { $0 != Self.space }
                // git takes neither for what is signed, and other readers take either for the signature.
                guard !name.elementsEqual("gpgsig-sha256".utf8) else {
                    throw Refusal(reason: "has a signature of its SHA-256 name, which is not supported")
                }
                isInSignature = name.elementsEqual("gpgsig".utf8)
                if isInSignature {
                    guard signature == nil else { throw Refusal(reason: "has two signatures, and may have one") }
                    signature = Array(line.dropFirst(name.count + 1)) + [Self.newline]
                    continue
                }
            }
            payload.append(contentsOf: line + [Self.newline])
        }
        payload.append(contentsOf: commit[end...].dropFirst())
        guard let signature else { throw Refusal(reason: "is not signed") }
        self.format = try Self.format(of: signature)
        self.payload = payload
        self.signature = signature
    }

    private static let newline = UInt8(ascii: "\n")
    private static let space = UInt8(ascii: " ")

    /// The line end of the last header, which an empty line follows.
    private static func endOfHeaders(_ commit: [UInt8]) -> Int? {
        zip(commit.indices, commit.indices.dropFirst()).first { first, second in
            commit[first] == Self.newline && commit[second] == Self.newline
        }?.0
    }

    private static func format(of signature: [UInt8]) throws(Refusal) -> Format {
        guard signature.count <= Self.limit else {
            throw Refusal(reason: "has a signature of more than \(Self.limit >> 10) KiB")
        }
        guard signature.allSatisfy({ (0x20..<0x7F).contains($0) || $0 == Self.newline }) else {
            throw Refusal(reason: "has a malformed signature: it is not text")
        }
        let lines = String(decoding: signature, as: UTF8.self).split(separator: "\n")
        let marks = lines.filter { $0.hasPrefix("-----") }
        for (kind, format) in [("SSH SIGNATURE", Format.ssh), ("PGP SIGNATURE", .openPGP)] {
            let (begin, end) = ("-----BEGIN \(kind)-----", "-----END \(kind)-----")
            guard lines.first == begin[...] else { continue }
            guard lines.last == end[...], marks.count == 2 else {
                throw Refusal(reason: "has a malformed signature: it must end with \(end), once")
            }
            return format
        }
        guard lines.first != Self.unsupported[...] else {
            throw Refusal(reason: "is signed with an X.509 certificate, which is not supported: use SSH or GPG")
        }
        throw Refusal(reason: "has a malformed signature: it is neither one of SSH nor of GPG")
    }
}
