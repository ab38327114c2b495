package import Deployments
package import Rollouts

/// Compares a target with an observation and plans no further than the next safe step.
///
/// Whatever the target: traffic moves only to revisions that are ready and that the router could reach at once;
/// replicas go only once their traffic is gone and drained; and nothing moves on observations that are unknown or
/// stale, but for one thing: taking traffic back, which may rest on the last that was seen.
package struct Planner: Sendable {
    package var target: Target
    package var observed: Observation
    package var asked: AskedTraffic?
    package var now: Timestamp
    /// How long requests in flight may take, per revision, before its replicas are stopped all the same.
    package var drainLimits: [Revision: Duration]
    package var deployment: DeploymentID
    /// The revision that may always have all traffic back.
    package var stable: Revision?
    /// What has failed, and gets no traffic.
    package var quarantine: [Revision: Rollout.Quarantine]
    /// Whether nothing at all may serve: at the deployment's end, or when what serves is quarantined. Not knowing of a
    /// stable revision, as after a lost journal, is no reason to take traffic away.
    package var mayEndTraffic: Bool
    /// Whether what the router was last seen to serve is in quarantine.
    package var isServedBarred: Bool
    package var freshness: Duration

    package static let defaultDrainLimit: Duration = .seconds(30)

    package init(
        deployment: DeploymentID,
        stable: Revision?,
        target: Target,
        observed: Observation,
        asked: AskedTraffic? = nil,
        drainLimits: [Revision: Duration] = [:],
        mayEndTraffic: Bool = false,
        isServedBarred: Bool = false,
        freshness: Duration,
        now: Timestamp
    ) {
        self.deployment = deployment
        self.stable = stable
        self.quarantine = [:]
        self.target = target
        self.observed = observed
        self.asked = asked
        self.drainLimits = drainLimits
        self.mayEndTraffic = mayEndTraffic
        self.isServedBarred = isServedBarred
        self.freshness = freshness
        self.now = now
    }

    /// What the daemon, the simulator and the tests plan with.
    package init(for rollout: Rollout, observed: Observation, asked: AskedTraffic? = nil, now: Timestamp) {
        let isDraining = (observed.replicas.last ?? []).contains(where: \.isDraining)
        let known = isDraining ? rollout.specs + rollout.history + rollout.quarantine.values.map(\.spec) : []
        let target = rollout.target
        // Asked only of a target without traffic, or of one that excludes what serves.
        let mayEndTraffic =
            target.isExclusive
            || target.traffic.isEmpty
                && (rollout.phase == .removing
                    || [observed.router.last?.traffic, asked?.traffic].allSatisfy {
                        $0?.revisions.allSatisfy { rollout.quarantine[$0] != nil } ?? true
                    })
        self.deployment = rollout.id
        self.stable = rollout.stable?.revision
        self.quarantine = rollout.quarantine
        self.target = target
        self.observed = observed
        self.asked = asked
        self.drainLimits = Dictionary(known.map { ($0.revision, $0.runtime.shutdown.drain) }) { first, _ in first }
        self.mayEndTraffic = mayEndTraffic
        self.isServedBarred =
            observed.router.last?.traffic.revisions.contains { rollout.quarantine[$0] != nil } ?? false
        self.freshness = Rollout.freshness
        self.now = now
    }

    package func plan() -> Plan {
        var plan = Plan()
        self.planRoute(into: &plan)
        self.awaitWarmth(into: &plan)
        guard let replicas = self.observed.replicas.fresh(at: self.now, within: self.freshness) else {
            plan.waitingFor.append(.observation("the platform"))
            return plan
        }
        for revision in self.target.fetches.sorted() { _ = self.hasArtifact(of: revision, planning: &plan) }
        // Most of the time all is as it should be.
        if self.isComplete(replicas) { return plan }
        let revisions = Set(self.target.replicas.keys).union(replicas.map(\.id.revision))
        var room = self.room(beside: replicas)
        for revision in self.sorted(revisions) {
            var own = replicas.filter { $0.id.revision == revision }
            let wanted = self.wanted(of: revision, own)
            if own.count == wanted, own.allSatisfy({ $0.state == .ready }) { continue }
            own.sort { $0.id < $1.id }
            if wanted > 0 {
                let obstacle = self.target.isExclusive ? revisions.filter { $0 != revision }.min() : nil
                self.planStarts(of: revision, own, wanted: wanted, after: obstacle, room: &room, into: &plan)
            }
            self.planStops(of: revision, own, wanted: wanted, into: &plan)
        }
        return plan
    }

    /// How many replicas of a revision to keep. Where room is shared, those stay that its traffic takes, whatever the
    /// target has in mind: it can be more for a while, when the other revision lost its replicas.
    private func wanted(of revision: Revision, _ own: [Replica]) -> Int {
        let wanted = self.target.replicas[revision] ?? 0
        guard wanted > 0, let sharing = self.target.sharing else { return wanted }
        let served = self.observed.router.last?.traffic[revision] ?? .none
        let weight = max(served, self.asked?.traffic[revision] ?? .none)
        return max(wanted, min(sharing.cover(revision, at: weight), own.count { $0.state != .stopping }))
    }

    /// How many replicas can start.
    private func room(beside replicas: [Replica]) -> Int {
        guard let sharing = self.target.sharing else { return Int.max }
        guard case .known(_, let seen) = self.observed.replicas, seen > sharing.since else { return 0 }
        return max(0, sharing.limit - replicas.count)
    }

    /// Where there is room for a few only, those that stable lacks come first.
    private func sorted(_ revisions: Set<Revision>) -> [Revision] {
        let sorted = revisions.sorted()
        guard self.target.sharing != nil else { return sorted }
        return sorted.filter { $0 == self.stable } + sorted.filter { $0 != self.stable }
    }

    /// Every replica that is wanted is ready, and there is no other.
    private func isComplete(_ replicas: [Replica]) -> Bool {
        var wanted = 0
        for (revision, count) in self.target.replicas {
            wanted += count
            if replicas.ready(revision) != count { return false }
        }
        return replicas.count == wanted
    }

    // MARK: - Traffic

    /// The target's traffic as far as replicas can serve it: what a revision without a ready replica should get
    /// goes to the others. With nothing ready anywhere, nothing is changed.
    package var servableTraffic: Traffic? {
        let wanted = self.target.traffic
        if wanted.isEmpty { return wanted }
        // Closures, as a method by its name is a copy of the planner.
        if wanted.revisions.allSatisfy({ self.isReady($0) }) { return wanted }
        var traffic = wanted.filter { self.isReady($0) }
        // Nothing may start before what serves now, or was asked to, is gone.
        if self.target.isExclusive, traffic.weights.isEmpty {
            let served = (self.observed.router.last?.traffic.revisions ?? [])
                .union(self.asked?.traffic.revisions ?? [])
            if served.isSubset(of: wanted.revisions) { return nil }
            // Nor does stable leave for what cannot start.
            let isReturn = self.stable.map { wanted[$0] > .none } ?? false
            let hasArtifacts = wanted.revisions.allSatisfy {
                if case .ready = self.observed.artifacts[$0] { true } else { false }
            }
            return isReturn || hasArtifacts ? Traffic() : nil
        }
        if traffic.weights == wanted.weights { return traffic }
        // Only a revision that the target names may take over: never one that is being taken back.
        guard traffic.weights.count == 1, let survivor = traffic.weights.keys.first else {
            // A canary that was to have all traffic, and has no replica any more, gives it back for the time being.
            return traffic.weights.isEmpty ? self.substitute.map { .all(to: $0) } : nil
        }
        traffic.weights[survivor] = .all
        return traffic
    }

    /// What takes over for the time being when nothing that the target names is ready: stable, or what still serves and
    /// has not failed, most of the traffic first. When stable crashes just after a bake has ended, or as a canary is
    /// superseded or cancelled, its users are better off with the other one than with none.
    private var substitute: Revision? {
        let served = (self.observed.router.last?.traffic.weights ?? [:]).filter { $0.key != self.stable }
        let others = served.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        return ([self.stable].compactMap(\.self) + others).first {
            self.quarantine[$0] == nil && self.isReady($0)
        }
    }

    private func isReady(_ revision: Revision) -> Bool {
        (self.observed.replicas.last?.ready(revision) ?? 0) > 0
    }

    private func planRoute(into plan: inout Plan) {
        guard let wanted = self.servableTraffic else {
            let blocked = self.target.weights.keys.min()
            if let blocked { plan.waitingFor.append(.replicasReady(blocked, ready: 0, wanted: 1)) }
            return
        }
        let router = self.observed.router
        // A rise that the router was asked for and does not serve yet must be taken back too.
        if let fresh = router.fresh(at: self.now, within: self.freshness), fresh.traffic == wanted,
            self.asked.map({ $0.traffic == wanted }) ?? true
        {
            return
        }
        let served = router.last?.traffic ?? Traffic()
        let isEnded = served.isEmpty && self.asked?.traffic.isEmpty ?? true
        if wanted.isEmpty, isEnded || !self.mayEndTraffic {
            // Nothing is to take over what serves: what the router was asked for since is taken back.
            guard let asked = self.asked, let fresh = router.fresh(at: self.now, within: self.freshness),
                !served.isEmpty, fresh.traffic != asked.traffic
            else { return }
            if self.isServedBarred {
                // What was asked for is the way out of it.
                plan.waitingFor.append(.trafficServed(asked.traffic))
            } else if served.revisions.allSatisfy({ self.isReady($0) }) {
                // Its weights alone: what a step gave besides ended with it.
                plan.effects.append(.route(Traffic(weights: served.weights)))
            }
            return
        }
        let gains = wanted.revisions.filter { wanted[$0] > served[$0] || !served.reaches($0) }.sorted()

        if !self.isRetreat(to: wanted, from: served) {
            guard let fresh = router.fresh(at: self.now, within: self.freshness) else {
                plan.waitingFor.append(.observation("the router"))
                return
            }
            guard self.observed.replicas.isFresh(at: self.now, within: self.freshness) else {
                plan.waitingFor.append(.observation("the platform"))
                return
            }
            if let cold = gains.first(where: { !fresh.warm.contains($0) }) {
                plan.waitingFor.append(.routerWarm(cold))
                return
            }
            if let wait = self.lack(for: wanted, served) {
                plan.waitingFor.append(wait)
                if self.isAskedInVain(served) {
                    var kept = wanted
                    kept.weights = served.weights
                    plan.effects.append(.route(kept))
                }
                return
            }
        }
        plan.effects.append(.route(wanted))
        plan.waitingFor.append(.trafficServed(wanted))
    }

    /// What is to take traffic later, or to be there for a way back, must be known to the router by then: a router that
    /// did not take the table is told once more.
    private func awaitWarmth(into plan: inout Plan) {
        guard self.target.replicas.count > self.target.traffic.weights.count,
            let router = self.observed.router.fresh(at: self.now, within: self.freshness)
        else { return }
        let cold = self.target.replicas.keys.filter {
            self.target.traffic[$0] == .none && !router.warm.contains($0) && self.isReady($0)
        }
        if let first = cold.min() { plan.waitingFor.append(.routerWarm(first)) }
    }

    /// What must be waited for before `wanted` is more for a revision than the router serves, or may serve by now: what
    /// it was asked for since the look.
    private func lack(for wanted: Traffic, _ served: Traffic) -> Wait? {
        guard self.target.sharing != nil else { return nil }
        var bases = [served]
        if let asked = self.asked, case .known(_, let seen) = self.observed.router, seen <= asked.since {
            bases.append(asked.traffic)
        }
        let revisions = wanted.revisions.sorted()
        return bases.lazy.flatMap { base in revisions.lazy.compactMap { self.lack(of: $0, for: wanted, base) } }.first
    }

    /// The router does not serve what it was asked for, as a look shows that is later: it has not taken it yet, or was
    /// never told. When the replicas are gone by now that it was asked for, it is to stay as it is.
    private func isAskedInVain(_ served: Traffic) -> Bool {
        guard let asked = self.asked, case .known(_, let seen) = self.observed.router, seen > asked.since else {
            return false
        }
        return asked.traffic != served && !served.isEmpty && served.revisions.allSatisfy { self.isReady($0) }
    }

    /// What a revision other than stable must wait for before it takes traffic from one that could keep it: the
    /// replicas that its part takes, or as many as there is room for beside what the others must keep.
    private func lack(of revision: Revision, for wanted: Traffic, _ served: Traffic) -> Wait? {
        guard let sharing = self.target.sharing, revision != self.stable, wanted[revision] > served[revision],
            served.weights.contains(where: { $0.value > wanted[$0.key] && self.isReady($0.key) })
        else { return nil }
        let kept = served.weights.reduce(0) { $1.key == revision ? $0 : $0 + sharing.cover($1.key, at: $1.value) }
        let needed = min(sharing.cover(revision, at: wanted[revision]), sharing.limit - kept)
        let ready = self.readyCount(of: revision)
        return ready < needed ? .replicasReady(revision, ready: ready, wanted: needed) : nil
    }

    private func readyCount(of revision: Revision) -> Int {
        (self.observed.replicas.last ?? []).count { $0.id.revision == revision && $0.state == .ready }
    }

    /// Whether `wanted` is the way back: all traffic to the stable revision, of which the router has known before that
    /// it can serve. That waits for no observation.
    private func isRetreat(to wanted: Traffic, from served: Traffic) -> Bool {
        // Ending what serves, to make room for what is to come, is no way back.
        if wanted.isEmpty {
            return !self.target.isExclusive || self.stable.map { self.target.traffic[$0] > .none } ?? true
        }
        guard let stable = self.stable, wanted == .all(to: stable), let router = self.observed.router.last else {
            return false
        }
        return served[stable] > .none || router.warm.contains(stable)
    }

    // MARK: - Replicas

    /// Starts what is missing, unless replicas of `obstacle` must be gone first, or there is no `room`.
    private func planStarts(
        of revision: Revision,
        _ own: [Replica],
        wanted: Int,
        after obstacle: Revision?,
        room: inout Int,
        into plan: inout Plan
    ) {
        let ready = own.count { $0.state == .ready }
        if ready < wanted {
            plan.waitingFor.append(.replicasReady(revision, ready: ready, wanted: wanted))
        }
        var staying = own.count { !$0.isDraining && $0.state != .stopping }
        guard staying < wanted else { return }
        for replica in own where replica.isDraining && staying < wanted {
            plan.effects.append(.undrain(replica.id))
            staying += 1
        }
        guard staying < wanted, self.hasArtifact(of: revision, planning: &plan) else { return }
        if let obstacle {
            plan.waitingFor.append(.replicasGone(obstacle))
            return
        }
        var taken = Set(own.map(\.id.ordinal))
        while staying < wanted {
            guard room > 0 else {
                plan.waitingFor.append(.room(for: revision, limit: self.target.sharing?.limit ?? 0))
                return
            }
            room -= 1
            let ordinal = (0...).first { !taken.contains($0) } ?? taken.count
            taken.insert(ordinal)
            plan.effects.append(.start(ReplicaID(deployment: self.deployment, revision: revision, ordinal: ordinal)))
            staying += 1
        }
    }

    /// - Returns: Whether the artifact is here; when not, it is fetched or waited for.
    private func hasArtifact(of revision: Revision, planning plan: inout Plan) -> Bool {
        switch self.observed.artifacts[revision] ?? .absent {
        case .ready:
            return true
        case .absent:
            plan.effects.append(.fetch(revision))
            plan.waitingFor.append(.artifact(revision, "being fetched"))
        case .fetching(let received, let total):
            let share = total.map { " of \($0)" } ?? ""
            plan.waitingFor.append(.artifact(revision, "\(received)\(share) bytes received"))
        case .retrying(let message), .failed(let message):
            plan.waitingFor.append(.artifact(revision, message))
        }
        return false
    }

    private func planStops(of revision: Revision, _ own: [Replica], wanted: Int, into plan: inout Plan) {
        let staying = own.filter { !$0.isDraining && $0.state != .stopping }
        let isGoing = wanted == 0
        if staying.count > wanted {
            // Those that serve nothing go first, then the youngest: as many ready ones stay as are wanted.
            let order = staying.sorted {
                ($0.state == .ready ? 1 : 0, -$0.id.ordinal) < ($1.state == .ready ? 1 : 0, -$1.id.ordinal)
            }
            for replica in order.prefix(staying.count - wanted) {
                if replica.state != .ready {
                    self.planStop(of: replica, isGoing: isGoing, into: &plan)
                } else if isGoing ? self.isTrafficGone(from: revision) : self.isTrafficKnown {
                    plan.effects.append(.drain(replica.id))
                } else {
                    plan.waitingFor.append(.trafficMoved(away: revision))
                }
            }
        }
        for replica in own where replica.isDraining {
            self.planEndOfDraining(replica, wanted: wanted, staying: staying.count, into: &plan)
        }
    }

    /// Where room is shared, which replicas can be spared depends on what the router serves: seen later than it was
    /// last asked for something, as between an older look and that it can have been asked for anything.
    private var isTrafficKnown: Bool {
        guard self.target.sharing != nil else { return true }
        guard case .known(_, let seen) = self.observed.router, self.now - seen <= self.freshness else { return false }
        return self.asked.map { seen >= $0.since } ?? true
    }

    /// A replica that is not ready gets no new requests; but one that just failed its probe may still have the
    /// revision's traffic on it while the router catches up.
    private func planStop(of replica: Replica, isGoing: Bool, into plan: inout Plan) {
        if isGoing ? !self.isTrafficGone(from: replica.id.revision) : !self.isTrafficKnown {
            plan.waitingFor.append(.trafficMoved(away: replica.id.revision))
        } else {
            plan.effects.append(.stop(replica.id))
        }
    }

    private func planEndOfDraining(_ replica: Replica, wanted: Int, staying: Int, into plan: inout Plan) {
        guard case .draining(let since) = replica.state, staying >= wanted else { return }
        guard case .known(let router, let seen) = self.observed.router, self.now - seen <= self.freshness else {
            plan.waitingFor.append(.observation("the router"))
            return
        }
        let name = replica.endpoint?.description ?? ""
        let isEmpty = seen > since && !router.serving.contains(name) && router.activeRequests[name, default: 0] == 0
        let limit = self.drainLimits[replica.id.revision] ?? Self.defaultDrainLimit
        let isRouted = router.traffic.reaches(replica.id.revision)
        // The limit ends requests that never end; it never overrules weights that still point here.
        if isEmpty || (self.now - since >= limit && (wanted > 0 || !isRouted)) {
            plan.effects.append(.stop(replica.id))
        } else {
            plan.waitingFor.append(.drained(replica.id))
        }
    }

    /// Known, not assumed: without a fresh look at the router, later than what it was last asked for, the traffic
    /// counts as still there.
    private func isTrafficGone(from revision: Revision) -> Bool {
        guard case .known(let router, let seen) = self.observed.router, self.now - seen <= self.freshness else {
            return false
        }
        if let asked = self.asked, asked.traffic.reaches(revision) || seen < asked.since { return false }
        return !router.traffic.reaches(revision)
    }
}
