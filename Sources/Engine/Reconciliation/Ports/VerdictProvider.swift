/// A service that decides on steps.
package protocol VerdictProvider: Sendable {
    /// The name by which manifests refer to it.
    var name: String { get }

    func verdict(on question: VerdictQuestion, timeout: Duration) async -> VerdictAnswer
}

/// What is to be decided: as it is sent, in JSON.
package struct VerdictQuestion: Hashable, Codable, Sendable {
    /// `namespace/name`.
    package var deployment: String
    package var gate: String
    /// Of the canary, in full.
    package var revision: String
    package var modelVersion: String
    /// From 1; 0 before the rollout.
    package var step: Int
    /// Of the sign-off that asks, as the manifest names it; nothing when a step or the bake does.
    package var place: String?
    package var commit: String

    package init(
        deployment: String,
        gate: String,
        revision: String,
        modelVersion: String,
        step: Int,
        place: String? = nil,
        commit: String
    ) {
        self.deployment = deployment
        self.gate = gate
        self.revision = revision
        self.modelVersion = modelVersion
        self.step = step
        self.place = place
        self.commit = commit
    }
}

package enum VerdictAnswer: Hashable, Sendable {
    /// With a message for people, which may be empty.
    case pass(String)
    case fail(String)
    /// Not yet: ask again.
    case wait(String)
    /// The question, the address or the token is wrong: somebody must mend it.
    case refused(String)
    /// No answer in time, or none that is a verdict.
    case unavailable(String)
}
