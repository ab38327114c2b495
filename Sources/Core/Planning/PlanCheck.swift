package import Deployments
package import Rollouts

/// The invariants of a plan, written apart from the planner: what it must never contain, whatever the target says.
///
/// The daemon runs it before effects go out and drops those that break a rule; the simulator runs it after every step.
package enum PlanCheck {
    package struct Violation: Hashable, Codable, Sendable, CustomStringConvertible {
        package var rule: String
        package var effect: Effect?

        package var description: String { "\(self.rule): \(self.effect.map { "\($0)" } ?? "")" }
    }

    package static func violations(
        of plan: Plan,
        for rollout: Rollout,
        observed: Observation,
        at now: Timestamp
    ) -> [Violation] {
        var violations: [Violation] = []
        for effect in plan.effects {
            let rule: String? =
                switch effect {
                case .route(let traffic): Self.brokenRule(of: traffic, rollout, observed, now)
                case .drain(let id): Self.brokenRuleOfDraining(id, plan, rollout, observed, now)
                case .stop(let id): Self.brokenRuleOfStopping(id, rollout, observed, now)
                case .start(let id): Self.brokenRuleOfStarting(id, rollout, observed, now)
                case .fetch, .undrain: nil
                }
            if let rule = rule ?? Self.brokenRuleOfSurge(effect, in: plan, rollout, observed) {
                violations.append(Violation(rule: rule, effect: effect))
            }
        }
        return violations
    }

    /// The one stated exception to rules 1 and 2. With `recreate`, nobody serves between two revisions: the stable one
    /// leaves once the canary's artifact is here, and a canary that failed leaves before stable is started again.
    private static func isReplacement(_ rollout: Rollout, _ observed: Observation, _ now: Timestamp) -> Bool {
        guard let stable = rollout.stable, let canary = rollout.canary, canary.rollout.strategy == .recreate else {
            return false
        }
        let ready = Set((observed.replicas.last ?? []).filter { $0.state == .ready }.map(\.id.revision))
        switch rollout.phase {
        case .replacing:
            guard case .ready = observed.artifacts[canary.revision] else { return false }
            return Self.isFresh(observed.replicas, now) && Self.isFresh(observed.router, now)
                && !ready.contains(canary.revision)
        case .rollingBack, .preparing:
            return !ready.contains(stable.revision)
        case .settled, .stepping, .promoting, .baking, .removing:
            return false
        }
    }

    private static func brokenRuleOfStarting(
        _ id: ReplicaID,
        _ rollout: Rollout,
        _ observed: Observation,
        _ now: Timestamp
    ) -> String? {
        guard let replicas = observed.replicas.fresh(at: now, within: Rollout.freshness) else {
            return "rule 6: \(id) starts although the platform is unseen"
        }
        guard rollout.stable != nil, rollout.canary?.rollout.strategy == .recreate,
            let other = replicas.first(where: { $0.id.revision != id.revision })
        else { return nil }
        return "recreate: \(id) starts beside \(other.id)"
    }

    private static func isFresh<Value>(_ reading: Reading<Value>, _ now: Timestamp) -> Bool {
        reading.isFresh(at: now, within: Rollout.freshness)
    }

    private static func brokenRule(
        of traffic: Traffic,
        _ rollout: Rollout,
        _ observed: Observation,
        _ now: Timestamp
    ) -> String? {
        if traffic.isEmpty {
            let served = observed.router.last?.traffic.revisions ?? []
            let isMeant =
                rollout.phase == .removing || served.allSatisfy { rollout.quarantine[$0] != nil }
                || Self.isReplacement(rollout, observed, now)
            return isMeant ? nil : "rule 1: all traffic is taken away"
        }
        let weights = traffic.weights
        if weights.values.reduce(0, { $0 + $1.percent }) != 100 { return "rule 1: weights do not sum to 100" }
        // What serves may go on, also when it never was promoted.
        let served = observed.router.last?.traffic ?? Traffic()
        let parts = served.revisions.union(rollout.specs.map(\.revision))
        if let stranger = traffic.revisions.subtracting(parts).min() {
            return "rule 1: traffic for \(stranger), which has no part in the rollout"
        }
        let ready = Set((observed.replicas.last ?? []).filter { $0.state == .ready }.map(\.id.revision))
        if !ready.isEmpty, let unready = traffic.revisions.subtracting(ready).min() {
            return "rule 1: traffic for \(unready) without a ready replica"
        }
        if let rule = Self.brokenRuleOfMatchesAndCopies(in: traffic, rollout) { return rule }
        guard let canary = rollout.canary else { return nil }
        if case .rollingBack(let reason) = rollout.phase, traffic.reaches(canary.revision) {
            // One that git merely does not want any more has not failed: it stands in for a stable that has no replica.
            let isStandIn = reason == .cancelled && rollout.stable.map { !ready.contains($0.revision) } ?? true
            if !isStandIn || weights.count != 1 { return "rule 4: traffic for what is rolled back" }
        }
        let isNew = traffic.reaches(canary.revision) && !served.reaches(canary.revision)
        guard isNew || traffic[canary.revision] > served[canary.revision] else { return nil }
        if rollout.quarantine[canary.revision] != nil { return "rule 5: weight for a quarantined revision" }
        if !Self.isFresh(observed.router, now) || !Self.isFresh(observed.replicas, now) {
            return "rule 3: the canary's weight rises on stale observations"
        }
        switch rollout.phase {
        // What is rolled back and comes so far stands in for stable.
        case .stepping, .promoting, .replacing, .rollingBack: return nil
        case .settled, .preparing, .baking, .removing: return "rule 3: weight rises outside of steps"
        }
    }

    /// Matched requests and copies go to the canary alone, and only in a step that says so.
    private static func brokenRuleOfMatchesAndCopies(in traffic: Traffic, _ rollout: Rollout) -> String? {
        if traffic.matches.isEmpty, traffic.mirror == nil { return nil }
        guard case .stepping(let step, _) = rollout.phase, let canary = rollout.canary,
            canary.rollout.steps.indices.contains(step)
        else { return "rule 3: matched requests or copies outside of steps" }
        let action = canary.rollout.steps[step].action
        if let mirror = traffic.mirror, mirror.revision != canary.revision || action != .shadow(mirror.percent) {
            return "rule 3: copies that step \(step + 1) does not ask for"
        }
        if let rule = traffic.mirror?.comparison {
            let isAskedFor = (canary.rollout.steps[step].gates ?? canary.rollout.gates).contains { gate in
                guard case .answers(let asked) = gate.kind else { return false }
                return asked.method == rule.method && rule.percent <= asked.percent
            }
            if !isAskedFor || rule.percent > traffic.mirror?.percent ?? .none {
                return "rule 3: compared answers that step \(step + 1) does not ask for"
            }
        }
        let isMeant = traffic.matches.allSatisfy { match in
            let isPreview = canary.rollout.strategy == .blueGreen && match.headers == .preview
            return match.revision == canary.revision && (isPreview || action == .match(match.headers))
        }
        return isMeant ? nil : "rule 3: matched requests that step \(step + 1) does not ask for"
    }

    private static func brokenRuleOfDraining(
        _ id: ReplicaID,
        _ plan: Plan,
        _ rollout: Rollout,
        _ observed: Observation,
        _ now: Timestamp
    ) -> String? {
        guard let router = observed.router.fresh(at: now, within: Rollout.freshness) else {
            let isSafe = rollout.target.replicas[id.revision, default: 0] > 0
            return isSafe ? nil : "rule 6: \(id) drains although the router is unseen"
        }
        guard router.traffic.reaches(id.revision) else { return nil }
        let draining = Set(plan.effects.compactMap { if case .drain(let id) = $0 { id } else { nil } })
        let left = (observed.replicas.last ?? []).contains {
            $0.id.revision == id.revision && $0.state == .ready && !draining.contains($0.id)
        }
        return left ? nil : "rule 7: the last ready replica of \(id.revision) drains under traffic"
    }

    private static func brokenRuleOfStopping(
        _ id: ReplicaID,
        _ rollout: Rollout,
        _ observed: Observation,
        _ now: Timestamp
    ) -> String? {
        guard let replicas = observed.replicas.fresh(at: now, within: Rollout.freshness),
            let replica = replicas.first(where: { $0.id == id })
        else { return "rule 6: \(id) stops although it is unseen" }
        if replica.state == .ready { return "rule 7: \(id) stops without being drained" }
        return nil
    }
}
