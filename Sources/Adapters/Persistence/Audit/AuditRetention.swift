import Deployments

/// How long the audit is kept, and how much room it may take. The oldest entries go first.
package struct AuditRetention: Hashable, Sendable {
    package var keep: Duration
    /// Bytes of the file.
    package var maxSize: Int64

    /// Three years, which outlasts what most rules ask for; and room for more than a million entries.
    package init(keep: Duration = .hours(3 * 365 * 24), maxSize: Int64 = 1 << 30) {
        self.keep = keep
        self.maxSize = maxSize
    }

    /// Entries that one write may remove, so that no other waits for it long.
    static let batch = 5000
}
