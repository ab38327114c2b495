package import Deployments

/// What to do now to bring the world closer to its target, and what is being waited for.
package struct Plan: Hashable, Codable, Sendable {
    /// Effects that are safe to apply now, in this order. Each is idempotent.
    package var effects: [Effect]
    /// Why nothing more is planned yet. Shown by `controller explain`.
    package var waitingFor: [Wait]

    package init(effects: [Effect] = [], waitingFor: [Wait] = []) {
        self.effects = effects
        self.waitingFor = waitingFor
    }

    /// Whether the router is to be told something, or is waited for to know a replica: one that lost its table never
    /// will.
    package var isUpToRouter: Bool {
        self.effects.contains { if case .route = $0 { true } else { false } }
            || self.waitingFor.contains { if case .routerWarm = $0 { true } else { false } }
    }

    package var isSettled: Bool {
        self.effects.isEmpty && self.waitingFor.isEmpty
    }
}

package enum Effect: Hashable, Codable, Sendable {
    /// Empty traffic ends the deployment's.
    case route(Traffic)
    case fetch(Revision)
    case start(ReplicaID)
    case undrain(ReplicaID)
    case drain(ReplicaID)
    case stop(ReplicaID)
}

package enum Wait: Hashable, Codable, Sendable {
    case observation(String)
    case artifact(Revision, String)
    case replicasReady(Revision, ready: Int, wanted: Int)
    case routerWarm(Revision)
    case trafficServed(Traffic)
    case trafficMoved(away: Revision)
    case drained(ReplicaID)
    /// Another revision can't start before.
    case replicasGone(Revision)
    /// No further replica can start before one leaves: so many may run.
    case room(for: Revision, limit: Int)
}
