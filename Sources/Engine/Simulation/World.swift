package import Deployments
package import Planning
package import Rollouts

/// A deterministic world around one deployment: replicas that take time and fail, a router that lags and forgets,
/// traffic with real error and latency processes, and a controller that can be killed between any two acts.
///
/// The controller in it is the same core that the daemon runs; only the ports are simulated.
package struct World: Sendable {
    package let scenario: Scenario
    package private(set) var time = 0
    package private(set) var now = Timestamp(milliseconds: 1_700_000_000_000)
    var dice: Dice

    // What is true.
    var processes: [ReplicaID: Process] = [:]
    /// What the router serves, and what it was last told, with the tick from which that holds.
    var served: [Revision: TrafficWeight] = [:]
    var told: [Revision: TrafficWeight]?
    var toldFrom = 0
    var drained: Set<ReplicaID> = []
    var counters: [Revision: TrackCounters] = [:]
    var desired: Desired = .unknown

    // What the controller knows.
    package private(set) var rollout: Rollout
    var journaled: Rollout
    var platform: Reading<[Replica]> = .unknown("not yet")
    var router: Reading<RouterState> = .unknown("not yet")
    var outages: [Scenario.Fault: Int] = [:]

    package private(set) var transitions: [Transition] = []
    package private(set) var checker = Checker()
    /// The planner under test; the tests put broken ones here to see the checker catch them.
    package var planner: @Sendable (Planner) -> Plan = { $0.plan() }

    struct Process: Sendable {
        var startedAt: Int
        var state: Replica.State
        var restarts = 0
    }

    package init(scenario: Scenario, seed: UInt64) {
        self.scenario = scenario
        self.dice = Dice(seed: seed ^ 0x5EED)
        self.rollout = Rollout(id: Scenario.id, at: self.now)
        self.journaled = self.rollout
    }

    /// - Returns: The rules that were broken, in words; empty when none was.
    package mutating func run() -> [String] {
        while self.time < self.scenario.ticks {
            self.step()
            if !self.checker.violations.isEmpty { return self.checker.violations }
        }
        self.checker.checkLiveness(of: self)
        return self.checker.violations
    }

    package mutating func step() {
        self.time += 1
        self.now = self.now + self.scenario.tick
        if self.fault(.clockStep) { self.now = self.now + .seconds(self.dice.pick(-5...30)) }
        if let commit = self.scenario.commits[self.time - 1] { self.push(commit) }
        self.live()
        self.serve()
        self.observe()
        self.control(self.scenario.commands[self.time].map { [$0] } ?? [])
    }

    // MARK: - The world

    mutating func fault(_ fault: Scenario.Fault) -> Bool {
        guard self.time < self.scenario.quietFrom, let chance = self.scenario.faults[fault] else { return false }
        return self.dice.chance(chance)
    }

    /// Faults that last: whether one is going on.
    mutating func outage(_ fault: Scenario.Fault) -> Bool {
        if let end = self.outages[fault], self.time < min(end, self.scenario.quietFrom) { return true }
        guard self.fault(fault) else { return false }
        self.outages[fault] = self.time + self.dice.pick(1...40)
        return true
    }

    private mutating func push(_ commit: Scenario.Commit) {
        switch commit {
        case .spec(let spec): self.desired = .spec(spec)
        case .absent: self.desired = .absent
        case .broken: self.desired = .unknown
        }
    }

    func behaviour(_ revision: Revision) -> Scenario.Behaviour {
        self.scenario.revisions[revision] ?? Scenario.Behaviour()
    }

    /// Processes start, crash and come back.
    private mutating func live() {
        for id in self.processes.keys.sorted() {
            guard var process = self.processes[id] else { continue }
            let behaviour = self.behaviour(id.revision)
            switch process.state {
            case .starting:
                if let ticks = behaviour.startTicks, self.time - process.startedAt >= ticks {
                    process.state = behaviour.failsGolden ? .failed : .ready
                }
            case .ready:
                if self.fault(.replicaCrash) || self.dice.chance(behaviour.crashes) {
                    process.state = .backingOff(until: self.now + .seconds(3))
                    process.restarts += 1
                }
            case .backingOff(let until):
                if until <= self.now {
                    process.state = .starting
                    process.startedAt = self.time
                }
            case .stopping:
                self.processes[id] = nil
                self.drained.remove(id)
                continue
            case .draining, .failed:
                break
            }
            self.processes[id] = process
        }
        if let told = self.told, self.time >= self.toldFrom {
            self.served = told
            self.told = nil
        }
    }

    /// Requests arrive and are answered as the revisions really are.
    private mutating func serve() {
        let count = Int(Double(self.scenario.traffic) * self.scenario.tick.inSeconds)
        for (revision, weight) in self.served.sorted(by: { $0.key < $1.key }) {
            let share = self.dice.hits(of: count, probability: Double(weight.percent) / 100)
            guard share > 0 else { continue }
            let behaviour = self.behaviour(revision)
            let isUp = self.processes.contains { $0.key.revision == revision && ($0.value.state == .ready) }
            let errors = self.dice.hits(of: share, probability: isUp ? behaviour.errors : 1)
            let client = self.dice.hits(of: share - errors, probability: behaviour.clientErrors)
            let slow = self.dice.hits(of: share, probability: behaviour.slow)
            var counters =
                self.counters[revision] ?? TrackCounters(latency: LatencyHistogram(bounds: [250], counts: [0]))
            counters.requests += Int64(share)
            counters.serverErrors += Int64(errors)
            counters.clientErrors += Int64(client)
            counters.latency.counts[0] += Int64(share - slow)
            counters.latency.total += Int64(share)
            self.counters[revision] = counters
        }
    }

    /// What the controller gets to see: the truth of now, or nothing new.
    private mutating func observe() {
        if !self.outage(.platformOutage) {
            let replicas = self.processes.keys.sorted().map { id in self.replica(id) }
            self.platform = .known(replicas, at: self.now)
        }
        if !self.outage(.routerOutage) {
            var state = RouterState(weights: self.served)
            for replica in self.platform.last ?? [] {
                guard let endpoint = replica.endpoint?.description else { continue }
                if replica.state == .ready {
                    state.warm.insert(replica.id.revision)
                    state.serving.insert(endpoint)
                } else if replica.isDraining, !self.drained.contains(replica.id) {
                    // The router stops sending to a draining replica a moment after it was told.
                    state.serving.insert(endpoint)
                    self.drained.insert(replica.id)
                }
            }
            self.router = .known(state, at: self.now)
        }
    }

    private func replica(_ id: ReplicaID) -> Replica {
        let process = self.processes[id]
        return Replica(
            id: id,
            state: process?.state ?? .stopping,
            endpoint: Endpoint(host: "r\(id.revision.short)", port: 1 + id.ordinal),
            restarts: process?.restarts ?? 0,
            lastFailure: process.flatMap { $0.restarts > 0 ? "exit code 1" : nil },
            signature: process?.state == .ready ? self.behaviour(id.revision).signature : nil
        )
    }

    // MARK: - The controller

    private mutating func control(_ commands: [Command]) {
        if self.fault(.controllerCrash) {
            self.restartController()
            return
        }
        var situation = Situation(desired: self.outage(.gitOutage) ? .unknown : self.desired)
        situation.observation.replicas = self.platform
        situation.observation.router = self.router
        for spec in self.rollout.specs + self.rollout.history + [self.rollout.desired].compactMap(\.self) {
            situation.observation.artifacts[spec.revision] = self.behaviour(spec.revision).artifact
        }
        if case .known(_, let seen) = self.router, seen == self.now {
            situation.samples = [Sample(time: self.now, tracks: self.counters)]
        }
        situation.commands = commands

        let before = self.rollout
        var after = before
        let outcome = after.handle(situation, at: self.now)
        if self.outage(.journalOutage), after != before {
            guard case .rollingBack = after.phase else { return }
        } else {
            self.journaled = after
        }
        // Killed after the decision was journaled, before it was acted upon.
        if self.fault(.controllerCrash) {
            self.restartController()
            return
        }
        self.rollout = after
        self.transitions += outcome.transitions
        let plan = self.planner(
            Planner(for: after, observed: situation.observation, now: self.now)
        )
        // A local copy, so that the checker reads the world in place.
        var checker = self.checker
        checker.check(plan, before: before, after: after, situation, self)
        self.checker = checker
        for effect in plan.effects where !self.fault(.lostEffect) {
            self.apply(effect)
        }
    }

    private mutating func restartController() {
        self.rollout = self.journaled
        self.platform = .unknown("restarted")
        self.router = .unknown("restarted")
    }

    private mutating func apply(_ effect: Effect) {
        switch effect {
        case .route(let weights):
            self.told = weights
            self.toldFrom = self.time + (self.fault(.slowRouter) ? self.dice.pick(2...20) : 1)
        case .fetch:
            break
        case .start(let id):
            if self.processes[id] == nil { self.processes[id] = Process(startedAt: self.time, state: .starting) }
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
