package import Foundation

/// An entry of the audit: who did what, and what came of it.
package struct AuditStatus: Codable, Hashable, Sendable {
    package var number: Int64
    package var time: Date
    /// When it was written, where that was not possible at once.
    package var written: Date?
    /// `asked` before anything was done, `answered` afterwards, `noted` for what stands by itself.
    package var stage: String
    /// The same in all entries of one request.
    package var request: String?
    /// As in a ``Caller``; what the controller itself says has the way `controller`.
    package var by: String
    package var way: String
    package var credential: String?
    package var address: String?
    package var action: String
    package var deployment: String?
    package var why: String?
    package var parameters: [String: String]
    package var accepted: Bool?
    package var changed: Bool?
    package var message: String?
    package var before: [String: String]?
    package var after: [String: String]?
    package var previous: String
    package var hash: String

    package init(
        number: Int64,
        time: Date,
        written: Date?,
        stage: String,
        request: String?,
        by: String,
        way: String,
        credential: String?,
        address: String?,
        action: String,
        deployment: String?,
        why: String?,
        parameters: [String: String],
        accepted: Bool?,
        changed: Bool?,
        message: String?,
        before: [String: String]?,
        after: [String: String]?,
        previous: String,
        hash: String
    ) {
        self.number = number
        self.time = time
        self.written = written
        self.stage = stage
        self.request = request
        self.by = by
        self.way = way
        self.credential = credential
        self.address = address
        self.action = action
        self.deployment = deployment
        self.why = why
        self.parameters = parameters
        self.accepted = accepted
        self.changed = changed
        self.message = message
        self.before = before
        self.after = after
        self.previous = previous
        self.hash = hash
    }
}

/// Which entries of the audit are wanted: those of which all that is said here is true.
package struct AuditFilter: Hashable, Sendable {
    /// Only later ones, and the first of them; without one the newest.
    package var after: Int64?
    package var limit: Int
    package var deployment: String?
    /// A part of the caller's name.
    package var by: String?
    package var action: String?
    package var since: Date?

    package init(
        after: Int64? = nil,
        limit: Int,
        deployment: String? = nil,
        by: String? = nil,
        action: String? = nil,
        since: Date? = nil
    ) {
        self.after = after
        self.limit = limit
        self.deployment = deployment
        self.by = by
        self.action = action
        self.since = since
    }
}

/// How far a check of the audit's chain has come. Places are written `41:9f86d0…`: an entry's number and its hash.
package struct AuditCheckStatus: Codable, Hashable, Sendable {
    /// Entries of this part that are whole.
    package var count: Int
    /// Of the first and the last of them.
    package var oldest: Date?
    package var newest: Date?
    /// The last that is whole: where the next part goes on.
    package var head: String
    /// What is not kept any more ends here.
    package var front: String?
    /// Nothing is left to check.
    package var isComplete: Bool
    package var finding: Finding?

    /// The first entry that is broken, and how.
    package struct Finding: Codable, Hashable, Sendable {
        /// `changed`, `missing`, `order`, `replaced`, `cut-off`, `unexpected` or `front`.
        package var kind: String
        package var number: Int64
        package var message: String

        package init(kind: String, number: Int64, message: String) {
            self.kind = kind
            self.number = number
            self.message = message
        }
    }

    package init(
        count: Int,
        oldest: Date?,
        newest: Date?,
        head: String,
        front: String?,
        isComplete: Bool,
        finding: Finding?
    ) {
        self.count = count
        self.oldest = oldest
        self.newest = newest
        self.head = head
        self.front = front
        self.isComplete = isComplete
        self.finding = finding
    }
}

/// The end of the audit's chain.
package struct AuditHeadStatus: Codable, Hashable, Sendable {
    /// The last entry's number and hash.
    package var head: String
    /// Entries in memory that the disk did not take yet.
    package var unwritten: Int
    package var problem: String?

    package init(head: String, unwritten: Int, problem: String?) {
        self.head = head
        self.unwritten = unwritten
        self.problem = problem
    }
}
