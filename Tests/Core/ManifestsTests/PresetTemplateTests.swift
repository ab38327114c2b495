import Deployments
import Manifests
import Testing

struct PresetTemplateTests {
    private static func read(_ spec: String, rollout: String = "{gates: [rule]}") -> (Gate?, [String]) {
        let template = "apiVersion: controller/v1\nkind: AnalysisTemplate\nmetadata: {name: rule}\nspec: {\(spec)}\n"
        let state = Fixture.read([
            "m.yaml": Fixture.minimal(spec: "  rollout: \(rollout)"), "r.yaml": Fixture.runtime, "t.yaml": template,
        ])
        return (state.deployments.first?.rollout.gates.first, state.diagnostics.map(\.message))
    }

    @Test(
        arguments: [
            ("flagger: {}", .flagger(FlaggerRule(interval: .minutes(1), threshold: 5, minimum: 99))),
            (
                "flagger: {interval: 30s, threshold: 10, thresholdRange: {min: 99.5}}",
                .flagger(FlaggerRule(interval: .seconds(30), threshold: 10, minimum: 99.5))
            ),
            (
                "argo: {}",
                .argo(
                    ArgoRule(
                        interval: .minutes(5),
                        count: 5,
                        failureLimit: 0,
                        consecutiveErrorLimit: 4,
                        minimum: 0.95
                    )
                )
            ),
            (
                "argo: {interval: 1m, count: 9, failureLimit: 3, consecutiveErrorLimit: 2, "
                    + "successCondition: \"result[0] >= 0.9\"}",
                .argo(
                    ArgoRule(
                        interval: .minutes(1),
                        count: 9,
                        failureLimit: 3,
                        consecutiveErrorLimit: 2,
                        minimum: 0.9
                    )
                )
            ),
            (
                "argo: {successCondition: result >= 1}",
                .argo(ArgoRule(minimum: 1))
            ),
            (
                "kayenta: {lifetimeDuration: 20m, analysisInterval: 4m}",
                .kayenta(KayentaRule(lifetimeDuration: .minutes(20), analysisInterval: .minutes(4)))
            ),
        ] as [(String, PresetRule)]
    )
    func `every option arrives, and what is left out has the tool's default`(spec: String, rule: PresetRule) {
        let (gate, problems) = Self.read(spec)
        #expect(problems == [])
        #expect(gate == Gate(name: "rule", kind: .preset(rule)))
        #expect(gate?.isAskedInBake == false)
        #expect(gate?.sharesBudget == false)
    }

    @Test
    func `a failed rule may hold`() {
        let (gate, problems) = Self.read("flagger: {}, onFailure: hold")
        #expect(problems == [])
        #expect(gate?.onFailure == .hold)
    }

    @Test(arguments: [
        ("flagger: {treshold: 3}", "unknown field `treshold`: did you mean `threshold`?"),
        ("flagger: {threshold: 0}", "expected a whole number from 1 to 1000"),
        ("flagger: {interval: 1s}", "expected a duration from 10s to 1h"),
        ("flagger: {thresholdRange: {min: 101}}", "expected a number from 0 to 100"),
        ("flagger: {thresholdRange: {}}", "`min` is missing"),
        ("argo: {failureLimit: 5}", "of 5 measurements 5 may fail: the gate could never fail"),
        (#"argo: {successCondition: "result[0] > 0.95"}"#, "expected `result[0] >= ` and the share"),
        (#"argo: {successCondition: "result[0] >= 95"}"#, "expected `result[0] >= ` and the share"),
        (#"argo: {successCondition: "result[0] >= 0x1"}"#, "expected `result[0] >= ` and the share"),
        (#"argo: {successCondition: "result[0] >= 0.9 && result[0] < 1"}"#, "expected `result[0] >= ` and the share"),
        ("kayenta: {}", "`lifetimeDuration` is missing"),
        ("kayenta: {lifetimeDuration: 7h}", "expected a duration from 1m to 6h"),
        ("kayenta: {lifetimeDuration: 5m, analysisInterval: 6m}", "the canary would never be judged"),
        ("flagger: {}, argo: {}", "`flagger` and `argo` exclude each other"),
    ])
    func `a wrong option is an error that says what to do`(spec: String, message: String) {
        let (_, problems) = Self.read(spec)
        #expect(problems.contains { $0.hasPrefix(message) }, "\(problems)")
    }

    @Test
    func `a rule that takes longer than its step is warned of`() {
        let (_, problems) = Self.read(
            "kayenta: {lifetimeDuration: 30m}",
            rollout: "{steps: [{weight: 5}], gates: [rule]}"
        )
        #expect(problems.count == 1)
        #expect(
            problems.first?.hasPrefix("the gate `rule` measures for 30m1s, longer than the step's atMost of 30m")
                == true
        )
    }
}
