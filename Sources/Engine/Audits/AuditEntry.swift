package import Deployments

/// What is to be audited: who did what, why, and what came of it.
package struct AuditDraft: Hashable, Sendable {
    /// Bytes that one text of a caller may have; the rest is counted.
    package static let textLimit = 4096

    /// Which part of a request an entry is of.
    package enum Stage: String, Hashable, Sendable, CaseIterable {
        /// Written before anything is done.
        case asked
        /// Written once it was done or refused.
        case answered
        /// What stands by itself: a refusal at the door, what the controller says of the audit.
        case noted
    }

    /// When it happened.
    package var time: Timestamp
    package var stage: Stage
    /// The same in all entries of one request.
    package var request: String?
    package var caller: AuditCaller
    /// `pause`, `rollback`, `freeze`, …: lower-case words with hyphens.
    package var action: String
    package var deployment: String?
    package var why: String?
    /// What was asked in detail.
    package var parameters: AuditFields
    package var outcome: AuditOutcome?
    /// A summary of the deployment's state.
    package var before: AuditFields?
    package var after: AuditFields?

    package init(
        time: Timestamp,
        stage: Stage = .noted,
        request: String? = nil,
        caller: AuditCaller,
        action: String,
        deployment: String? = nil,
        why: String? = nil,
        parameters: [String: String] = [:],
        outcome: AuditOutcome? = nil,
        before: [String: String]? = nil,
        after: [String: String]? = nil
    ) {
        self.time = time
        self.stage = stage
        self.request = request
        self.caller = caller
        self.action = action
        self.deployment = deployment
        self.why = why.flatMap { $0.isEmpty ? nil : $0.cut(to: Self.textLimit) }
        self.parameters = AuditFields(parameters)
        self.outcome = outcome
        self.before = before.map { AuditFields($0) }
        self.after = after.map { AuditFields($0) }
    }
}

/// Who did it, and by which way.
package struct AuditCaller: Hashable, Sendable {
    package var name: String
    /// `socket`, `token`, `oidc`, …; `controller` for itself.
    package var way: String
    package var credential: String?
    package var address: String?

    package init(name: String, way: String, credential: String? = nil, address: String? = nil) {
        self.name = name.cut(to: AuditDraft.textLimit)
        self.way = way
        self.credential = credential?.cut(to: AuditDraft.textLimit)
        self.address = address
    }

    package static let controller = AuditCaller(name: "controller", way: "controller")
}

/// What became of it.
package struct AuditOutcome: Hashable, Sendable {
    package var isAccepted: Bool
    package var isChanged: Bool
    package var message: String

    package init(isAccepted: Bool, isChanged: Bool, message: String) {
        self.isAccepted = isAccepted
        self.isChanged = isChanged
        self.message = message.cut(to: AuditDraft.textLimit)
    }
}

/// An entry of the audit as it is stored. The values are what was read, so that one that somebody changed can be read
/// and is found by its hash.
package struct AuditEntry: Hashable, Sendable {
    /// From 1 on, without gaps.
    package var number: Int64
    package var time: Int64
    /// When it was written, where that was not possible at once.
    package var written: Int64?
    package var stage: String
    package var request: String?
    package var name: String
    package var way: String
    package var credential: String?
    package var address: String?
    package var action: String
    package var deployment: String?
    package var why: String?
    package var parameters: String
    package var accepted: Int64?
    package var changed: Int64?
    package var message: String?
    package var before: String?
    package var after: String?
    /// The hash of the entry before; 64 zeros before the first.
    package var previous: String
    /// 64 lower-case hexadecimal digits.
    package var hash: String

    /// For what was read from somewhere.
    package init(
        number: Int64,
        time: Int64,
        written: Int64?,
        stage: String,
        request: String?,
        caller: AuditCaller,
        action: String,
        deployment: String?,
        why: String?,
        parameters: String,
        accepted: Int64?,
        changed: Int64?,
        message: String?,
        before: String?,
        after: String?,
        previous: String,
        hash: String
    ) {
        self.number = number
        self.time = time
        self.written = written
        self.stage = stage
        self.request = request
        self.name = caller.name
        self.way = caller.way
        self.credential = caller.credential
        self.address = caller.address
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

    /// The next entry after a place of the chain.
    package init(_ draft: AuditDraft, after head: AuditPlace, written: Timestamp? = nil) {
        self.init(
            number: head.number + 1,
            time: draft.time.milliseconds,
            written: written?.milliseconds,
            stage: draft.stage.rawValue,
            request: draft.request,
            caller: draft.caller,
            action: draft.action,
            deployment: draft.deployment,
            why: draft.why,
            parameters: draft.parameters.text,
            accepted: draft.outcome.map { $0.isAccepted ? 1 : 0 },
            changed: draft.outcome.map { $0.isChanged ? 1 : 0 },
            message: draft.outcome?.message,
            before: draft.before?.text,
            after: draft.after?.text,
            previous: head.hash,
            hash: ""
        )
        self.hash = self.expectedHash
    }

    package var place: AuditPlace { AuditPlace(number: self.number, hash: self.hash) }
}

/// An entry's number and hash: all that a chain up to there comes to. Written `41:9f86d0…`.
package struct AuditPlace: Hashable, Sendable, CustomStringConvertible {
    package var number: Int64
    package var hash: String

    package init(number: Int64, hash: String) {
        self.number = number
        self.hash = hash
    }

    /// Before the first entry.
    package static let beginning = AuditPlace(number: 0, hash: String(repeating: "0", count: 64))

    /// Reads what `description` writes.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int64(parts[0]), number >= 0, parts[1].utf8.count == 64,
            parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        self.init(number: number, hash: String(parts[1]))
    }

    package var description: String { "\(self.number):\(self.hash)" }
}
