import Deployments
import Planning
import Rollouts
import Testing

/// What the check lets pass of copies whose answers are compared.
@Suite
struct ComparedCopiesTests {
    typealias Base = PlannerTests
    let base = PlannerTests()
    static let rule = AnswerRule(method: .label, percent: TrafficWeight(percent: 10))

    private func violations(
        comparing rule: AnswerRule?,
        of percent: Int = 50,
        gates: [Gate] = [Gate(name: "answers", kind: .answers(Self.rule))]
    ) -> [String] {
        var rollout = Rollout(id: Base.id, at: Base.now)
        rollout.stable = Self.spec(Base.stable)
        rollout.canary = Self.spec(Base.canary)
        let shadow = TrafficWeight(percent: percent)
        rollout.canary?.rollout.steps = [Step(action: .shadow(shadow), gates: gates), .weight(50)]
        rollout.phase = .stepping(step: 0, servedSince: nil)
        let replicas = [self.base.replica(Base.stable), self.base.replica(Base.canary)]
        let observed = Observation(
            replicas: .known(replicas, at: Base.now),
            router: .known(self.base.served([Base.stable: 100]), at: Base.now)
        )
        let traffic = Traffic(
            weights: [Base.stable: .all],
            mirror: Traffic.Mirror(revision: Base.canary, percent: shadow, comparison: rule)
        )
        return PlanCheck.violations(
            of: Plan(effects: [.route(traffic)]),
            for: rollout,
            observed: observed,
            at: Base.now
        ).map(\.rule)
    }

    @Test
    func `answers are compared as the step's gate says, and of no more requests than it copies`() {
        #expect(self.violations(comparing: Self.rule) == [])
        #expect(self.violations(comparing: nil) == [])
        let wrong = ["rule 3: compared answers that step 1 does not ask for"]
        #expect(self.violations(comparing: Self.rule, gates: [.errors]) == wrong)
        #expect(self.violations(comparing: Self.rule, of: 5) == wrong)
        var other = Self.rule
        other.percent = TrafficWeight(percent: 11)
        #expect(self.violations(comparing: other) == wrong)
        other = Self.rule
        other.method = .exact
        #expect(self.violations(comparing: other) == wrong)
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
