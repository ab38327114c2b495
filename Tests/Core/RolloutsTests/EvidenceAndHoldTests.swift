import Analysis
import Deployments
import Rollouts
import Testing

/// What wrong changes to the core once got past: see `make mutate`.
@Suite
struct EvidenceAndHoldTests {
    @Test
    func `requests that were served at other weights are nobody's evidence`() {
        var stage = Stage.stepping()
        for isElsewhere in [true, false, true, false] {
            // The router serves something else for a moment, and all that it counts meanwhile is bad.
            stage.served = isElsewhere ? .all(to: Stage.good) : nil
            stage.counters[Stage.next, default: TrackCounters()].requests += 500
            stage.counters[Stage.next, default: TrackCounters()].serverErrors += 500
            stage.tick()
        }
        #expect(stage.rollout.quarantine.isEmpty)
        #expect(stage.weight == 5)
    }

    @Test
    func `a rollout keeps the steps that it began with`() {
        var stage = Stage.stepping()
        var policy = Stage.policy
        policy.steps = [Step(action: .weight(TrafficWeight(percent: 90)), atLeast: .seconds(1))]
        stage.desired = .spec(Stage.spec(Stage.next, policy: policy))
        stage.tick()
        #expect(stage.rollout.canary?.rollout.steps == Stage.policy.steps)
        #expect(stage.weight == 5)
    }

    @Test
    func `a replica that can never become ready ends the rollout at once, not at the deadline`() {
        var stage = Stage.settled()
        stage.replicas[Stage.next] = .failed
        stage.desired = .spec(Stage.spec(Stage.next))
        for _ in 0..<5 { stage.tick() }
        guard case .replicaFailed = stage.rollout.quarantine[Stage.next]?.reason else {
            Issue.record("\(String(describing: stage.rollout.quarantine[Stage.next]?.reason))")
            return
        }
    }

    @Test
    func `a canary that loses all replicas in mid-step is taken back`() {
        var stage = Stage.stepping()
        stage.replicas[Stage.next] = .backingOff(until: stage.now + .hours(1))
        stage.tick()
        #expect(stage.rollout.target.weights == [Stage.good: .all])
        guard case .replicaFailed = stage.rollout.quarantine[Stage.next]?.reason else {
            Issue.record("\(String(describing: stage.rollout.quarantine[Stage.next]?.reason))")
            return
        }
    }

    @Test
    func `a failed gate that is to hold holds, and takes nothing back`() {
        var policy = Stage.policy
        policy.gates[0].onFailure = .hold
        var stage = Stage.stepping(policy: policy)
        stage.errors[Stage.next] = 50
        for _ in 0..<30 { stage.tick() }
        #expect(stage.weight == 5)
        #expect(stage.rollout.quarantine.isEmpty)
        let isHeld = stage.rollout.holds.contains { if case .gateHolds("errors", _) = $0 { true } else { false } }
        #expect(isHeld)
    }

    @Test
    func `an outage at the end of a step without a verdict is no reason to go back`() {
        let query = ThresholdQuery(provider: "p", query: "score", minimum: 0.9, count: 1, consecutiveErrorLimit: 0)
        var policy = Stage.policy
        policy.onInconclusive = .rollback
        policy.gates = [.errors, Gate(name: "quality", kind: .threshold(query))]
        policy.steps = [Step(action: .weight(TrafficWeight(percent: 5)), atLeast: .seconds(1), atMost: .seconds(10))]
        var stage = Stage.settled(policy: policy)
        stage.requestsPerTick = 20
        stage.measurement = .value(0.95)
        stage.desired = .spec(Stage.spec(Stage.next, policy: policy))
        stage.run { $0.rollout.isInconclusive }
        stage.measurement = .unavailable("no route to host")
        for _ in 0..<5 { stage.tick() }
        #expect(stage.rollout.quarantine.isEmpty)
        #expect(stage.weight == 5)
        stage.measurement = .value(0.95)
        stage.run { $0.weight == 0 }
        #expect(stage.rollout.quarantine[Stage.next]?.reason == .inconclusive(step: 0))
    }

    @Test
    func `a pause holds a new rollout until it is resumed`() {
        var stage = Stage.settled()
        stage.tick(Command(.pause(until: nil), by: "sre", why: "audit"))
        stage.desired = .spec(Stage.spec(Stage.next))
        for _ in 0..<20 { stage.tick() }
        #expect(stage.rollout.canary == nil)
        #expect(stage.rollout.phase == .settled)
        stage.tick(Command(.resume, by: "sre"))
        stage.run { $0.weight == 5 }
        #expect(stage.weight == 5)
    }

    @Test
    func `a paused rollout is not superseded, and what git names meanwhile comes after it`() {
        var stage = Stage.stepping()
        stage.tick(Command(.pause(until: nil), by: "sre"))
        stage.desired = .spec(Stage.spec(Stage.third))
        for _ in 0..<10 { stage.tick() }
        #expect(stage.rollout.canary?.revision == Stage.next)
        stage.tick(Command(.resume, by: "sre"))
        stage.tick()
        #expect(stage.rollout.canary?.revision == Stage.third)
    }

    @Test
    func `promote refuses a failed gate that holds, and takes it when forced`() {
        var policy = Stage.policy
        policy.gates[0].onFailure = .hold
        var stage = Stage.stepping(policy: policy)
        stage.errors[Stage.next] = 50
        stage.run { $0.rollout.holds.contains { if case .gateHolds = $0 { true } else { false } } }
        stage.tick(Command(.promote(full: false, force: false), by: "lead"))
        #expect(stage.answers.first?.isAccepted == false)
        #expect(stage.answers.first?.message.contains("--force") == true)
        #expect(stage.weight == 5)
        stage.tick(Command(.promote(full: false, force: true), by: "lead"))
        #expect(stage.answers.first?.isChanged == true)
        #expect(stage.transitions.contains { $0.kind == .approved && $0.message.contains("forced") })
        #expect(stage.weight == 50)
    }

    @Test
    func `a settled revision that an operator takes back is quarantined, so that git does not bring it back`() {
        var stage = Stage.stepping()
        stage.run { $0.rollout.phase == .settled && $0.rollout.stable?.revision == Stage.next }
        stage.tick(Command(.rollback(to: nil), by: "sre", why: "wrong labels"))
        #expect(stage.rollout.quarantine[Stage.next]?.reason == .requested(by: "sre", why: "wrong labels"))
        stage.run { $0.rollout.phase == .settled }
        for _ in 0..<50 { stage.tick() }
        #expect(stage.rollout.stable?.revision == Stage.good)
    }

    @Test
    func `time alone changes nothing about a resting rollout, be its last commit promoted or quarantined`() {
        var promoted = Stage.settled()
        promoted.desired = .spec(Stage.spec(Stage.next))
        promoted.run { $0.rollout.phase == .settled && $0.rollout.stable?.revision == Stage.next }
        var quarantined = Stage.stepping()
        quarantined.tick(Command(.abort, by: "sre"))
        quarantined.run { $0.rollout.phase == .settled }
        for var stage in [promoted, quarantined] {
            stage.tick()
            #expect(stage.rollout.rest(at: stage.now)?.upperBound == .endOfTime)
            let before = stage.rollout
            for _ in 0..<50 { stage.tick() }
            stage.now = stage.now + .hours(1000)
            stage.tick()
            #expect(stage.rollout == before)
        }
        let others = [Stage.stepping(), Stage()]
        #expect(others.allSatisfy { $0.rollout.rest(at: $0.now) == nil })
    }

    @Test
    func `a step is not left while git is lost, as git may have taken the revision back`() {
        var stage = Stage.stepping()
        stage.lostGit = "git models was not read for 2m"
        for _ in 0..<100 { stage.tick() }
        #expect(stage.weight == 5)
        #expect(stage.rollout.holds == [.staleObservation("git models was not read for 2m")])
        stage.lostGit = nil
        stage.run { $0.rollout.phase == .baking }
        #expect(stage.rollout.stable?.revision == Stage.next)
    }

    @Test
    func `of two freezes the one that lasts longer is shown`() {
        var stage = Stage.settled()
        let begin = stage.now
        stage.freezes = [("short", Duration.seconds(20)), ("long", .seconds(40))].map {
            FreezeWindow(name: $0.0, schedule: .once(from: begin, until: begin + $0.1))
        }
        stage.desired = .spec(Stage.spec(Stage.next))
        stage.tick()
        #expect(stage.rollout.holds == [.frozen(window: "long", until: begin + .seconds(40))])
    }
}
