import Deployments
import Rollouts
import Testing

@testable import Reconciliation
@testable import Simulation

@Suite("What is told of drift")
struct DriftNoticeTests {
    /// All that is told besides transitions, in a rollout whose canary predicts `share` of its answers otherwise.
    private static func signs(_ onFailure: Gate.FailureAction, share: Double?) -> [Notice] {
        var policy = RehearsalTests.policy
        // Nobody is waited for.
        policy.steps.remove(at: 1)
        policy.gates = [
            Gate(name: "score", kind: .drift(DriftQuery(provider: "p", query: "h")), onFailure: onFailure)
        ]
        var assumptions = Rehearsal.Assumptions(rate: 40)
        assumptions.limit = .hours(2)
        if let share { assumptions.metrics["score"] = share }
        var world = RehearsalWorld(spec: Scenario.spec(1, policy: policy), assumptions, seed: 1)
        var notices: [Notice] = []
        while world.elapsed < assumptions.limit, !world.hasEnded {
            let before = world.rollout
            _ = world.step()
            let now = Timestamp(milliseconds: 1_700_000_000_000) + world.elapsed
            notices += Notice.signs(from: before, to: world.rollout, at: now)
        }
        return notices
    }

    @Test
    func `confirmed drift asks for a new training once, whether it holds the rollout or takes it back`() throws {
        for action in [Gate.FailureAction.hold, .rollback] {
            let notices = Self.signs(action, share: 0.4)
            let retrain = notices.filter { $0.kind == Notice.retrain }
            #expect(retrain.count == 1, "\(action): \(notices.map(\.id))")
            let notice = try #require(retrain.first)
            let drift = try #require(notice.drift)
            #expect(drift.gate == "score" && drift.tolerance == 0.05)
            #expect((drift.index ?? 0) > drift.tolerance)
            #expect(drift.canaryAnswers > 0 && drift.stableAnswers > drift.canaryAnswers)
            #expect(drift.since < notice.time)
            #expect(drift.evidence.hasPrefix("stability index 0."))
            #expect(notice.model?.version == "1" && notice.severity == .warning)
            #expect(notices.count { $0.kind == Notice.held } == (action == .hold ? 1 : 0))
        }
    }

    @Test
    func `answers as stable's ask for nothing`() {
        #expect(Self.signs(.hold, share: nil).isEmpty)
    }
}
