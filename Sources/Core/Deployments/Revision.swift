/// The immutable identity of what is served.
///
/// The SHA-256 over the canonical form of the model (without its lineage), the resolved runtime, the parameters and
/// the resources. Two commits that serve the same have the same revision, so a git revert is recognised as a return.
package struct Revision: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 64 lower-case hexadecimal digits; shorter only in tests.
    package let digest: String
    /// The first bytes of the digest. Revisions are the keys of most dictionaries: hashing 64 characters each time
    /// would be the largest part of a decision.
    private let key: UInt64

    package init(digest: String) {
        self.digest = digest
        self.key = digest.utf8.prefix(16).reduce(0) { ($0 << 4) ^ ($0 >> 60) ^ UInt64($1) }
    }

    /// Enough of the digest to tell the revisions of one deployment apart, in names of files, clusters and headers.
    package var short: String { String(self.digest.prefix(10)) }

    package var description: String { self.short }

    package static func == (left: Revision, right: Revision) -> Bool {
        left.key == right.key && left.digest == right.digest
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.key)
    }

    package func _rawHashValue(seed: Int) -> Int { self.key.mixed(with: seed) }

    package static func < (left: Revision, right: Revision) -> Bool {
        left.digest < right.digest
    }
}

extension Revision: Codable, CodingKeyRepresentable {
    package init(from decoder: any Decoder) throws {
        self.init(digest: try decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.digest)
    }

    package var codingKey: any CodingKey { TextKey(self.digest) }

    package init?(codingKey: some CodingKey) {
        self.init(digest: codingKey.stringValue)
    }
}

/// Where a manifest came from: a commit of a watched branch, printed `main@sha1:1eabc9a4`.
package struct CommitReference: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The name of the repository in the daemon's configuration.
    package var repository: String
    package var branch: String
    /// The full hexadecimal object id.
    package var commit: String
    /// The path of the manifest in the repository.
    package var path: String
    /// The first line of the commit's message, and its author's name; both untrusted text.
    package var subject: String
    package var author: String

    package init(
        repository: String,
        branch: String,
        commit: String,
        path: String = "",
        subject: String = "",
        author: String = ""
    ) {
        self.repository = repository
        self.branch = branch
        self.commit = commit
        self.path = path
        self.subject = subject
        self.author = author
    }

    package var description: String {
        "\(self.branch)@\(self.commit.count == 64 ? "sha256" : "sha1"):\(self.commit.prefix(8))"
    }
}
