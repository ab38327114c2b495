package import Deployments
import Rollouts

/// Something that is the case and should not be. It is worked out anew at each look, so that it needs no memory.
package struct Alert: Hashable, Sendable {
    package enum Condition: String, Hashable, Sendable, CaseIterable {
        /// What git names was taken back and is in quarantine.
        case rolledBack = "rolled-back"
        /// Something keeps a rollout from going on, and it is no pause or freeze.
        case held
        /// Fewer replicas than there should be are ready, or nothing serves.
        case degraded
        /// A repository was not read for too long.
        case gitStale = "git-stale"
        /// Decisions cannot be written.
        case journal
        case platform
        case router
        /// An operator tries a receiver.
        case test
    }

    package var condition: Condition
    package var severity: Notice.Severity
    /// Nothing when it is about no deployment.
    package var deployment: DeploymentID?
    package var repository: String?
    /// The deployment's own.
    package var labels: [String: String]
    /// One line; it holds what others wrote.
    package var summary: String
    package var since: Timestamp

    package init(
        _ condition: Condition,
        _ severity: Notice.Severity,
        of deployment: DeploymentID? = nil,
        repository: String? = nil,
        labels: [String: String] = [:],
        summary: String,
        since: Timestamp
    ) {
        self.condition = condition
        self.severity = severity
        self.deployment = deployment
        self.repository = repository
        self.labels = labels
        self.summary = summary
        self.since = since
    }

    /// What it is, whatever is said of it.
    struct Key: Hashable {
        var condition: Condition
        var deployment: DeploymentID?
        var repository: String?
    }

    var key: Key { Key(condition: self.condition, deployment: self.deployment, repository: self.repository) }

    /// Whether it must last before it is told: replicas that start and looks that fail once are no incident.
    var isPatient: Bool {
        switch self.condition {
        case .held, .degraded, .platform, .router: true
        case .rolledBack, .gitStale, .journal, .test: false
        }
    }
}

extension Alert {
    /// All that is the case, in no order.
    static func all(in fleet: FleetSnapshot) -> [Alert] {
        var alerts: [Alert] = []
        let now = fleet.time
        for (condition, problem) in [
            (Condition.journal, fleet.journalProblem), (.platform, fleet.platformProblem),
            (.router, fleet.routerProblem),
        ] {
            guard let problem else { continue }
            alerts.append(Alert(condition, .critical, summary: problem, since: now))
        }
        for source in fleet.sources {
            guard let problem = source.problem, let polled = source.lastPolled, now - polled > Fleet.gitPatience else {
                continue
            }
            alerts.append(
                Alert(.gitStale, .warning, repository: source.repository, summary: problem, since: polled)
            )
        }
        for (id, snapshot) in fleet.deployments { alerts += Self.all(of: id, snapshot, at: now) }
        return alerts
    }

    private static func all(of id: DeploymentID, _ snapshot: DeploymentSnapshot, at now: Timestamp) -> [Alert] {
        let rollout = snapshot.rollout
        var alerts: [Alert] = []
        let add = { (condition: Condition, severity: Notice.Severity, summary: String, since: Timestamp) in
            alerts.append(
                Alert(
                    condition,
                    severity,
                    of: id,
                    labels: Notice.labels(of: rollout),
                    summary: summary,
                    since: since
                )
            )
        }
        if !rollout.isInFlight, let desired = rollout.desired, desired.revision != rollout.stable?.revision,
            let record = rollout.quarantine[desired.revision]
        {
            add(.rolledBack, .critical, "\(desired.label) was taken back: \(record.reason)", record.since)
        }
        let words = rollout.holds.compactMap(\.alarm)
        if !words.isEmpty { add(.held, .warning, words.joined(separator: "; "), now) }
        if rollout.phase != .removing, snapshot.lacksReplicas(at: now) == true {
            let what = rollout.stable.map { "\($0.label) has fewer replicas ready than it should" }
            add(.degraded, .critical, what ?? "nothing serves", now)
        }
        return alerts
    }
}

extension DeploymentSnapshot {
    /// Whether fewer replicas of the stable revision are ready than there should be, or there is none.
    ///
    /// - Returns: Nothing when platform or router were not seen of late: old sights say nothing about it.
    package func lacksReplicas(at now: Timestamp) -> Bool? {
        let limit = Rollout.freshness
        guard let replicas = self.observation.replicas.fresh(at: now, within: limit),
            self.observation.router.isFresh(at: now, within: limit)
        else { return nil }
        guard let stable = self.rollout.stable else { return !self.rollout.isInFlight }
        let ready = replicas.count { $0.id.revision == stable.revision && $0.state == .ready }
        // What it gives up for the canary's replicas is meant to be gone.
        let wanted =
            self.rollout.isInFlight ? self.rollout.target.replicas[stable.revision, default: 0] : stable.replicas
        return ready < wanted
    }
}

extension Hold {
    /// Nothing for what a person or a window meant to be.
    fileprivate var alarm: String? {
        switch self {
        case .paused, .frozen: nil
        case .awaitingApproval(let step): "step \(step + 1) waits for a person"
        case .awaitingSignOff(let place, let needsApproval, let gates):
            "\(place) it takes \(SignOff.words(needsApproval: needsApproval, gates: gates))"
        case .inconclusive(let step): "step \(step + 1) passed its `atMost` without a verdict"
        case .gateHolds(let gate, let evidence): "gate \(gate) failed, and its manifest says to hold: \(evidence)"
        case .noEvidence(let gate, let why): "gate \(gate): \(why)"
        case .sharedIncident: "both revisions break the objective"
        case .staleObservation(let why): why
        case .dependencies(let ids): "waits for \(ids.map(\.description).joined(separator: ", "))"
        case .noRoom(let why): why
        case .noRoomToScale(let needed, let fits, let why): "needs \(needed) replicas, room for \(fits): \(why)"
        }
    }
}
