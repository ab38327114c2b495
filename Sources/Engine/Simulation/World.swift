package import Deployments
package import Planning
package import Rollouts

/// A deterministic world around one deployment: replicas that take time and fail, a router that lags and forgets,
/// traffic with real error and latency processes, and a controller that can be killed between any two acts.
///
/// The controller in it is the same core that the daemon runs; only the ports are simulated. It cannot be copied, so
/// that the checker looks at it in place.
package struct World: ~Copyable, Sendable {
    package let scenario: Scenario
    package private(set) var time = 0
    package private(set) var now = Timestamp(milliseconds: 1_700_000_000_000)
    var dice: Dice

    // What is true.
    var revisions: [Revision: Scenario.Behaviour]
    var processes: [ReplicaID: Process] = [:]
    /// The keys of `processes`, sorted.
    var running: [ReplicaID] = []
    /// What is seen of the replicas would be what was seen before.
    var isPlatformUnchanged = false
    var isRouterUnchanged = false
    var artifacts: [Revision: ArtifactState] = [:]
    /// What the router serves, and what it was last told, with the tick from which that holds.
    package internal(set) var served = Traffic()
    var told: Traffic?
    var toldFrom = 0
    var drained: Set<ReplicaID> = []
    package internal(set) var counters: [Revision: TrackCounters] = [:]
    var desired: Desired = .unknown
    var dependencies: [DeploymentID] = []

    // What the controller knows.
    package internal(set) var rollout: Rollout
    var journaled: Rollout
    var platform: Reading<[Replica]> = .unknown("not yet")
    var router: Reading<RouterState> = .unknown("not yet")
    var outages: [Scenario.Fault: Int] = [:]

    package internal(set) var transitions: [Transition] = []
    /// The answers to the commands of the last tick.
    package internal(set) var answers: [CommandAnswer] = []
    package internal(set) var checker = Checker()
    package internal(set) var coverage = Coverage()
    /// The planner and the rollout under test; the tests put broken ones here to see the checker catch them.
    package var planner: @Sendable (Planner) -> Plan = { $0.plan() }
    package var handler: @Sendable (inout Rollout, Situation, Timestamp) -> Rollout.Outcome = { $0.handle($1, at: $2) }

    struct Process: Sendable {
        var startedAt: Int
        var state: Replica.State
        var restarts = 0
        let endpoint: Endpoint
        /// `host:port`, as the router reports it.
        let address: String

        init(_ id: ReplicaID, startedAt: Int) {
            self.startedAt = startedAt
            self.state = .starting
            self.endpoint = Endpoint(host: "r\(id.revision.short)", port: 1 + id.ordinal)
            self.address = self.endpoint.description
        }
    }

    package init(scenario: Scenario, seed: UInt64) {
        self.scenario = scenario
        self.dice = Dice(seed: seed ^ 0x5EED)
        self.revisions = scenario.revisions
        self.artifacts = Self.artifacts(in: scenario)
        self.rollout = Rollout(id: Scenario.id, at: self.now)
        self.journaled = self.rollout
    }

    private static func artifacts(in scenario: Scenario) -> [Revision: ArtifactState] {
        var artifacts = scenario.revisions.mapValues(\.artifact)
        for case .spec(let spec) in scenario.commits.values where artifacts[spec.revision] == nil {
            artifacts[spec.revision] = Scenario.Behaviour().artifact
        }
        return artifacts
    }

    /// - Returns: The rules that were broken, in words; empty when none was.
    package mutating func run() -> [String] {
        while self.time < self.scenario.ticks {
            self.step()
            if !self.checker.violations.isEmpty { return self.checker.violations }
        }
        var checker = self.checker
        checker.checkEnd(of: self)
        self.checker = checker
        var coverage = self.coverage
        coverage.judge(self)
        self.coverage = coverage
        return self.checker.violations
    }

    package mutating func step() {
        self.time += 1
        self.now = self.now + self.scenario.tick
        if self.fault(.clockStep) { self.now = self.now + .seconds(self.dice.pick(-5...30)) }
        if let commit = self.scenario.commits[self.time - 1] { self.push(commit) }
        if let changes = self.scenario.changes[self.time] {
            self.revisions.merge(changes) { $1 }
            for (revision, behaviour) in changes { self.artifacts[revision] = behaviour.artifact }
            self.isPlatformUnchanged = false
        }
        if let dependencies = self.scenario.dependencies[self.time] { self.dependencies = dependencies }
        self.live()
        self.serve()
        self.observe()
        self.control(self.scenario.commands[self.time] ?? [])
    }

    private mutating func push(_ commit: Scenario.Commit) {
        switch commit {
        case .spec(let spec): self.desired = .spec(spec)
        case .absent: self.desired = .absent
        case .broken: self.desired = .unknown
        }
    }

    // MARK: - Faults

    mutating func fault(_ fault: Scenario.Fault) -> Bool {
        guard self.time < self.scenario.quietFrom, let chance = self.scenario.faults[fault] else { return false }
        return self.dice.chance(chance)
    }

    /// Faults that last: whether one is going on.
    mutating func outage(_ fault: Scenario.Fault) -> Bool {
        if self.scenario.outages[fault]?.contains(self.time) == true { return true }
        if let end = self.outages[fault], self.time < min(end, self.scenario.quietFrom) { return true }
        guard self.fault(fault) else { return false }
        self.outages[fault] = self.time + self.dice.pick(1...40)
        return true
    }

    // MARK: - What is true

    func behaviour(_ revision: Revision) -> Scenario.Behaviour {
        self.revisions[revision] ?? Scenario.Behaviour()
    }

    /// Processes start, crash and come back.
    private mutating func live() {
        for id in self.running {
            guard var process = self.processes[id] else { continue }
            let behaviour = self.behaviour(id.revision)
            switch process.state {
            case .starting:
                guard let ticks = behaviour.startTicks, self.time - process.startedAt >= ticks else { continue }
                process.state = behaviour.failsGolden ? .failed : .ready
            case .ready:
                let isCrashing =
                    self.fault(.replicaCrash) || (behaviour.crashes > 0 && self.dice.chance(behaviour.crashes))
                guard isCrashing else { continue }
                process.state = .backingOff(until: self.now + .seconds(3))
                process.restarts += 1
            case .backingOff(let until):
                guard until <= self.now else { continue }
                process.state = .starting
                process.startedAt = self.time
            case .stopping:
                self.processes[id] = nil
                self.running.removeAll { $0 == id }
                self.drained.remove(id)
                self.isPlatformUnchanged = false
                continue
            case .draining, .failed:
                continue
            }
            self.processes[id] = process
            self.isPlatformUnchanged = false
        }
        if let told = self.told, self.time >= self.toldFrom {
            self.served = told
            self.told = nil
        }
    }

    /// Who gets the requests of one tick, copies included. One in fifty has what a step's match asks for.
    private mutating func arrivals(_ count: Int) -> [(Revision, Int)] {
        var arrivals: [(Revision, Int)] = []
        var left = (requests: count, percent: 100)
        for match in self.served.matches where match.headers != .preview {
            let share = self.dice.hits(of: left.requests, probability: 0.02)
            left.requests -= share
            arrivals.append((match.revision, share))
        }
        if let mirror = self.served.mirror {
            let share = Double(mirror.percent.percent) / 100
            arrivals.append((mirror.revision, self.dice.hits(of: left.requests, probability: share)))
        }
        for (revision, weight) in self.served.weights.sorted(by: { $0.key < $1.key }) where weight > .none {
            let share = self.dice.hits(of: left.requests, probability: Double(weight.percent) / Double(left.percent))
            left = (left.requests - share, left.percent - weight.percent)
            arrivals.append((revision, share))
        }
        return arrivals
    }

    /// Requests arrive and are answered as the revisions really are.
    private mutating func serve() {
        if self.outage(.silence) { return }
        let isIncident = self.outage(.incident)
        let count = Int(Double(self.scenario.traffic) * self.scenario.tick.inSeconds)
        for (revision, share) in self.arrivals(count) where share > 0 {
            let behaviour = self.behaviour(revision)
            let isUp = self.processes.contains { $0.key.revision == revision && ($0.value.state == .ready) }
            let rate = isIncident ? max(0.3, behaviour.errors) : behaviour.errors
            let errors = self.dice.hits(of: share, probability: isUp ? rate : 1)
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
}
