import Analysis
import Deployments

extension Rollout {
    /// Takes the traffic back: from here on the target gives the canary nothing.
    ///
    /// While baking, the stable revision is the one that goes and the previous one, still warm, comes back.
    mutating func rollBack(
        _ reason: RollbackReason,
        by: String? = nil,
        revert wish: RevertWish = .asTheManifestSays,
        at now: Timestamp,
        into outcome: inout Outcome
    ) {
        if self.phase == .baking, let previous = self.previous {
            self.canary = self.stable
            self.stable = previous
            self.stableSignature = nil
            self.history.removeAll { $0.revision == previous.revision }
        }
        guard let failed = self.canary else { return }
        self.previous = nil
        self.watch = nil
        self.holdback = .none
        if reason != .cancelled {
            self.quarantine(failed, reason, at: now)
        }
        if self.isRestoring { self.pin = nil }
        self.isRestoring = false
        self.enter(.rollingBack(reason), at: now)
        let revert = self.revert(failed, to: self.stable, wish, because: reason)
        self.record(.rollingBack, reason.description, failed, by: by, revert: revert, at: now, into: &outcome)
    }

    mutating func quarantine(_ spec: DeploymentSpec, _ reason: RollbackReason, at now: Timestamp) {
        self.quarantine[spec.revision] = Quarantine(spec: spec, reason: reason, since: now)
        while self.quarantine.count > Self.quarantineLimit,
            let oldest = self.quarantine.min(by: { ($0.value.since, $0.key) < ($1.value.since, $1.key) })
        {
            self.quarantine[oldest.key] = nil
        }
    }

    /// The traffic is back once the router says so, later than it was told to; or at once, when there is nothing that
    /// could take it.
    func isBack(_ situation: Situation, at now: Timestamp) -> Bool {
        guard let canary = self.canary, self.stable != nil else { return true }
        // The stable revision can't start before the last of the canary is gone.
        if self.isReplacement {
            guard case .known(let replicas, let seen) = situation.observation.replicas, seen >= self.since,
                now - seen <= Self.freshness, !replicas.contains(where: { $0.id.revision == canary.revision })
            else { return false }
        }
        guard case .known(let router, let seen) = situation.observation.router, now - seen <= Self.freshness,
            seen >= self.since
        else { return false }
        return !router.traffic.reaches(canary.revision)
    }

    mutating func finishRollingBack(_ situation: Situation, at now: Timestamp, into outcome: inout Outcome) -> Bool {
        guard case .rollingBack(let reason) = self.phase, self.isBack(situation, at: now) else { return false }
        let kind: Transition.Kind = reason == .cancelled ? .superseded : .rolledBack
        self.record(kind, reason.description, self.canary, by: reason.by, at: now, into: &outcome)
        self.canary = nil
        self.analysis = nil
        self.enter(.settled, at: now)
        return true
    }

    mutating func checkDeadlines(_ situation: Situation, at now: Timestamp, into outcome: inout Outcome) -> Bool {
        guard self.isInFlight, let canary = self.canary else { return false }
        switch self.phase {
        case .preparing, .replacing: break
        case .settled, .stepping, .promoting, .baking, .rollingBack, .removing:
            return self.checkLostCanary(canary, situation, at: now, into: &outcome)
        }
        if case .failed(let message) = situation.observation.artifacts[canary.revision] {
            self.rollBack(.artifact(message), at: now, into: &outcome)
            return true
        }
        let hasArtifact = if case .ready = situation.observation.artifacts[canary.revision] { true } else { false }
        // Before it has traffic, an old look suffices: what has failed stays failed.
        let platform = situation.observation.replicas
        let seen = self.phase == .preparing ? platform.last : platform.fresh(at: now, within: Self.freshness)
        let replicas = (seen ?? []).filter { $0.id.revision == canary.revision }
        if let failed = replicas.first(where: { $0.state == .failed }) {
            self.rollBack(
                .replicaFailed("\(failed.id): \(failed.lastFailure ?? "failed")"),
                at: now,
                into: &outcome
            )
            return true
        }
        // What could not be seen is no delay of the canary's: it may have been ready all the time, or not be told to
        // the router yet.
        if !self.isSeen(situation, at: now) { self.blindUntil = now }
        guard self.squeeze == nil, let end = self.readyBy, now >= end else { return false }
        let ready = replicas.count { $0.state == .ready }
        // The time that a hold takes is not the canary's fault, nor is it when the hold has just ended.
        let isStillServing = self.isReplacement && self.phase == .preparing
        let isPrepared = isStillServing ? hasArtifact : ready >= self.canaryReplicas
        let mayGoOn = isStillServing || self.isReady(canary, situation, at: now)
        if isPrepared, mayGoOn || self.isHeld(situation, at: now) { return false }
        let failure = replicas.compactMap(\.lastFailure).last.map { "; last failure: \($0)" } ?? ""
        self.rollBack(
            .progressDeadline(waitingFor: "\(ready) of \(self.canaryReplicas) replicas ready\(failure)"),
            at: now,
            into: &outcome
        )
        return true
    }

    /// A canary that had traffic and has no replica left to serve it: crashed, or not ready for too long.
    private mutating func checkLostCanary(
        _ canary: DeploymentSpec,
        _ situation: Situation,
        at now: Timestamp,
        into outcome: inout Outcome
    ) -> Bool {
        guard let seen = situation.observation.replicas.fresh(at: now, within: Self.freshness) else { return false }
        let replicas = seen.filter { $0.id.revision == canary.revision }
        if replicas.contains(where: { $0.state == .ready }) {
            return self.checkLack(canary, replicas, situation, at: now, into: &outcome)
        }
        // When stable lost all of its replicas too, the machine is the cause: nothing says that the canary is bad.
        if !self.isStableDown(situation, at: now), let crashed = replicas.first(where: \.hasCrashed) {
            let failure = crashed.lastFailure ?? "ended"
            self.rollBack(.replicaFailed("\(crashed.id): \(failure)"), at: now, into: &outcome)
            return true
        }
        guard now - self.since >= canary.rollout.progressDeadline else { return false }
        self.rollBack(.progressDeadline(waitingFor: "no replica is ready any more"), at: now, into: &outcome)
        return true
    }

    mutating func checkBreaches(_ situation: Situation, at now: Timestamp, into outcome: inout Outcome) -> Bool {
        guard self.phase == .baking, let stable = self.stable, let previous = self.previous else { return false }
        if let replicas = situation.observation.replicas.fresh(at: now, within: Self.freshness) {
            // All of them crashed, and the previous revision's did not: after a reboot, all merely start again.
            let own = replicas.filter { $0.id.revision == stable.revision }
            let canReturn = replicas.contains { $0.id.revision == previous.revision && $0.state == .ready }
            if canReturn, let crashed = own.first, own.allSatisfy(\.hasCrashed) {
                self.rollBack(
                    .replicaFailed("\(crashed.id): \(crashed.lastFailure ?? "ended")"),
                    at: now,
                    into: &outcome
                )
                return true
            }
        }
        guard let breach = self.watch?.breaches(at: now).first else { return false }
        self.rollBack(
            .objectiveBreached(objective: breach.objective, evidence: breach.text),
            at: now,
            into: &outcome
        )
        return true
    }

    mutating func checkGates(at now: Timestamp, into outcome: inout Outcome) -> Bool {
        guard let analysis = self.analysis else { return false }
        // What was measured in the step before and answered after it counts also while the router takes the next one.
        let isBetweenSteps = if case .stepping(_, nil) = self.phase { true } else { false }
        guard self.isJudging || isBetweenSteps else { return false }
        for result in analysis.outcomes(at: now)
        where result.outcome == .failed && result.gate.onFailure == .rollback {
            let evidence = analysis.assessment(of: result.gate, at: now)?.summary ?? ""
            self.rollBack(
                .gateFailed(gate: result.gate.name, evidence: evidence),
                at: now,
                into: &outcome
            )
            return true
        }
        guard case .stepping(let step, _) = self.phase else { return false }
        // Without evidence there is nothing to roll back for: a metrics outage is not a failed canary.
        let hasEvidence = analysis.outcomes(at: now).allSatisfy { $0.outcome == .passed || $0.outcome == .inconclusive }
        if self.isInconclusive, hasEvidence, !analysis.isSharedIncident,
            self.canary?.rollout.onInconclusive == .rollback
        {
            self.rollBack(.inconclusive(step: step), at: now, into: &outcome)
            return true
        }
        return false
    }
}

extension Rollout.RollbackReason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .gateFailed(let gate, let evidence): "gate \(gate) failed: \(evidence)"
        case .objectiveBreached(let objective, let evidence): "objective \(objective) was breached: \(evidence)"
        case .inconclusive(let step): "step \(step + 1) ended without a verdict, and `onInconclusive` is rollback"
        case .progressDeadline(let wait): "not ready within `progressDeadline`: \(wait)"
        case .artifact(let message): "its artifact cannot be used: \(message)"
        case .replicaFailed(let message): "a replica cannot become ready: \(message)"
        case .signatureChanged(let message): "its signature differs from the stable model's: \(message)"
        case .requested(let by, let why): "rolled back by \(by)" + (why.isEmpty ? "" : ": \(why)")
        case .aborted(let by, let why): "aborted by \(by)" + (why.isEmpty ? "" : ": \(why)")
        case .cancelled: "git does not want it any more"
        }
    }

    /// The operator who asked for it.
    package var by: String? {
        switch self {
        case .requested(let by, _), .aborted(let by, _): by
        case .gateFailed, .objectiveBreached, .inconclusive, .progressDeadline, .artifact, .replicaFailed,
            .signatureChanged, .cancelled:
            nil
        }
    }
}

extension Replica {
    /// Ended by itself, or can never become ready.
    fileprivate var hasCrashed: Bool {
        switch self.state {
        case .failed, .backingOff: true
        case .starting, .ready, .draining, .stopping: false
        }
    }
}
