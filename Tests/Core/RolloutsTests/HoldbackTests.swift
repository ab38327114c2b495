import Analysis
import Deployments
import Rollouts
import Testing

/// What the previous revision keeps while the new one bakes.
@Suite
struct HoldbackTests {
    static let policy: RolloutPolicy = {
        var policy = Stage.policy
        policy.holdback = TrafficWeight(percent: 10)
        policy.bakeTime = .seconds(60)
        return policy
    }()

    static func baking(policy: RolloutPolicy = Self.policy) -> Stage {
        var stage = Stage.stepping(policy: policy)
        stage.run { $0.rollout.phase == .baking }
        return stage
    }

    @Test
    func `the previous revision keeps its share through the bake, and the new one gets it at the end`() {
        var stage = Self.baking()
        #expect(stage.rollout.target.weights.mapValues(\.percent) == [Stage.good: 10, Stage.next: 90])
        #expect(stage.rollout.isJudging)
        let promoted = stage.transitions.last { $0.kind == .promoted }?.message
        #expect(promoted?.hasPrefix("magika b (main@sha1:bbbbbbbb) has 90 % of the traffic; ") == true)
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.target.weights == [Stage.next: .all])
        #expect(stage.rollout.analysis == nil)
    }

    @Test
    func `a gate that fails in the bake rolls back to the previous revision and quarantines`() {
        var stage = Self.baking()
        // Below what the objective allows per window, so that only the comparison can see it.
        stage.errors[Stage.next] = 2
        stage.run { $0.rollout.phase != .baking }
        guard case .rollingBack(.gateFailed(let gate, _)) = stage.rollout.phase else {
            Issue.record("\(stage.rollout.phase)")
            return
        }
        #expect(gate == "errors")
        #expect(stage.rollout.target.weights == [Stage.good: .all])
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.stable?.revision == Stage.good)
        #expect(stage.rollout.quarantine[Stage.next] != nil)
    }

    private static func gate(_ kind: Gate.Kind, _ action: Gate.FailureAction = .rollback) -> Gate {
        Gate(name: "quality", kind: kind, onFailure: action)
    }

    /// What a provider has counted at this tick: of the revision that bakes, so many of a hundred were bad.
    private static func counted(_ tick: Int, bad: Double) -> Measurement.Answer {
        let time = Timestamp(milliseconds: 2_000_000_000) + .seconds(tick)
        let reading = { (bad: Double) in
            TrackReading(times: [time, time], values: [bad, 100].map { $0 * Double(tick) })
        }
        return .counted(canary: reading(bad), stable: reading(5))
    }

    @Test
    func `a provider is asked through the bake about what was promoted and what was stable before`() {
        let ratio = RatioQuery(provider: "p", bad: "b", total: "t", interval: .seconds(1))
        var policy = Self.policy
        policy.gates = [.errors]
        var stage = Self.baking(policy: policy)
        #expect(stage.rollout.analysis?.dueQueries(at: stage.now + .seconds(1)).isEmpty == true)

        policy.gates = [Self.gate(.ratio(ratio))]
        policy.steps = [Step(action: .weight(TrafficWeight(percent: 50)), gates: [.errors], atLeast: .seconds(3))]
        stage = Self.baking(policy: policy)
        let due = stage.rollout.analysis?.dueQueries(at: stage.now + .seconds(1)) ?? []
        #expect(due.map(\.name) == ["quality"])
        #expect(stage.rollout.compared?.judged.revision == Stage.next)
        #expect(stage.rollout.compared?.other?.revision == Stage.good)
        for tick in 1...40 where stage.rollout.phase == .baking {
            stage.measurement = Self.counted(tick, bad: 30)
            stage.tick()
        }
        guard case .rollingBack(.gateFailed(let gate, _)) = stage.rollout.phase else {
            Issue.record("\(stage.rollout.phase)")
            return
        }
        #expect(gate == "quality")
        #expect(stage.rollout.compared == nil)
    }

    @Test
    func `what is about the new revision alone, needs copies or holds is not asked in the bake`() {
        let threshold = ThresholdQuery(provider: "p", query: "q", maximum: 1, interval: .seconds(1), count: 1)
        #expect(!Self.gate(.threshold(threshold)).isAskedInBake)
        #expect(!Self.gate(.answers(AnswerRule(method: .exact))).isAskedInBake)
        #expect(!Self.gate(.errors, .hold).isAskedInBake)
        #expect(Gate.errors.isAskedInBake && Gate.slowdown.isAskedInBake)
    }

    @Test
    func `a rollback in the bake gives the previous revision everything in the same tick`() {
        var stage = Self.baking()
        stage.tick(Command(.rollback(to: nil), by: "sre"))
        #expect(stage.rollout.target == Target(replicas: [Stage.good: 1], traffic: [Stage.good: .all]))
    }

    @Test
    func `a pause keeps the holdback beyond the bake time, as its end is a rise of weight`() {
        var stage = Self.baking()
        stage.tick(Command(.pause(until: nil), by: "sre"))
        for _ in 0..<100 { stage.tick() }
        #expect(stage.rollout.phase == .baking)
        #expect(stage.weight == 90)
        stage.tick(Command(.resume, by: "sre"))
        #expect(stage.rollout.phase == .settled)
    }

    @Test
    func `nothing is held back for a first revision, without a bake, by a switch, or when the policy says none`() {
        var first = Stage()
        first.desired = .spec(Stage.spec(Stage.next, policy: Self.policy))
        first.run { $0.rollout.phase == .settled && $0.rollout.stable != nil }
        #expect(first.weight == 100)

        var noBake = Self.policy
        noBake.bakeTime = .zero
        var atOnce = Stage.stepping(policy: noBake)
        atOnce.run { $0.rollout.phase == .settled }
        #expect(atOnce.weight == 100)

        var none = Self.policy
        none.holdback = .none
        let whole = Self.baking(policy: none)
        #expect(whole.weight == 100)
        #expect(!whole.rollout.isJudging)
    }

    @Test
    func `a promotion does not wait for a share that stable can not serve any more`() {
        var stage = Stage.stepping(policy: Self.policy)
        stage.tick(Command(.promote(full: true, force: false), by: "lead"))
        #expect(stage.rollout.phase == .promoting)
        stage.served = [Stage.next: .all]
        stage.tick()
        #expect(stage.rollout.phase == .baking)
        #expect(!stage.rollout.isJudging, "there is nothing to compare with")
    }
}
