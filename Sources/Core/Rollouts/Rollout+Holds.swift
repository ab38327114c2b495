import Analysis
package import Deployments

extension Rollout {
    /// Whether what git says and both halves of what was seen are recent enough to go on by.
    func isObservationFresh(_ situation: Situation, at now: Timestamp) -> Bool {
        situation.lostGit == nil && self.isSeen(situation, at: now)
    }

    /// Whether platform and router were both seen of late.
    func isSeen(_ situation: Situation, at now: Timestamp) -> Bool {
        situation.observation.replicas.isFresh(at: now, within: Self.freshness)
            && situation.observation.router.isFresh(at: now, within: Self.freshness)
    }

    /// The revision that is to be rolled out, if nothing keeps it from starting.
    package var waiting: DeploymentSpec? {
        guard !self.isInFlight, let wanted = self.wanted, wanted.revision != self.stable?.revision,
            self.quarantine[wanted.revision] == nil
        else { return nil }
        return self.sized(wanted)
    }

    /// Why the platform has no room for what is to be rolled out. What still runs besides the stable revision leaves
    /// room as it goes, and what was replaced before leaves all of it.
    func shortage(_ situation: Situation) -> String? {
        guard let wanted = self.waiting, wanted.revision != self.previous?.revision else { return nil }
        return self.shortage(of: wanted, situation)
    }

    /// The same of any revision, which takes the place of one in flight if there is one.
    func shortage(of wanted: DeploymentSpec, _ situation: Situation) -> String? {
        guard let capacity = situation.capacity else { return nil }
        guard let stable = self.stable, wanted.rollout.strategy != .recreate else {
            return capacity.shortage(of: wanted.resources * wanted.replicas, beside: Resources())
        }
        let own = stable.resources * stable.replicas
        return capacity.shortage(of: self.peak(of: wanted) - own, beside: own, surge: wanted.rollout.surge)
    }

    /// Whether something else than the canary itself keeps it from its first request.
    func isHeld(_ situation: Situation, at now: Timestamp) -> Bool {
        self.isStopped || !self.isObservationFresh(situation, at: now) || !situation.unhealthyDependencies.isEmpty
    }

    /// Whether the replicas of the canary are ready that it needs to go on, and the router could send it traffic at
    /// once.
    func isReady(_ canary: DeploymentSpec, _ situation: Situation, at now: Timestamp) -> Bool {
        guard let replicas = situation.observation.replicas.fresh(at: now, within: Self.freshness),
            let router = situation.observation.router.fresh(at: now, within: Self.freshness)
        else { return false }
        return replicas.ready(canary.revision) >= self.canaryReplicas && router.warm.contains(canary.revision)
    }

    func isServing(_ step: Int, _ situation: Situation) -> Bool {
        guard let router = situation.observation.router.last else { return false }
        return self.isServed(step, by: router) || self.stable.map { router.weights[$0.revision] == nil } ?? true
    }

    /// Whether the canary gets what the step gives it.
    func isServed(_ step: Int, by router: RouterState) -> Bool {
        guard let canary = self.canary else { return false }
        let wanted = self.target.traffic
        return router.traffic[canary.revision] == self.weight(ofStep: step)
            && router.traffic.matches == wanted.matches && router.traffic.mirror == wanted.mirror
    }

    /// Whether counters still come in: what was counted before they stopped says nothing about now.
    func areCountersFresh(at now: Timestamp) -> Bool {
        guard case .stepping(_, .some(let served)) = self.phase else { return true }
        return now - max(served, self.analysis?.lastSample ?? served) <= Self.freshness
    }

    /// A stable revision without a single ready replica can be compared with nothing, and must not block a fix.
    func isStableDown(_ situation: Situation, at now: Timestamp) -> Bool {
        guard let stable = self.stable,
            let replicas = situation.observation.replicas.fresh(at: now, within: Self.freshness)
        else { return false }
        return replicas.ready(stable.revision) == 0
    }

    func holds(_ situation: Situation, at now: Timestamp) -> [Hold] {
        var holds: [Hold] = []
        if let pause = self.pause {
            holds.append(.paused(by: pause.by, why: pause.why, until: pause.until))
        }
        if let freeze = self.freeze, !self.isRestoring, self.isInFlight || self.waiting != nil || self.holdback > .none
        {
            holds.append(.frozen(window: freeze.window, until: freeze.until))
        }
        if !self.isStopped, let shortage = self.shortage(situation) { holds.append(.noRoom(shortage)) }
        if let hold = self.holdOfScaling(situation) { holds.append(hold) }
        holds += self.holdsOfSignOffs(at: now)
        guard self.isInFlight else { return holds }
        if !situation.observation.replicas.isFresh(at: now, within: Self.freshness) {
            holds.append(.staleObservation("the platform was not seen for more than \(Self.freshness.short)"))
        }
        if !situation.observation.router.isFresh(at: now, within: Self.freshness) {
            holds.append(.staleObservation("the router was not seen for more than \(Self.freshness.short)"))
        }
        if let lost = situation.lostGit { holds.append(.staleObservation(lost)) }
        if let squeeze = self.squeeze { holds.append(.noRoom(squeeze)) }
        guard case .stepping(let step, .some) = self.phase, let canary = self.canary, let analysis = self.analysis
        else {
            if self.phase == .preparing, self.canary?.rollout.steps.isEmpty == true, self.stable != nil,
                !self.isRestoring, !situation.unhealthyDependencies.isEmpty
            {
                holds.append(.dependencies(situation.unhealthyDependencies))
            }
            return holds
        }
        if canary.rollout.steps[step].action == .approval, !self.isAwaitingPromotion(step) {
            holds.append(.awaitingApproval(step: step))
        }
        if self.isInconclusive { holds.append(.inconclusive(step: step)) }
        if analysis.isSharedIncident { holds.append(.sharedIncident) }
        if !self.areCountersFresh(at: now) {
            holds.append(.staleObservation("no counters came from the router for more than \(Self.freshness.short)"))
        }
        for result in analysis.outcomes(at: now) {
            switch result.outcome {
            case .failed where result.gate.onFailure == .hold:
                let evidence = analysis.assessment(of: result.gate, at: now)?.summary ?? ""
                holds.append(.gateHolds(gate: result.gate.name, evidence: evidence))
            case .noData, .providerDown:
                holds.append(.noEvidence(gate: result.gate.name, why: analysis.missingEvidence(of: result.gate)))
            case .failed, .passed, .inconclusive:
                break
            }
        }
        if step + 1 == canary.rollout.steps.count, !situation.unhealthyDependencies.isEmpty {
            holds.append(.dependencies(situation.unhealthyDependencies))
        }
        return holds
    }
}
