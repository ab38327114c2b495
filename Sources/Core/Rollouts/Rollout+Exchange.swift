package import Deployments

/// A `surge` below 100 percent: the revisions exchange their replicas as the traffic moves.
///
/// While a step is served, the replicas of the next weight start, and stable gives up as many as these have no room
/// for; never more than its own part of the traffic leaves over. So a step that passed goes on at once.
extension Rollout {
    /// What the replicas of the present phase must keep to; nothing when every revision may have all of its own. A
    /// first revision has nothing to be exchanged with.
    package var exchange: Exchange? {
        guard let stable = self.stable, self.phase != .removing else { return nil }
        let policy = (self.canary ?? stable).rollout
        guard policy.surge < 100, policy.strategy == .canary else { return nil }
        // While baking, the promoted revision is the one that needs all of its replicas.
        if self.phase == .baking {
            return Exchange(stable: self.previous?.replicas ?? 0, canary: stable.replicas, surge: policy.surge)
        }
        return Exchange(stable: stable.replicas, canary: self.canary?.replicas ?? 0, surge: policy.surge)
    }

    /// How many ready replicas of the canary the present phase needs to go on.
    package var canaryReplicas: Int {
        guard let canary = self.canary else { return 0 }
        guard let exchange = self.exchange else { return canary.replicas }
        switch self.phase {
        // What goes straight to all traffic begins with what there is room for, and gets the rest as the other leaves.
        case .preparing where self.isRestoring || canary.rollout.steps.isEmpty:
            return min(canary.replicas, exchange.room(at: self.holdback))
        case .preparing: return exchange.need(at: self.weight(preparedFor: 0))
        case .stepping(let step, nil): return exchange.need(at: self.weight(preparedFor: step))
        case .stepping(let step, .some): return exchange.need(at: self.weight(afterStep: step))
        case .settled, .replacing, .promoting, .baking, .rollingBack, .removing: return canary.replicas
        }
    }

    /// Copies and matched requests are as many as anybody sends: the replicas of the first weight take them.
    private func weight(preparedFor step: Int) -> TrafficWeight {
        let weight = self.weight(ofStep: step)
        return weight > .none ? weight : self.weight(afterStep: step)
    }

    /// The least that the router may give the canary in the present phase.
    private var servedWeight: TrafficWeight {
        switch self.phase {
        case .preparing: self.holdback
        case .stepping(let step, nil): self.weight(ofStep: step - 1)
        case .stepping(let step, .some): self.weight(ofStep: step)
        // The planner keeps what the router still serves.
        case .promoting: .all
        case .settled, .replacing, .baking, .rollingBack, .removing: .none
        }
    }

    /// Gives each revision its part of the room.
    func share(_ target: inout Target) {
        guard let exchange = self.exchange else { return }
        let specs = self.specs.map { ($0.revision, $0.replicas) }
        target.sharing = Target.Sharing(
            limit: exchange.limit,
            full: Dictionary(specs) { max($0, $1) },
            since: self.since
        )
        guard let stable = self.stable else { return }
        if self.phase == .baking {
            guard let previous = self.previous, target.replicas[previous.revision] != nil else { return }
            target.replicas[previous.revision] = min(previous.replicas, exchange.limit - stable.replicas)
        } else if let canary = self.canary, target.replicas[canary.revision] != nil {
            let wanted = min(self.canaryReplicas, exchange.room(at: self.servedWeight))
            target.replicas[canary.revision] = wanted
            target.replicas[stable.revision] = min(stable.replicas, exchange.limit - wanted)
        }
    }

    /// The revision that a rollback now would give all traffic, and how many of its replicas are kept for that; nothing
    /// when it has all of them, or when there is no way back.
    package var shortfall: (of: DeploymentSpec, kept: Int)? {
        guard self.exchange != nil, self.isInFlight || self.phase == .baking,
            let spec = self.phase == .baking ? self.previous : self.stable
        else { return nil }
        let kept = self.target.replicas[spec.revision, default: 0]
        return kept < spec.replicas ? (spec, kept) : nil
    }

    /// What the way back costs, as is said of a rollback that was asked for.
    var price: String {
        self.shortfall.map { " on \($0.kept) of \($0.of.replicas) replicas, until the others have started" } ?? ""
    }

    /// Why the next step's replicas can't be had, as can be when `replicas` changed since the rollout began.
    var squeeze: String? {
        guard let exchange = self.exchange else { return nil }
        switch self.phase {
        case .preparing, .stepping: break
        case .settled, .replacing, .promoting, .baking, .rollingBack, .removing: return nil
        }
        let (need, room) = (self.canaryReplicas, exchange.room(at: self.servedWeight))
        guard need > room else { return nil }
        return "the next step needs \(need) replicas of the canary, and a surge of \(exchange.surge)% has room for "
            + "\(room): abort the rollout, or put `replicas` back"
    }

    /// The most that the rollout of `wanted` beside the stable revision takes at any time.
    func peak(of wanted: DeploymentSpec) -> Resources {
        var rollout = self
        rollout.canary = wanted
        rollout.previous = nil
        rollout.isRestoring = false
        rollout.holdback = .none
        rollout.phase = .preparing
        return rollout.peak
    }

    /// The most that the deployment takes from now on, as far as is decided.
    package var peak: Resources {
        var phases = [self.phase]
        if self.exchange != nil, self.isInFlight, let canary = self.canary {
            phases += canary.rollout.steps.indices.map { .stepping(step: $0, servedSince: self.since) }
            phases.append(.promoting)
        }
        return phases.reduce(Resources()) { most, phase in
            var rollout = self
            rollout.phase = phase
            return most.maximum(rollout.held)
        }
    }

    /// What the replicas of the present phase take.
    var held: Resources {
        let counts = self.target.replicas
        return self.specs.reduce(into: Resources()) { sum, spec in
            sum += spec.resources * counts[spec.revision, default: 0]
        }
    }
}

extension Rollout {
    /// Keeps the time since which the canary lacks replicas. A hold's time is not the canary's fault.
    mutating func noteLack(_ situation: Situation, at now: Timestamp) {
        let isWaiting =
            switch self.phase {
            case .stepping: true
            case .promoting: self.exchange != nil
            case .settled, .preparing, .replacing, .baking, .rollingBack, .removing: false
            }
        guard isWaiting, let canary = self.canary, self.squeeze == nil else {
            self.lackingSince = nil
            return
        }
        guard !self.isHeld(situation, at: now), !self.isStableDown(situation, at: now),
            let replicas = situation.observation.replicas.fresh(at: now, within: Self.freshness)
        else {
            if self.lackingSince != nil { self.lackingSince = now }
            return
        }
        let ready = replicas.count { $0.id.revision == canary.revision && $0.state == .ready }
        self.lackingSince = ready < self.canaryReplicas ? self.lackingSince ?? now : nil
    }

    /// A canary that serves, but does not get the replicas without which it can't go on: they can never become ready,
    /// or take too long.
    mutating func checkLack(
        _ canary: DeploymentSpec,
        _ replicas: [Replica],
        _ situation: Situation,
        at now: Timestamp,
        into outcome: inout Outcome
    ) -> Bool {
        guard let since = self.lackingSince, !self.isStableDown(situation, at: now) else { return false }
        if let failed = replicas.first(where: { $0.state == .failed }) {
            self.rollBack(.replicaFailed("\(failed.id): \(failed.lastFailure ?? "failed")"), at: now, into: &outcome)
            return true
        }
        guard !self.isHeld(situation, at: now), now - since >= canary.rollout.progressDeadline else { return false }
        let ready = replicas.count { $0.state == .ready }
        let failure = replicas.compactMap(\.lastFailure).last.map { "; last failure: \($0)" } ?? ""
        self.rollBack(
            .progressDeadline(waitingFor: "\(ready) of \(self.canaryReplicas) replicas ready\(failure)"),
            at: now,
            into: &outcome
        )
        return true
    }
}
