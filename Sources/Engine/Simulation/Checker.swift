import Analysis
import Decisions
import Deployments
import Planning
import Rollouts

/// A rule that was broken.
package struct Violation: Hashable, Sendable, CustomStringConvertible {
    package var tick: Int
    /// Begins with what is broken, up to a colon: `rule 3`, `journal`, `outbox`, `liveness`.
    package var rule: String
    package var detail: String

    package var description: String { "tick \(self.tick): \(self.rule) (\(self.detail))" }
}

/// The rules of a rollout, checked from outside: by what is true in the world and what was seen, not by how the
/// rollout and the planner go about it.
struct Checker: Sendable {
    private(set) var violations: [Violation] = []
    /// What was rolled back for a reason, and not allowed again by anybody since.
    private var condemned: [DeploymentID: Set<Revision>] = [:]
    /// In ticks.
    var time = 0

    mutating func report(_ rule: String, _ detail: String) {
        self.violations.append(Violation(tick: self.time, rule: rule, detail: detail))
    }

    private mutating func report(_ rule: String, _ decision: Decision) {
        self.report(rule, "\(decision.after.id) in phase \(decision.after.phase)")
    }

    mutating func check(_ decision: Decision) {
        for violation in decision.violations { self.report("plan check: \(violation.rule)", decision) }
        self.remember(decision)
        self.checkProgress(decision)
        self.checkSafety(decision)
        self.checkSources(decision)
        self.checkBake(decision)
        var isRouting = false
        for effect in decision.plan.effects {
            guard case .route(let traffic) = effect else { continue }
            if isRouting { self.report("rule 10: two routes in one plan", decision) }
            isRouting = true
            self.check(traffic.weights, decision)
        }
        if !isRouting { self.checkRollbackIsUnderWay(decision) }
    }

    // MARK: - Rule 5: what was rolled back stays away

    private mutating func remember(_ decision: Decision) {
        let isReallowed = decision.hasCommand {
            switch $0 {
            case .retry, .rollback: true
            case .pause, .resume, .promote, .abort: false
            }
        }
        if isReallowed { self.forget(decision.after.id, allBut: decision.after) }
        if decision.after.phase != decision.before.phase, case .rollingBack(let reason) = decision.after.phase,
            reason != .cancelled, let canary = decision.after.canary
        {
            self.condemned[decision.after.id, default: []].insert(canary.revision)
        }
    }

    /// A controller that was killed knows what its journal says.
    mutating func forget(_ id: DeploymentID, allBut rollout: Rollout?) {
        self.condemned[id]?.formIntersection(rollout.map { Set($0.quarantine.keys) } ?? [])
    }

    mutating func forgetAll() {
        self.condemned = [:]
    }

    // MARK: - Rule 3: the way forward

    /// Told from the phases, the observation and the judge's outcomes.
    private mutating func checkProgress(_ decision: Decision) {
        guard decision.isSameCanary || decision.after.phase == .promoting else { return }
        switch (decision.before.phase, decision.after.phase) {
        case (.preparing, .stepping(let new, _)):
            if new != 0 { self.report("rule 3: began with step \(new)", decision) }
            self.checkNobodyHolds(decision)
        // The step was left, as it were, when its sign-off was asked for.
        case (.stepping, .promoting) where decision.isSameCanary && decision.before.signOff(.beforePromotion) != nil:
            self.checkNobodyHolds(decision)
        case (.stepping(let old, let served), .promoting) where decision.isSameCanary:
            self.checkLeaving(old, served, decision)
        case (.stepping(let old, let served), .stepping(let new, _))
        where old == new && decision.before.signOff(.beforePromotion) == nil
            && decision.after.signOff(.beforePromotion) != nil:
            self.checkLeaving(old, served, decision)
        // Out of a step, when another revision takes the canary's place and is ready already.
        case (.preparing, .promoting), (.stepping, .promoting):
            let hasSteps = decision.after.canary?.rollout.steps.isEmpty == false
            if decision.before.stable != nil, !decision.after.isRestoring, hasSteps {
                self.report("rule 3: promoted without a step", decision)
            }
            self.checkNobodyHolds(decision)
        case (.stepping(let old, let served), .stepping(let new, _)) where new != old:
            if new != old + 1 { self.report("rule 3: step \(new) after step \(old)", decision) }
            self.checkLeaving(old, served, decision)
        case (.stepping(_, let old?), .stepping(_, let new?)) where new != old:
            self.report("rule 3: a step's begin moved", decision)
        case (.stepping(let step, nil), .stepping(_, .some)):
            guard let canary = decision.after.canary, let router = decision.situation.observation.router.last else {
                break
            }
            if router.traffic[canary.revision] != decision.after.weight(ofStep: step) {
                self.report("rule 3: a step is judged that the router does not serve", decision)
            }
        default: break
        }
    }

    private mutating func checkNobodyHolds(_ decision: Decision) {
        if decision.isPaused { self.report("rule 3: progress although paused", decision) }
        if decision.isFrozen { self.report("rule 3: progress although frozen", decision) }
        if !decision.isFresh { self.report("rule 3: progress on stale observations", decision) }
        if decision.situation.lostGit != nil { self.report("rule 6: progress although git is lost", decision) }
    }

    private mutating func checkLeaving(
        _ step: Int,
        _ served: Timestamp?,
        _ decision: Decision
    ) {
        self.checkNobodyHolds(decision)
        guard let policy = decision.before.canary?.rollout, policy.steps.indices.contains(step) else { return }
        guard let served else {
            self.report("rule 3: step \(step) was left before it was served", decision)
            return
        }
        if decision.isPromotedByHand { return }
        if policy.steps[step].action == .approval {
            self.report("rule 3: an approval was passed by nobody", decision)
            return
        }
        let elapsed = decision.time - served
        if elapsed < policy.steps[step].atLeast { self.report("rule 3: step \(step) left before its time", decision) }
        if let stable = decision.before.stable, !decision.isSeenReady(stable.revision) { return }
        if decision.after.phase == .promoting, !decision.situation.unhealthyDependencies.isEmpty {
            self.report("promoted although what it depends on is not healthy", decision)
        }
        if let last = decision.after.analysis?.lastSample, decision.time - max(last, served) > .seconds(10) {
            self.report("rule 6: progress although there are no counters", decision)
        }
        if decision.isStepPassed { return }
        if policy.onInconclusive == .promote, elapsed >= policy.steps[step].atMost { return }
        self.report("rule 3: step \(step) was left without its gates having passed", decision)
    }

    // MARK: - Rules 4, 5 and 8: the way back

    private mutating func checkSafety(_ decision: Decision) {
        let (before, after) = (decision.before, decision.after)
        if after.isInFlight, let canary = after.canary {
            if after.quarantine[canary.revision] != nil || self.condemned[after.id]?.contains(canary.revision) ?? false
            {
                self.report("rule 5: a quarantined revision is rolled out", decision)
            }
        }
        if case .rollingBack(let reason) = before.phase, after.isInFlight, decision.isSameCanary, !after.isRestoring {
            // What git went back from, and wants again, starts over once its traffic is back.
            let isOver = reason == .cancelled && (before.stable == nil || !decision.isSeenServing(before.canary))
            if !isOver, !decision.hasCommand({ $0 == .retry }) {
                self.report("rule 4: a rollback turned into a rollout", decision)
            }
        }
        if case .stepping(_, .some) = after.phase, let analysis = after.analysis {
            for result in analysis.outcomes(at: decision.time)
            where result.outcome == .failed && result.gate.onFailure == .rollback {
                self.report("rule 4: gate \(result.gate.name) failed, and nothing is rolled back", decision)
            }
        }
        if after.phase == .baking, before.phase == .baking, after.previous != nil,
            let breach = after.watch?.breaches(at: decision.time).first
        {
            self.report("rule 4: objective \(breach.objective) is broken, and nothing is rolled back", decision)
        }
        self.checkGoingBack(decision)
        self.checkSupersession(decision)
    }

    private mutating func checkGoingBack(_ decision: Decision) {
        let (before, after) = (decision.before, decision.after)
        // What is on its way back goes on when that is said again.
        let isTakenBack = decision.hasCommand { $0 == .abort || ($0 == .rollback(to: nil) && !before.isRestoring) }
        if isTakenBack, before.isInFlight, after.isInFlight, decision.isSameCanary,
            !decision.hasCommand({ $0 == .retry })
        {
            self.report("rule 4: a command to go back was not obeyed", decision)
        }
        if let stable = before.stable?.revision, before.phase == .settled, let desired = after.desired?.revision,
            desired != stable, before.quarantine[desired] != nil, before.quarantine[stable] == nil,
            after.quarantine[stable] != nil, decision.situation.commands.allSatisfy({ $0.verb == .rollback(to: nil) })
        {
            self.report("rule 5: a rollback that was said again condemned what serves", decision)
        }
    }

    private mutating func checkSupersession(_ decision: Decision) {
        let (before, after) = (decision.before, decision.after)
        guard decision.situation.commands.isEmpty, case .spec(let desired) = decision.situation.desired,
            before.pin == nil, before.pause == nil, before.isInFlight, after.isInFlight, decision.isSameCanary
        else { return }
        // What has taken stable's place already is promoted first: there is nothing else that could serve.
        if before.phase == .replacing, let canary = before.canary?.revision,
            decision.situation.asked?.traffic.reaches(canary) ?? false
        {
            return
        }
        // A way back goes on while what is new must wait.
        let mustWait =
            after.quarantine[desired.revision] != nil || after.freeze != nil || decision.situation.capacity != nil
            || desired.rollout.signOffs?.beforeRollout != nil
        if after.isRestoring, mustWait { return }
        if after.canary?.revision != desired.revision {
            self.report("rule 8: a newer revision does not supersede", decision)
        }
    }

    /// Rule 4: while rolling back, a router that is seen serving the canary is being told otherwise, every time, as
    /// long as the stable revision has a replica.
    private mutating func checkRollbackIsUnderWay(_ decision: Decision) {
        let rollout = decision.after
        guard case .rollingBack = rollout.phase, let canary = rollout.canary, let stable = rollout.stable,
            let router = decision.situation.observation.router.last,
            router.traffic.reaches(canary.revision), decision.isSeenReady(stable.revision)
        else { return }
        let canServe = router.traffic[stable.revision] > .none || router.warm.contains(stable.revision)
        if canServe { self.report("rule 4: rolling back, but the router is not told", decision) }
    }

    // MARK: - Rule 6: a lost source of truth moves nothing

    private mutating func checkSources(_ decision: Decision) {
        let (before, after, situation) = (decision.before, decision.after, decision.situation)
        guard before.phase != after.phase else { return }
        if after.phase == .preparing, decision.isFrozen {
            self.report("rule 3: a rollout begins although frozen", decision)
        }
        if after.phase == .removing, situation.desired != .absent {
            self.report("rule 6: removed although git does not say so", decision)
        }
        guard case .rollingBack(let reason) = after.phase, before.isInFlight || before.phase == .baking else { return }
        let platform = situation.observation.replicas
        let isBlind = !platform.isFresh(at: decision.time, within: .seconds(10))
        switch reason {
        case .replicaFailed where isBlind && before.phase != .preparing:
            self.report("rule 6: rolled back for replicas that were not seen", decision)
        case .cancelled where situation.desired == .unknown && situation.commands.isEmpty && before.pin == nil:
            if before.desired?.revision == before.canary?.revision {
                self.report("rule 6: cancelled although git says nothing", decision)
            }
        default: break
        }
    }

    // MARK: - Rule 7: the previous revision stays warm

    private mutating func checkBake(_ decision: Decision) {
        let (before, after) = (decision.before, decision.after)
        // What was replaced is started again in its place.
        if after.phase == .baking, let previous = after.previous, after.stable?.rollout.strategy != .recreate {
            if after.target.replicas[previous.revision, default: 0] < 1 {
                self.report("rule 7: the previous revision is not kept while baking", decision)
            }
            for case .drain(let id) in decision.plan.effects where id.revision == previous.revision {
                let ready = (decision.situation.observation.replicas.last ?? []).count {
                    $0.id.revision == previous.revision && $0.state == .ready
                }
                if ready <= Truth.warmReplicas(in: after) { self.report("rule 7: \(id) drains while baking", decision) }
            }
        }
        guard before.phase == .baking, after.stable?.revision == before.stable?.revision else { return }
        if after.phase == .settled, let stable = after.stable, decision.time - before.since < stable.rollout.bakeTime {
            self.report("rule 7: the bake ended before its time", decision)
        }
        if after.phase == .baking, after.previous == nil { self.report("rule 7: baking without a way back", decision) }
    }

    // MARK: - Rule 1: weights

    private mutating func check(
        _ weights: [Revision: TrafficWeight],
        _ decision: Decision
    ) {
        let rollout = decision.after
        let sum = weights.values.reduce(0) { $0 + $1.percent }
        let mayBeNone = rollout.phase == .removing || rollout.stable == nil || rollout.isReplacement
        if sum != 100, !(sum == 0 && mayBeNone) { self.report("rule 1: weights sum to \(sum)", decision) }
        let parts = rollout.target.weights
        let isSomeReady = parts.keys.contains { decision.isSeenReady($0) }
        for (revision, weight) in weights where weight > .none && isSomeReady && !decision.isSeenReady(revision) {
            self.report("rule 1: \(weight) for \(revision), which has no ready replica", decision)
        }
        // Each rise is from a step that was served: no weight is skipped.
        if let canary = rollout.canary, case .stepping(let step, _) = rollout.phase,
            let weight = weights[canary.revision], weight > rollout.weight(ofStep: step), weights.count > 1
        {
            self.report("rule 3: \(weight) for the canary in a step of \(rollout.weight(ofStep: step))", decision)
        }
    }
}
