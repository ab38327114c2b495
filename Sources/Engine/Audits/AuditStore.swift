package import Deployments

/// Where the audit is kept: what is in it is never changed.
package protocol AuditStore: Sendable {
    /// Appends all or nothing, in this order.
    ///
    /// - Returns: The last of them.
    func append(_ entries: [LateDraft]) async throws(AuditError) -> AuditPlace

    /// Some entries, oldest first.
    func entries(_ query: AuditQuery) async throws(AuditError) -> [AuditEntry]

    /// Checks the next part of the chain.
    func check(_ part: AuditPart) async throws(AuditError) -> AuditProgress

    /// The last entry; the place before the first where there is none.
    func head() async throws(AuditError) -> AuditPlace

    /// Removes what is older than it has to be kept, a part at a time.
    ///
    /// - Returns: How many entries were removed.
    func prune(at now: Timestamp) async throws(AuditError) -> Int
}

/// A draft, and when it is written if that is later than it happened.
package struct LateDraft: Hashable, Sendable {
    package var draft: AuditDraft
    package var written: Timestamp?

    package init(_ draft: AuditDraft, written: Timestamp? = nil) {
        self.draft = draft
        self.written = written
    }
}

/// Which entries are wanted: those of which all that is said here is true.
package struct AuditQuery: Hashable, Sendable {
    /// The most entries of one answer.
    package static let limit = 1000

    /// Only later ones, and the first of them; without one the newest.
    package var after: Int64?
    package var limit: Int
    package var deployment: String?
    /// A part of the caller's name.
    package var by: String?
    package var action: String?
    package var since: Timestamp?

    package init(
        after: Int64? = nil,
        limit: Int = 50,
        deployment: String? = nil,
        by: String? = nil,
        action: String? = nil,
        since: Timestamp? = nil
    ) {
        self.after = after
        self.limit = limit
        self.deployment = deployment
        self.by = by
        self.action = action
        self.since = since
    }
}

/// What part of the chain to check.
package struct AuditPart: Hashable, Sendable {
    /// The most entries that are checked at once.
    package static let limit = 10_000

    /// The last entry that was checked; nothing to begin with the first that is kept.
    package var after: AuditPlace?
    package var expected: AuditPlace?
    package var limit: Int

    package init(after: AuditPlace? = nil, expected: AuditPlace? = nil, limit: Int = Self.limit) {
        self.after = after
        self.expected = expected
        self.limit = limit
    }
}

/// How far a check has come.
package struct AuditProgress: Hashable, Sendable {
    /// Of this part.
    package var count: Int
    package var oldest: Timestamp?
    package var newest: Timestamp?
    /// The last entry that is whole.
    package var head: AuditPlace
    /// What is not kept any more ends here; nothing where all is.
    package var front: AuditPlace?
    package var isComplete: Bool
    package var finding: AuditFinding?

    package init(_ check: AuditCheck, front: AuditPlace?, isComplete: Bool, finding: AuditFinding?) {
        self.count = check.count
        self.oldest = check.oldest
        self.newest = check.newest
        self.head = check.head
        self.front = front
        self.isComplete = isComplete
        self.finding = finding
    }
}

/// Why the audit cannot be read or written, and what to do.
package struct AuditError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable { case diskFull, corrupt, newerVersion, unavailable }

    package var code: Code
    package var message: String

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { self.message }
}
