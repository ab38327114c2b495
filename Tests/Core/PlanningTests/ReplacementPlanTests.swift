import Deployments
import Planning
import Rollouts
import Testing

/// What the planner makes of revisions that can't run beside each other, and what the check lets pass.
@Suite
struct ReplacementPlanTests {
    typealias Base = PlannerTests
    let base = PlannerTests()
    static let target = Target(replicas: [Base.canary: 1], traffic: .all(to: Base.canary), isExclusive: true)

    private func plan(_ replicas: [Replica], _ router: RouterState, seen: Timestamp = Base.now) -> Plan {
        var observed = Observation(replicas: .known(replicas, at: seen), router: .known(router, at: seen))
        observed.artifacts[Base.canary] = .ready(path: "/m", digest: "")
        return Planner(
            deployment: Base.id,
            stable: Base.stable,
            target: Self.target,
            observed: observed,
            mayEndTraffic: true,
            freshness: .seconds(10),
            now: Base.now
        ).plan()
    }

    @Test
    func `stable's traffic ends, it drains, stops, and only then the canary starts and serves`() {
        let stable = self.base.replica(Base.stable)
        let serving = self.base.served([Base.stable: 100])
        #expect(self.plan([stable], serving).effects == [.route(Traffic())])
        let empty = RouterState(warm: [Base.stable])
        #expect(self.plan([stable], empty).effects == [.drain(stable.id)])
        let draining = self.base.replica(Base.stable, 0, .draining(since: Base.now + .seconds(-1)))
        let drained = self.plan([draining], empty)
        #expect(drained.effects == [.stop(stable.id)])
        #expect(drained.waitingFor.contains(.replicasGone(Base.stable)))
        let stopping = self.base.replica(Base.stable, 0, .stopping)
        #expect(self.plan([stopping], empty).effects == [])
        let canary = ReplicaID(deployment: Base.id, revision: Base.canary, ordinal: 0)
        #expect(self.plan([], empty).effects == [.start(canary)])
        let ready = RouterState(warm: [Base.canary])
        #expect(self.plan([self.base.replica(Base.canary)], ready).effects == [.route(.all(to: Base.canary))])
    }

    @Test
    func `on stale looks stable keeps its traffic`() {
        let plan = self.plan(
            [self.base.replica(Base.stable)],
            self.base.served([Base.stable: 100]),
            seen: Base.now + .seconds(-60)
        )
        #expect(plan.effects == [])
    }

    @Test
    func `an artifact that is wanted besides the replicas is fetched`() {
        let target = Target(replicas: [:], traffic: .all(to: Base.stable), fetches: [Base.canary], isExclusive: true)
        let observed = Observation(
            replicas: .known([], at: Base.now),
            router: .known(self.base.served([Base.stable: 100]), at: Base.now)
        )
        let plan = Planner(
            deployment: Base.id,
            stable: Base.stable,
            target: target,
            observed: observed,
            freshness: .seconds(10),
            now: Base.now
        ).plan()
        #expect(plan.effects == [.fetch(Base.canary)])
    }

    /// The one exception to rules 1 and 2, and nothing beside it.
    @Test(arguments: [
        (Rollout.Phase.replacing, Strategy.recreate, true, true), (.replacing, .recreate, false, false),
        (.replacing, .canary, true, false), (.preparing, .recreate, true, false),
        (.stepping(step: 0, servedSince: nil), .recreate, true, false), (.settled, .recreate, true, false),
    ])
    func `only a replacement whose artifact is here may end stable's traffic`(
        phase: Rollout.Phase,
        strategy: Strategy,
        hasArtifact: Bool,
        isAllowed: Bool
    ) {
        var rollout = Rollout(id: Base.id, at: Base.now)
        rollout.stable = Self.spec(Base.stable)
        rollout.canary = Self.spec(Base.canary)
        rollout.canary?.rollout.strategy = strategy
        rollout.phase = phase
        var observed = Observation(
            replicas: .known([self.base.replica(Base.stable)], at: Base.now),
            router: .known(self.base.served([Base.stable: 100]), at: Base.now)
        )
        if hasArtifact { observed.artifacts[Base.canary] = .ready(path: "/m", digest: "") }
        let plan = Plan(effects: [.route(Traffic())])
        let violations = PlanCheck.violations(of: plan, for: rollout, observed: observed, at: Base.now)
        #expect(violations.isEmpty == isAllowed, "\(violations)")
    }

    @Test
    func `a start beside what cannot run beside it is a violation`() {
        var rollout = Rollout(id: Base.id, at: Base.now)
        rollout.stable = Self.spec(Base.stable)
        rollout.canary = Self.spec(Base.canary)
        rollout.canary?.rollout.strategy = .recreate
        rollout.phase = .replacing
        let observed = Observation(replicas: .known([self.base.replica(Base.stable)], at: Base.now))
        let start = Effect.start(ReplicaID(deployment: Base.id, revision: Base.canary, ordinal: 0))
        let plan = Plan(effects: [start])
        #expect(PlanCheck.violations(of: plan, for: rollout, observed: observed, at: Base.now).map(\.effect) == [start])
    }

    private static func spec(_ revision: Revision) -> DeploymentSpec {
        DeploymentSpec(
            id: Base.id,
            revision: revision,
            origin: CommitReference(repository: "models", branch: "main", commit: "1"),
            model: Model(name: "m", version: "1", format: "onnx", uri: "file:/m"),
            runtime: ServingRuntime(name: "onnx", command: ["serve"])
        )
    }
}
