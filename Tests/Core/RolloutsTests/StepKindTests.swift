import Analysis
import Deployments
import Rollouts
import Testing

/// Steps that give the canary something else than a weight, and the strategy without weights.
@Suite
struct StepKindTests {
    static let headers = HeaderMatches([.init(name: "x-canary", value: .exact("true"))])

    static func policy(_ strategy: Strategy = .canary, _ actions: Step.Action...) -> RolloutPolicy {
        var policy = Stage.policy
        policy.strategy = strategy
        policy.steps = actions.map { Step(action: $0, atLeast: .seconds(3), atMost: .seconds(120)) }
        return policy
    }

    static func step(_ stage: Stage) -> Int? {
        if case .stepping(let step, _) = stage.rollout.phase { step } else { nil }
    }

    @Test
    func `copies and matched requests end with their step`() {
        let weight = Step.Action.weight(TrafficWeight(percent: 50))
        var stage = Stage.stepping(policy: Self.policy(.canary, .shadow(.all), .match(Self.headers), weight))
        #expect(
            stage.rollout.target.traffic
                == Traffic(weights: [Stage.good: .all], mirror: .init(revision: Stage.next, percent: .all))
        )
        stage.run { Self.step($0) == 1 }
        #expect(
            stage.rollout.target.traffic
                == Traffic(
                    weights: [Stage.good: .all],
                    matches: [.init(headers: Self.headers, revision: Stage.next)]
                )
        )
        stage.run { Self.step($0) == 2 }
        #expect(
            stage.rollout.target.traffic
                == [Stage.good: TrafficWeight(percent: 50), Stage.next: TrafficWeight(percent: 50)]
        )
        stage.run { $0.rollout.phase == .baking }
        #expect(stage.rollout.stable?.revision == Stage.next)
    }

    @Test(arguments: [Step.Action.shadow(.all), .match(Self.headers)])
    func `a gate on what the router counted ends such a step, and takes everything away at once`(action: Step.Action) {
        var stage = Stage.stepping(policy: Self.policy(.canary, action, .weight(TrafficWeight(percent: 50))))
        stage.errors[Stage.next] = 50
        stage.run { Self.step($0) == nil }
        guard case .rollingBack(.gateFailed) = stage.rollout.phase else {
            Issue.record("\(stage.rollout.phase)")
            return
        }
        #expect(stage.rollout.target.traffic == .all(to: Stage.good))
    }

    @Test
    func `answers are compared in a step that copies and has a gate for it, of no more than it copies`() {
        let rule = AnswerRule(method: .label, percent: TrafficWeight(percent: 30))
        var policy = Self.policy(.canary, .shadow(TrafficWeight(percent: 20)), .weight(TrafficWeight(percent: 50)))
        policy.steps[0].gates = [Gate(name: "answers", kind: .answers(rule))]
        let stage = Stage.stepping(policy: policy)
        let mirror = stage.rollout.target.traffic.mirror
        #expect(mirror?.percent == TrafficWeight(percent: 20))
        #expect(mirror?.comparison?.method == .label)
        #expect(mirror?.comparison?.percent == TrafficWeight(percent: 20))
    }

    @Test
    func `a gate on compared answers takes the copies away when too many differ, and lets the step pass otherwise`() {
        var policy = Self.policy(.canary, .shadow(.all), .weight(TrafficWeight(percent: 50)))
        policy.steps[0].gates = [Gate(name: "quality", kind: .answers(AnswerRule(method: .exact)))]
        for (differing, passes) in [(Int64(0), true), (20, false)] {
            var stage = Stage.stepping(policy: policy)
            var counts = AnswerCounts()
            for _ in 0..<200 where Self.step(stage) == 0 {
                counts.compared += 100
                counts.differing += differing
                stage.measurement = .compared(counts)
                stage.tick()
            }
            if passes {
                #expect(Self.step(stage) == 1)
                continue
            }
            #expect(stage.rollout.target.traffic == .all(to: Stage.good))
            guard case .rollingBack(.gateFailed(let gate, let text)) = stage.rollout.phase else {
                Issue.record("\(stage.rollout.phase)")
                continue
            }
            #expect(gate == "quality")
            #expect(text.hasPrefix("answers differ in 20 % of "))
        }
    }

    @Test
    func `a rollback has not ended while the router still copies requests`() {
        var stage = Stage.stepping(policy: Self.policy(.canary, .shadow(.all), .weight(TrafficWeight(percent: 50))))
        stage.served = Traffic(weights: [Stage.good: .all], mirror: .init(revision: Stage.next, percent: .all))
        stage.tick(Command(.abort, by: "sre"))
        for _ in 0..<5 { stage.tick() }
        #expect(stage.rollout.phase == .rollingBack(.aborted(by: "sre", why: "")))
        stage.served = nil
        stage.tick()
        #expect(stage.rollout.phase == .settled)
    }

    @Test
    func `blueGreen shows a preview while its steps last, switches once, and keeps the way back warm`() {
        let policy = Self.policy(.blueGreen, .approval)
        var stage = Stage.stepping(policy: policy)
        let preview = Traffic.Match(headers: .preview, revision: Stage.next)
        #expect(stage.rollout.target.traffic == Traffic(weights: [Stage.good: .all], matches: [preview]))
        stage.tick(Command(.promote(full: false, force: false), by: "lead"))
        #expect(stage.rollout.target.traffic == .all(to: Stage.next))
        stage.run { $0.rollout.phase == .baking }
        #expect(stage.rollout.target.replicas == [Stage.good: 1, Stage.next: 1])
        stage.tick(Command(.rollback(to: nil), by: "sre"))
        #expect(stage.rollout.target.traffic == .all(to: Stage.good))
    }

    @Test
    func `blueGreen without steps switches as soon as the canary and what it depends on are ready`() {
        var stage = Stage.settled(policy: Self.policy(.blueGreen))
        stage.desired = .spec(Stage.spec(Stage.next, policy: Self.policy(.blueGreen)))
        stage.dependencies = [DeploymentID(namespace: "search", name: "embedder")]
        for _ in 0..<5 { stage.tick() }
        #expect(stage.rollout.phase == .preparing)
        #expect(stage.rollout.holds == [.dependencies(stage.dependencies)])
        stage.dependencies = []
        stage.run { $0.rollout.phase == .baking }
        #expect(!stage.kinds.contains(.stepStarted))
        #expect(stage.rollout.stable?.revision == Stage.next)
    }
}
