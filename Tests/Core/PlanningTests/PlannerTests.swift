import Deployments
import Planning
import Rollouts
import Testing

@Suite
struct PlannerTests {
    static let id = DeploymentID(namespace: "default", name: "model")
    static let stable = Revision(digest: "aaaaaaaaaaaa")
    static let canary = Revision(digest: "bbbbbbbbbbbb")
    static let now = Timestamp(milliseconds: 1_000_000)

    func replica(_ revision: Revision, _ ordinal: Int = 0, _ state: Replica.State = .ready) -> Replica {
        Replica(
            id: ReplicaID(deployment: Self.id, revision: revision, ordinal: ordinal),
            state: state,
            endpoint: Endpoint(host: "127.0.0.1", port: revision == Self.stable ? 1000 + ordinal : 2000 + ordinal)
        )
    }

    func plan(
        _ target: Target,
        _ replicas: Reading<[Replica]>,
        _ router: Reading<RouterState>,
        asked: AskedTraffic? = nil
    ) -> Plan {
        var observed = Observation(replicas: replicas, router: router)
        observed.artifacts = [Self.canary: .ready(path: "/m", digest: ""), Self.stable: .ready(path: "/m", digest: "")]
        return Planner(
            deployment: Self.id,
            stable: Self.stable,
            target: target,
            observed: observed,
            asked: asked,
            freshness: .seconds(10),
            now: Self.now
        ).plan()
    }

    func served(_ weights: [Revision: Int], warm: Set<Revision> = [Self.stable, Self.canary]) -> RouterState {
        RouterState(traffic: Traffic(weights: weights.mapValues { TrafficWeight(percent: $0) }), warm: warm)
    }

    func target(_ weights: [Revision: Int], replicas: [Revision: Int]) -> Target {
        Target(replicas: replicas, traffic: Traffic(weights: weights.mapValues { TrafficWeight(percent: $0) }))
    }

    @Test
    func `what is in quarantine is not given its traffic back by an old look`() {
        // Nothing was ever promoted; the router was asked for what serves instead, and a look shows it as before.
        var planner = Planner(
            deployment: Self.id,
            stable: nil,
            target: self.target([:], replicas: [:]),
            observed: Observation(
                replicas: .known([self.replica(Self.stable), self.replica(Self.canary)], at: Self.now),
                router: .known(self.served([Self.canary: 100]), at: Self.now)
            ),
            asked: AskedTraffic(.all(to: Self.stable), since: Self.now),
            isServedBarred: true,
            freshness: .seconds(10),
            now: Self.now
        )
        var plan = planner.plan()
        #expect(!plan.effects.contains { if case .route = $0 { true } else { false } })
        #expect(plan.waitingFor.contains(.trafficServed(.all(to: Self.stable))))
        planner.isServedBarred = false
        plan = planner.plan()
        #expect(plan.effects.contains(.route(.all(to: Self.canary))))
    }

    @Test
    func `a revision that is wanted is fetched, then started with unused ordinals`() {
        let target = self.target([Self.stable: 100], replicas: [Self.stable: 1, Self.canary: 2])
        let plan = self.plan(
            target,
            .known([self.replica(Self.stable), self.replica(Self.canary, 1)], at: Self.now),
            .known(self.served([Self.stable: 100]), at: Self.now)
        )
        #expect(plan.effects == [.start(ReplicaID(deployment: Self.id, revision: Self.canary, ordinal: 0))])
    }

    @Test
    func `traffic moves only to a revision that the router knows to be warm`() {
        let target = self.target([Self.stable: 95, Self.canary: 5], replicas: [Self.stable: 1, Self.canary: 1])
        let replicas = Reading.known([self.replica(Self.stable), self.replica(Self.canary)], at: Self.now)
        let cold = self.plan(
            target,
            replicas,
            .known(self.served([Self.stable: 100], warm: [Self.stable]), at: Self.now)
        )
        #expect(cold.effects.isEmpty)
        #expect(cold.waitingFor == [.routerWarm(Self.canary)])
        let warm = self.plan(target, replicas, .known(self.served([Self.stable: 100]), at: Self.now))
        #expect(warm.effects == [.route(target.traffic)])
    }

    @Test
    func `weight for a revision without a ready replica goes to the other`() {
        let target = self.target([Self.stable: 50, Self.canary: 50], replicas: [Self.stable: 1, Self.canary: 1])
        let plan = self.plan(
            target,
            .known([self.replica(Self.stable), self.replica(Self.canary, 0, .starting)], at: Self.now),
            .known(self.served([Self.stable: 50, Self.canary: 50]), at: Self.now)
        )
        #expect(plan.effects == [.route([Self.stable: .all])])
    }

    @Test
    func `the way back waits for no fresh look, the way forward does`() {
        let old = Self.now + .seconds(-60)
        let replicas = [self.replica(Self.stable), self.replica(Self.canary)]
        let back = self.plan(
            self.target([Self.stable: 100], replicas: [Self.stable: 1]),
            .known(replicas, at: old),
            .known(self.served([Self.canary: 100]), at: old)
        )
        #expect(back.effects == [.route([Self.stable: .all])])
        let forward = self.plan(
            self.target([Self.canary: 100], replicas: [Self.stable: 1, Self.canary: 1]),
            .known(replicas, at: old),
            .known(self.served([Self.stable: 50, Self.canary: 50]), at: old)
        )
        #expect(forward.effects.isEmpty)
    }

    @Test
    func `replicas go in order: traffic gone, drained, stopped`() {
        let target = self.target([Self.stable: 100], replicas: [Self.stable: 1])
        let canary = self.replica(Self.canary)
        let under = self.plan(
            target,
            .known([self.replica(Self.stable), canary], at: Self.now),
            .known(self.served([Self.stable: 95, Self.canary: 5]), at: Self.now)
        )
        #expect(under.effects == [.route([Self.stable: .all])])
        let gone = self.plan(
            target,
            .known([self.replica(Self.stable), canary], at: Self.now),
            .known(self.served([Self.stable: 100]), at: Self.now)
        )
        #expect(gone.effects == [.drain(canary.id)])

        let draining = self.replica(Self.canary, 0, .draining(since: Self.now + .seconds(-1)))
        var busy = self.served([Self.stable: 100])
        busy.activeRequests["127.0.0.1:2000"] = 3
        let replicas = Reading.known([self.replica(Self.stable), draining], at: Self.now)
        #expect(self.plan(target, replicas, .known(busy, at: Self.now)).waitingFor == [.drained(canary.id)])
        let idle = self.plan(target, replicas, .known(self.served([Self.stable: 100]), at: Self.now))
        #expect(idle.effects == [.stop(canary.id)])
        // The router may have been looked at before the replica drained.
        let before = Reading.known(self.served([Self.stable: 100]), at: Self.now + .seconds(-2))
        #expect(self.plan(target, replicas, before).waitingFor == [.drained(canary.id)])
    }

    @Test
    func `a rise that the router was asked for and has not taken yet is taken back all the same`() {
        let target = self.target([Self.stable: 100], replicas: [Self.stable: 1, Self.canary: 1])
        let replicas = Reading.known([self.replica(Self.stable), self.replica(Self.canary)], at: Self.now)
        let router = Reading.known(self.served([Self.stable: 100]), at: Self.now)
        let rise = self.served([Self.stable: 95, Self.canary: 5]).traffic
        let plan = self.plan(target, replicas, router, asked: AskedTraffic(rise, since: Self.now))
        #expect(plan.effects == [.route(.all(to: Self.stable))])
        let asked = AskedTraffic(.all(to: Self.stable), since: Self.now)
        #expect(self.plan(target, replicas, router, asked: asked).isSettled)
    }

    @Test
    func `a canary that is being promoted and loses every replica gives the traffic back to stable`() {
        let target = self.target([Self.canary: 100], replicas: [Self.stable: 1, Self.canary: 1])
        let plan = self.plan(
            target,
            .known([self.replica(Self.stable), self.replica(Self.canary, 0, .starting)], at: Self.now),
            .known(self.served([Self.canary: 100]), at: Self.now)
        )
        #expect(plan.effects == [.route(.all(to: Self.stable))])
    }

    @Test
    func `a look from before the router was asked for something else does not say that traffic is gone`() {
        let target = self.target([Self.stable: 100], replicas: [Self.stable: 1])
        let replicas = Reading.known([self.replica(Self.stable), self.replica(Self.canary)], at: Self.now)
        let asked = AskedTraffic(.all(to: Self.stable), since: Self.now)
        let before = Reading.known(self.served([Self.stable: 100]), at: Self.now + .seconds(-1))
        #expect(self.plan(target, replicas, before, asked: asked).waitingFor == [.trafficMoved(away: Self.canary)])
        let after = Reading.known(self.served([Self.stable: 100]), at: Self.now)
        #expect(self.plan(target, replicas, after, asked: asked).effects == [.drain(self.replica(Self.canary).id)])
    }

    @Test
    func `fewer replicas wanted drains the youngest, never below what is wanted`() {
        let target = self.target([Self.stable: 100], replicas: [Self.stable: 2])
        let router = Reading.known(self.served([Self.stable: 100]), at: Self.now)
        let all = (0..<3).map { self.replica(Self.stable, $0) }
        #expect(self.plan(target, .known(all, at: Self.now), router).effects == [.drain(all[2].id)])
        let oneStarts = [all[0], all[1], self.replica(Self.stable, 2, .starting)]
        #expect(self.plan(target, .known(oneStarts, at: Self.now), router).effects == [.stop(all[2].id)])
    }

    @Test
    func `with the platform out of sight nothing starts, drains or stops`() {
        let plan = self.plan(
            self.target([Self.stable: 100], replicas: [Self.stable: 3]),
            .unknown("no answer"),
            .known(self.served([Self.stable: 100]), at: Self.now)
        )
        #expect(plan.effects.isEmpty)
    }

    @Test
    func `a settled world needs nothing`() {
        let plan = self.plan(
            self.target([Self.stable: 100], replicas: [Self.stable: 1]),
            .known([self.replica(Self.stable)], at: Self.now),
            .known(self.served([Self.stable: 100]), at: Self.now)
        )
        #expect(plan.isSettled)
    }
}
