import Deployments
import Planning
import Rollouts

/// The rules of a rollout, checked from outside: by what is true in the world and what was seen, not by how the
/// planner goes about it.
package struct Checker: Sendable {
    package private(set) var violations: [String] = []
    private var isPaused = false
    private var safetySince: Timestamp?

    private mutating func report(_ rule: String, _ world: World) {
        self.violations.append("tick \(world.time): \(rule); phase \(world.rollout.phase)")
    }

    mutating func check(_ plan: Plan, before: Rollout, after: Rollout, _ situation: Situation, _ world: World) {
        let now = world.now
        for violation in PlanCheck.violations(of: plan, for: after, observed: situation.observation, at: now) {
            self.report("plan check: \(violation)", world)
        }
        self.checkProgress(before, after, situation, world)
        let routes = plan.effects.compactMap { if case .route(let weights) = $0 { weights } else { nil } }
        if routes.count > 1 { self.report("rule 10: two routes in one plan", world) }
        for weights in routes { self.check(weights, after, situation, world) }
        if routes.isEmpty { self.checkRollbackIsUnderWay(after, situation, world) }
    }

    /// Rules 3 and 5 and the meaning of a pause, told from the phases alone.
    private mutating func checkProgress(_ before: Rollout, _ after: Rollout, _ situation: Situation, _ world: World) {
        let wasPaused = before.pause != nil && after.pause != nil
        switch (before.phase, after.phase) {
        case (.preparing, .stepping), (.stepping, .promoting), (.preparing, .promoting):
            if wasPaused { self.report("rule 3: progress although paused", world) }
        case (.stepping(let old, let served), .stepping(let new, _)) where new != old:
            if before.canary?.revision != after.canary?.revision { break }
            if wasPaused { self.report("rule 3: progress although paused", world) }
            if new != old + 1 { self.report("rule 3: step \(new) after step \(old)", world) }
            let byHand = situation.commands.contains { if case .promote = $0.verb { true } else { false } }
            let least = before.canary?.rollout.steps[old].atLeast ?? .zero
            let isApproval = before.canary?.rollout.steps[old].action == .approval
            if !byHand, !isApproval, served.map({ world.now - $0 < least }) ?? true {
                self.report("rule 3: step \(old) left before its time", world)
            }
        case (.stepping(_, let old?), .stepping(_, let new?)) where new != old:
            self.report("rule 3: a step's begin moved", world)
        default: break
        }
        if after.isInFlight, let canary = after.canary, after.quarantine[canary.revision] != nil {
            self.report("rule 5: a quarantined revision is rolled out", world)
        }
        if case .rollingBack = before.phase, after.isInFlight, after.canary?.revision == before.canary?.revision,
            !situation.commands.contains(where: { $0.verb == .retry }), after.canary != nil, !after.isRestoring
        {
            self.report("rule 4: a rollback turned into a rollout", world)
        }
    }

    private mutating func check(
        _ weights: [Revision: TrafficWeight],
        _ rollout: Rollout,
        _ situation: Situation,
        _ world: World
    ) {
        let sum = weights.values.reduce(0) { $0 + $1.percent }
        let mayBeNone = rollout.phase == .removing || rollout.stable == nil
        if sum != 100, !(sum == 0 && mayBeNone) { self.report("rule 1: weights sum to \(sum)", world) }
        let seen = situation.observation.replicas.last ?? []
        for (revision, weight) in weights where weight > .none {
            let isReady = seen.contains { $0.id.revision == revision && $0.state == .ready }
            let other = seen.contains { rollout.target.weights[$0.id.revision] != nil && $0.state == .ready }
            if !isReady, other { self.report("rule 1: \(weight) for \(revision), which has no ready replica", world) }
        }
        // A weight that the router never served cannot be risen from: each rise is from a step that was served.
        if let canary = rollout.canary, case .stepping(let step, _) = rollout.phase,
            let weight = weights[canary.revision], weight > rollout.weight(ofStep: step), weights.count > 1
        {
            self.report("rule 3: \(weight) for the canary in a step of \(rollout.weight(ofStep: step))", world)
        }
    }

    /// Rule 4: while rolling back, a router that is seen serving the canary is being told otherwise, every time, as
    /// long as the stable revision has a replica.
    private mutating func checkRollbackIsUnderWay(_ rollout: Rollout, _ situation: Situation, _ world: World) {
        guard case .rollingBack = rollout.phase, let canary = rollout.canary, let stable = rollout.stable,
            let router = situation.observation.router.last, router.weights[canary.revision] ?? .none > .none,
            (situation.observation.replicas.last ?? []).contains(where: {
                $0.id.revision == stable.revision && $0.state == .ready
            })
        else { return }
        let canServe = router.weights[stable.revision] != nil || router.warm.contains(stable.revision)
        if canServe { self.report("rule 4: rolling back, but the router is not told", world) }
    }

    /// Rule 7, by what is true: a replica that the router still sends requests to is never stopped.
    mutating func checkStop(of id: ReplicaID, in world: World) {
        guard let process = world.processes[id], world.served[id.revision] ?? .none > .none else { return }
        if process.state == .ready { self.report("rule 7: \(id) was stopped while it served", world) }
    }

    /// With faults ended, every rollout comes to an end or says who or what it waits for.
    mutating func checkLiveness(of world: World) {
        let rollout = world.rollout
        switch rollout.phase {
        case .rollingBack, .promoting, .preparing:
            if case .preparing = rollout.phase, world.now - rollout.since < .seconds(60) { break }
            if rollout.holds.isEmpty { self.report("liveness: stuck", world) }
        case .stepping:
            if rollout.holds.isEmpty, world.now - rollout.since > .seconds(120) {
                self.report("liveness: stuck", world)
            }
        case .settled, .baking, .removing:
            break
        }
        if rollout.phase == .removing {
            if !world.processes.isEmpty { self.report("liveness: replicas are left after a removal", world) }
            return
        }
        guard let stable = rollout.stable else { return }
        if !rollout.isInFlight, world.behaviour(stable.revision).isGood {
            if world.served[stable.revision] != .all {
                self.report("liveness: stable does not have all traffic", world)
            }
        }
        // Only what has a part in the phase is left running.
        let parts = Set(rollout.target.replicas.keys)
        if rollout.phase == .settled, world.now - rollout.since > .seconds(60),
            let stray = world.processes.keys.first(where: { !parts.contains($0.revision) })
        {
            self.report("liveness: \(stray) still runs", world)
        }
        self.checkEnd(rollout, world)
    }

    /// What git names in the end is served, quarantined, held, or overruled by an operator.
    private mutating func checkEnd(_ rollout: Rollout, _ world: World) {
        guard rollout.phase == .settled, let desired = rollout.desired, rollout.pin == nil, rollout.pause == nil else {
            return
        }
        if rollout.stable?.revision != desired.revision, rollout.quarantine[desired.revision] == nil {
            self.report("liveness: the desired revision is neither served nor quarantined", world)
        }
    }
}
