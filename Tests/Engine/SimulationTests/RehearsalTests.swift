import Deployments
import Rollouts
import Simulation
import Testing

@Suite("Rehearsals")
struct RehearsalTests {
    static let policy = RolloutPolicy(
        steps: [
            Step(action: .weight(TrafficWeight(percent: 10)), atLeast: .seconds(30), atMost: .minutes(20)),
            Step(action: .approval),
            Step(action: .weight(TrafficWeight(percent: 50)), atLeast: .seconds(30), atMost: .minutes(20)),
        ],
        gates: [.errors, .latency(below: .milliseconds(100))],
        bakeTime: .minutes(5)
    )

    static func rehearse(
        seed: UInt64 = 1,
        policy: RolloutPolicy = Self.policy,
        _ change: (inout Rehearsal.Assumptions) -> Void = { _ in }
    ) -> Rehearsal {
        var assumptions = Rehearsal.Assumptions(rate: 200)
        assumptions.stable = .init(errors: 0.001, slow: 0.01)
        assumptions.canary = assumptions.stable
        change(&assumptions)
        return Rehearsal(of: Scenario.spec(1, policy: policy), assumptions, seed: seed)
    }

    @Test
    func `a good canary goes through every step and its bake`() {
        let rehearsal = Self.rehearse()
        #expect(rehearsal.verdict == .promoted)
        let kinds = rehearsal.events.map(\.kind)
        #expect(kinds.first == "rollout-started")
        #expect(kinds.last == "settled")
        #expect(kinds.count { $0 == "step-started" } == 3)
        #expect(kinds.contains("approved"))
        #expect(rehearsal.canaryRequests > 0)
        #expect(rehearsal.ended >= (rehearsal.decided ?? .zero) + .minutes(5))
    }

    @Test(arguments: ["prometheus", Gate.Kind.feedback])
    func `a gate on a provider's counters passes what is as good as stable, and finds what is not`(
        provider: String
    ) {
        var policy = Self.policy
        let query = RatioQuery(provider: provider, bad: "b", total: "t")
        policy.gates = [Gate(name: "wrong", kind: .ratio(query))]
        #expect(Self.rehearse(policy: policy).verdict == .promoted)
        guard case .rolledBack(let reason) = Self.rehearse(policy: policy, { $0.metrics["wrong"] = 0.1 }).verdict
        else {
            Issue.record("a tenth of the canary's answers is wrong")
            return
        }
        #expect(reason.hasPrefix("gate wrong failed"))
    }

    @Test
    func `a gate on slower answers passes what is as fast as stable, and finds what is slower throughout`() {
        var policy = Self.policy
        policy.gates = [.errors, .latency(below: .milliseconds(100)), .slowdown]
        #expect(Self.rehearse(policy: policy).verdict == .promoted)
        #expect(Self.rehearse(policy: policy, { $0.metrics["slowdown"] = 0.4 }).verdict == .promoted)
        let slower = Self.rehearse(policy: policy) { $0.metrics["slowdown"] = 0.6 }
        guard case .rolledBack(let reason) = slower.verdict else {
            Issue.record("the canary's answer is the slower one in 60 of 100 pairs")
            return
        }
        #expect(reason.hasPrefix("gate slowdown failed: canary slower than stable in "), "\(reason)")
        policy.gates.removeLast()
        #expect(Self.rehearse(policy: policy, { $0.metrics["slowdown"] = 0.6 }).verdict == .promoted)
    }

    @Test(arguments: [
        (
            Gate.Kind.mean(
                MeanQuery(provider: "p", count: "c", sum: "s", sumOfSquares: "q", margin: 0.05, worse: .lower)
            ), 0.2
        ), (.drift(DriftQuery(provider: "p", query: "h")), 0.4),
    ])
    func `gates on means and distributions pass what is as stable's, and find what is not`(
        kind: Gate.Kind,
        bad: Double
    ) {
        var policy = Self.policy
        policy.gates = [Gate(name: "score", kind: kind)]
        #expect(Self.rehearse(policy: policy).verdict == .promoted)
        guard case .rolledBack(let reason) = Self.rehearse(policy: policy, { $0.metrics["score"] = bad }).verdict
        else {
            Issue.record("the canary's values are others")
            return
        }
        #expect(reason.hasPrefix("gate score failed"))
    }

    @Test
    func `compared answers are taken as equal, and found to differ when somebody says so`() {
        var policy = Self.policy
        policy.steps = [
            Step(
                action: .shadow(.all),
                gates: [Gate(name: "same", kind: .answers(AnswerRule(method: .exact)))],
                atLeast: .seconds(30),
                atMost: .minutes(20)
            ), .weight(50),
        ]
        #expect(Self.rehearse(policy: policy).verdict == .promoted)
        guard case .rolledBack(let reason) = Self.rehearse(policy: policy, { $0.metrics["same"] = 0.05 }).verdict
        else {
            Issue.record("one of twenty answers differs")
            return
        }
        #expect(reason.hasPrefix("gate same failed"))
    }

    @Test
    func `what is bad is found by its own gate`() {
        let errors = Self.rehearse { $0.canary.errors = 0.05 }
        guard case .rolledBack(let reason) = errors.verdict else {
            Issue.record("\(errors.verdict)")
            return
        }
        #expect(reason.hasPrefix("gate errors failed"))
        #expect(errors.canaryFailures > 0)
        let slow = Self.rehearse { $0.canary.slow = 0.1 }
        guard case .rolledBack(let other) = slow.verdict else {
            Issue.record("\(slow.verdict)")
            return
        }
        #expect(other.hasPrefix("gate latency failed"))
    }

    @Test
    func `the same seed gives the same rollout, another one another`() {
        let runs = [1, 1, 2].map { seed in Self.rehearse(seed: seed) { $0.canary.errors = 0.02 }.events }
        #expect(runs[0] == runs[1])
        #expect(runs[0] != runs[2])
    }

    @Test
    func `without an approval, and without requests, it stays open and says for what`() {
        let unapproved = Self.rehearse { assumptions in
            assumptions.approval = nil
            assumptions.limit = .hours(1)
        }
        #expect(unapproved.verdict == .open("step 2 waits for an approval"))
        #expect(unapproved.ended == .hours(1))
        let silent = Self.rehearse { assumptions in
            assumptions.rate = 0
            assumptions.limit = .hours(1)
        }
        guard case .open(let reason) = silent.verdict else {
            Issue.record("\(silent.verdict)")
            return
        }
        #expect(reason.contains("no evidence"))
    }

    @Test
    func `copies, matched requests and one switch are rehearsed too`() {
        var policy = Self.policy
        policy.steps = [
            Step(action: .shadow(TrafficWeight(percent: 50)), atLeast: .seconds(30), atMost: .minutes(20)),
            Step(
                action: .match(HeaderMatches([.init(name: "x-team", value: .present)])),
                atLeast: .seconds(30),
                atMost: .minutes(20)
            ),
        ]
        let stepped = Self.rehearse(policy: policy)
        #expect(stepped.verdict == .promoted)
        #expect(stepped.events.contains { $0.message.contains("copies of 50 %") })
        #expect(stepped.events.contains { $0.message.contains("x-team") })
        policy.steps = []
        policy.strategy = .blueGreen
        #expect(Self.rehearse(policy: policy).verdict == .promoted)
        let bad = Self.rehearse(policy: policy) { $0.canary.errors = 0.5 }
        guard case .rolledBack = bad.verdict else {
            Issue.record("\(bad.verdict)")
            return
        }
    }

    @Test
    func `a threshold gate gets the answer that is assumed, or one within its limits`() {
        var policy = Self.policy
        let query = ThresholdQuery(provider: "p", query: "q", maximum: 1, interval: .seconds(5), count: 3)
        policy.gates = [Gate(name: "drift", kind: .threshold(query))]
        #expect(Self.rehearse(policy: policy).verdict == .promoted)
        let drifting = Self.rehearse(policy: policy) { $0.metrics = ["drift": 1.5] }
        guard case .rolledBack(let reason) = drifting.verdict else {
            Issue.record("\(drifting.verdict)")
            return
        }
        #expect(reason.hasPrefix("gate drift failed"))
    }
}
