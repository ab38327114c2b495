import Analysis
package import Deployments

extension Rollout {
    mutating func obey(
        _ command: Command,
        _ situation: Situation,
        at now: Timestamp,
        into outcome: inout Outcome
    ) -> CommandAnswer {
        switch command.verb {
        case .abort: self.abort(command, at: now, into: &outcome)
        case .rollback(let revision):
            self.told(of: command, self.rollBack(to: revision, command, at: now, into: &outcome), outcome)
        case .pause(let until): self.pause(until: until, command, at: now, into: &outcome)
        case .resume: self.resume(command, at: now, into: &outcome)
        case .promote(let full, let force):
            self.promote(full: full, force: force, command, situation, at: now, into: &outcome)
        case .retry: self.retry(command, at: now, into: &outcome)
        }
    }

    private mutating func abort(
        _ command: Command,
        at now: Timestamp,
        into outcome: inout Outcome
    ) -> CommandAnswer {
        guard self.isInFlight, let canary = self.canary else {
            return .unchanged("no rollout is in flight")
        }
        let price = self.stable.map { self.price.isEmpty ? "" : "; \($0.label) gets all traffic\(self.price)" } ?? ""
        self.rollBack(.aborted(by: command.by, why: command.why), by: command.by, at: now, into: &outcome)
        return .done("aborted the rollout of \(canary.label)\(price); \(self.quarantineAdvice)")
    }

    private var quarantineAdvice: String {
        "the revision is quarantined until `controller retry \(self.id)` or a commit with another one"
    }

    private mutating func rollBack(
        to revision: Revision?,
        _ command: Command,
        at now: Timestamp,
        into outcome: inout Outcome
    ) -> CommandAnswer {
        let reason = RollbackReason.requested(by: command.by, why: command.why)
        if case .removing = self.phase {
            return .refused("\(self.id) is being removed: its manifest is gone from git")
        }
        if let revision, revision == self.stable?.revision, !self.isInFlight {
            return .unchanged("\(revision) is the stable revision already")
        }
        if revision == nil, let answer = self.alreadyBack { return answer }
        let returns = revision == nil || revision == self.stable?.revision
        let price = self.price
        if self.isInFlight, returns, let canary = self.canary {
            self.rollBack(reason, by: command.by, revert: RevertWish(command.revert), at: now, into: &outcome)
            let returns = self.isReplacement ? "is started again in its place" : "gets all traffic\(price)"
            let back = self.stable.map { "\($0.label) \(returns)" } ?? "nothing serves: there is no stable revision"
            return .done("took the traffic from \(canary.label); \(back); \(self.quarantineAdvice)")
        }
        if self.phase == .baking, let failed = self.stable, let previous = self.previous,
            revision == nil || revision == previous.revision
        {
            self.rollBack(reason, by: command.by, revert: RevertWish(command.revert), at: now, into: &outcome)
            return .done("took the traffic from \(failed.label) to \(previous.label)\(price); \(self.quarantineAdvice)")
        }
        if case .rollingBack = self.phase, returns {
            return .unchanged("the traffic is already on its way to \(self.stable?.label ?? "nothing")")
        }
        return self.restore(revision, reason, command, at: now, into: &outcome)
    }

    /// The answer to a rollback without a goal when one went before it, an operator's or by rule: whoever repeats the
    /// word, or was woken by what is over, must not lose the revision that serves. Further back leads `--to` only.
    private var alreadyBack: CommandAnswer? {
        if self.isInFlight, self.isRestoring, let goal = self.canary {
            return .unchanged("\(goal.label) is on its way already; `controller abort \(self.id)` ends that")
        }
        guard self.phase == .settled, let stable = self.stable else { return nil }
        let further =
            self.earlier.last.map { "`controller rollback \(self.id) --to \($0.revision.short)` goes to \($0.label)" }
            ?? "the history holds no other revision"
        if let pin = self.pin, pin.revision == stable.revision {
            return .unchanged("\(stable.label) serves since \(pin.by) went back to it; \(further)")
        }
        guard let desired = self.desired, desired.revision != stable.revision,
            let record = self.quarantine[desired.revision]
        else { return nil }
        return .unchanged(
            "\(desired.label) was taken back already (\(record.reason)), and \(stable.label) serves; \(further)"
        )
    }

    /// What served before and may again, newest last.
    private var earlier: [DeploymentSpec] {
        self.history.filter { $0.revision != self.stable?.revision && self.quarantine[$0.revision] == nil }
    }

    /// Goes back to a revision of the history, which must be started first.
    private mutating func restore(
        _ revision: Revision?,
        _ reason: RollbackReason,
        _ command: Command,
        at now: Timestamp,
        into outcome: inout Outcome
    ) -> CommandAnswer {
        let candidates = self.earlier
        guard
            var goal = revision.map({ wanted in self.history.last { $0.revision == wanted } }) ?? candidates.last
        else {
            let known = candidates.map(\.label).joined(separator: ", ")
            let choice = known.isEmpty ? "the history holds no other revision" : "known: \(known)"
            return .refused(
                "there is no revision \(revision?.short ?? "before the stable one") to go back to; \(choice)"
            )
        }
        if self.isInFlight, self.canary?.revision == goal.revision {
            return .unchanged("\(goal.label) is on its way already")
        }
        let failed = self.isInFlight ? self.canary : self.stable
        if self.isInFlight {
            self.rollBack(reason, by: command.by, revert: .never, at: now, into: &outcome)
        }
        if let bad = self.stable {
            self.quarantine[bad.revision] = Quarantine(spec: bad, reason: reason, since: now)
        }
        self.quarantine[goal.revision] = nil
        let revert = failed.flatMap { self.revert($0, to: goal, RevertWish(command.revert), because: reason) }
        self.pin = Pin(revision: goal.revision, insteadOf: self.desired?.revision, by: command.by)
        // How a revision takes over, and how many it needs, is what git says today, not when it last served.
        goal.rollout = self.desired?.rollout ?? goal.rollout
        if let desired = self.desired {
            goal.replicas = desired.replicas
            goal.autoscaling = desired.autoscaling
        }
        self.start(
            goal,
            restoring: true,
            "\(reason.description); starting \(goal.label)",
            by: command.by,
            revert: revert,
            at: now,
            into: &outcome
        )
        let needed = self.canaryReplicas
        let part = needed < goal.replicas ? "\(needed) of its \(goal.replicas) replicas are" : "it is"
        return .done(
            "starting \(goal.label); it takes all traffic once \(part) ready, and stays until git names another"
        )
    }

    private mutating func pause(
        until: Timestamp?,
        _ command: Command,
        at now: Timestamp,
        into outcome: inout Outcome
    ) -> CommandAnswer {
        if let pause = self.pause, pause.by == command.by, pause.why == command.why, pause.until == until {
            return .unchanged("already paused by \(pause.by)")
        }
        self.pause = Pause(by: command.by, why: command.why, since: now, until: until)
        self.record(.paused, "paused\(command.reason)", self.canary, by: command.by, at: now, into: &outcome)
        return .done("paused: no new rollout, no rise of weight, no promotion; breaches still roll back")
    }

    private mutating func resume(
        _ command: Command,
        at now: Timestamp,
        into outcome: inout Outcome
    ) -> CommandAnswer {
        guard let pause = self.pause else { return .unchanged("not paused") }
        self.pause = nil
        self.record(.resumed, "resumed\(command.reason)", self.canary, by: command.by, at: now, into: &outcome)
        return .done("resumed; it was paused by \(pause.by)")
    }

    private mutating func retry(
        _ command: Command,
        at now: Timestamp,
        into outcome: inout Outcome
    ) -> CommandAnswer {
        guard let desired = self.desired, let record = self.quarantine[desired.revision] else {
            return .unchanged("the revision that git names is not quarantined")
        }
        if case .rollingBack = self.phase {
            return .refused("the traffic of \(desired.label) is still being taken back; try again in a moment")
        }
        self.quarantine[desired.revision] = nil
        self.pin = nil
        self.record(
            .retried,
            "lifted the quarantine (\(record.reason))\(command.reason)",
            desired,
            by: command.by,
            at: now,
            into: &outcome
        )
        return .done("lifted the quarantine of \(desired.label); it starts over")
    }

    private mutating func promote(
        full: Bool,
        force: Bool,
        _ command: Command,
        _ situation: Situation,
        at now: Timestamp,
        into outcome: inout Outcome
    ) -> CommandAnswer {
        if let answer = self.approve(force: force, command, situation, at: now, into: &outcome) { return answer }
        guard case .stepping(let step, let served) = self.phase, let canary = self.canary else {
            return self.promoteOutsideOfSteps
        }
        if let refusal = self.refusalOfProgress { return refusal }
        guard served != nil else {
            return .refused("the router does not serve step \(step + 1) yet; try again in a moment")
        }
        if !force, let analysis = self.analysis,
            let failed = analysis.outcomes(at: now).first(where: { $0.outcome == .failed })
        {
            let evidence = analysis.assessment(of: failed.gate, at: now)?.summary ?? ""
            return .refused("gate \(failed.gate.name) failed: \(evidence); `--force` promotes all the same")
        }
        if full, let exchange = self.exchange, self.canaryReplicas < canary.replicas {
            let state = "all traffic takes \(canary.replicas) replicas, and this step has \(self.canaryReplicas)"
            return .refused("\(state) (`surge: \(exchange.surge)%`): pass the steps one by one, without `--full`")
        }
        guard self.isObservationFresh(situation, at: now), self.isReady(canary, situation, at: now) else {
            let needed = self.canaryReplicas == 1 ? "1 replica" : "\(self.canaryReplicas) replicas"
            return .refused("the canary is not seen with \(needed) ready and routed just now; try again when it is")
        }
        let isLast = full || step + 1 == canary.rollout.steps.count
        if isLast, !situation.unhealthyDependencies.isEmpty {
            let names = situation.unhealthyDependencies.map(\.description).joined(separator: ", ")
            return .refused("promotion waits for \(names) to serve a ready revision: promote again then")
        }
        let isEarly = step + 1 < canary.rollout.steps.count
        if full, isEarly, !force, let gate = canary.rollout.signOffs?.beforePromotion?.gates.first {
            let wish = "the manifest wants gate \(gate.name) asked before the promotion"
            return .refused("\(wish): pass the steps one by one, or `--force`")
        }
        let forced = force ? ", forced" : ""
        let message = "step \(step + 1) passed by hand\(forced)\(command.reason)"
        self.record(.approved, message, canary, by: command.by, at: now, into: &outcome)
        if !isEarly, let rest = self.signLastStep(of: canary, force: force, command, at: now, into: &outcome) {
            return .done("passed step \(step + 1), the last; the promotion takes \(rest) besides")
        }
        if full {
            self.beginPromoting("by hand", situation, at: now, into: &outcome)
            return .done("promoting \(canary.label) to all traffic")
        }
        self.leave(step: step, situation, at: now, into: &outcome)
        return .done("passed step \(step + 1) of \(canary.rollout.steps.count)")
    }

    /// Whoever passes the last step by hand has said yes to the promotion, too.
    ///
    /// - Returns: What it takes besides; nothing when it can go on.
    private mutating func signLastStep(
        of canary: DeploymentSpec,
        force: Bool,
        _ command: Command,
        at now: Timestamp,
        into outcome: inout Outcome
    ) -> String? {
        guard !self.isSignedOff(.beforePromotion, canary, at: now, into: &outcome) else { return nil }
        self.sign(.beforePromotion, force: force, by: command.by)
        self.isInconclusive = false
        let rest = self.signOff(.beforePromotion)?.missing(at: now) ?? ""
        return rest.isEmpty ? nil : rest
    }

    /// Why nothing goes forward by an operator's word.
    var refusalOfProgress: CommandAnswer? {
        if let pause = self.pause {
            return .refused("paused by \(pause.by): run `controller resume \(self.id)` first")
        }
        if let freeze = self.freeze, !self.isRestoring {
            return .refused("the freeze \(freeze.window) lasts until \(freeze.until.utc): promote after that")
        }
        return nil
    }

    private var promoteOutsideOfSteps: CommandAnswer {
        switch self.phase {
        case .promoting: .unchanged("already promoting")
        case .baking, .settled: .unchanged("nothing to promote: \(self.stable?.label ?? "nothing") serves")
        case .replacing: .unchanged("already being replaced: it takes all traffic once it is ready")
        case .preparing: .refused("the canary's replicas are not ready yet: there is no step to pass")
        case .rollingBack(let reason): .refused("rolling back: \(reason)")
        case .removing: .refused("being removed: its manifest is gone from git")
        case .stepping: .refused("no canary")
        }
    }
}

extension Command {
    /// As it is put behind what was done.
    var reason: String { self.why.isEmpty ? "" : ": \(self.why)" }
}

extension DeploymentSpec {
    /// `magika 3.3 (main@sha1:1eabc9a4)`
    package var label: String {
        "\(self.model.name) \(self.model.version) (\(self.origin))"
    }
}
