import Deployments
import Rollouts
import Testing

/// `strategy: recreate`, for what cannot run twice.
@Suite
struct ReplacementTests {
    static let policy = RolloutPolicy(
        strategy: .recreate,
        steps: [],
        gates: [],
        bakeTime: .seconds(20),
        progressDeadline: .seconds(30)
    )
    static let ready = ArtifactState.ready(path: "/m", digest: "")

    /// The artifact of the next revision is not here yet.
    static func preparing() -> Stage {
        var stage = Stage.settled(policy: Self.policy)
        stage.desired = .spec(Stage.spec(Stage.next, policy: Self.policy))
        stage.artifacts[Stage.next] = .fetching(received: 1, total: 2)
        for _ in 0..<3 { stage.tick() }
        return stage
    }

    static func replacing() -> Stage {
        var stage = Self.preparing()
        stage.replicas[Stage.next] = .starting
        stage.artifacts[Stage.next] = Self.ready
        stage.tick()
        return stage
    }

    @Test
    func `stable serves until the artifact is here, then the canary takes its place`() {
        var stage = Self.preparing()
        #expect(stage.rollout.phase == .preparing)
        #expect(stage.rollout.target.replicas == [Stage.good: 1])
        #expect(stage.rollout.target.fetches == [Stage.next])
        stage.artifacts[Stage.next] = Self.ready
        stage.tick()
        #expect(stage.rollout.phase == .replacing)
        #expect(
            stage.rollout.target
                == Target(replicas: [Stage.next: 1], traffic: .all(to: Stage.next), isExclusive: true)
        )
        stage.run { $0.rollout.phase == .baking }
        #expect(stage.rollout.stable?.revision == Stage.next)
        #expect(stage.rollout.target.replicas == [Stage.next: 1], "what was replaced is not kept beside")
        #expect(stage.kinds.suffix(3) == [.rolloutStarted, .replacing, .promoted])
        stage.run { $0.rollout.phase == .settled }
    }

    @Test(arguments: [Replica.State.failed, .starting])
    func `a canary that fails in stable's place, or is never ready, makes room for stable again`(state: Replica.State) {
        var stage = Self.replacing()
        stage.replicas[Stage.next] = state
        stage.run { if case .rollingBack = $0.rollout.phase { true } else { false } }
        #expect(
            stage.rollout.target
                == Target(replicas: [Stage.good: 1], traffic: .all(to: Stage.good), isExclusive: true)
        )
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.stable?.revision == Stage.good)
        #expect(stage.rollout.quarantine[Stage.next] != nil)
    }

    @Test(arguments: [true, false])
    func `what was asked to serve in stable's place is promoted before a newer revision`(isAsked: Bool) {
        let stage = Self.replacing()
        var rollout = stage.rollout
        let situation = Situation(
            desired: .spec(Stage.spec(Stage.third, policy: Self.policy)),
            asked: AskedTraffic(isAsked ? .all(to: Stage.next) : Traffic(), since: stage.now)
        )
        _ = rollout.handle(situation, at: stage.now)
        #expect(rollout.canary?.revision == (isAsked ? Stage.next : Stage.third))
        #expect(rollout.phase == (isAsked ? .replacing : .preparing))
    }

    @Test
    func `a failure in stable's place that was seen too long ago takes nothing back, and one seen now does`() {
        var stage = Self.replacing()
        stage.platformSeen = false
        let id = ReplicaID(deployment: Stage.id, revision: Stage.next, ordinal: 0)
        let failed = Replica(id: id, state: .failed, endpoint: nil, lastFailure: "exit code 1")
        stage.lastPlatform = .known([failed], at: stage.now + .seconds(-60))
        stage.tick()
        #expect(stage.rollout.phase == .replacing)
        stage.lastPlatform = .known([failed], at: stage.now)
        stage.tick()
        #expect(stage.rollout.quarantine[Stage.next]?.reason == .replicaFailed("\(id): exit code 1"))
    }

    @Test
    func `a rollback has not ended while a replica of the canary is left`() {
        var stage = Self.replacing()
        stage.lingering = [Stage.next]
        stage.tick(Command(.rollback(to: nil), by: "sre"))
        for _ in 0..<5 { stage.tick() }
        #expect(stage.rollout.phase == .rollingBack(.requested(by: "sre", why: "")))
        stage.lingering = []
        stage.tick()
        #expect(stage.rollout.phase == .settled)
    }

    @Test
    func `another signature is found before the canary gets a request`() {
        var stage = Stage.settled(policy: Self.policy)
        stage.signatures = [Stage.good: "a", Stage.next: "b"]
        stage.tick()
        stage.artifacts[Stage.next] = Self.ready
        stage.desired = .spec(Stage.spec(Stage.next, policy: Self.policy))
        stage.run { if case .rollingBack = $0.rollout.phase { true } else { false } }
        #expect(stage.rollout.phase == .rollingBack(.signatureChanged("stable a, canary b")))
        #expect(!stage.kinds.suffix(3).contains(.promoted))
    }

    @Test
    func `a pause and unhealthy dependencies hold a replacement before it begins, and never half-way`() {
        var stage = Self.preparing()
        stage.dependencies = [DeploymentID(namespace: "search", name: "embedder")]
        stage.tick(Command(.pause(until: nil), by: "sre"))
        stage.artifacts[Stage.next] = Self.ready
        for _ in 0..<100 { stage.tick() }
        #expect(stage.rollout.phase == .preparing, "and the time of a hold is not the canary's")
        stage.tick(Command(.resume, by: "sre"))
        #expect(stage.rollout.phase == .preparing)
        #expect(stage.rollout.holds == [.dependencies(stage.dependencies)])
        stage.dependencies = []
        stage.tick()
        #expect(stage.rollout.phase == .replacing)
        stage.tick(Command(.pause(until: nil), by: "sre"))
        stage.run { $0.rollout.phase == .baking }
        #expect(stage.rollout.stable?.revision == Stage.next)
    }

    @Test
    func `a rollback in the bake starts the previous revision in the failed one's place`() {
        var stage = Self.replacing()
        stage.replicas = [:]
        stage.run { $0.rollout.phase == .baking }
        stage.tick(Command(.rollback(to: nil), by: "sre"))
        #expect(stage.rollout.target.isExclusive)
        #expect(stage.rollout.target.replicas == [Stage.good: 1])
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.stable?.revision == Stage.good)
    }

    @Test
    func `a first revision replaces nothing`() {
        let stage = Stage.settled(policy: Self.policy)
        #expect(stage.kinds == [.rolloutStarted, .promoting, .promoted])
    }
}
