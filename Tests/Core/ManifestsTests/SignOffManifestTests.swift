import Deployments
import Manifests
import Testing

/// `beforeRollout`, `beforePromotion` and `afterPromotion`: what must say yes besides the steps.
struct SignOffManifestTests {
    private static let templates = """
        apiVersion: controller/v1
        kind: AnalysisTemplate
        metadata: {name: board}
        spec: {webhook: {provider: approvals}}
        ---
        apiVersion: controller/v1
        kind: AnalysisTemplate
        metadata: {name: smoke}
        spec: {job: {command: [smoke, "${endpoint}"]}}
        ---
        apiVersion: controller/v1
        kind: AnalysisTemplate
        metadata: {name: offline}
        spec: {job: {command: [evaluate, "${model.version}"]}}

        """

    private static func read(_ rollout: String) -> DesiredState {
        Fixture.read([
            "templates.yaml": Self.templates, "runtime.yaml": Fixture.runtime,
            "a.yaml": Fixture.minimal("a", spec: "  rollout: {\(rollout)}"),
        ])
    }

    @Test
    func `people, services and programs are asked where the manifest says`() throws {
        let state = Self.read(
            """
            beforeRollout: {gates: [board, offline]}, beforePromotion: {approval: {}, gates: [smoke]},
                afterPromotion: {approval: {}}
            """
        )
        #expect(state.diagnostics.map(\.description) == [])
        let signOffs = try #require(state.deployments.first?.rollout.signOffs)
        #expect(signOffs.beforeRollout?.gates.map(\.name) == ["board", "offline"])
        #expect(signOffs.beforeRollout?.needsApproval == false)
        #expect(signOffs.beforePromotion?.gates.map(\.name) == ["smoke"])
        #expect(signOffs.beforePromotion?.needsApproval == true)
        #expect(signOffs.afterPromotion == SignOff(needsApproval: true))
    }

    @Test
    func `a manifest that asks nobody has no sign-offs`() {
        #expect(Self.read("bakeTime: 1m").deployments.first?.rollout.signOffs == nil)
    }

    @Test(arguments: [
        (
            "beforeRollout: {}",
            "spec.rollout.beforeRollout: nobody is asked: add `approval: {}`, or `gates: [NAME]`"
        ),
        (
            "beforePromotion: {gates: [errors]}",
            "spec.rollout.beforePromotion.gates[0]: `errors` compares with the stable revision: name a `webhook`, a `job` "
                + "or a `threshold` here, and `errors` in `gates` or in a step's"
        ),
        (
            "beforeRollout: {gates: [smoke]}",
            "spec.rollout.beforeRollout.gates[0]: no replica runs before the rollout: take `${endpoint}` out of the job, or "
                + "use `beforePromotion`"
        ),
        (
            "beforeRollout: {gates: [bord]}",
            "spec.rollout.beforeRollout.gates[0]: there is no gate or AnalysisTemplate `bord`: did you mean `board`?"
        ),
        (
            "strategy: recreate, beforePromotion: {approval: {}}",
            "spec.rollout.beforePromotion: `recreate` promotes with the first replica: use `beforeRollout` or "
                + "`afterPromotion`"
        ),
        (
            "bakeTime: 0s, afterPromotion: {approval: {}}",
            "spec.rollout.afterPromotion: without a bake there is nothing left to go back to: set `bakeTime: 10m`, or use "
                + "`beforePromotion`"
        ),
        (
            "beforeRollout: {aproval: {}}",
            "spec.rollout.beforeRollout.aproval: unknown field `aproval`: did you mean `approval`?"
        ),
    ])
    func `a sign-off that cannot be is reported with what to write instead`(rollout: String, expected: String) {
        let problems = Self.read(rollout).diagnostics.map { "\($0.field): \($0.message)" }
        #expect(problems.contains(expected), "\(problems)")
    }
}
