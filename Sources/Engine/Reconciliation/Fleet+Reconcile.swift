import Analysis
import Decisions
import Deployments
import Logging
import Planning
import Rollouts

extension Fleet {
    /// Decides, journals and acts for one deployment.
    @discardableResult
    mutating func reconcile(
        _ id: DeploymentID,
        samples: [Sample] = [],
        measurements: [Measurement] = [],
        commands: [Command] = []
    ) async -> [CommandAnswer] {
        let now = self.now
        guard let before = self.members[id] ?? self.newcomer(id, at: now) else { return [] }
        self.learn(from: samples, of: before)
        self.learnConcurrency(of: before.rollout)
        if commands.isEmpty, measurements.isEmpty, self.isAtRest(before, at: now) {
            self.observations[id]?.renew(as: self.replicas, self.router)
            return []
        }
        let situation = await self.situation(
            of: before,
            samples: samples,
            measurements: measurements,
            commands: commands,
            at: now
        )
        var after = before
        after.repository = self.tracker.owner(of: id) ?? before.repository
        after.heldRemoval = self.tracker.heldRemoval(of: id)
        if let served = situation.observation.router.last?.traffic { after.adopt(served) }
        let decision = Decision(
            of: before.rollout,
            in: situation,
            at: now,
            handler: self.functions.handle,
            planner: self.functions.plan
        )
        self.functions.listen(decision)
        after.rollout = decision.after
        self.report(decision.violations, of: id)
        let plan = decision.plan
        for effect in plan.effects {
            if case .route(let traffic) = effect { after.ask(for: traffic, at: now) }
        }

        let isChanged = after != before
        guard await self.journal(decision, after, isChanged: isChanged) else {
            let why = self.journalProblem ?? "unknown"
            return commands.map { _ in .refused("the decision could not be journaled (\(why)): nothing was changed") }
        }
        self.lessons[id] = nil
        let hasNewReplicas = self.observations[id]?.replicas.last != decision.situation.observation.replicas.last
        if isChanged || self.members[id] == nil { self.keep(after, of: id) }
        self.effects[id] = plan.effects.isEmpty ? nil : plan.effects
        self.observations[id] = decision.situation.observation
        self.waits[id] = plan.waitingFor
        self.remember(decision.outcome.transitions, of: id)
        if isChanged, after.rollout.specs != before.rollout.specs { self.isRetentionDue = true }

        let isRouteDue = hasNewReplicas || !RoutingTable.Entry.isSame(for: before, and: after)
        // What it refused is not what it serves, however well that looks by now: an older table may still come.
        let isRefused = decision.situation.observation.router.last?.rejection != nil
        await self.route(after, isChanged: isRouteDue, isPlanned: plan.isUpToRouter || isRefused, at: now)
        await self.apply(plan.effects, for: after)
        self.ask(after, at: now)
        self.note(decision, isChanged: isChanged)
        if after.rollout.phase == .removing { await self.removeIfGone(id, at: now) }
        return decision.outcome.answers
    }

    /// A decision is a function of what goes in. One that brought nothing about, for a rollout that time alone does not
    /// move, brings nothing about again as long as the same goes in: it need not be made.
    private func isAtRest(_ member: Member, at now: Timestamp) -> Bool {
        let id = member.rollout.id
        guard self.quiet[id]?.contains(now) == true, self.unwritten[id] == nil, self.lessons[id] == nil,
            self.replicas.isFresh(at: now, within: Rollout.freshness),
            self.router.isFresh(at: now, within: Rollout.freshness),
            let seen = self.observations[id],
            let desired = member.rollout.desired,
            let router = self.router.last?.states[id], router.rejection == nil, router == seen.router.last,
            self.replicas.last?[id] ?? [] == seen.replicas.last,
            self.routing.isBuilt, self.isNeedUnchanged(member.rollout, at: now)
        else { return false }
        return self.tracker.isUnchanged(id, from: desired, held: member.heldRemoval, at: now)
    }

    private mutating func note(_ decision: Decision, isChanged: Bool) {
        let id = decision.deployment
        let isQuiet =
            !isChanged && decision.plan.isSettled && decision.outcome.transitions.isEmpty && self.unwritten[id] == nil
        self.noteNeed(of: decision.after, for: decision.situation.load)
        self.quiet[id] = isQuiet ? decision.after.rest(at: decision.time) : nil
    }

    private func report(_ violations: [PlanCheck.Violation], of id: DeploymentID) {
        for violation in violations {
            self.logger.critical(
                "a planned effect broke an invariant and was dropped: report this",
                metadata: ["deployment.name": "\(id)", "violation": "\(violation)"]
            )
        }
    }

    /// A deployment that the journal does not know. When the router serves it all the same (a journal was lost), it
    /// goes on serving what it does.
    ///
    /// - Returns: Nothing before the router was seen, as that is not known then.
    private func newcomer(_ id: DeploymentID, at now: Timestamp) -> Member? {
        self.router.last.map { router in
            var rollout = Rollout(id: id, at: now)
            let traffic = router.states[id]?.traffic ?? [:]
            // What git names would be taken for the first revision, and get all traffic without a step.
            if case .spec(let spec) = self.tracker.desired(id, at: now),
                let other = traffic.revisions.sorted().first(where: { $0 != spec.revision })
            {
                let why = "the journal knows nothing of \(other), which serves: resume for \(spec.label) to take over"
                rollout.pause = Rollout.Pause(by: "controller", why: why, since: now, until: nil)
            }
            return Member(rollout: rollout, traffic: traffic, repository: self.tracker.owner(of: id))
        }
    }

    private mutating func situation(
        of member: Member,
        samples: [Sample],
        measurements: [Measurement],
        commands: [Command],
        at now: Timestamp
    ) async -> Situation {
        let id = member.rollout.id
        var observation = Observation()
        observation.replicas = self.replicas.map { self.replicasSinceTold[id] ?? $0[id] ?? [] }
        observation.router = self.router.map { $0.states[id] ?? RouterState() }
        var specs = member.rollout.specs
        let desired = self.tracker.desired(id, at: now)
        if case .spec(let spec) = desired { specs.append(spec) }
        for spec in specs where observation.artifacts[spec.revision] == nil {
            observation.artifacts[spec.revision] = await self.ports.artifacts.state(of: spec.model)
        }
        let load = self.load(of: member.rollout, at: now)
        return Situation(
            desired: desired,
            observation: observation,
            asked: member.asked,
            samples: samples,
            measurements: measurements,
            commands: commands,
            baseline: self.baseline(of: member),
            unhealthyDependencies: self.unhealthyDependencies(of: member),
            lostGit: self.lostGit(of: id, at: now),
            freezes: self.freezes(of: member, desired, at: now),
            capacity: self.capacity(for: member, desired, load),
            load: load
        )
    }

    /// What rollouts are compared with later: a stable revision, while nothing else has traffic.
    private mutating func learn(from samples: [Sample], of member: Member) {
        guard !samples.isEmpty, !member.rollout.isInFlight, let stable = member.rollout.stable?.revision else { return }
        let id = member.rollout.id
        let fresh = StableHistory(revision: stable)
        guard let lesson = self.baselines[id, default: fresh].learn(from: samples, of: stable),
            lesson.cautious(after: member.rollout.learnt).differs(from: member.rollout.learnt ?? BurstFactors())
        else { return }
        self.lessons[id] = lesson
    }

    /// Worked out only where a judge may be made of it, as that takes longer than the rest of a decision.
    private func baseline(of member: Member) -> Baseline {
        if !member.rollout.isInFlight, let lesson = self.lessons[member.rollout.id] { return Baseline(bursts: lesson) }
        guard member.rollout.isInFlight, member.rollout.analysis == nil,
            let history = self.baselines[member.rollout.id]
        else {
            return Baseline()
        }
        return Baseline(latency: history.latency, bursts: history.bursts)
    }

    /// What the platform has, when a revision or more replicas that state resources may be about to start.
    private mutating func capacity(for member: Member, _ desired: Desired, _ load: Load?) -> Capacity? {
        guard case .spec(let spec) = desired else { return nil }
        let rollout = member.rollout
        let isNew =
            spec.revision != rollout.stable?.revision && !spec.resources.isEmpty
            && rollout.quarantine[spec.revision] == nil
            && (!rollout.isInFlight || spec.revision != rollout.canary?.revision)
        let isGrowing = !rollout.isInFlight && self.isGrowing(rollout, for: load)
        guard isNew || isGrowing else { return nil }
        var capacity = self.ports.capacity
        capacity.used = self.occupancy.used(by: self.members, but: rollout.id)
        return capacity
    }

    private mutating func keep(_ member: Member?, of id: DeploymentID) {
        if (self.members[id] == nil) != (member == nil) { self.names.keepSorted(id, isThere: member != nil) }
        self.members[id] = member
        self.occupancy.noteChange(of: id)
    }

    /// Why git counts as lost, if it does.
    private func lostGit(of id: DeploymentID, at now: Timestamp) -> String? {
        guard !self.failingSources.isEmpty, let name = self.tracker.owner(of: id), let source = self.sources[name],
            let problem = source.problem,
            now - (source.lastPolled ?? self.startedAt) > Self.gitPatience
        else { return nil }
        return "git \(name) was not read for \(Self.gitPatience.short): \(problem)"
    }

    private func unhealthyDependencies(of member: Member) -> [DeploymentID] {
        (member.rollout.canary?.dependsOn ?? []).filter { name in
            guard let other = self.members[name]?.rollout, let stable = other.stable else { return true }
            let isReady = self.replicas.last?[name]?.contains {
                $0.id.revision == stable.revision && $0.state == .ready
            }
            return isReady != true
        }
    }

    /// Journals what changes something, and for replays also what only answers or acts: the same effects, planned again
    /// until they are seen to have worked, once.
    ///
    /// - Returns: Whether the decision may be acted upon: it is journaled, it changes nothing that must survive a
    ///   restart, or it only takes traffic back.
    private mutating func journal(_ decision: Decision, _ after: Member, isChanged: Bool) async -> Bool {
        let effects = decision.plan.effects
        let waiting = self.unwritten[decision.deployment]
        let transitions = (waiting?.transitions ?? []) + decision.outcome.transitions
        let changes = isChanged || !transitions.isEmpty || waiting != nil
        let isNew = !effects.isEmpty && effects != self.effects[decision.deployment]
        guard changes || isNew || !decision.outcome.answers.isEmpty else { return true }
        let topics = after.repository.flatMap { self.topics[$0] } ?? []
        let routes = self.ports.receivers.routes
        let signs =
            routes.routes.isEmpty
            ? []
            : (waiting?.signs ?? []) + Notice.signs(from: decision.before, to: decision.after, at: decision.time)
        let notices = routes.routes.isEmpty ? [] : transitions.map { Notice(of: $0, in: after) } + signs
        let items =
            OutboxItem.all(handedOver: decision, in: after, telling: topics)
            + transitions.flatMap { OutboxItem.all(of: $0, in: after, telling: topics) }
            + notices.flatMap { OutboxItem.all(of: $0, by: routes) }
        let record = JournalRecord(
            deployment: decision.deployment,
            time: decision.time,
            member: after,
            transitions: transitions,
            outbox: items,
            decision: decision
        )
        do {
            try await self.ports.journal.append(record)
            self.journalProblem = nil
            self.unwritten[after.rollout.id] = nil
            self.errands.notes += items
            if let waiting, !waiting.items.isEmpty {
                self.unsettled += waiting.items.filter { item in !items.contains { $0.id == item.id } }
                await self.settle()
            }
            return true
        } catch {
            self.journalProblem = error.message
            self.logger.error("not journaled", metadata: ["error": "\(error)"])
            // Safety never waits, not for a full disk either. It is written as soon as that is possible again.
            guard changes else { return true }
            var open = waiting ?? Unwritten(time: decision.time)
            open.time = decision.time
            let isActedUpon = Self.onlyTakesBack(decision)
            if isActedUpon { (open.transitions, open.signs) = (transitions, signs) }
            open.items = (open.items + items).suffix(Unwritten.itemLimit)
            self.unwritten[after.rollout.id] = open
            return isActedUpon
        }
    }

    /// What was taken back is either on its way or, when it had no traffic yet, away already. A rollout that began in
    /// the same decision is more than that.
    private static func onlyTakesBack(_ decision: Decision) -> Bool {
        switch decision.after.phase {
        case .rollingBack: true
        case .settled: decision.outcome.transitions.contains { $0.kind == .rollingBack }
        case .preparing, .replacing, .stepping, .promoting, .baking, .removing: false
        }
    }

    private mutating func remember(_ transitions: [Transition], of id: DeploymentID) {
        guard !transitions.isEmpty else { return }
        self.recent[id] = Array((self.recent[id, default: []] + transitions).suffix(Self.recentLimit))
        for transition in transitions {
            self.activity.transitions[id.namespace, default: [:]][transition.kind, default: 0] += 1
            self.logger.notice(
                "\(transition.kind.rawValue)",
                metadata: [
                    "deployment.name": "\(id)",
                    "revision": "\(transition.revision?.short ?? "")",
                    "commit": "\(transition.origin?.description ?? "")",
                    "operator": "\(transition.by ?? "")",
                    "reason": "\(transition.message)",
                ]
            )
        }
    }

    // MARK: - Acting

    private mutating func apply(_ effects: [Effect], for member: Member) async {
        for effect in effects {
            do {
                try await self.apply(effect, for: member)
                self.note(effect, of: member.rollout.id)
            } catch {
                // The next look sees that the world is not as planned, and the same plan is made again.
                self.told.note(unanswered: effect, at: self.now)
                self.renewToldReplicas(of: member.rollout.id)
                self.logger.warning(
                    "effect failed",
                    metadata: ["deployment.name": "\(member.rollout.id)", "effect": "\(effect)", "error": "\(error)"]
                )
            }
        }
    }

    private mutating func note(_ effect: Effect, of id: DeploymentID) {
        self.told.note(effect, at: self.now)
        switch effect {
        case .start, .stop, .drain, .undrain: self.renewToldReplicas(of: id)
        case .route, .fetch: break
        }
    }

    private mutating func renewToldReplicas(of id: DeploymentID) {
        self.replicasSinceTold[id] = self.told.applied(to: self.replicas.last?[id] ?? [], of: id)
    }

    private func apply(_ effect: Effect, for member: Member) async throws(PlatformError) {
        let platform = self.ports.platform
        switch effect {
        case .route:
            break
        case .fetch(let revision):
            guard let spec = member.rollout.spec(of: revision) else { return }
            await self.ports.artifacts.fetch(spec.model)
        case .start(let id):
            guard let spec = member.rollout.spec(of: id.revision),
                case .ready(let path, _, _) = await self.ports.artifacts.state(of: spec.model)
            else { return }
            try await platform.start(id, as: ReplicaLaunch(spec: spec, artifact: path))
        case .undrain(let id): try await platform.undrain(id)
        case .drain(let id): try await platform.drain(id)
        case .stop(let id): try await platform.stop(id)
        }
    }

    /// Tells the router how things should be, when that differs from what it was last told, or when it was told long
    /// ago and is seen to do otherwise.
    ///
    /// Before the first look at the platform, the router and, when the journal knows nothing, every repository, nothing
    /// is told: the router, which outlives the controller, goes on as it is.
    ///
    /// - Parameters:
    ///   - member: As it was decided.
    ///   - isChanged: Whether its entry in the table may differ from when this was last called for it.
    ///   - isPlanned: Whether the plan has traffic to be moved.
    ///   - now: The time of the decision.
    private mutating func route(_ member: Member, isChanged: Bool, isPlanned: Bool, at now: Timestamp) async {
        guard let replicas = self.replicas.last, self.router.last != nil else { return }
        if self.routing.isBuilt {
            let id = member.rollout.id
            // As the decision saw them: a change that is told of once is not told of again by the next look.
            if isChanged { self.routing.update(member, replicas: self.replicasSinceTold[id] ?? replicas[id] ?? []) }
        } else if self.isDecidingMany {
            // The first table holds all, and is made when all are decided.
            return
        }
        if isPlanned { self.isRoutingPlanned = true }
        // What is taken back is not kept waiting for the decisions on all others.
        if case .rollingBack = member.rollout.phase {} else if self.isDecidingMany { return }
        await self.tellRouter(at: now)
    }

    /// Hands the table to the router, when that is due.
    mutating func tellRouter(at now: Timestamp) async {
        guard let replicas = self.replicas.last, self.router.last != nil, self.isFleetKnown() else { return }
        if !self.routing.isBuilt {
            self.routing.build(for: self.members, replicas: replicas.merging(self.replicasSinceTold) { $1 })
        }
        guard self.routing.isDue(isPlanned: self.isRoutingPlanned, at: now) else { return }
        self.isRoutingPlanned = false
        do {
            try await self.ports.router.apply(self.routing.table)
            self.routing.note(toldAt: now)
        } catch {
            self.routing.note(toldAt: nil)
            self.logger.error("router not told", metadata: ["error": "\(error)"])
        }
    }

    /// Asks for the measurements that are due.
    private mutating func ask(_ member: Member, at now: Timestamp) {
        let rollout = member.rollout
        if let (canary, stable) = rollout.compared {
            let step = if case .stepping(let step, _) = rollout.phase { step } else { canary.rollout.steps.count }
            for gate in rollout.analysis?.dueQueries(at: now) ?? [] {
                self.ask(gate, of: rollout.id, canary, against: stable, step: step)
            }
        }
        for pending in rollout.signOffs ?? [] {
            guard let spec = rollout.spec(waitingAt: pending.place), spec.revision == pending.revision else { continue }
            let step = pending.place == .beforeRollout ? -1 : spec.rollout.steps.count
            for gate in pending.run?.dueQueries(at: now) ?? [] {
                self.ask(gate, of: rollout.id, spec, against: nil, step: step, asker: pending.asker)
            }
        }
    }

    private mutating func ask(
        _ gate: Gate,
        of id: DeploymentID,
        _ judged: DeploymentSpec,
        against other: DeploymentSpec?,
        step: Int,
        asker: SignOff.Asker? = nil
    ) {
        let ready = (self.replicas.last?[id] ?? []).first {
            $0.id.revision == judged.revision && $0.state == .ready
        }
        let job = MetricJob(
            gate,
            of: id,
            canary: judged,
            stable: other,
            step: step,
            asker: asker,
            endpoint: ready?.endpoint
        )
        guard let job, !self.isRunning(job), self.pendingQueries.insert(job).inserted else { return }
        self.errands.queries.append(job)
    }

    /// A program runs once at a time, also when its replica has got another port or the step is another one.
    private func isRunning(_ job: MetricJob) -> Bool {
        guard case .run = job.question else { return false }
        return self.pendingQueries.contains { $0.deployment == job.deployment && $0.gate == job.gate }
    }

    /// The last act of a removal: no replica is left, so nothing is.
    private mutating func removeIfGone(_ id: DeploymentID, at now: Timestamp) async {
        guard let member = self.members[id], member.rollout.phase == .removing,
            case .known(let replicas, let seen) = self.replicas, replicas[id, default: []].isEmpty,
            // In the very moment of the decision, what was seen may be from before its effects.
            seen > member.rollout.since, now - seen <= Rollout.freshness
        else { return }
        let record = JournalRecord(deployment: id, time: now, member: nil, transitions: [], outbox: [])
        do {
            try await self.ports.journal.append(record)
        } catch {
            self.logger.error("not journaled", metadata: ["error": "\(error)"])
            return
        }
        self.keep(nil, of: id)
        self.isRetentionDue = true
        self.routing.remove(id)
        self.waits[id] = nil
        self.effects[id] = nil
        self.observations[id] = nil
        self.quiet[id] = nil
        self.baselines[id] = nil
        self.lessons[id] = nil
        self.concurrency[id] = nil
        self.needs[id] = nil
        self.tracker.forget(id)
        self.order = nil
    }
}

extension Reading {
    func map<Other>(_ transform: (Value) -> Other) -> Reading<Other> {
        switch self {
        case .known(let value, let time): .known(transform(value), at: time)
        case .unknown(let why): .unknown(why)
        }
    }
}
