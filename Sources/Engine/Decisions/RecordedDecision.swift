package import Deployments
package import Planning
package import Rollouts

/// A decision as it is kept: all that is needed to decide it again, and what must come out.
package struct RecordedDecision: Hashable, Codable, Sendable {
    /// Counts all decisions of a journal.
    package var number: Int64
    /// The number of the decision with which this one's chapter begins, and how many of the chapter come before it.
    package var chapter: Int64
    package var index: Int
    package var deployment: DeploymentID
    package var time: Timestamp
    /// The version of the core that decided; see ``CoreVersion``.
    package var core: String
    /// At the beginning of a chapter: the rollout that the decision was made on.
    package var before: Rollout?
    package var desired: RecordedDesire
    /// Without what git says, which `desired` holds.
    package var situation: Situation
    package var result: Result

    package struct Result: Hashable, Codable, Sendable {
        /// The SHA-256 of the rollout afterwards.
        package var after: String
        /// The rollout's fields, large ones by their digest.
        package var outline: [String: String]
        package var transitions: [Transition]
        package var answers: [CommandAnswer]
        package var plan: Plan
    }
}

/// What git said, with the manifest by its digest: it is large, and stays the same for many decisions.
package enum RecordedDesire: Hashable, Codable, Sendable {
    case unknown
    case absent
    /// The SHA-256 of the spec.
    case spec(String)
}

extension RecordedDecision.Result {
    /// - Throws: Only what encoding does.
    package init(of decision: Decision) throws {
        self.init(of: decision, rollout: try CanonicalCoding.encode(decision.after))
    }

    /// For whoever has the canonical JSON of the rollout afterwards.
    init(of decision: Decision, rollout: [UInt8]) {
        self.init(
            after: CanonicalCoding.digest(of: rollout),
            outline: JSONSlice(rollout).outline,
            transitions: decision.outcome.transitions,
            answers: decision.outcome.answers,
            plan: decision.plan
        )
    }
}
