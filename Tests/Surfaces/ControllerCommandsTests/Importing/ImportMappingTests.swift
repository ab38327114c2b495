import ControllerCommands
import Foundation
import Testing

/// What single fields of the other tools become.
@Suite("import: what becomes what")
struct ImportMappingTests {
    let fixture: ImportFixture

    init() throws {
        self.fixture = try ImportFixture()
    }

    // MARK: - KServe

    @Test(arguments: [
        ("sklearn: {storageUri: \"file:///m\"}", "kserve", "module: sklearnserver"),
        ("xgboost: {storageUri: \"file:///m\", protocolVersion: v2}", "mlserver", "mlserver_xgboost.XGBoostModel"),
        ("lightgbm: {storageUri: \"file:///m\"}", "kserve", "module: lgbserver"),
        ("tensorflow: {storageUri: \"file:///m\"}", "tensorflow-serving", "format: tensorflow"),
        ("pytorch: {storageUri: \"file:///m\"}", "torchserve", "format: torchserve"),
        ("onnx: {storageUri: \"file:///m\"}", "triton", "format: onnx"),
        ("triton: {storageUri: \"file:///m\"}", "triton", "format: triton"),
        ("huggingface: {storageUri: \"file:///m\"}", "vllm", "format: huggingface"),
        ("model: {modelFormat: {name: mlflow}, storageUri: \"file:///m\"}", "mlflow", "format: mlflow"),
        (
            "model: {modelFormat: {name: pytorch}, runtime: kserve-tritonserver, storageUri: \"file:///m\"}", "triton",
            "format: torchscript"
        ),
    ])
    func `a model format finds the shipped runtime that serves it`(
        predictor: String,
        runtime: String,
        text: String
    ) async throws {
        let run = try await self.fixture.run(
            on: """
                apiVersion: serving.kserve.io/v1beta1
                kind: InferenceService
                metadata: {name: m}
                spec: {predictor: {\(predictor)}}
                """
        )
        #expect(run.status == 0, "\(run)")
        #expect(run.output.contains("  runtime: \(runtime)\n"))
        #expect(run.output.contains(text))
    }

    @Test
    func `a format that nothing of ours serves is left to be decided, and refused until it is`() async throws {
        let report = try await self.fixture.report(
            on: """
                apiVersion: serving.kserve.io/v1beta1
                kind: InferenceService
                metadata: {name: m}
                spec: {predictor: {paddle: {storageUri: "file:///m"}}}
                """
        )
        #expect(report.findings.contains { $0.outcome == "decide" && $0.message.contains("ServingRuntime `paddle`") })
        #expect(report.findings.contains { $0.outcome == "refused" && $0.field == "spec.runtime" })
    }

    // MARK: - Argo Rollouts

    private func rollout(_ strategy: String, _ more: String = "") -> String {
        """
        apiVersion: argoproj.io/v1alpha1
        kind: Rollout
        metadata: {name: r}
        spec:
          template: {spec: {containers: [{command: [serve, --port=80], readinessProbe: {httpGet: {path: /ok}}}]}}
          strategy: {\(strategy)}
        \(more)
        """
    }

    @Test
    func `steps keep their weights, times and approvals`() async throws {
        let steps = """
            canary: {steps: [
            {setMirrorRoute: {name: m, percentage: 20}}, {pause: {duration: 300}}, {setMirrorRoute: {name: m}},
            {setWeight: 10}, {pause: {duration: "90"}}, {pause: {duration: 1h30m}}, {pause: {}},
            {setWeight: 5}, {setWeight: 40}]}
            """.replacing("\n", with: " ")
        let run = try await self.fixture.run(on: self.rollout(steps))
        #expect(
            run.output.contains(
                """
                    steps:
                      - shadow:
                          percent: 20
                        atLeast: 5m
                      - weight: 10
                        atLeast: 1h31m30s
                        atMost: 3h3m
                      - approval: {}
                      - weight: 40
                        atLeast: 0s

                """
            ),
            "\(run.output)"
        )
        #expect(run.remarks.contains("steps[7].setWeight: a rollout only goes forward"))
        #expect(!run.remarks.contains("refused"), "\(run.remarks)")
    }

    @Test(arguments: [
        (#"successCondition: "result[0] >= 0.95""#, "min: 0.95"),
        (#"successCondition: "result > 1 && result < 5.5""#, "min: 1\n    max: 5.5"),
        (#"successCondition: "len(result) == 0 || asFloat(result[0]) <= 500""#, "max: 500"),
        (#"failureCondition: "result[0] >= 0.1""#, "max: 0.1"),
        (#"successCondition: "result[0] < 2", failureCondition: "result[0] > 9""#, "max: 2"),
    ])
    func `conditions become limits`(condition: String, limits: String) async throws {
        let run = try await self.fixture.run(on: self.analysis(condition))
        #expect(run.output.contains("    \(limits)\n    count: 1\n"), "\(run)")
        #expect(!run.remarks.contains("refused"), "\(run.remarks)")
    }

    @Test(arguments: [
        #"successCondition: "result == \"ok\"""#, #"successCondition: "result[0] < 1 || result[1] < 1""#,
        #"failureCondition: "result[0] > 1 && result[0] < 2""#, #"successCondition: "all(result, # < 1)""#,
    ])
    func `a condition that limits cannot say is left to a person`(condition: String) async throws {
        let report = try await self.fixture.report(on: self.analysis(condition))
        #expect(report.findings.contains { $0.outcome == "decide" && $0.message.hasPrefix("no limits say ") })
        #expect(!report.manifests.contains { $0.kind == "AnalysisTemplate" })
        #expect(!report.manifests.contains { $0.yaml.contains("gates: ") })
    }

    private func analysis(_ condition: String) -> String {
        self.rollout(
            "canary: {steps: [{setWeight: 10}, {analysis: {templates: [{templateName: t}]}}]}",
            """
            ---
            apiVersion: argoproj.io/v1alpha1
            kind: AnalysisTemplate
            metadata: {name: t}
            spec: {metrics: [{name: m, \(condition), provider: {prometheus: {query: "up{r='${revision}'}"}}}]}
            """
        )
    }

    @Test
    func `blueGreen waits for a person where it did`() async throws {
        let manual = try await self.fixture.run(
            on: self.rollout("blueGreen: {activeService: a, autoPromotionEnabled: false, autoPromotionSeconds: 30}")
        )
        #expect(manual.output.contains("strategy: blueGreen\n    steps:\n      - approval: {}\n"), "\(manual.output)")
        let timed = try await self.fixture.run(
            on: self.rollout("blueGreen: {activeService: a, autoPromotionSeconds: 300}")
        )
        #expect(timed.output.contains("gates: []\n        atLeast: 5m\n"), "\(timed.output)")
        #expect(!(manual.remarks + timed.remarks).contains("refused"))
    }

    // MARK: - Flagger

    private func canary(_ spec: String) -> String {
        """
        apiVersion: flagger.app/v1beta1
        kind: Canary
        metadata: {name: c}
        spec: {targetRef: {apiVersion: apps/v1, kind: Deployment, name: d}, service: {port: 80}, \(spec)}
        """
    }

    @Test
    func `iterations without headers are one switch, after copies where it mirrored`() async throws {
        let mirrored = try await self.fixture.run(
            on: self.canary("analysis: {interval: 1m, threshold: 2, iterations: 20, mirror: true, mirrorWeight: 50}")
        )
        let expected = "strategy: blueGreen\n    steps:\n      - shadow:\n          percent: 50\n        atLeast: 20m\n"
        #expect(mirrored.output.contains(expected), "\(mirrored.output)")
        let plain = try await self.fixture.run(on: self.canary("analysis: {interval: 1m, threshold: 2, iterations: 5}"))
        #expect(plain.output.contains("- name: x-controller-preview"), "\(plain.output)")
    }

    @Test
    func `weights are those that it would have taken`() async throws {
        let listed = try await self.fixture.report(
            on: self.canary("analysis: {interval: 1m, stepWeights: [1, 2, 10, 5, 80]}")
        )
        let weights = listed.manifests[0].yaml.matches(of: /weight: ([0-9]+)/).map { String($0.1) }
        #expect(weights == ["1", "2", "10", "80"])
        let even = try await self.fixture.report(on: self.canary("analysis: {interval: 1m, stepWeight: 30}"))
        #expect(even.manifests[0].yaml.matches(of: /weight: ([0-9]+)/).map { String($0.1) } == ["30", "60", "90"])
        // A rollout has at most 50 steps.
        let many = try await self.fixture.report(on: self.canary("analysis: {interval: 1m, stepWeight: 1}"))
        #expect(many.manifests[0].yaml.ranges(of: "weight: ").count == 50)
        #expect(many.findings.contains { $0.message.contains("at most 50 steps") })
    }

    @Test
    func `a skipped analysis is a rollout without gates`() async throws {
        let run = try await self.fixture.run(
            on: self.canary("skipAnalysis: true, analysis: {interval: 1m, stepWeight: 5}")
        )
        let expected = "steps:\n      - weight: 100\n        gates: []\n        atLeast: 0s\n"
        #expect(run.output.contains(expected), "\(run.output)")
    }
}
