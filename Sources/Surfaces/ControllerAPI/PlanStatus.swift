package import Foundation

/// What the controller wants of a deployment now, what there is of it, and what it does next to bring the two together.
package struct PlanStatus: Codable, Hashable, Sendable {
    /// `namespace/name`.
    package var deployment: String
    /// Of the look that the plan is made for.
    package var time: Date
    package var phase: String
    /// Those that have a part in the phase, and those of which something still runs.
    package var revisions: [PlannedRevision]
    /// What is safe to do now, in this order; each may be done twice.
    package var effects: [PlannedEffect]
    /// Why there is no more to do yet.
    package var waitingFor: [String]

    package init(
        deployment: String,
        time: Date,
        phase: String,
        revisions: [PlannedRevision] = [],
        effects: [PlannedEffect] = [],
        waitingFor: [String] = []
    ) {
        self.deployment = deployment
        self.time = time
        self.phase = phase
        self.revisions = revisions
        self.effects = effects
        self.waitingFor = waitingFor
    }
}

package struct PlannedRevision: Codable, Hashable, Sendable {
    /// The whole digest.
    package var revision: String
    /// `magika 4.0`; empty for one that is not known any more.
    package var model: String
    package var wantedReplicas: Int
    package var readyReplicas: Int
    /// Whatever their state.
    package var replicas: Int
    /// Percent of the traffic.
    package var wantedWeight: Int
    /// Percent of the traffic that the router serves it; nothing when that is not known.
    package var weight: Int?

    package init(
        revision: String,
        model: String,
        wantedReplicas: Int,
        readyReplicas: Int,
        replicas: Int,
        wantedWeight: Int,
        weight: Int?
    ) {
        self.revision = revision
        self.model = model
        self.wantedReplicas = wantedReplicas
        self.readyReplicas = readyReplicas
        self.replicas = replicas
        self.wantedWeight = wantedWeight
        self.weight = weight
    }
}

package struct PlannedEffect: Codable, Hashable, Sendable {
    package var kind: Kind
    /// A revision's digest, or a replica's name; nothing for traffic.
    package var subject: String?
    /// In words.
    package var what: String

    package enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        case route, fetch, start, undrain, drain, stop
    }

    package init(_ kind: Kind, _ subject: String? = nil, what: String) {
        self.kind = kind
        self.subject = subject
        self.what = what
    }
}
