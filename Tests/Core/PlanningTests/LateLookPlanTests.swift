import Deployments
import Planning
import Rollouts
import Testing

/// Where room is shared, what a look at the router shows is read with what the router was asked for since.
@Suite
struct LateLookPlanTests {
    static let stable = PlannerTests.stable
    static let canary = PlannerTests.canary
    static let now = PlannerTests.now
    let bench = PlannerTests()

    static func split(_ canary: Int) -> Traffic {
        Traffic(weights: [
            Self.stable: TrafficWeight(percent: 100 - canary), Self.canary: TrafficWeight(percent: canary),
        ])
    }

    /// Four replicas each when all traffic is theirs, five in all; the canary is to have `percent` of it.
    func target(canary percent: Int, stable: Int, canaries: Int) -> Target {
        Target(
            replicas: [Self.stable: stable, Self.canary: canaries],
            traffic: Self.split(percent),
            sharing: Target.Sharing(
                limit: 5,
                full: [Self.stable: 4, Self.canary: 4],
                since: Self.now + .seconds(-60)
            )
        )
    }

    func replicas(stable: Int, canaries: Int) -> Reading<[Replica]> {
        let own = (0..<stable).map { self.bench.replica(Self.stable, $0) }
        return .known(own + (0..<canaries).map { self.bench.replica(Self.canary, $0) }, at: Self.now)
    }

    func router(_ traffic: Traffic, _ seconds: Int) -> Reading<RouterState> {
        .known(RouterState(traffic: traffic, warm: [Self.stable, Self.canary]), at: Self.now + .seconds(seconds))
    }

    @Test
    func `no replica of stable drains by a look at the router from before it was asked for something else`() {
        // It was asked for all on stable in between, which it may serve.
        let plan = { (seen: Int) in
            self.bench.plan(
                self.target(canary: 25, stable: 3, canaries: 2),
                self.replicas(stable: 4, canaries: 1),
                self.router(Self.split(25), seen),
                asked: AskedTraffic(Self.split(25), since: Self.now + .seconds(-2))
            )
        }
        let isDraining = { (plan: Plan) in
            plan.effects.contains { if case .drain = $0 { true } else { false } }
        }
        #expect(!isDraining(plan(-3)))
        #expect(plan(-3).waitingFor.contains(.trafficMoved(away: Self.stable)))
        #expect(isDraining(plan(-1)))
    }

    @Test
    func `no crashed replica of stable goes while the router is out of sight`() {
        let crashed = self.bench.replica(Self.stable, 3, .backingOff(until: Self.now))
        let replicas = (self.replicas(stable: 3, canaries: 1).last ?? []) + [crashed]
        let plan = { (router: Reading<RouterState>) in
            self.bench.plan(
                self.target(canary: 50, stable: 2, canaries: 3),
                .known(replicas, at: Self.now),
                router,
                asked: AskedTraffic(Self.split(50), since: Self.now + .seconds(-2))
            )
        }
        #expect(!plan(.unknown("not looked at yet")).effects.contains(.stop(crashed.id)))
        #expect(plan(self.router(Self.split(50), 0)).effects.contains(.stop(crashed.id)))
    }

    @Test
    func `a rise that the router does not serve is taken back when its replicas are gone`() {
        let plan = { (canaries: Int, seen: Int) in
            self.bench.plan(
                self.target(canary: 75, stable: 2, canaries: 3),
                self.replicas(stable: 2, canaries: canaries),
                self.router(Self.split(50), seen),
                asked: AskedTraffic(Self.split(75), since: Self.now + .seconds(-2))
            )
        }
        #expect(plan(2, 0).effects.contains(.route(Self.split(50))))
        #expect(plan(2, 0).waitingFor.contains(.replicasReady(Self.canary, ready: 2, wanted: 3)))
        // A look from before says nothing of it, and with its replicas there it is asked for again.
        #expect(!plan(2, -3).effects.contains(.route(Self.split(50))))
        #expect(plan(3, 0).effects.contains(.route(Self.split(75))))
    }

    @Test
    func `what is left to the router has nothing of a step that is over`() {
        // Nothing was promoted yet, and what is to come next gets no traffic so far.
        var served = RouterState(traffic: .all(to: Self.stable), warm: [Self.stable])
        served.traffic.matches = [Traffic.Match(headers: .preview, revision: Self.stable)]
        let planner = Planner(
            deployment: PlannerTests.id,
            stable: nil,
            target: Target(replicas: [Self.canary: 1], traffic: Traffic()),
            observed: Observation(
                replicas: self.replicas(stable: 1, canaries: 0),
                router: .known(served, at: Self.now)
            ),
            asked: AskedTraffic(.all(to: Self.canary), since: Self.now),
            freshness: .seconds(10),
            now: Self.now
        )
        #expect(planner.plan().effects.contains(.route(.all(to: Self.stable))))
    }

    @Test
    func `what still serves and has not failed stands in for a stable that has no replica`() {
        let plan = { (change: (inout Planner) -> Void) in
            var planner = Planner(
                deployment: PlannerTests.id,
                stable: Self.stable,
                target: Target(replicas: [Self.stable: 1], traffic: .all(to: Self.stable)),
                observed: Observation(
                    replicas: self.replicas(stable: 0, canaries: 1),
                    router: self.router(Self.split(5), 0)
                ),
                freshness: .seconds(10),
                now: Self.now
            )
            change(&planner)
            return planner.plan().effects
        }
        #expect(plan { _ in }.contains(.route(.all(to: Self.canary))))
        let spec = DeploymentSpec(
            id: PlannerTests.id,
            revision: Self.canary,
            origin: CommitReference(repository: "models", branch: "main", commit: "1"),
            model: Model(name: "model", version: "1", format: "onnx", uri: "file:/m"),
            runtime: ServingRuntime(name: "onnx", command: ["serve"]),
            rollout: RolloutPolicy()
        )
        let failed = Rollout.Quarantine(spec: spec, reason: .artifact("no such file"), since: Self.now)
        #expect(!plan { $0.quarantine = [Self.canary: failed] }.contains(.route(.all(to: Self.canary))))
    }

    @Test
    func `a ready revision that the router does not know yet is waited for`() {
        let plan = self.bench.plan(
            Target(replicas: [Self.stable: 1, Self.canary: 1], traffic: .all(to: Self.stable)),
            self.replicas(stable: 1, canaries: 1),
            .known(RouterState(traffic: .all(to: Self.stable), warm: [Self.stable]), at: Self.now)
        )
        #expect(plan.waitingFor == [.routerWarm(Self.canary)])
        #expect(plan.isUpToRouter)
    }
}
