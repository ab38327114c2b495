import Analysis
import Deployments
import Planning
import Rollouts

extension World {
    /// What the controller gets to see: the truth of now, or nothing new.
    mutating func observe() {
        if !self.outage(.platformOutage) {
            if self.isPlatformUnchanged, let seen = self.platform.last {
                self.platform = .known(seen, at: self.now)
            } else {
                let replicas = self.running.compactMap { id in self.processes[id].map { self.replica(id, $0) } }
                self.platform = .known(replicas, at: self.now)
                self.isPlatformUnchanged = true
                self.isRouterUnchanged = false
            }
        }
        guard !self.outage(.routerOutage) else { return }
        if self.isRouterUnchanged, let seen = self.router.last, seen.traffic == self.served {
            self.router = .known(seen, at: self.now)
            return
        }
        self.isRouterUnchanged = true
        var state = RouterState(traffic: self.served)
        for replica in self.platform.last ?? [] {
            guard let address = self.processes[replica.id]?.address else { continue }
            if replica.state == .ready {
                state.warm.insert(replica.id.revision)
                state.serving.insert(address)
            } else if replica.isDraining, !self.drained.contains(replica.id) {
                // The router stops sending to a draining replica a moment after it was told.
                state.serving.insert(address)
                self.drained.insert(replica.id)
                self.isRouterUnchanged = false
            }
        }
        self.router = .known(state, at: self.now)
    }

    private func replica(_ id: ReplicaID, _ process: Process) -> Replica {
        Replica(
            id: id,
            state: process.state,
            endpoint: process.endpoint,
            restarts: process.restarts,
            lastFailure: process.restarts > 0 ? "exit code 1" : nil,
            signature: process.state == .ready ? self.behaviour(id.revision).signature : nil
        )
    }

    mutating func control(_ commands: [Command]) {
        self.answers = []
        if self.fault(.controllerCrash) {
            self.restartController()
            return
        }
        let situation = self.look(commands)
        let before = self.rollout
        var after = before
        let outcome = self.handler(&after, situation, self.now)
        if self.outage(.journalOutage), after != before {
            guard case .rollingBack = after.phase else { return }
        } else {
            self.journaled = after
        }
        if self.scenario.kills.contains(self.time) || self.fault(.controllerCrash) {
            self.restartController()
            return
        }
        self.rollout = after
        self.transitions += outcome.transitions
        self.answers = outcome.answers
        self.coverage.see(after, before: before, outcome.transitions)
        let plan = self.planner(Planner(for: after, observed: situation.observation, now: self.now))
        let effects = plan.effects
        var checker = self.checker
        checker.check(Decision(before: before, after: after, situation: situation, plan: plan), in: self)
        self.checker = checker
        for effect in effects where !self.fault(.lostEffect) {
            self.apply(effect)
        }
    }

    private mutating func look(_ commands: [Command]) -> Situation {
        var situation = Situation(desired: self.outage(.gitOutage) ? .unknown : self.desired)
        situation.observation.replicas = self.platform
        situation.observation.router = self.router
        situation.observation.artifacts = self.artifacts
        if case .known(_, let seen) = self.router, seen == self.now, !self.outage(.countersOutage) {
            situation.samples = [Sample(time: self.now, tracks: self.counters)]
        }
        situation.measurements = self.measure()
        situation.commands = commands
        situation.unhealthyDependencies = self.dependencies
        if self.outage(.gitLost) { situation.lostGit = "git was not read for 10m" }
        return situation
    }

    /// The metric provider answers in the tick in which it is asked.
    private mutating func measure() -> [Measurement] {
        guard case .stepping(_, .some) = self.rollout.phase, let canary = self.rollout.canary else { return [] }
        let due = self.rollout.analysis?.dueQueries(at: self.now) ?? []
        guard !due.isEmpty else { return [] }
        let answer: Measurement.Answer =
            self.outage(.providerOutage)
            ? .unavailable("no answer within 10s") : .value(self.behaviour(canary.revision).load)
        return due.map { Measurement(gate: $0.name, time: self.now, answer: answer) }
    }

    /// What the controller decided is in the journal; what it had seen is gone.
    private mutating func restartController() {
        self.rollout = self.journaled
        self.platform = .unknown("restarted")
        self.router = .unknown("restarted")
        self.checker.forget(allBut: self.journaled)
    }

    private mutating func apply(_ effect: Effect) {
        self.isPlatformUnchanged = false
        switch effect {
        case .route(let traffic):
            self.told = traffic
            self.toldFrom = self.time + (self.fault(.slowRouter) ? self.dice.pick(2...20) : 1)
        case .fetch:
            break
        case .start(let id):
            guard self.processes[id] == nil else { break }
            self.processes[id] = Process(id, startedAt: self.time)
            self.running = self.processes.keys.sorted()
        case .undrain(let id):
            if case .draining = self.processes[id]?.state { self.processes[id]?.state = .ready }
            self.drained.remove(id)
        case .drain(let id):
            if self.processes[id]?.state == .ready { self.processes[id]?.state = .draining(since: self.now) }
        case .stop(let id):
            var checker = self.checker
            checker.checkStop(of: id, in: self)
            self.checker = checker
            self.processes[id]?.state = .stopping
        }
    }
}
