import Deployments
import Planning
import Rollouts
import Testing

/// A rollout, its planner, and a platform and a router that do what they are told by the next look.
private struct Bench {
    var rollout = Rollout(id: PlannerTests.id, at: PlannerTests.now)
    var now = PlannerTests.now
    var replicas: [Replica] = []
    var traffic = Traffic()
    var asked: AskedTraffic?
    var counters: [Revision: TrackCounters] = [:]
    var desired: DeploymentSpec
    /// The most replicas that ran at once.
    var most = 0
    var problems: [String] = []
    private var lastPort = 1000

    static func spec(_ revision: Revision, replicas: Int, policy: RolloutPolicy) -> DeploymentSpec {
        DeploymentSpec(
            id: PlannerTests.id,
            revision: revision,
            origin: CommitReference(repository: "models", branch: "main", commit: "1"),
            model: Model(name: "model", version: "1", format: "onnx", uri: "file:/m"),
            runtime: ServingRuntime(name: "onnx", command: ["serve"]),
            replicas: replicas,
            rollout: policy
        )
    }

    init(replicas: Int, surge: Int) {
        let exchange = Exchange(stable: replicas, canary: replicas, surge: surge)
        var weights = [exchange.reach(from: .none)]
        while let last = weights.last, last < .all { weights.append(exchange.reach(from: last)) }
        let policy = RolloutPolicy(
            steps: weights.map { Step(action: .weight($0), atLeast: .seconds(1)) },
            gates: [],
            bakeTime: .seconds(5),
            holdback: min(TrafficWeight(percent: 5), exchange.largestHoldback),
            surge: surge
        )
        self.desired = Self.spec(PlannerTests.stable, replicas: replicas, policy: policy)
        self.run { $0.isSettled(on: PlannerTests.stable) }
        self.desired = Self.spec(PlannerTests.canary, replicas: replicas, policy: policy)
        self.most = 0
    }

    mutating func tick(_ commands: Command...) {
        self.now = self.now + .seconds(1)
        self.look()
        for (revision, weight) in self.traffic.weights {
            self.counters[revision, default: TrackCounters()].requests += Int64(weight.percent)
        }
        let ready = self.replicas.filter { $0.state == .ready }
        let router = RouterState(
            traffic: self.traffic,
            warm: Set(ready.map(\.id.revision)),
            serving: Set(ready.compactMap { $0.endpoint?.description })
        )
        var observed = Observation(
            replicas: .known(self.replicas.sorted { $0.id < $1.id }, at: self.now),
            router: .known(router, at: self.now)
        )
        for revision in [PlannerTests.stable, PlannerTests.canary, Self.third] {
            observed.artifacts[revision] = .ready(path: "/m", digest: "")
        }
        let situation = Situation(
            desired: .spec(self.desired),
            observation: observed,
            asked: self.asked,
            samples: [Sample(time: self.now, tracks: self.counters)],
            commands: commands
        )
        _ = self.rollout.handle(situation, at: self.now)
        let plan = Planner(for: self.rollout, observed: observed, asked: self.asked, now: self.now).plan()
        self.problems += PlanCheck.violations(of: plan, for: self.rollout, observed: observed, at: self.now).map {
            "\($0) in \(self.rollout.phase)"
        }
        for effect in plan.effects { self.apply(effect) }
        self.most = max(self.most, self.replicas.count)
    }

    static let third = Revision(digest: "cccccccccccc")

    private mutating func look() {
        if let asked = self.asked { self.traffic = asked.traffic }
        self.replicas.removeAll { $0.state == .stopping }
        for index in self.replicas.indices where self.replicas[index].state == .starting {
            self.replicas[index].state = .ready
        }
    }

    private mutating func apply(_ effect: Effect) {
        switch effect {
        case .route(let traffic): self.asked = AskedTraffic(traffic, since: self.now)
        case .fetch: break
        case .start(let id):
            self.lastPort += 1
            let endpoint = Endpoint(host: "127.0.0.1", port: self.lastPort)
            self.replicas.append(Replica(id: id, state: .starting, endpoint: endpoint))
        case .undrain(let id): self.change(id, to: .ready)
        case .drain(let id): self.change(id, to: .draining(since: self.now))
        case .stop(let id): self.change(id, to: .stopping)
        }
        for (revision, weight) in self.traffic.weights {
            guard case .drain(let id) = effect, id.revision == revision,
                let full = self.rollout.spec(of: revision)?.replicas
            else { continue }
            let ready = self.replicas.count { $0.id.revision == revision && $0.state == .ready }
            if (100 * Double(ready) / Double(full)).rounded(.up) < Double(weight.percent) {
                self.problems.append("\(ready) of \(full) replicas for \(weight) in \(self.rollout.phase)")
            }
        }
    }

    private mutating func change(_ id: ReplicaID, to state: Replica.State) {
        for index in self.replicas.indices where self.replicas[index].id == id { self.replicas[index].state = state }
    }

    mutating func run(until condition: (Bench) -> Bool) {
        for _ in 0..<600 where !condition(self) { self.tick() }
    }

    func isSettled(on revision: Revision) -> Bool {
        self.rollout.phase == .settled && self.rollout.stable?.revision == revision
            && self.replicas.map(\.id.revision) == Array(repeating: revision, count: self.desired.replicas)
            && self.replicas.allSatisfy { $0.state == .ready }
    }
}

/// Rollout and planner together, where there is no room for both revisions in full.
@Suite
struct ExchangePlanTests {
    typealias Base = PlannerTests
    let base = PlannerTests()

    static let sizes: [(replicas: Int, surge: Int)] = (1...12).flatMap { replicas in
        [1, 25, 34, 50, 99].map { (replicas, $0) }
    }

    private static func limit(_ size: (replicas: Int, surge: Int)) -> Int {
        size.replicas + max(1, Int((Double(size.replicas * size.surge) / 100).rounded(.up)))
    }

    @Test
    func `every exchange comes to its end within its limit`() {
        for size in Self.sizes {
            var bench = Bench(replicas: size.replicas, surge: size.surge)
            bench.run { $0.isSettled(on: Base.canary) }
            #expect(bench.isSettled(on: Base.canary), "\(size): \(bench.rollout.phase) \(bench.replicas)")
            #expect(bench.most <= Self.limit(size), "\(size)")
            #expect(bench.problems == [], "\(size)")
        }
    }

    @Test
    func `from every moment the way back, another revision and the way on come to their ends`() {
        let sizes: [(replicas: Int, surge: Int)] = [(1, 1), (3, 33), (4, 25), (4, 50), (5, 20), (7, 34)]
        for size in sizes {
            let start = Bench(replicas: size.replicas, surge: size.surge)
            var moment = start
            var ticks = 0
            while !moment.isSettled(on: Base.canary), ticks < 600 {
                moment.tick()
                ticks += 1
                var back = moment
                back.tick(Command(.rollback(to: nil), by: "sre"))
                if moment.rollout.isInFlight { #expect(back.asked?.traffic == .all(to: Base.stable), "\(size)") }
                let goal = back.rollout.stable?.revision ?? Base.stable
                if case .rollingBack = back.rollout.phase {
                    back.run { $0.isSettled(on: goal) }
                    #expect(back.isSettled(on: goal), "\(size) after \(ticks): \(back.rollout.phase)")
                }
                var other = moment
                other.desired.revision = Bench.third
                other.run { $0.isSettled(on: Bench.third) }
                #expect(other.isSettled(on: Bench.third), "\(size) after \(ticks): \(other.rollout.phase)")
                for bench in [back, other] {
                    #expect(bench.most <= Self.limit(size), "\(size) after \(ticks)")
                    #expect(bench.problems == [], "\(size) after \(ticks)")
                }
            }
            #expect(moment.isSettled(on: Base.canary), "\(size)")
        }
    }

    // MARK: - The planner alone

    private static func target(
        _ weights: [Revision: Int],
        _ replicas: [Revision: Int],
        since: Timestamp = Base.now + .seconds(-5)
    ) -> Target {
        var target = PlannerTests().target(weights, replicas: replicas)
        target.sharing = Target.Sharing(limit: 5, full: [Base.stable: 4, Base.canary: 4], since: since)
        return target
    }

    private func replicas(_ stable: Int, _ canary: Int) -> [Replica] {
        (0..<stable).map { self.base.replica(Base.stable, $0) }
            + (0..<canary).map { self.base.replica(Base.canary, $0) }
    }

    private func plan(_ target: Target, _ replicas: [Replica], _ served: [Revision: Int], asked: Traffic? = nil) -> Plan
    {
        self.base.plan(
            target,
            .known(replicas, at: Base.now),
            .known(self.base.served(served), at: Base.now),
            asked: asked.map { AskedTraffic($0, since: Base.now) }
        )
    }

    @Test
    func `what has no room waits for a replica that leaves, stable's first`() {
        let target = Self.target([Base.stable: 100], [Base.stable: 4, Base.canary: 1])
        let third = Replica(
            id: ReplicaID(deployment: Base.id, revision: Bench.third, ordinal: 0),
            state: .stopping,
            endpoint: nil
        )
        let plan = self.plan(target, self.replicas(3, 0) + [third], [Base.stable: 100])
        #expect(plan.effects == [.start(ReplicaID(deployment: Base.id, revision: Base.stable, ordinal: 3))])
        #expect(plan.waitingFor.contains(.room(for: Base.canary, limit: 5)))
    }

    /// Its replicas of another revision would be one too many.
    @Test
    func `a look from before the phase began shows not all that was started`() {
        let old = Self.target([Base.stable: 100], [Base.stable: 4, Base.canary: 1], since: Base.now)
        #expect(self.plan(old, self.replicas(4, 0), [Base.stable: 100]).effects == [])
    }

    @Test
    func `the canary rises with the replicas that its part takes`() {
        let target = Self.target([Base.stable: 50, Base.canary: 50], [Base.stable: 3, Base.canary: 2])
        let early = self.plan(target, self.replicas(3, 1), [Base.stable: 75, Base.canary: 25])
        #expect(!early.effects.contains(.route(target.traffic)))
        #expect(early.waitingFor.first == .replicasReady(Base.canary, ready: 1, wanted: 2))
        let late = self.plan(target, self.replicas(3, 2), [Base.stable: 75, Base.canary: 25])
        #expect(late.effects == [.route(target.traffic)])
        let alone = self.plan(target, self.replicas(0, 1), [Base.stable: 75, Base.canary: 25])
        #expect(alone.effects.contains(.route(.all(to: Base.canary))), "nobody else is there")
    }

    @Test
    func `stable gives up no replica that its traffic takes, served or asked for`() {
        let target = Self.target([Base.stable: 50, Base.canary: 50], [Base.stable: 2, Base.canary: 2])
        let served = self.plan(target, self.replicas(3, 2), [Base.stable: 75, Base.canary: 25], asked: target.traffic)
        #expect(served.effects == [.route(target.traffic)], "it is asked for, and not served yet")
        let moved = self.plan(target, self.replicas(3, 2), [Base.stable: 50, Base.canary: 50])
        #expect(moved.effects == [.drain(self.base.replica(Base.stable, 2).id)])
        let asked = self.plan(
            target,
            self.replicas(3, 2),
            [Base.stable: 50, Base.canary: 50],
            asked: [Base.stable: .all]
        )
        #expect(!asked.effects.contains(.drain(self.base.replica(Base.stable, 2).id)))
    }

    /// A canary that lost its replicas leaves all traffic to stable for a while.
    @Test
    func `a draining replica of stable serves again when its traffic comes back`() {
        let target = Self.target([Base.stable: 75, Base.canary: 25], [Base.stable: 3, Base.canary: 2])
        let draining = self.base.replica(Base.stable, 3, .draining(since: Base.now + .seconds(-1)))
        let canary = self.base.replica(Base.canary, 0, .starting)
        let plan = self.plan(target, self.replicas(3, 0) + [draining, canary], [Base.stable: 100])
        #expect(plan.effects == [.undrain(draining.id)])
        let gone = self.plan(target, self.replicas(3, 1) + [draining], [Base.stable: 75, Base.canary: 25])
        #expect(gone.effects == [.stop(draining.id)])
    }

    @Test
    func `nothing is spared while the router is out of sight`() {
        let target = Self.target([Base.stable: 50, Base.canary: 50], [Base.stable: 2, Base.canary: 2])
        let served = self.base.served([Base.stable: 50, Base.canary: 50])
        let replicas = Reading.known(self.replicas(3, 2), at: Base.now)
        #expect(self.base.plan(target, replicas, .known(served, at: Base.now)).effects.count == 1)
        #expect(self.base.plan(target, replicas, .known(served, at: Base.now + .seconds(-60))).effects == [])
    }

    // MARK: - The check

    private func violations(_ effects: [Effect], _ replicas: [Replica], _ served: [Revision: Int]) -> [String] {
        var policy = RolloutPolicy(steps: [.weight(25), .weight(50), .weight(75)], surge: 25)
        policy.gates = []
        var rollout = Rollout(id: Base.id, at: Base.now)
        rollout.stable = Bench.spec(Base.stable, replicas: 4, policy: policy)
        rollout.canary = Bench.spec(Base.canary, replicas: 4, policy: policy)
        rollout.phase = .stepping(step: 1, servedSince: nil)
        let observed = Observation(
            replicas: .known(replicas, at: Base.now),
            router: .known(self.base.served(served), at: Base.now)
        )
        return PlanCheck.violations(of: Plan(effects: effects), for: rollout, observed: observed, at: Base.now).map(
            \.rule
        )
    }

    @Test
    func `the check knows the limit and what each part of the traffic takes`() {
        let start = Effect.start(ReplicaID(deployment: Base.id, revision: Base.canary, ordinal: 3))
        let before = [Base.stable: 75, Base.canary: 25]
        #expect(self.violations([start], self.replicas(3, 1), before) == [])
        let rules = self.violations([start], self.replicas(4, 1), before)
        #expect(rules == ["surge: \(Base.id)-bbbbbbbbbb-3 starts, and more than 5 replicas run"])
        let drain = Effect.drain(self.base.replica(Base.stable, 2).id)
        #expect(self.violations([drain], self.replicas(3, 2), [Base.stable: 50, Base.canary: 50]) == [])
        #expect(self.violations([drain], self.replicas(3, 2), before).first?.hasPrefix("rule 2: ") == true)
        let route = Effect.route([Base.stable: TrafficWeight(percent: 50), Base.canary: TrafficWeight(percent: 50)])
        #expect(self.violations([route], self.replicas(3, 2), before) == [])
        #expect(
            self.violations([route], self.replicas(3, 1), before) == ["rule 2: the canary rises with 1 of 4 replicas"]
        )
    }
}
