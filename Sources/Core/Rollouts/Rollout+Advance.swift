import Analysis
import Deployments

extension Rollout {
    /// A newer revision takes the place of one in flight at once; going back to the stable revision cancels it.
    mutating func checkSupersession(
        _ situation: Situation,
        at now: Timestamp,
        into outcome: inout Outcome
    ) -> Bool {
        guard self.isInFlight, self.pause == nil, let canary = self.canary, let wanted = self.wanted else {
            return false
        }
        guard wanted.revision != canary.revision else { return false }
        // In stable's place, and asked to serve: the way back would be a second gap. It is promoted first.
        if self.phase == .replacing, situation.asked?.traffic.reaches(canary.revision) ?? false { return false }
        // An operator's return to an earlier revision stands until git names another one, which clears the pin.
        if self.isRestoring, self.pin?.revision == canary.revision { return false }
        // What is new waits for a freeze's end and for room; what git does not want any more does not. A way back goes
        // on until something else can take its place: what it leads away from may be what an operator condemned.
        let mustWait =
            self.quarantine[wanted.revision] != nil || self.freeze != nil
            || self.shortage(of: self.sized(wanted), situation) != nil || wanted.rollout.signOffs?.beforeRollout != nil
        if mustWait, self.isRestoring, wanted.revision != self.stable?.revision { return false }
        if mustWait || wanted.revision == self.stable?.revision {
            self.rollBack(.cancelled, at: now, into: &outcome)
            return true
        }
        self.record(.superseded, "superseded by \(wanted.label)", canary, at: now, into: &outcome)
        self.start(wanted, restoring: false, "rollout of \(wanted.label)", at: now, into: &outcome)
        return true
    }

    mutating func start(
        _ spec: DeploymentSpec,
        restoring: Bool,
        _ message: String,
        by: String? = nil,
        revert: ManifestRevert? = nil,
        at now: Timestamp,
        into outcome: inout Outcome
    ) {
        self.canary = self.sized(spec)
        self.previous = nil
        self.analysis = nil
        self.watch = nil
        self.holdback = .none
        self.isRestoring = restoring
        self.signOffs = nil
        self.enter(.preparing, at: now)
        self.record(.rolloutStarted, message, spec, by: by, revert: revert, at: now, into: &outcome)
    }

    /// The last rule: goes on, if nothing holds.
    mutating func advance(_ situation: Situation, at now: Timestamp, into outcome: inout Outcome) {
        switch self.phase {
        case .settled, .baking:
            self.finishBaking(situation, at: now, into: &outcome)
            self.startWanted(situation, at: now, into: &outcome)
        case .preparing where self.isReplacement:
            self.beginReplacing(situation, at: now, into: &outcome)
        case .preparing:
            self.finishPreparing(situation, at: now, into: &outcome)
        case .replacing:
            self.finishReplacing(situation, at: now, into: &outcome)
        case .stepping(let step, nil):
            self.beginJudging(step: step, situation, at: now)
        case .stepping(let step, .some(let served)):
            self.finishStep(step, servedSince: served, situation, at: now, into: &outcome)
        case .promoting:
            self.finishPromoting(situation, at: now, into: &outcome)
        case .rollingBack, .removing:
            break
        }
    }

    private mutating func startWanted(_ situation: Situation, at now: Timestamp, into outcome: inout Outcome) {
        // What git does not want any more needs nobody's word.
        if self.signOff(.beforeRollout)?.revision != self.waiting?.revision { self.forget(.beforeRollout) }
        guard self.pause == nil, let wanted = self.waiting, self.shortage(situation) == nil else { return }
        // While baking, the previous revision is warm and known to be good: git's way back to it needs no steps.
        let isReturn = self.phase == .baking && wanted.revision == self.previous?.revision
        guard self.freeze == nil || isReturn else { return }
        // What an operator went back to, and what is warm still, waits for nobody.
        let needsNobody = isReturn || self.pin?.revision == wanted.revision
        guard needsNobody || self.isSignedOff(.beforeRollout, wanted, at: now, into: &outcome) else { return }
        let message = isReturn ? "git went back to \(wanted.label)" : "rollout of \(wanted.label)"
        let kept = self.holdback
        self.start(wanted, restoring: isReturn, message, at: now, into: &outcome)
        // What comes back gives nothing up on its way.
        if isReturn { self.holdback = kept }
    }

    private mutating func finishBaking(_ situation: Situation, at now: Timestamp, into outcome: inout Outcome) {
        guard self.phase == .baking, let stable = self.stable else { return }
        // Asked from the first moment on: what it says no to should go at once.
        let isSignedOff = self.isSignedOff(.afterPromotion, stable, at: now, into: &outcome)
        guard now - self.since >= stable.rollout.bakeTime, isSignedOff else { return }
        // The end of a holdback is a rise of weight like any other.
        if self.holdback > .none {
            guard !self.isStopped, self.isObservationFresh(situation, at: now) else { return }
        }
        self.previous = nil
        self.watch = nil
        self.analysis = nil
        self.holdback = .none
        self.enter(.settled, at: now)
        self.record(.settled, "baked for \(stable.rollout.bakeTime.short)", stable, at: now, into: &outcome)
    }

    private mutating func finishPreparing(_ situation: Situation, at now: Timestamp, into outcome: inout Outcome) {
        guard let canary = self.canary, self.isReady(canary, situation, at: now) else { return }
        if self.checkSignature(of: canary, situation, at: now, into: &outcome) { return }
        guard !self.isStopped, self.isObservationFresh(situation, at: now) else { return }
        if self.stable == nil {
            self.beginPromoting("first revision", situation, at: now, into: &outcome)
        } else if self.isRestoring {
            self.beginPromoting("an earlier revision", situation, at: now, into: &outcome)
        } else if !canary.rollout.steps.isEmpty {
            self.enterStep(0, canary, situation, at: now, into: &outcome)
        } else if situation.unhealthyDependencies.isEmpty,
            self.isSignedOff(.beforePromotion, canary, at: now, into: &outcome)
        {
            self.beginPromoting("ready, and there are no steps", situation, at: now, into: &outcome)
        }
    }

    /// Between its two ends a replacement is an outage, so all that could hold it is asked before.
    private mutating func beginReplacing(_ situation: Situation, at now: Timestamp, into outcome: inout Outcome) {
        guard let canary = self.canary, case .ready = situation.observation.artifacts[canary.revision],
            !self.isStopped, self.isObservationFresh(situation, at: now), situation.unhealthyDependencies.isEmpty
        else { return }
        self.enter(.replacing, at: now)
        let message = "\(self.stable?.label ?? "") stops, and \(canary.label) starts in its place"
        self.record(.replacing, message, canary, at: now, into: &outcome)
    }

    private mutating func finishReplacing(_ situation: Situation, at now: Timestamp, into outcome: inout Outcome) {
        guard let canary = self.canary else { return }
        // Before its traffic: the planner acts on the same look as this.
        if self.checkSignature(of: canary, situation, at: now, into: &outcome) { return }
        guard self.isReady(canary, situation, at: now) else { return }
        self.finishPromoting(situation, at: now, into: &outcome)
    }

    /// - Returns: Whether the rollout is taken back, as the model's inputs or outputs are not the stable model's.
    private mutating func checkSignature(
        of canary: DeploymentSpec,
        _ situation: Situation,
        at now: Timestamp,
        into outcome: inout Outcome
    ) -> Bool {
        guard self.stable != nil, !self.isRestoring, canary.signature == .unchanged,
            let was = self.stableSignature, let is_ = self.signature(of: canary, situation), was != is_
        else { return false }
        self.rollBack(.signatureChanged("stable \(was), canary \(is_)"), at: now, into: &outcome)
        return true
    }

    /// A stable revision that is restarting when the canary becomes ready is compared by what it said before.
    mutating func rememberSignature(_ situation: Situation) {
        guard let stable = self.stable, let signature = self.signature(of: stable, situation) else { return }
        self.stableSignature = signature
    }

    private func signature(of spec: DeploymentSpec, _ situation: Situation) -> String? {
        situation.observation.replicas.last?
            .first { $0.id.revision == spec.revision && $0.state == .ready && $0.signature != nil }?.signature
    }

    private mutating func enterStep(
        _ step: Int,
        _ canary: DeploymentSpec,
        _ situation: Situation,
        at now: Timestamp,
        into outcome: inout Outcome
    ) {
        self.enter(.stepping(step: step, servedSince: nil), at: now)
        self.record(
            .stepStarted,
            "step \(step + 1) of \(canary.rollout.steps.count): \(canary.rollout.steps[step].action)",
            canary,
            at: now,
            into: &outcome
        )
    }

    /// A step's evidence counts only from when the router was seen serving its weight.
    private mutating func beginJudging(step: Int, _ situation: Situation, at now: Timestamp) {
        guard let canary = self.canary, let stable = self.stable,
            case .known(let router, let seen) = situation.observation.router, now - seen <= Self.freshness,
            seen >= self.since,
            self.isServed(step, by: router)
        else { return }
        let history = situation.baseline.latency
        let bursts = (situation.baseline.bursts ?? BurstFactors()).cautious(after: self.learnt)
        let everyGate = canary.rollout.gates + canary.rollout.steps.flatMap { $0.gates ?? [] }
        var run =
            self.analysis
            ?? AnalysisRun(
                gates: everyGate,
                stable: stable.revision,
                canary: canary.revision,
                plannedSteps: canary.rollout.steps.count { $0.action != .approval }
                    + (self.holdback(of: canary) > .none ? 1 : 0),
                objectives: canary.objectives,
                history: history,
                burst: bursts.errors ?? 1,
                bursts: bursts
            )
        run.beginStep(
            gates: self.gates(ofStep: step),
            nextWeight: self.weight(afterStep: step),
            split: router.traffic.split,
            at: seen
        )
        // The snapshot taken with this observation is the base of the first increment: what came before it was
        // served at another weight.
        for sample in situation.samples where sample.time >= seen {
            run.add(sample, weightsChanged: true)
        }
        self.sampledTraffic = router.traffic
        self.analysis = run
        self.phase = .stepping(step: step, servedSince: seen)
    }

    private mutating func finishStep(
        _ step: Int,
        servedSince: Timestamp,
        _ situation: Situation,
        at now: Timestamp,
        into outcome: inout Outcome
    ) {
        guard let canary = self.canary, !self.isStopped, self.isReady(canary, situation, at: now),
            self.isObservationFresh(situation, at: now), self.isServing(step, situation)
        else { return }
        let policy = canary.rollout.steps[step]
        if self.isAwaitingPromotion(step) {
            self.finishAwaiting(step, canary, situation, at: now, into: &outcome)
            return
        }
        if policy.action == .approval { return }
        let elapsed = now - servedSince
        guard elapsed >= policy.atLeast, let analysis = self.analysis else { return }
        if self.isStableDown(situation, at: now) {
            self.promoteInPlaceOfNothing(canary, situation, at: now, into: &outcome)
            return
        }
        guard self.areCountersFresh(at: now) else { return }
        let results = analysis.outcomes(at: now)
        if results.allSatisfy({ $0.outcome == .passed }), !analysis.isSharedIncident {
            self.leave(step: step, situation, at: now, into: &outcome)
            return
        }
        guard now - max(servedSince, self.blindUntil ?? servedSince) >= policy.atMost else { return }
        if canary.rollout.onInconclusive == .promote,
            !analysis.isSharedIncident, results.allSatisfy({ $0.outcome == .passed || $0.outcome == .inconclusive })
        {
            self.record(
                .inconclusive,
                "step \(step + 1) ended without a verdict; `onInconclusive` is promote",
                canary,
                at: now,
                into: &outcome
            )
            self.leave(step: step, situation, at: now, into: &outcome)
        } else if !self.isInconclusive {
            self.isInconclusive = true
            let message = "no verdict within `atMost` (\(policy.atMost.short))"
            self.record(.inconclusive, "step \(step + 1): \(message)", canary, at: now, into: &outcome)
        }
    }

    /// Goes to the step after `step`, or to all traffic.
    mutating func leave(step: Int, _ situation: Situation, at now: Timestamp, into outcome: inout Outcome) {
        guard let canary = self.canary else { return }
        if step + 1 < canary.rollout.steps.count {
            self.enterStep(step + 1, canary, situation, at: now, into: &outcome)
        } else if situation.unhealthyDependencies.isEmpty,
            self.isSignedOff(.beforePromotion, canary, at: now, into: &outcome)
        {
            self.beginPromoting("every step passed", situation, at: now, into: &outcome)
        }
    }

    private mutating func promoteInPlaceOfNothing(
        _ canary: DeploymentSpec,
        _ situation: Situation,
        at now: Timestamp,
        into outcome: inout Outcome
    ) {
        guard self.isSignedOff(.beforePromotion, canary, at: now, into: &outcome) else { return }
        self.beginPromoting("the stable revision has no ready replica", situation, at: now, into: &outcome)
    }

    /// The last step has passed, by its gates or by hand, and nothing but the sign-off is awaited.
    func isAwaitingPromotion(_ step: Int) -> Bool {
        guard let canary = self.canary, step + 1 == canary.rollout.steps.count else { return false }
        return self.signOff(.beforePromotion)?.revision == canary.revision
    }

    private mutating func finishAwaiting(
        _ step: Int,
        _ canary: DeploymentSpec,
        _ situation: Situation,
        at now: Timestamp,
        into outcome: inout Outcome
    ) {
        if self.isStableDown(situation, at: now) {
            self.promoteInPlaceOfNothing(canary, situation, at: now, into: &outcome)
            return
        }
        // What passed before may look worse by now.
        guard self.areCountersFresh(at: now), let analysis = self.analysis, !analysis.isSharedIncident,
            !analysis.outcomes(at: now).contains(where: { $0.outcome == .failed })
        else { return }
        self.leave(step: step, situation, at: now, into: &outcome)
    }

    mutating func beginPromoting(
        _ why: String,
        _ situation: Situation,
        at now: Timestamp,
        into outcome: inout Outcome
    ) {
        self.holdback = self.canary.map { self.holdback(of: $0) } ?? .none
        self.enter(.promoting, at: now)
        self.record(.promoting, why, self.canary, at: now, into: &outcome)
    }

    /// What the stable revision is to keep once `canary` is promoted. A first revision and a return to an earlier one
    /// leave nothing behind that is worth comparing with.
    private func holdback(of canary: DeploymentSpec) -> TrafficWeight {
        guard self.stable != nil, !self.isRestoring, canary.rollout.bakeTime > .zero else { return .none }
        return canary.rollout.strategy == .canary ? canary.rollout.holdback : .none
    }

    private mutating func finishPromoting(_ situation: Situation, at now: Timestamp, into outcome: inout Outcome) {
        // More than its aim, when the stable revision has no replica left to keep its part.
        guard let canary = self.canary, case .known(let router, let seen) = situation.observation.router,
            now - seen <= Self.freshness, router.traffic[canary.revision] >= self.holdback.complement
        else { return }
        let old = self.stable
        self.stable = canary
        self.stableSignature = nil
        self.canary = nil
        if let old {
            self.history.removeAll { $0.revision == old.revision }
            self.history.append(old)
            self.history.removeFirst(max(0, self.history.count - Self.historyLimit))
        }
        // After a return to an earlier revision there is nothing good to stay warm.
        if let old, !self.isRestoring, canary.rollout.bakeTime > .zero {
            self.previous = old
            self.watch = ObjectiveWatch(objectives: canary.objectives, revision: canary.revision, since: now)
            self.enter(.baking, at: now)
            self.judgeBake(of: canary, router, situation, at: seen)
        } else {
            self.holdback = .none
            self.analysis = nil
            self.enter(.settled, at: now)
        }
        self.isRestoring = false
        let rest = self.holdback == .none ? "" : "; \(old?.label ?? "") keeps \(self.holdback) through the bake"
        let share = self.holdback == .none ? "all traffic" : "\(self.holdback.complement) of the traffic"
        self.record(.promoted, "\(canary.label) has \(share)\(rest)", canary, at: now, into: &outcome)
    }

    /// While the revision before keeps some traffic, the comparison of the two goes on, their sizes swapped.
    private mutating func judgeBake(
        of canary: DeploymentSpec,
        _ router: RouterState,
        _ situation: Situation,
        at seen: Timestamp
    ) {
        let gates = canary.rollout.gates.filter(\.isAskedInBake)
        guard self.holdback > .none, !gates.isEmpty, let previous = self.previous,
            router.traffic[previous.revision] == self.holdback, var run = self.analysis
        else {
            self.analysis = nil
            return
        }
        run.beginStep(gates: gates, nextWeight: .all, split: router.traffic.split, at: seen)
        for sample in situation.samples where sample.time >= seen {
            run.add(sample, weightsChanged: true)
        }
        self.sampledTraffic = router.traffic
        self.analysis = run
    }
}
