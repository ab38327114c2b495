import Analysis
import Deployments
import Rollouts
import Testing

@Suite
struct RolloutTests {
    @Test
    func `a first revision takes all traffic at once, as there is nothing to compare it with`() {
        let stage = Stage.settled()
        #expect(stage.rollout.stable?.revision == Stage.good)
        #expect(stage.kinds == [.rolloutStarted, .promoting, .promoted])
    }

    @Test
    func `a good canary goes through every step, is promoted and bakes`() {
        var stage = Stage.stepping()
        var weights: [Int] = []
        stage.run { stage in
            if weights.last != stage.weight { weights.append(stage.weight) }
            return stage.rollout.phase == .baking
        }
        #expect(weights == [5, 50, 100])
        #expect(stage.rollout.stable?.revision == Stage.next)
        #expect(stage.rollout.previous?.revision == Stage.good)
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.previous == nil)
        #expect(stage.rollout.history.map(\.revision) == [Stage.good])
    }

    @Test
    func `a canary that fails more often than stable is rolled back and quarantined`() {
        var stage = Stage.stepping()
        stage.errors[Stage.next] = 50
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.stable?.revision == Stage.good)
        guard case .gateFailed(let gate, _) = stage.rollout.quarantine[Stage.next]?.reason else {
            Issue.record("quarantined for \(String(describing: stage.rollout.quarantine[Stage.next]?.reason))")
            return
        }
        #expect(gate == "errors")
        let before = stage.transitions
        for _ in 0..<100 { stage.tick() }
        #expect(stage.transitions == before, "the same bad commit seen again changes nothing")
    }

    @Test
    func `a pause holds progress and delays no rollback`() {
        var stage = Stage.stepping()
        stage.tick(Command(.pause(until: nil), by: "sre", why: "lunch"))
        for _ in 0..<60 { stage.tick() }
        #expect(stage.weight == 5)
        #expect(stage.rollout.holds == [.paused(by: "sre", why: "lunch", until: nil)])
        stage.errors[Stage.next] = 50
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.quarantine[Stage.next] != nil)
    }

    @Test
    func `a pause with an end resumes by itself`() {
        var stage = Stage.stepping()
        stage.tick(Command(.pause(until: stage.now + .seconds(10)), by: "sre"))
        stage.run { $0.rollout.pause == nil }
        #expect(stage.kinds.last(where: { $0 == .resumed }) == .resumed)
        stage.run { $0.rollout.phase == .baking }
        #expect(stage.rollout.stable?.revision == Stage.next)
    }

    @Test
    func `rollback in mid-canary gives the canary nothing in the same tick`() {
        var stage = Stage.stepping()
        stage.tick(Command(.rollback(to: nil), by: "sre", why: "users complain"))
        #expect(stage.answers.first?.isAccepted == true)
        #expect(stage.rollout.target.weights == [Stage.good: .all])
        stage.tick(Command(.rollback(to: nil), by: "sre"))
        #expect(stage.answers.first?.isChanged == false, "a second rollback finds nothing to do, or nothing to go to")
    }

    @Test
    func `rollback in the bake returns to the warm previous revision`() {
        var stage = Stage.stepping()
        stage.run { $0.rollout.phase == .baking }
        stage.tick(Command(.rollback(to: nil), by: "sre"))
        #expect(stage.rollout.target.weights == [Stage.good: .all])
        #expect(stage.rollout.target.replicas[Stage.good] == 1)
        #expect(stage.rollout.quarantine[Stage.next] != nil)
    }

    @Test
    func `rollback after the bake starts the earlier revision first and pins it until git names another`() {
        var stage = Stage.stepping()
        stage.run { $0.rollout.phase == .settled && $0.rollout.stable?.revision == Stage.next }
        stage.tick(Command(.rollback(to: nil), by: "sre"))
        #expect(stage.rollout.phase == .preparing)
        #expect(stage.rollout.target.weights == [Stage.next: .all], "until the earlier one is ready, this one serves")
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.stable?.revision == Stage.good)
        for _ in 0..<20 { stage.tick() }
        #expect(stage.rollout.stable?.revision == Stage.good)
        stage.desired = .spec(Stage.spec(Stage.third))
        stage.tick()
        #expect(stage.rollout.pin == nil)
        #expect(stage.rollout.canary?.revision == Stage.third)
    }

    @Test
    func `retry lifts the quarantine and starts over`() {
        var stage = Stage.stepping()
        stage.tick(Command(.abort, by: "sre"))
        stage.run { $0.rollout.phase == .settled }
        stage.tick(Command(.retry, by: "sre"))
        #expect(stage.rollout.canary?.revision == Stage.next)
        #expect(stage.rollout.phase == .preparing)
    }

    @Test
    func `a newer revision supersedes one in flight, which is no failure`() {
        var stage = Stage.stepping()
        stage.desired = .spec(Stage.spec(Stage.third))
        stage.tick()
        #expect(stage.rollout.canary?.revision == Stage.third)
        #expect(stage.rollout.target.weights == [Stage.good: .all])
        #expect(stage.rollout.quarantine.isEmpty)
        #expect(stage.kinds.contains(.superseded))
    }

    @Test
    func `git going back to stable cancels the rollout without a quarantine`() {
        var stage = Stage.stepping()
        stage.desired = .spec(Stage.spec(Stage.good))
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.stable?.revision == Stage.good)
        #expect(stage.rollout.quarantine.isEmpty)
    }

    @Test
    func `git going back in the bake needs no steps, as the previous revision is warm and known`() {
        var stage = Stage.stepping()
        stage.run { $0.rollout.phase == .baking }
        stage.desired = .spec(Stage.spec(Stage.good))
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.stable?.revision == Stage.good)
        #expect(!stage.kinds.suffix(4).contains(.stepStarted))
    }

    @Test
    func `a change of replicas is applied in place, also while the revision that git names is quarantined`() {
        var stage = Stage.stepping()
        stage.tick(Command(.abort, by: "sre"))
        stage.run { $0.rollout.phase == .settled }
        stage.desired = .spec(Stage.spec(Stage.next, replicas: 4))
        stage.tick()
        #expect(stage.rollout.target.replicas == [Stage.good: 4])
    }

    @Test
    func `a wrong digest stops the rollout with the message`() {
        var stage = Stage.settled()
        stage.artifacts[Stage.next] = .failed("expected sha256:1, got sha256:2")
        stage.replicas[Stage.next] = .starting
        stage.desired = .spec(Stage.spec(Stage.next))
        stage.run { $0.rollout.quarantine[Stage.next] != nil }
        #expect(stage.rollout.quarantine[Stage.next]?.reason == .artifact("expected sha256:1, got sha256:2"))
    }

    @Test
    func `another signature is stopped before any traffic moves, unless the manifest allows it`() {
        var stage = Stage.settled()
        stage.signatures = [Stage.good: "INT32[2048]", Stage.next: "FP32[1536]"]
        stage.desired = .spec(Stage.spec(Stage.next))
        stage.run { $0.rollout.quarantine[Stage.next] != nil || $0.weight > 0 }
        #expect(stage.weight == 0)
        var tolerant = Stage.spec(Stage.next)
        tolerant.signature = .any
        stage.desired = .spec(tolerant)
        stage.run { $0.rollout.phase == .settled }
        stage.tick(Command(.retry, by: "sre"))
        stage.run { $0.weight > 0 }
        #expect(stage.weight == 5)
    }

    @Test
    func `replicas that never become ready run into the progress deadline`() {
        var stage = Stage.settled()
        stage.replicas[Stage.next] = .starting
        stage.desired = .spec(Stage.spec(Stage.next))
        stage.run { $0.rollout.quarantine[Stage.next] != nil }
        guard case .progressDeadline = stage.rollout.quarantine[Stage.next]?.reason else {
            Issue.record("\(String(describing: stage.rollout.quarantine[Stage.next]?.reason))")
            return
        }
    }

    @Test
    func `an approval waits for promote, and promote passes it`() {
        let policy = RolloutPolicy(
            steps: [
                Step(action: .weight(TrafficWeight(percent: 5)), atLeast: .seconds(1)), Step(action: .approval),
            ],
            gates: [.errors],
            bakeTime: .zero
        )
        var stage = Stage.stepping(policy: policy)
        stage.run { if case .stepping(1, .some) = $0.rollout.phase { true } else { false } }
        // Longer than any step's usual `atLeast` and `atMost`, with every gate passed.
        for _ in 0..<4000 { stage.tick() }
        #expect(stage.rollout.holds == [.awaitingApproval(step: 1)])
        #expect(stage.weight == 5)
        stage.tick(Command(.promote(full: false, force: false), by: "lead"))
        #expect(stage.rollout.phase == .promoting)
    }

    @Test
    func `a step without a verdict holds at its atMost, or does what the manifest says`() {
        for action in InconclusiveAction.allCases {
            var policy = Stage.policy
            policy.onInconclusive = action
            policy.steps = [
                Step(action: .weight(TrafficWeight(percent: 5)), atLeast: .seconds(1), atMost: .seconds(10))
            ]
            var stage = Stage.settled(policy: policy)
            stage.requestsPerTick = 20
            stage.desired = .spec(Stage.spec(Stage.next, policy: policy))
            stage.run { $0.kinds.contains(.inconclusive) }
            stage.tick()
            switch action {
            case .pause: #expect(stage.rollout.holds.contains(.inconclusive(step: 0)))
            case .promote: #expect(stage.weight == 100)
            case .rollback: #expect(stage.rollout.quarantine[Stage.next]?.reason == .inconclusive(step: 0))
            }
        }
    }

    @Test
    func `an outage of a provider does not use up the time for a verdict`() {
        let query = ThresholdQuery(provider: "p", query: "score", minimum: 0.9, count: 3, consecutiveErrorLimit: 0)
        var policy = Stage.policy
        policy.onInconclusive = .rollback
        policy.gates = [Gate(name: "quality", kind: .threshold(query))]
        policy.steps = [Step(action: .weight(TrafficWeight(percent: 5)), atLeast: .seconds(1), atMost: .seconds(10))]
        var stage = Stage.settled(policy: policy)
        stage.measurement = .unavailable("no route to host")
        stage.desired = .spec(Stage.spec(Stage.next, policy: policy))
        stage.run { $0.weight == 5 }
        for _ in 0..<30 { stage.tick() }
        #expect(stage.weight == 5)
        #expect(!stage.kinds.contains(.inconclusive))

        // Two good answers are no verdict yet, but no reason to go back either.
        stage.measurement = .value(0.95)
        stage.tick()
        stage.tick()
        #expect(stage.weight == 5)
        stage.run { $0.weight == 100 }
        #expect(stage.weight == 100)
    }

    @Test
    func `losing sight of the platform or the router stops progress and nothing else`() {
        for loses in [\Stage.platformSeen, \Stage.routerSeen] {
            var stage = Stage.stepping()
            stage[keyPath: loses] = false
            for _ in 0..<60 { stage.tick() }
            #expect(stage.weight == 5)
            #expect(stage.rollout.quarantine.isEmpty)
            #expect(!stage.rollout.holds.isEmpty)
            stage[keyPath: loses] = true
            stage.run { $0.rollout.phase == .baking }
            #expect(stage.rollout.stable?.revision == Stage.next)
        }
    }

    @Test
    func `a stable revision without a ready replica never blocks a fix`() {
        var stage = Stage.stepping()
        stage.replicas[Stage.good] = .backingOff(until: stage.now + .hours(1))
        stage.run { $0.rollout.phase == .baking }
        #expect(stage.rollout.stable?.revision == Stage.next)
    }

    @Test
    func `a promoted revision that loses all replicas while baking is rolled back to the warm one`() {
        var stage = Stage.stepping()
        stage.run { $0.rollout.phase == .baking }
        stage.replicas[Stage.next] = .backingOff(until: stage.now + .hours(1))
        stage.tick()
        #expect(stage.rollout.target.weights == [Stage.good: .all])
    }

    @Test
    func `a promoted revision that breaks its objective is rolled back by the watch`() {
        var policy = Stage.policy
        policy.bakeTime = .minutes(10)
        var stage = Stage.stepping(policy: policy)
        stage.run { $0.rollout.phase == .baking }
        stage.errors[Stage.next] = 60
        stage.run { $0.rollout.stable?.revision == Stage.good }
        guard case .objectiveBreached = stage.rollout.quarantine[Stage.next]?.reason else {
            Issue.record("\(String(describing: stage.rollout.quarantine[Stage.next]?.reason))")
            return
        }
    }

    @Test
    func `a promote that races a breach loses`() {
        var stage = Stage.stepping()
        stage.errors[Stage.next] = 100
        stage.run { $0.rollout.analysis?.outcomes(at: $0.now).first?.outcome == .failed || $0.weight == 0 }
        stage.tick(Command(.promote(full: true, force: false), by: "lead"))
        #expect(stage.weight == 0)
        #expect(stage.answers.first?.isAccepted != true || stage.answers.first?.isChanged == false)
    }

    @Test
    func `the last step waits for what the deployment depends on`() {
        var stage = Stage.stepping()
        stage.dependencies = [DeploymentID(namespace: "search", name: "embedder")]
        for _ in 0..<200 { stage.tick() }
        #expect(stage.weight == 50)
        #expect(stage.rollout.holds.contains(.dependencies(stage.dependencies)))
        stage.dependencies = []
        stage.run { $0.rollout.phase == .baking }
        #expect(stage.rollout.stable?.revision == Stage.next)
    }

    @Test
    func `a manifest that is gone ends the traffic, then the replicas; one that returns brings them back`() {
        var stage = Stage.settled()
        stage.desired = .absent
        stage.tick()
        #expect(stage.rollout.target == Target(replicas: [:], traffic: [:]))
        stage.desired = .spec(Stage.spec(Stage.good))
        stage.tick()
        #expect(stage.rollout.target.weights == [Stage.good: .all])
    }

    @Test
    func `another signature is stopped also while the stable revision restarts`() {
        var stage = Stage.settled()
        stage.signatures = [Stage.good: "INT32[2048]", Stage.next: "FP32[1536]"]
        stage.tick()
        stage.replicas[Stage.good] = .backingOff(until: stage.now + .hours(1))
        stage.desired = .spec(Stage.spec(Stage.next))
        stage.run { $0.rollout.quarantine[Stage.next] != nil || $0.weight > 0 }
        #expect(stage.weight == 0)
        guard case .signatureChanged = stage.rollout.quarantine[Stage.next]?.reason else {
            Issue.record("\(String(describing: stage.rollout.quarantine[Stage.next]?.reason))")
            return
        }
    }

    @Test
    func `promote of the last step is refused while a dependency is not healthy, not accepted and forgotten`() {
        var stage = Stage.stepping()
        stage.dependencies = [DeploymentID(namespace: "search", name: "embedder")]
        stage.run { if case .stepping(1, .some) = $0.rollout.phase { true } else { false } }
        stage.tick(Command(.promote(full: false, force: false), by: "lead"))
        #expect(stage.answers.first?.isAccepted == false)
        #expect(stage.answers.first?.message.contains("search/embedder") == true)
        stage.dependencies = []
        stage.tick(Command(.promote(full: false, force: false), by: "lead"))
        #expect(stage.rollout.phase == .promoting)
    }

    @Test
    func `a step is not left on evidence from before the counters stopped`() {
        var stage = Stage.stepping()
        stage.tick(Command(.pause(until: nil), by: "sre"))
        for _ in 0..<60 { stage.tick() }
        #expect(stage.rollout.analysis?.outcomes(at: stage.now).map(\.outcome) == [.passed])
        stage.countersSeen = false
        for _ in 0..<60 { stage.tick() }
        stage.tick(Command(.resume, by: "sre"))
        for _ in 0..<60 { stage.tick() }
        #expect(stage.weight == 5)
        #expect(!stage.rollout.holds.isEmpty)
        stage.countersSeen = true
        stage.run { $0.rollout.phase == .baking }
        #expect(stage.rollout.stable?.revision == Stage.next)
    }
}
