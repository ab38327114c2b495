import Deployments
import Rollouts
import Testing

/// A number of replicas that follows the load.
@Suite
struct AutoscalingTests {
    static let autoscaling = Autoscaling(
        minReplicas: 2,
        maxReplicas: 8,
        targetConcurrency: 4,
        scaleDownAfter: .seconds(60)
    )

    static func spec(
        _ revision: Revision,
        _ autoscaling: Autoscaling? = Self.autoscaling,
        policy: RolloutPolicy = Stage.policy
    ) -> DeploymentSpec {
        var spec = Stage.spec(revision, policy: policy, replicas: autoscaling?.minReplicas ?? 3)
        spec.autoscaling = autoscaling
        return spec
    }

    /// One revision serves, with as many replicas as the load needs.
    static func serving(_ requests: Double?, policy: RolloutPolicy = Stage.policy) -> Stage {
        var stage = Stage()
        stage.desired = .spec(Self.spec(Stage.good, policy: policy))
        stage.run { $0.rollout.phase == .settled && $0.rollout.stable != nil }
        stage.requestsInFlight = requests
        stage.tick()
        return stage
    }

    static func count(_ stage: Stage) -> Int? { stage.rollout.stable?.replicas }

    @Test(arguments: [
        (0.0, 1), (0.1, 1), (4, 1), (4.1, 2), (8, 2), (32, 8), (33, 9), (1e300, 1_000_000_000), (.nan, 1),
    ])
    func `every request in flight has its part of a replica`(requests: Double, need: Int) {
        #expect(Self.autoscaling.need(for: requests) == need)
        let small = Autoscaling(minReplicas: 1, maxReplicas: 9, targetConcurrency: 0.7)
        #expect(small.need(for: 2.1) == 3, "an error of rounding is no replica")
    }

    @Test
    func `more are started at once, within the bounds`() {
        var stage = Self.serving(0)
        #expect(Self.count(stage) == 2, "never fewer than the least")
        stage.requestsInFlight = 18.3
        stage.tick()
        #expect(Self.count(stage) == 5)
        #expect(stage.rollout.target.replicas == [Stage.good: 5])
        #expect(stage.transitions.last?.kind == .scaled)
        #expect(stage.transitions.last?.message == "scaled from 2 to 5: 18.3 requests in flight, 4 per replica")
        #expect(stage.transitions.last?.isOutcome == false)
        stage.requestsInFlight = 400
        stage.tick()
        #expect(Self.count(stage) == 8, "never more than the most")
        #expect(stage.rollout.rest(at: stage.now)?.upperBound == .endOfTime)
    }

    @Test
    func `fewer are left when fewer were enough for a while, and as many as were needed meanwhile`() {
        var stage = Self.serving(30)
        #expect(Self.count(stage) == 8)
        stage.requestsInFlight = 6
        for _ in 0..<30 { stage.tick() }
        stage.requestsInFlight = 11
        stage.tick()
        #expect(stage.rollout.rest(at: stage.now) == nil, "time alone brings something about")
        stage.requestsInFlight = 6
        for _ in 0..<29 { stage.tick() }
        #expect(Self.count(stage) == 8)
        stage.tick()
        #expect(Self.count(stage) == 3)
        let message = "scaled from 8 to 3: no more were needed for 1m, with 4 requests per replica"
        #expect(stage.transitions.last?.message == message)
        for _ in 0..<30 { stage.tick() }
        #expect(Self.count(stage) == 3, "the load of meanwhile counts for a minute, too")
        stage.tick()
        #expect(Self.count(stage) == 2)
    }

    @Test
    func `what was enough by other bounds is not gone back to`() {
        var stage = Self.serving(20)
        #expect(Self.count(stage) == 5)
        stage.requestsInFlight = 14
        for _ in 0..<59 { stage.tick() }
        let narrower = Autoscaling(minReplicas: 2, maxReplicas: 3, targetConcurrency: 8, scaleDownAfter: .seconds(60))
        stage.desired = .spec(Self.spec(Stage.good, narrower))
        for _ in 0..<10 { stage.tick() }
        #expect(Self.count(stage) == 3)
    }

    @Test
    func `the way down does not make the time longer`() {
        var stage = Self.serving(30)
        for requests in [27, 23, 19, 15, 11, 7] {
            stage.requestsInFlight = Double(requests)
            stage.tick()
        }
        let surplus = stage.rollout.surplus
        #expect(surplus?.map(\.replicas) == [7, 6, 5, 4, 3, 2])
        for _ in 0..<30 { stage.tick() }
        #expect(stage.rollout.surplus == surplus, "what stays the same is not journaled again and again")
        stage.requestsInFlight = 13
        stage.tick()
        #expect(stage.rollout.surplus?.map(\.replicas) == [7, 6, 5, 4])
        for _ in 0..<33 { stage.tick() }
        #expect(Self.count(stage) == 4)
    }

    @Test
    func `a dip that ends in time leaves all of them`() {
        var stage = Self.serving(30)
        for _ in 0..<3 {
            stage.requestsInFlight = 1
            for _ in 0..<59 { stage.tick() }
            stage.requestsInFlight = 30
            stage.tick()
        }
        #expect(Self.count(stage) == 8)
        #expect(stage.rollout.surplus == nil)
    }

    @Test
    func `what was not seen is no lack of load`() {
        var stage = Self.serving(30)
        stage.requestsInFlight = nil
        for _ in 0..<200 { stage.tick() }
        #expect(Self.count(stage) == 8)
        #expect(stage.rollout.rest(at: stage.now)?.upperBound == .endOfTime)
        stage.requestsInFlight = 1
        for _ in 0..<50 { stage.tick() }
        stage.requestsInFlight = nil
        stage.tick()
        stage.requestsInFlight = 1
        for _ in 0..<60 { stage.tick() }
        #expect(Self.count(stage) == 8, "the load may have been high while it was not seen")
        stage.tick()
        #expect(Self.count(stage) == 2)
    }

    /// Found by a hostile world: the controller was killed, and then the disk was full for as long as it was blind.
    @Test
    func `a surplus from before a time of which no decision was kept counts from its end on`() {
        var stage = Self.serving(30)
        stage.requestsInFlight = 1
        for _ in 0..<50 { stage.tick() }
        stage.now = stage.now + .seconds(9)
        stage.loadKnownSince = nil
        for _ in 0..<60 { stage.tick() }
        #expect(Self.count(stage) == 8)
        stage.tick()
        #expect(Self.count(stage) == 2)
    }

    @Test
    func `a rollout begins with as many and holds them still`() {
        var stage = Self.serving(18)
        stage.desired = .spec(Self.spec(Stage.next))
        stage.tick()
        #expect(stage.rollout.phase == .preparing)
        #expect(stage.rollout.target.replicas == [Stage.good: 5, Stage.next: 5])
        stage.requestsInFlight = 30
        while stage.rollout.isInFlight {
            #expect(stage.rollout.target.replicas == [Stage.good: 5, Stage.next: 5])
            stage.tick()
        }
        #expect(stage.rollout.phase == .baking)
        #expect(stage.rollout.target.replicas == [Stage.good: 8, Stage.next: 8], "a rollback needs as many")
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.target.replicas == [Stage.next: 8])
    }

    @Test
    func `a surplus from before a rollout counts no more after it`() {
        var stage = Self.serving(18)
        stage.requestsInFlight = 1
        stage.tick()
        #expect(stage.rollout.surplus?.count == 1)
        stage.desired = .spec(Self.spec(Stage.next))
        stage.tick()
        #expect(stage.rollout.surplus == nil)
        stage.tick(Command(.abort, by: "sre"))
        stage.run { $0.rollout.phase == .settled }
        #expect(Self.count(stage) == 5)
        for _ in 0..<59 { stage.tick() }
        #expect(Self.count(stage) == 5)
    }

    @Test
    func `a rollback in the bake and one to an earlier revision keep the number`() {
        var stage = Self.serving(18)
        stage.desired = .spec(Self.spec(Stage.next))
        stage.run { $0.rollout.phase == .baking }
        stage.requestsInFlight = 26
        stage.tick()
        #expect(stage.rollout.target.replicas == [Stage.good: 7, Stage.next: 7])
        stage.tick(Command(.rollback(to: nil), by: "sre"))
        #expect(stage.rollout.stable?.revision == Stage.good)
        #expect(Self.count(stage) == 7)
        stage.desired = .spec(Self.spec(Stage.third))
        stage.run { $0.rollout.phase == .settled && $0.rollout.stable?.revision == Stage.third }
        stage.requestsInFlight = 30
        stage.tick()
        stage.tick(Command(.rollback(to: Stage.good), by: "sre"))
        #expect(stage.rollout.canary?.revision == Stage.good)
        #expect(stage.rollout.target.replicas == [Stage.good: 8, Stage.third: 8])
    }

    @Test
    func `a replica count of long ago does not come back with a rollback`() {
        var stage = Stage.settled()
        stage.desired = .spec(Stage.spec(Stage.next))
        stage.run { $0.rollout.phase == .baking }
        stage.desired = .spec(Stage.spec(Stage.next, replicas: 3))
        stage.tick()
        #expect(stage.rollout.target.replicas == [Stage.good: 3, Stage.next: 3])
        stage.run { $0.rollout.phase == .settled }
        stage.desired = .spec(Stage.spec(Stage.next, replicas: 4))
        stage.tick()
        stage.tick(Command(.rollback(to: Stage.good), by: "sre"))
        #expect(stage.rollout.target.replicas == [Stage.good: 4, Stage.next: 4])
    }

    @Test
    func `other bounds are applied in place once, to the present number`() {
        var stage = Self.serving(18)
        stage.desired = .spec(Self.spec(Stage.good))
        for _ in 0..<5 { stage.tick() }
        #expect(!stage.kinds.contains(.changedInPlace), "the manifest's least is not the present number")
        var bounds = Self.autoscaling
        bounds.minReplicas = 3
        stage.desired = .spec(Self.spec(Stage.good, bounds))
        for _ in 0..<5 { stage.tick() }
        #expect(stage.kinds.count { $0 == .changedInPlace } == 1)
        #expect(Self.count(stage) == 5)
        bounds.maxReplicas = 4
        stage.desired = .spec(Self.spec(Stage.good, bounds))
        for _ in 0..<5 { stage.tick() }
        #expect(Self.count(stage) == 4)
        stage.desired = .spec(Self.spec(Stage.good, nil))
        for _ in 0..<5 { stage.tick() }
        #expect(Self.count(stage) == 3, "a fixed number is what the manifest says")
        stage.desired = .spec(Self.spec(Stage.good))
        for _ in 0..<5 { stage.tick() }
        #expect(Self.count(stage) == 5)
        #expect(stage.kinds.count { $0 == .changedInPlace } == 4)
    }

    @Test
    func `the bounds of a canary that is superseded hold for the next one`() {
        var stage = Self.serving(30)
        stage.desired = .spec(Self.spec(Stage.next))
        stage.tick()
        #expect(stage.rollout.canary?.replicas == 8)
        var bounds = Self.autoscaling
        bounds.maxReplicas = 6
        stage.desired = .spec(Self.spec(Stage.third, bounds))
        stage.tick()
        #expect(stage.rollout.target.replicas == [Stage.good: 6, Stage.third: 6])
        bounds.maxReplicas = 5
        stage.desired = .spec(Self.spec(Stage.third, bounds))
        stage.tick()
        #expect(stage.rollout.target.replicas == [Stage.good: 5, Stage.third: 5])
    }

    @Test
    func `neither a pause nor a freeze stops it`() {
        var stage = Self.serving(1)
        let now = stage.now
        let schedule = FreezeWindow.Schedule.once(from: now, until: now + .hours(1))
        stage.freezes = [FreezeWindow(name: "night", schedule: schedule)]
        stage.tick(Command(.pause(until: nil), by: "sre"))
        stage.requestsInFlight = 18
        stage.tick()
        #expect(Self.count(stage) == 5)
    }

    @Test
    func `where there is no room for all, as many as fit are started`() {
        var stage = Stage()
        var spec = Self.spec(Stage.good)
        spec.resources = Resources(gpu: 1)
        stage.desired = .spec(spec)
        stage.run { $0.rollout.phase == .settled && $0.rollout.stable != nil }
        stage.requestsInFlight = 24
        stage.capacity = Capacity(gpu: 6, used: Resources(gpu: 2))
        stage.tick()
        #expect(Self.count(stage) == 4)
        let message = "scaled from 2 to 4: 24 requests in flight, 4 per replica; 6 are needed"
        #expect(stage.transitions.last?.message == message)
        let why = "it needs 2 GPUs beside the running ones, and 0 GPUs of 6 is free"
        #expect(stage.rollout.holds == [.noRoomToScale(needed: 6, fits: 4, why: why)])
        #expect(stage.rollout.rest(at: stage.now) == nil, "room may come")
        stage.tick()
        #expect(Self.count(stage) == 4)
        stage.capacity = Capacity(gpu: 6)
        stage.tick()
        #expect(Self.count(stage) == 6)
        #expect(stage.rollout.holds == [])
    }

    @Test(arguments: [(Strategy.canary, 3), (.recreate, 4)])
    func `in the bake, what is warm grows too and needs its room`(strategy: Strategy, fits: Int) {
        var stage = Stage()
        var spec = Self.spec(Stage.good)
        (spec.resources, spec.rollout.strategy) = (Resources(gpu: 1), strategy)
        if strategy == .recreate { spec.rollout.steps = [] }
        stage.desired = .spec(spec)
        stage.artifacts[Stage.next] = .ready(path: "/m", digest: "sha256:0")
        stage.run { $0.rollout.phase == .settled && $0.rollout.stable != nil }
        spec.revision = Stage.next
        stage.desired = .spec(spec)
        stage.run { $0.rollout.phase == .baking }
        stage.capacity = Capacity(gpu: 6)
        stage.requestsInFlight = 16
        stage.tick()
        #expect(Self.count(stage) == fits)
        let warm = strategy == .recreate ? nil : fits
        #expect(stage.rollout.target.replicas[Stage.good] == warm)
    }

    @Test
    func `what is to be rolled out needs room for the present number`() {
        var stage = Stage()
        var spec = Self.spec(Stage.good)
        spec.resources = Resources(gpu: 1)
        stage.desired = .spec(spec)
        stage.run { $0.rollout.phase == .settled && $0.rollout.stable != nil }
        stage.requestsInFlight = 16
        stage.tick()
        spec.revision = Stage.next
        stage.desired = .spec(spec)
        stage.capacity = Capacity(gpu: 7)
        stage.tick()
        #expect(stage.rollout.phase == .settled)
        stage.capacity = Capacity(gpu: 8)
        stage.tick()
        #expect(stage.rollout.phase == .preparing)
    }
}
