import Deployments
import Rollouts
import Testing

/// `surge` below 100 percent: the revisions exchange their replicas as the traffic moves.
@Suite
struct ExchangeTests {
    static func policy(surge: Int, _ weights: [Int]) -> RolloutPolicy {
        RolloutPolicy(
            steps: weights.map { Step(action: .weight(TrafficWeight(percent: $0)), atLeast: .seconds(1)) },
            gates: [],
            bakeTime: .seconds(5),
            holdback: .none,
            progressDeadline: .seconds(30),
            surge: surge
        )
    }

    static let quarter = Self.policy(surge: 25, [25, 50, 75])

    static func settled(_ replicas: Int, _ policy: RolloutPolicy) -> Stage {
        var stage = Stage()
        stage.desired = .spec(Stage.spec(Stage.good, policy: policy, replicas: replicas))
        stage.run { $0.rollout.phase == .settled && $0.rollout.stable != nil }
        return stage
    }

    static func stepping(_ step: Int, _ policy: RolloutPolicy = Self.quarter, replicas: Int = 4) -> Stage {
        var stage = Self.settled(replicas, policy)
        stage.desired = .spec(Stage.spec(Stage.next, policy: policy, replicas: replicas))
        stage.run { if case .stepping(step, .some) = $0.rollout.phase { true } else { false } }
        return stage
    }

    private static func counts(_ stage: Stage) -> [Int] {
        [Stage.good, Stage.next].map { stage.rollout.target.replicas[$0] ?? 0 }
    }

    @Test
    func `while a step is served, the next weight's replicas start and stable makes room for them`() {
        var stage = Self.settled(4, Self.quarter)
        stage.desired = .spec(Stage.spec(Stage.next, policy: Self.quarter, replicas: 4))
        var seen: [[Int]] = []
        stage.run {
            let state = Self.counts($0) + [$0.weight]
            if seen.last != state { seen.append(state) }
            return $0.rollout.phase == .settled && $0.rollout.stable?.revision == Stage.next
        }
        #expect(
            seen == [
                [4, 0, 0], [4, 1, 0], [4, 1, 25], [3, 2, 25], [3, 2, 50], [2, 3, 50], [2, 3, 75], [1, 4, 75],
                [1, 4, 100], [0, 4, 100],
            ]
        )
    }

    @Test
    func `from none to all there are never more replicas than may be, and both have what their traffic takes`() {
        for replicas in 1...12 {
            for surge in [1, 10, 25, 33, 34, 50, 75, 99] {
                let exchange = Exchange(stable: replicas, canary: replicas, surge: surge)
                var weights = [exchange.reach(from: .none).percent]
                while let last = weights.last, last < 100 {
                    weights.append(exchange.reach(from: TrafficWeight(percent: last)).percent)
                }
                let policy = Self.policy(surge: surge, weights)
                var stage = Self.settled(replicas, policy)
                stage.desired = .spec(Stage.spec(Stage.next, policy: policy, replicas: replicas))
                let limit = replicas + max(1, Int((Double(replicas * surge) / 100).rounded(.up)))
                stage.run { stage in
                    let target = stage.rollout.target
                    #expect(target.replicas.values.reduce(0, +) <= limit, "\(replicas), \(surge)%")
                    for (revision, weight) in target.weights {
                        let share = 100 * Double(target.replicas[revision] ?? 0) / Double(replicas)
                        #expect(share.rounded(.up) >= Double(weight.percent), "\(replicas), \(surge)%, \(target)")
                    }
                    return stage.rollout.phase == .settled && stage.rollout.stable?.revision == Stage.next
                }
                #expect(stage.rollout.stable?.revision == Stage.next, "\(replicas), \(surge)%: \(stage.rollout.phase)")
                #expect(stage.rollout.target.replicas == [Stage.next: replicas])
            }
        }
    }

    @Test
    func `from every moment a rollback gives stable all traffic at once, and its replicas back`() {
        var start = Self.settled(4, Self.quarter)
        start.desired = .spec(Stage.spec(Stage.next, policy: Self.quarter, replicas: 4))
        var states: Set<[Int]> = []
        for ticks in 1..<30 {
            var stage = start
            for _ in 0..<ticks { stage.tick() }
            guard stage.rollout.isInFlight || stage.rollout.phase == .baking else { continue }
            states.insert(Self.counts(stage))
            stage.tick(Command(.rollback(to: nil), by: "sre"))
            #expect(stage.rollout.target.traffic == .all(to: Stage.good), "after \(ticks)")
            #expect(stage.rollout.target.replicas == [Stage.good: 4], "after \(ticks)")
            #expect(stage.rollout.target.sharing?.limit == 5)
            stage.run { $0.rollout.phase == .settled }
            #expect(stage.rollout.stable?.revision == Stage.good)
            #expect(stage.rollout.target.sharing?.limit == 5, "also while the canary's replicas leave")
        }
        #expect(states == [[4, 1], [3, 2], [2, 3], [1, 4]])
    }

    @Test
    func `what a rollback costs is said where it is asked for`() {
        var stage = Self.stepping(1)
        #expect(stage.rollout.shortfall?.kept == 2)
        stage.tick(Command(.rollback(to: nil), by: "sre"))
        let text = stage.answers.first?.message ?? ""
        #expect(text.contains("gets all traffic on 2 of 4 replicas, until the others have started"), "\(text)")
        var aborted = Self.stepping(0)
        aborted.tick(Command(.abort, by: "sre"))
        let answer = aborted.answers.first?.message ?? ""
        #expect(answer.contains("gets all traffic on 3 of 4 replicas"), "\(answer)")
    }

    @Test
    func `a step goes on only with the replicas of the next weight`() {
        var stage = Self.settled(4, Self.quarter)
        stage.readyAtMost[Stage.next] = 1
        stage.desired = .spec(Stage.spec(Stage.next, policy: Self.quarter, replicas: 4))
        for _ in 0..<12 { stage.tick() }
        #expect(stage.rollout.phase == .stepping(step: 0, servedSince: stage.rollout.since + .seconds(1)))
        stage.tick(Command(.promote(full: false, force: false), by: "lead"))
        #expect(stage.answers.first?.message.contains("not seen with 2 replicas ready") == true)
        stage.readyAtMost[Stage.next] = 2
        stage.tick()
        #expect(stage.weight == 50)
    }

    @Test
    func `a canary that never gets its next replicas is taken back after the deadline`() {
        var stage = Self.stepping(0)
        stage.readyAtMost[Stage.next] = 1
        let begin = stage.now
        stage.run { if case .rollingBack = $0.rollout.phase { true } else { false } }
        #expect(stage.rollout.phase == .rollingBack(.progressDeadline(waitingFor: "1 of 2 replicas ready")))
        #expect(stage.now - begin >= .seconds(30))
        var failing = Self.stepping(0)
        failing.replicas[Stage.next] = .failed
        failing.tick()
        #expect(failing.rollout.quarantine[Stage.next] != nil)
    }

    @Test
    func `the time of a pause is not the canary's, and lacking replicas begin anew after it`() {
        var stage = Self.stepping(0)
        stage.readyAtMost[Stage.next] = 1
        for _ in 0..<5 { stage.tick() }
        stage.tick(Command(.pause(until: nil), by: "sre"))
        for _ in 0..<100 { stage.tick() }
        stage.tick(Command(.resume, by: "sre"))
        for _ in 0..<20 { stage.tick() }
        #expect(stage.rollout.phase.isStepping)
        for _ in 0..<20 { stage.tick() }
        #expect(!stage.rollout.phase.isStepping)
    }

    @Test
    func `promote --full does not jump over steps that have no room for it`() {
        var stage = Self.stepping(0)
        stage.tick(Command(.promote(full: true, force: true), by: "lead"))
        #expect(
            stage.answers.first?.message
                == "all traffic takes 4 replicas, and this step has 2 (`surge: 25%`): pass the steps one by one, without "
                + "`--full`"
        )
        #expect(stage.rollout.phase.isStepping)
        var last = Self.stepping(2)
        last.tick(Command(.promote(full: true, force: true), by: "lead"))
        #expect(last.answers.first?.isAccepted == true)
    }

    @Test
    func `copies and matched requests get the replicas of the first weight`() {
        var policy = Self.policy(surge: 50, [50, 75])
        policy.steps.insert(Step(action: .shadow(.all), atLeast: .seconds(1)), at: 0)
        let stage = Self.stepping(0, policy)
        #expect(Self.counts(stage) == [4, 2])
    }

    @Test
    func `in the bake as many replicas stay warm as there is room for`() {
        var stage = Self.stepping(2)
        stage.run { $0.rollout.phase == .baking }
        #expect(Self.counts(stage) == [1, 4])
        #expect(stage.rollout.shortfall?.of.revision == Stage.good)
        var half = Self.stepping(0, Self.policy(surge: 50, [50]))
        half.run { $0.rollout.phase == .baking }
        #expect(Self.counts(half) == [2, 4])
    }

    @Test
    func `a return to an earlier revision takes all traffic with what there is room for`() {
        var stage = Self.stepping(2)
        stage.run { $0.rollout.phase == .settled }
        stage.tick(Command(.rollback(to: Stage.good), by: "sre"))
        #expect(stage.answers.first?.message.contains("once 1 of its 4 replicas are ready") == true)
        #expect(Self.counts(stage) == [1, 4])
        stage.run { $0.rollout.phase == .promoting }
        #expect(Self.counts(stage) == [4, 1])
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.target.replicas == [Stage.good: 4])
    }

    /// As can be with an earlier revision, and when the manifest changes both at once.
    @Test
    func `two revisions of different sizes share the room of the larger one`() {
        var stage = Self.settled(4, Self.quarter)
        stage.desired = .spec(Stage.spec(Stage.next, policy: Self.quarter, replicas: 2))
        stage.rollout.stable?.replicas = 4
        stage.tick()
        stage.rollout.stable?.replicas = 4
        #expect(stage.rollout.exchange == Exchange(stable: 4, canary: 2, surge: 25))
        #expect(stage.rollout.target.sharing?.limit == 5)
        #expect(Self.counts(stage) == [4, 1])
        stage.run { if case .stepping(1, .some) = $0.rollout.phase { true } else { false } }
        #expect(Self.counts(stage) == [3, 2])
        var grown = Self.settled(2, Self.quarter)
        grown.desired = .spec(Stage.spec(Stage.next, policy: Self.quarter, replicas: 8))
        grown.run { $0.rollout.phase == .settled && $0.rollout.stable?.revision == Stage.next }
        #expect(grown.rollout.target.replicas == [Stage.next: 8])
    }

    @Test
    func `replicas that changed since the rollout began hold it where its steps have no room`() {
        var stage = Self.stepping(0)
        stage.desired = .spec(Stage.spec(Stage.next, policy: Self.quarter, replicas: 7))
        stage.tick()
        stage.tick()
        let holds = stage.rollout.holds
        #expect(
            holds == [
                .noRoom(
                    "the next step needs 4 replicas of the canary, and a surge of 25% has room for 3: abort the "
                        + "rollout, or put `replicas` back"
                )
            ]
        )
        for _ in 0..<60 { stage.tick() }
        #expect(stage.rollout.phase.isStepping, "and that is not the canary's fault")
        stage.desired = .spec(Stage.spec(Stage.next, policy: Self.quarter, replicas: 4))
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.stable?.revision == Stage.next)
    }

    @Test
    func `a first revision has all of its replicas at once`() {
        var stage = Stage()
        stage.desired = .spec(Stage.spec(Stage.good, policy: Self.quarter, replicas: 4))
        stage.tick()
        #expect(stage.rollout.target.replicas == [Stage.good: 4])
        #expect(stage.rollout.target.sharing == nil)
    }
}

/// What an exchange needs beside what runs.
@Suite
struct ExchangeCapacityTests {
    private static func spec(_ revision: Revision, gpus: Int = 1) -> DeploymentSpec {
        var spec = Stage.spec(revision, policy: ExchangeTests.quarter, replicas: 4)
        spec.resources = Resources(gpu: gpus)
        return spec
    }

    private static func serving() -> Stage {
        var stage = Stage()
        stage.desired = .spec(Self.spec(Stage.good))
        stage.run { $0.rollout.phase == .settled && $0.rollout.stable != nil }
        return stage
    }

    @Test
    func `an exchange needs room for what it adds, not for a second set`() {
        var stage = Self.serving()
        stage.capacity = Capacity(gpu: 4)
        stage.desired = .spec(Self.spec(Stage.next))
        stage.tick()
        #expect(
            stage.rollout.holds == [
                .noRoom(
                    "it needs 1 GPU beside the running ones, and 0 GPUs of 4 is free: use a `surge` below 25%, "
                        + "`strategy: recreate` or fewer replicas"
                )
            ]
        )
        stage.capacity = Capacity(gpu: 5)
        stage.tick()
        #expect(stage.rollout.phase == .preparing)
        #expect(stage.rollout.peak == Resources(gpu: 5))
    }

    @Test
    func `replicas that take more than stable's need the room of the whole exchange`() {
        var stage = Self.serving()
        stage.desired = .spec(Self.spec(Stage.next, gpus: 2))
        stage.capacity = Capacity(gpu: 8)
        stage.tick()
        #expect(stage.rollout.phase == .settled, "four of two GPUs, and one of stable's")
        stage.capacity = Capacity(gpu: 9)
        stage.tick()
        #expect(stage.rollout.phase == .preparing)
    }

    /// The room was once asked for only when nothing was in flight.
    @Test
    func `a revision that does not fit cancels the one in flight, and waits for room`() {
        var stage = Self.serving()
        stage.capacity = Capacity(gpu: 5)
        stage.desired = .spec(Self.spec(Stage.next))
        stage.run { if case .stepping(1, .some) = $0.rollout.phase { true } else { false } }
        stage.desired = .spec(Self.spec(Stage.third, gpus: 2))
        stage.tick()
        #expect(stage.rollout.phase == .rollingBack(.cancelled))
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.holds.count == 1)
        #expect(stage.rollout.quarantine == [:])
        stage.capacity = Capacity(gpu: 9)
        stage.tick()
        #expect(stage.rollout.canary?.revision == Stage.third)
        var fitting = Self.serving()
        fitting.capacity = Capacity(gpu: 5)
        fitting.desired = .spec(Self.spec(Stage.next))
        fitting.run { if case .stepping(1, .some) = $0.rollout.phase { true } else { false } }
        fitting.desired = .spec(Self.spec(Stage.third))
        fitting.tick()
        #expect(fitting.rollout.phase == .preparing)
        #expect(fitting.rollout.target.replicas == [Stage.good: 4, Stage.third: 1])
    }
}

extension Rollout.Phase {
    fileprivate var isStepping: Bool { if case .stepping = self { true } else { false } }
}
