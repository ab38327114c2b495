import Analysis
package import Deployments

extension Rollout {
    package func signOff(_ place: SignOff.Place) -> PendingSignOff? {
        self.signOffs?.first { $0.place == place }
    }

    /// Whether `spec` may go past `place`; the first time, asks for what it takes.
    mutating func isSignedOff(
        _ place: SignOff.Place,
        _ spec: DeploymentSpec,
        at now: Timestamp,
        into outcome: inout Outcome
    ) -> Bool {
        guard let wanted = spec.rollout.signOffs?[place] else {
            self.forget(place)
            return true
        }
        if let pending = self.signOff(place), pending.revision == spec.revision, pending.wanted == wanted {
            return pending.isGiven(at: now)
        }
        self.forget(place)
        let pending = PendingSignOff(wanted, at: place, of: spec.revision, at: now)
        self.signOffs = (self.signOffs ?? []) + [pending]
        self.record(
            .signOffAsked,
            "\(place) it takes \(pending.missing(at: now))",
            spec,
            at: now,
            into: &outcome
        )
        return pending.isGiven(at: now)
    }

    mutating func forget(_ place: SignOff.Place) {
        guard self.signOff(place) != nil else { return }
        self.signOffs?.removeAll { $0.place == place }
        if self.signOffs?.isEmpty == true { self.signOffs = nil }
    }

    /// What waits to begin outlives the phases of what is there.
    mutating func forgetSignOffsOfPhase() {
        self.forget(.beforePromotion)
        self.forget(.afterPromotion)
    }

    /// One that comes when another revision is asked about already is nobody's.
    mutating func add(_ measurement: Measurement, for asker: SignOff.Asker) {
        guard let index = self.signOffs?.firstIndex(where: { $0.asker == asker }) else { return }
        self.signOffs?[index].add(measurement)
    }

    /// A gate that says no.
    mutating func checkSignOffs(at now: Timestamp, into outcome: inout Outcome) -> Bool {
        for pending in self.signOffs ?? [] {
            let results = pending.open(at: now)
            guard let failed = results.first(where: { $0.outcome == .failed && $0.gate.onFailure == .rollback })
            else { continue }
            let evidence = "\(pending.place): \(pending.evidence(of: failed.gate, at: now))"
            let reason = RollbackReason.gateFailed(gate: failed.gate.name, evidence: evidence)
            if pending.place != .beforeRollout {
                self.rollBack(reason, at: now, into: &outcome)
                return true
            }
            self.refuse(pending, reason, at: now, into: &outcome)
        }
        return false
    }

    /// Of what has not begun there is nothing to take back.
    private mutating func refuse(
        _ pending: PendingSignOff,
        _ reason: RollbackReason,
        at now: Timestamp,
        into outcome: inout Outcome
    ) {
        self.forget(pending.place)
        guard let spec = self.waiting, spec.revision == pending.revision else { return }
        self.quarantine(spec, reason, at: now)
        let revert = self.revert(spec, to: self.stable, .asTheManifestSays, because: reason)
        self.record(.rolledBack, reason.description, spec, revert: revert, at: now, into: &outcome)
    }

    // MARK: - People

    /// Takes `promote` as the word that a sign-off waits for.
    ///
    /// - Returns: Nothing when none was asked for.
    mutating func approve(
        force: Bool,
        _ command: Command,
        _ situation: Situation,
        at now: Timestamp,
        into outcome: inout Outcome
    ) -> CommandAnswer? {
        guard let (pending, spec) = self.signOffToGive(at: now) else { return nil }
        if let refusal = self.refusalOfProgress { return refusal }
        let place = pending.place
        let open = pending.open(at: now)
        if !force, !pending.lacksApproval {
            guard let gate = open.first?.gate else { return .unchanged("\(spec.label) is signed off \(place) already") }
            let evidence = pending.evidence(of: gate, at: now)
            return .refused("\(place) it takes gate \(gate.name): \(evidence); `--force` goes on all the same")
        }
        self.sign(place, force: force, by: command.by)
        let forced = force && !open.isEmpty ? ", forced past \(open.map(\.gate.name).joined(separator: ", "))" : ""
        let message = "signed off \(place)\(forced)\(command.reason)"
        self.record(.approved, message, spec, by: command.by, at: now, into: &outcome)
        let rest = self.signOff(place)?.missing(at: now) ?? ""
        // A gate of the last step that only holds may have failed meanwhile: whoever forces it knows.
        if force, case .stepping(let step, _) = self.phase, self.isAwaitingPromotion(step),
            self.isObservationFresh(situation, at: now), self.isReady(spec, situation, at: now)
        {
            self.leave(step: step, situation, at: now, into: &outcome)
        }
        return .done("signed \(spec.label) off \(place)" + (rest.isEmpty ? "" : "; it still takes \(rest)"))
    }

    /// Which one a word is about: what bakes before what waits behind it, but not what has its yes already.
    private func signOffToGive(at now: Timestamp) -> (pending: PendingSignOff, spec: DeploymentSpec)? {
        let places = [SignOff.Place.beforePromotion, .afterPromotion, .beforeRollout]
        let asked = places.compactMap { place -> (pending: PendingSignOff, spec: DeploymentSpec)? in
            guard let pending = self.signOff(place), let spec = self.spec(waitingAt: place),
                spec.revision == pending.revision
            else { return nil }
            return (pending, spec)
        }
        return asked.first { $0.pending.lacksApproval } ?? asked.first { !$0.pending.open(at: now).isEmpty }
            ?? asked.first
    }

    mutating func sign(_ place: SignOff.Place, force: Bool, by: String) {
        guard let index = self.signOffs?.firstIndex(where: { $0.place == place }) else { return }
        self.signOffs?[index].approvedBy = by
        if force { self.signOffs?[index].overrule() }
    }

    /// Whom the sign-off at `place` is about.
    package func spec(waitingAt place: SignOff.Place) -> DeploymentSpec? {
        switch place {
        case .beforeRollout: self.waiting
        case .beforePromotion: self.canary
        case .afterPromotion: self.phase == .baking ? self.stable : nil
        }
    }

    // MARK: - What waits

    /// A bake that is not over waits for nobody yet.
    func holdsOfSignOffs(at now: Timestamp) -> [Hold] {
        (self.signOffs ?? []).flatMap { pending -> [Hold] in
            if pending.place == .afterPromotion, let end = self.bakeEnd, now < end { return [] }
            let open = pending.open(at: now)
            var holds: [Hold] = open.compactMap { result in
                switch result.outcome {
                case .failed: .gateHolds(gate: result.gate.name, evidence: pending.evidence(of: result.gate, at: now))
                case .noData, .providerDown:
                    .noEvidence(gate: result.gate.name, why: pending.run?.missingEvidence(of: result.gate) ?? "")
                case .passed, .inconclusive: nil
                }
            }
            let waiting = open.filter { $0.outcome == .inconclusive }.map(\.gate.name)
            if pending.lacksApproval || !waiting.isEmpty {
                holds.append(
                    .awaitingSignOff(place: pending.place, needsApproval: pending.lacksApproval, gates: waiting)
                )
            }
            return holds
        }
    }

    package var bakeEnd: Timestamp? {
        guard self.phase == .baking, let stable = self.stable else { return nil }
        return self.since + stable.rollout.bakeTime
    }
}
