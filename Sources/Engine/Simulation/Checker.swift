import Analysis
import Deployments
import Planning
import Rollouts

/// The rules of a rollout, checked from outside: by what is true in the world and what was seen, not by how the
/// rollout and the planner go about it.
package struct Checker: Sendable {
    package private(set) var violations: [String] = []
    /// What was rolled back for a reason, and not allowed again by anybody since.
    private var condemned: Set<Revision> = []

    mutating func report(_ rule: String, _ world: borrowing World) {
        self.violations.append("tick \(world.time): \(rule); phase \(world.rollout.phase)")
    }

    mutating func check(_ decision: Decision, in world: borrowing World) {
        let (after, observed) = (decision.after, decision.situation.observation)
        for violation in PlanCheck.violations(of: decision.plan, for: after, observed: observed, at: world.now) {
            self.report("plan check: \(violation)", world)
        }
        self.remember(decision)
        self.checkProgress(decision, world)
        self.checkSafety(decision, world)
        self.checkSources(decision, world)
        self.checkBake(decision, world)
        var isRouting = false
        for effect in decision.plan.effects {
            guard case .route(let traffic) = effect else { continue }
            if isRouting { self.report("rule 10: two routes in one plan", world) }
            isRouting = true
            self.check(traffic.weights, decision, world)
        }
        if !isRouting { self.checkRollbackIsUnderWay(decision, world) }
    }

    // MARK: - Rule 5: what was rolled back stays away

    private mutating func remember(_ decision: Decision) {
        let isReallowed = decision.hasCommand {
            switch $0 {
            case .retry, .rollback: true
            case .pause, .resume, .promote, .abort: false
            }
        }
        if isReallowed { self.forget(allBut: decision.after) }
        if decision.after.phase != decision.before.phase, case .rollingBack(let reason) = decision.after.phase,
            reason != .cancelled, let canary = decision.after.canary
        {
            self.condemned.insert(canary.revision)
        }
    }

    /// A controller that was killed knows what its journal says.
    mutating func forget(allBut rollout: Rollout) {
        self.condemned.formIntersection(rollout.quarantine.keys)
    }

    // MARK: - Rule 3: the way forward

    /// Told from the phases, the observation and the judge's outcomes.
    private mutating func checkProgress(_ decision: Decision, _ world: borrowing World) {
        guard decision.isSameCanary || decision.after.phase == .promoting else { return }
        switch (decision.before.phase, decision.after.phase) {
        case (.preparing, .stepping(let new, _)):
            if new != 0 { self.report("rule 3: began with step \(new)", world) }
            self.checkNobodyHolds(decision, world)
        case (.preparing, .promoting):
            let hasSteps = decision.after.canary?.rollout.steps.isEmpty == false
            if decision.before.stable != nil, !decision.after.isRestoring, hasSteps {
                self.report("rule 3: promoted without a step", world)
            }
            self.checkNobodyHolds(decision, world)
        case (.stepping(let old, let served), .stepping(let new, _)) where new != old:
            if new != old + 1 { self.report("rule 3: step \(new) after step \(old)", world) }
            self.checkLeaving(old, served, decision, world)
        case (.stepping(let old, let served), .promoting):
            self.checkLeaving(old, served, decision, world)
        case (.stepping(_, let old?), .stepping(_, let new?)) where new != old:
            self.report("rule 3: a step's begin moved", world)
        case (.stepping(let step, nil), .stepping(_, .some)):
            guard let canary = decision.after.canary, let router = decision.situation.observation.router.last else {
                break
            }
            if router.traffic[canary.revision] != decision.after.weight(ofStep: step) {
                self.report("rule 3: a step is judged that the router does not serve", world)
            }
        default: break
        }
    }

    private mutating func checkNobodyHolds(_ decision: Decision, _ world: borrowing World) {
        if decision.isPaused { self.report("rule 3: progress although paused", world) }
        if !decision.isFresh(at: world.now) { self.report("rule 3: progress on stale observations", world) }
        if decision.situation.lostGit != nil { self.report("rule 6: progress although git is lost", world) }
    }

    private mutating func checkLeaving(
        _ step: Int,
        _ served: Timestamp?,
        _ decision: Decision,
        _ world: borrowing World
    ) {
        self.checkNobodyHolds(decision, world)
        guard let policy = decision.before.canary?.rollout, policy.steps.indices.contains(step) else { return }
        guard let served else {
            self.report("rule 3: step \(step) was left before it was served", world)
            return
        }
        if decision.isPromotedByHand { return }
        if policy.steps[step].action == .approval {
            self.report("rule 3: an approval was passed by nobody", world)
            return
        }
        let elapsed = world.now - served
        if elapsed < policy.steps[step].atLeast { self.report("rule 3: step \(step) left before its time", world) }
        if let stable = decision.before.stable, !decision.isSeenReady(stable.revision) { return }
        if decision.after.phase == .promoting, !decision.situation.unhealthyDependencies.isEmpty {
            self.report("promoted although what it depends on is not healthy", world)
        }
        if let last = decision.after.analysis?.lastSample, world.now - max(last, served) > .seconds(10) {
            self.report("rule 6: progress although there are no counters", world)
        }
        if decision.isStepPassed(at: world.now) { return }
        if policy.onInconclusive == .promote, elapsed >= policy.steps[step].atMost { return }
        self.report("rule 3: step \(step) was left without its gates having passed", world)
    }

    // MARK: - Rules 4, 5 and 8: the way back

    private mutating func checkSafety(_ decision: Decision, _ world: borrowing World) {
        let (before, after) = (decision.before, decision.after)
        if after.isInFlight, let canary = after.canary {
            if after.quarantine[canary.revision] != nil || self.condemned.contains(canary.revision) {
                self.report("rule 5: a quarantined revision is rolled out", world)
            }
        }
        if case .rollingBack = before.phase, after.isInFlight, decision.isSameCanary, !after.isRestoring {
            if !decision.hasCommand({ $0 == .retry }) {
                self.report("rule 4: a rollback turned into a rollout", world)
            }
        }
        if case .stepping(_, .some) = after.phase, let analysis = after.analysis {
            for result in analysis.outcomes(at: world.now)
            where result.outcome == .failed && result.gate.onFailure == .rollback {
                self.report("rule 4: gate \(result.gate.name) failed, and nothing is rolled back", world)
            }
        }
        if after.phase == .baking, before.phase == .baking, after.previous != nil,
            let breach = after.watch?.breaches(at: world.now).first
        {
            self.report("rule 4: objective \(breach.objective) is broken, and nothing is rolled back", world)
        }
        let isTakenBack = decision.hasCommand { $0 == .abort || $0 == .rollback(to: nil) }
        if isTakenBack, before.isInFlight, after.isInFlight, decision.isSameCanary,
            !decision.hasCommand({ $0 == .retry })
        {
            self.report("rule 4: a command to go back was not obeyed", world)
        }
        self.checkSupersession(decision, world)
    }

    private mutating func checkSupersession(_ decision: Decision, _ world: borrowing World) {
        let (before, after) = (decision.before, decision.after)
        guard decision.situation.commands.isEmpty, case .spec(let desired) = decision.situation.desired,
            before.pin == nil, before.pause == nil, before.isInFlight, after.isInFlight, decision.isSameCanary
        else { return }
        if after.canary?.revision != desired.revision {
            self.report("rule 8: a newer revision does not supersede", world)
        }
    }

    /// Rule 4: while rolling back, a router that is seen serving the canary is being told otherwise, every time, as
    /// long as the stable revision has a replica.
    private mutating func checkRollbackIsUnderWay(_ decision: Decision, _ world: borrowing World) {
        let rollout = decision.after
        guard case .rollingBack = rollout.phase, let canary = rollout.canary, let stable = rollout.stable,
            let router = decision.situation.observation.router.last,
            router.traffic.reaches(canary.revision), decision.isSeenReady(stable.revision)
        else { return }
        let canServe = router.traffic[stable.revision] > .none || router.warm.contains(stable.revision)
        if canServe { self.report("rule 4: rolling back, but the router is not told", world) }
    }

    // MARK: - Rule 6: a lost source of truth moves nothing

    private mutating func checkSources(_ decision: Decision, _ world: borrowing World) {
        let (before, after, situation) = (decision.before, decision.after, decision.situation)
        guard before.phase != after.phase else { return }
        if after.phase == .removing, situation.desired != .absent {
            self.report("rule 6: removed although git does not say so", world)
        }
        guard case .rollingBack(let reason) = after.phase, before.isInFlight || before.phase == .baking else { return }
        let platform = situation.observation.replicas
        let isBlind = platform.fresh(at: world.now, within: .seconds(10)) == nil
        switch reason {
        case .replicaFailed where isBlind && before.phase != .preparing:
            self.report("rule 6: rolled back for replicas that were not seen", world)
        case .cancelled where situation.desired == .unknown && situation.commands.isEmpty && before.pin == nil:
            if before.desired?.revision == before.canary?.revision {
                self.report("rule 6: cancelled although git says nothing", world)
            }
        default: break
        }
    }

    // MARK: - Rule 7: the previous revision stays warm

    private mutating func checkBake(_ decision: Decision, _ world: borrowing World) {
        let (before, after) = (decision.before, decision.after)
        if after.phase == .baking, let previous = after.previous {
            if after.target.replicas[previous.revision, default: 0] < 1 {
                self.report("rule 7: the previous revision is not kept while baking", world)
            }
            for case .drain(let id) in decision.plan.effects where id.revision == previous.revision {
                let ready = (decision.situation.observation.replicas.last ?? []).count {
                    $0.id.revision == previous.revision && $0.state == .ready
                }
                if ready <= previous.replicas { self.report("rule 7: \(id) drains while baking", world) }
            }
        }
        guard before.phase == .baking, after.stable?.revision == before.stable?.revision else { return }
        if after.phase == .settled, let stable = after.stable, world.now - before.since < stable.rollout.bakeTime {
            self.report("rule 7: the bake ended before its time", world)
        }
        if after.phase == .baking, after.previous == nil { self.report("rule 7: baking without a way back", world) }
    }

    /// Rule 7, by what is true: a replica that the router still sends requests to is never stopped.
    mutating func checkStop(of id: ReplicaID, in world: borrowing World) {
        guard let process = world.processes[id], world.served.reaches(id.revision) else { return }
        if process.state == .ready { self.report("rule 7: \(id) was stopped while it served", world) }
    }

    // MARK: - Rule 1: weights

    private mutating func check(
        _ weights: [Revision: TrafficWeight],
        _ decision: Decision,
        _ world: borrowing World
    ) {
        let rollout = decision.after
        let sum = weights.values.reduce(0) { $0 + $1.percent }
        let mayBeNone = rollout.phase == .removing || rollout.stable == nil
        if sum != 100, !(sum == 0 && mayBeNone) { self.report("rule 1: weights sum to \(sum)", world) }
        let parts = rollout.target.weights
        let isSomeReady = parts.keys.contains { decision.isSeenReady($0) }
        for (revision, weight) in weights where weight > .none && isSomeReady && !decision.isSeenReady(revision) {
            self.report("rule 1: \(weight) for \(revision), which has no ready replica", world)
        }
        // Each rise is from a step that was served: no weight is skipped.
        if let canary = rollout.canary, case .stepping(let step, _) = rollout.phase,
            let weight = weights[canary.revision], weight > rollout.weight(ofStep: step), weights.count > 1
        {
            self.report("rule 3: \(weight) for the canary in a step of \(rollout.weight(ofStep: step))", world)
        }
    }
}
