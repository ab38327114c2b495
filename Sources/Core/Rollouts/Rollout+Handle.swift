import Analysis
package import Deployments

extension Rollout {
    /// What one call of ``handle(_:at:)`` brought about.
    package struct Outcome: Hashable, Codable, Sendable {
        package var transitions: [Transition] = []
        /// One per command of the situation, in their order.
        package var answers: [CommandAnswer] = []
    }

    /// Decides the phase that follows from a situation.
    ///
    /// The order is always the same, and one that stops: abort and rollback commands, deadlines, breaches, failed
    /// gates, supersession, holds, advance, scale. A later rule can therefore never starve an earlier one.
    package mutating func handle(_ situation: Situation, at now: Timestamp) -> Outcome {
        var outcome = Outcome()
        var answers = [CommandAnswer?](repeating: nil, count: situation.commands.count)

        self.adopt(situation.desired, at: now, into: &outcome)
        self.adopt(situation.freezes, at: now, into: &outcome)
        self.gather(situation, at: now)
        self.rememberSignature(situation)
        self.noteLack(situation, at: now)
        self.learn(situation.baseline)

        for (index, command) in situation.commands.enumerated() where command.isSafety {
            answers[index] = self.obey(command, situation, at: now, into: &outcome)
        }
        _ =
            self.finishRollingBack(situation, at: now, into: &outcome)
            || self.checkDeadlines(situation, at: now, into: &outcome)
            || self.checkBreaches(situation, at: now, into: &outcome)
            || self.checkGates(at: now, into: &outcome)
            || self.checkSignOffs(at: now, into: &outcome)
            || self.checkSupersession(situation, at: now, into: &outcome)
        for (index, command) in situation.commands.enumerated() where !command.isSafety {
            answers[index] = self.obey(command, situation, at: now, into: &outcome)
        }
        if let pause = self.pause, let until = pause.until, until <= now {
            self.pause = nil
            self.record(.resumed, "the pause by \(pause.by) ended at its time", at: now, into: &outcome)
        }
        self.advance(situation, at: now, into: &outcome)
        self.scale(situation, at: now, into: &outcome)
        self.holds = self.holds(situation, at: now)
        outcome.answers = answers.compactMap(\.self)
        return outcome
    }

    /// Takes over what git says: a new revision is only remembered here, everything else is applied in place.
    private mutating func adopt(_ desired: Desired, at now: Timestamp, into outcome: inout Outcome) {
        switch desired {
        case .unknown:
            return
        case .absent:
            guard self.phase != .removing else { return }
            self.desired = nil
            self.signOffs = nil
            self.enter(.removing, at: now)
            self.record(.removing, "its manifest is gone from git", at: now, into: &outcome)
        case .spec(let spec):
            if self.phase == .removing {
                // The manifest came back: what still runs serves on.
                self.canary = nil
                self.previous = nil
                self.enter(.settled, at: now)
            }
            if let pin = self.pin, pin.insteadOf != spec.revision {
                self.pin = nil
            }
            guard self.desired != spec else {
                // The caller's copy: the next comparison with it is one of identities.
                self.desired = spec
                return
            }
            self.desired = spec
            self.applyInPlace(spec, at: now, into: &outcome)
        }
    }

    private mutating func adopt(_ freezes: [FreezeWindow]?, at now: Timestamp, into outcome: inout Outcome) {
        if let freezes { self.freezes = freezes }
        let open = self.freezes.compactMap { window in
            window.end(at: now).map { Freeze(window: window.name, until: $0) }
        }
        // Of several, the one that lasts longest.
        let freeze = open.max { ($0.until, $0.window) < ($1.until, $1.window) }
        guard freeze != self.freeze else { return }
        if let freeze {
            let message = "the freeze \(freeze.window) lasts until \(freeze.until.utc)"
            self.record(.frozen, message, self.canary, at: now, into: &outcome)
        } else if let ended = self.freeze {
            self.record(.thawed, "the freeze \(ended.window) has ended", self.canary, at: now, into: &outcome)
        }
        self.freeze = freeze
    }

    private mutating func applyInPlace(_ spec: DeploymentSpec, at now: Timestamp, into outcome: inout Outcome) {
        if var stable = self.stable {
            let before = stable
            stable.labels = spec.labels
            self.size(&stable, as: spec)
            stable.route = spec.route
            stable.objectives = spec.objectives
            stable.rollout = spec.rollout
            // Whether the previous revision is warm is decided: how this one took over is a fact.
            if self.phase == .baking { stable.rollout.strategy = before.rollout.strategy }
            stable.dependsOn = spec.dependsOn
            if stable.revision == spec.revision {
                stable.golden = spec.golden
                stable.signature = spec.signature
                stable.model.source = spec.model.source
            }
            if stable != before {
                self.record(.changedInPlace, "applied in place", spec, at: now, into: &outcome)
            }
            if stable.revision == spec.revision { stable.origin = spec.origin }
            // What was enough by other bounds, or of another number, says nothing any more.
            if stable.autoscaling != before.autoscaling || stable.replicas != before.replicas { self.surplus = nil }
            self.stable = stable
            // What is kept for a rollback has as many.
            if var previous = self.previous {
                self.size(&previous, as: stable)
                self.previous = previous
            }
        }
        // A rollout keeps the steps and gates that it began with: changing the rules in mid-game would void evidence.
        if var canary = self.canary {
            let before = canary
            if canary.revision == spec.revision { canary = spec }
            canary.replicas = before.replicas
            self.size(&canary, as: spec)
            canary.rollout = before.rollout
            self.canary = canary
        }
    }

    /// Feeds the judges.
    private mutating func gather(_ situation: Situation, at now: Timestamp) {
        let served = situation.observation.router.last?.traffic ?? self.sampledTraffic
        for sample in situation.samples {
            if self.isJudging { self.analysis?.add(sample, weightsChanged: served != self.sampledTraffic) }
            self.watch?.add(sample)
        }
        if !situation.samples.isEmpty, self.analysis != nil {
            self.sampledTraffic = served
        }
        for measurement in situation.measurements {
            if let asker = measurement.asker {
                self.add(measurement, for: asker)
            } else {
                self.analysis?.add(measurement)
            }
        }
        // An outage must not use up the time for a verdict: when the evidence is back, none could be reached any more.
        if case .stepping(_, .some) = self.phase, let results = self.analysis?.outcomes(at: now),
            results.contains(where: { $0.outcome == .noData || $0.outcome == .providerDown })
        {
            self.blindUntil = now
        }
    }

    /// Keeps what is worth a line in the journal. What was learnt of an earlier revision, or before a restart, goes
    /// when half an hour was seen without it.
    private mutating func learn(_ baseline: Baseline) {
        guard !self.isInFlight, let bursts = baseline.bursts else { return }
        let known = bursts.cautious(after: self.learnt)
        guard known.differs(from: self.learnt ?? BurstFactors()) else { return }
        self.learnt = known.isPlain ? nil : known
    }

    mutating func enter(_ phase: Phase, at now: Timestamp) {
        self.phase = phase
        self.since = now
        self.isInconclusive = false
        self.blindUntil = nil
        self.lackingSince = nil
        self.forgetSignOffsOfPhase()
    }

    func record(
        _ kind: Transition.Kind,
        _ message: String,
        _ spec: DeploymentSpec? = nil,
        by: String? = nil,
        revert: ManifestRevert? = nil,
        at now: Timestamp,
        into outcome: inout Outcome
    ) {
        outcome.transitions.append(
            Transition(
                time: now,
                kind: kind,
                message: message,
                by: by,
                revision: spec?.revision,
                origin: spec?.origin,
                revert: revert
            )
        )
    }
}
