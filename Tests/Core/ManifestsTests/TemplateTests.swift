import Deployments
import Manifests
import Testing

struct ServingRuntimeTests {
    private func problems(replacing old: String, with new: String) -> [String] {
        precondition(Fixture.runtime.contains(old), "the fixture does not hold \(old)")
        return Fixture.read(["r.yaml": Fixture.runtime.replacing(old, with: new)]).diagnostics.map(\.description)
    }

    @Test
    func `every field arrives`() throws {
        let spec = try #require(Fixture.read(Fixture.everything).deployments.last)
        let expected = ServingRuntime(
            name: "onnx",
            formats: [ServingRuntime.Format(name: "onnx", priority: 1)],
            protocolName: .openInferenceV2,
            command: [
                "python3", "-m", "model_server", "--model-dir", "${model.path}", "--name", "${model.name}", "--port",
                "${port}",
            ],
            environment: ["OMP_NUM_THREADS": "${parameters.threads}"],
            readiness: ServingRuntime.Probe(
                path: "/v2/models/${model.name}/ready",
                period: .seconds(2),
                timeout: .seconds(3),
                successThreshold: 2,
                failureThreshold: 4
            ),
            startupTimeout: .minutes(5),
            metricsPath: "/metrics",
            shutdown: ServingRuntime.Shutdown(drain: .seconds(11), grace: .seconds(31))
        )
        #expect(spec.runtime == expected)
    }

    @Test
    func `a runtime needs only a command`() throws {
        let runtime = """
            apiVersion: controller/v1
            kind: ServingRuntime
            metadata: {name: own}
            spec: {command: [serve, "--port=${port}"]}
            """
        let deployment = Fixture.minimal(spec: "  runtime: own").replacing("  parameters: {threads: \"1\"}\n", with: "")
        let state = Fixture.read(["r.yaml": runtime, "m.yaml": deployment])
        #expect(state.diagnostics.isEmpty, "\(state.diagnostics)")
        #expect(
            try #require(state.deployments.first).runtime
                == ServingRuntime(name: "own", command: ["serve", "--port=${port}"])
        )
    }

    @Test(arguments: [
        ("${model.path}", "${model.pth}", "unknown variable `${model.pth}`: did you mean `model.path`?"),
        ("${model.path}", "${model.path", "`${` has no closing `}`"),
        ("${model.path}", "${parameters.}", "unknown variable `${parameters.}`: "),
        ("${parameters.threads}", "${PATH}", "unknown variable `${PATH}`: known are `host`, `model.name`"),
        ("OMP_NUM_THREADS", "1X", "`1X` can't be a name here: it must be letters, digits and underscores"),
        ("\"${port}\"", "\"8080\"", "neither `command` nor `env` holds `${port}`"),
        ("open-inference-v2", "open-inference", "unknown value `open-inference`: did you mean `open-inference-v2`?"),
        ("path: /metrics", "path: metrics", "expected a path that starts with /"),
        ("period: 2s", "period: 0s", "expected a duration from 10ms to 10m"),
        ("priority: 1}", "priority: 1}, {name: onnx}", "a format is listed twice"),
    ])
    func `mistakes are found`(old: String, new: String, message: String) {
        let problems = self.problems(replacing: old, with: new)
        #expect(problems.count == 1, "\(problems)")
        #expect(problems.first?.contains(message) == true, "\(problems)")
    }

    @Test
    func `an empty command is refused`() {
        let text = "apiVersion: controller/v1\nkind: ServingRuntime\nmetadata: {name: a}\nspec: {command: []}\n"
        let messages = Fixture.read(["r.yaml": text]).diagnostics.map(\.message)
        #expect(messages.contains { $0.hasPrefix("expected a program and its arguments, found a list") })
    }
}

struct AnalysisTemplateTests {
    @Test(arguments: [
        ("min: 0\n", "min: 1\n", "min is greater than max: no number would pass"),
        ("${revision}", "${revison}", "unknown variable `${revison}`: did you mean `revision`?"),
        ("count: 6", "count: 2", "of 2 measurements 2 may fail: the gate could never fail"),
        ("name: prediction-errors", "name: errors", "`errors` is the name of a built-in gate"),
        ("interval: 15s", "interval: 15", "expected a duration with its unit"),
        ("onFailure: hold", "onFailure: holt", "unknown value `holt`: did you mean `hold`?"),
        ("max: 0.25", "max: .inf", "expected a number, found `.inf`"),
        ("    query: 'sum(rate(wrong{revision=\"${revision}\"}[1m]))'\n", "", "`query` is missing: add for example"),
    ])
    func `mistakes are found`(old: String, new: String, message: String) {
        precondition(Fixture.template.contains(old), "the fixture does not hold \(old)")
        let problems = Fixture.read(["t.yaml": Fixture.template.replacing(old, with: new)]).diagnostics.map(\.message)
        #expect(problems.count == 1, "\(problems)")
        #expect(problems.first?.hasPrefix(message) == true, "\(problems)")
    }

    @Test
    func `a threshold needs a limit`() {
        let text = Fixture.template.replacing("    min: 0\n    max: 0.25\n", with: "")
        let problems = Fixture.read(["t.yaml": text]).diagnostics
        #expect(problems.map(\.message) == ["`min` or `max` is missing: add for example `max: 0.25`"])
    }

    @Test
    func `a gate that measures longer than its step lasts is warned of`() {
        let spec = "  rollout: {steps: [{weight: 50, atMost: 2m, gates: [prediction-errors]}]}"
        let state = Fixture.read([
            "m.yaml": Fixture.minimal(spec: spec), "r.yaml": Fixture.runtime, "t.yaml": Fixture.template,
        ])
        #expect(state.deployments.count == 1)
        #expect(state.diagnostics.map(\.severity) == [.warning])
        #expect(state.diagnostics.first?.message.contains("measures for 2m15s, longer than") == true)
    }
}

struct RatioTemplateTests {
    static let text = """
        apiVersion: controller/v1
        kind: AnalysisTemplate
        metadata: {name: wrong}
        spec:
          ratio:
            provider: thanos
            bad: 'sum(wrong{revision="${revision}"})'
            total: 'sum(all{revision="${revision}"})'
            maxRatio: 1.5
            maxDifference: 0.01
            interval: 15s
        """

    @Test
    func `every field arrives`() throws {
        let spec = "  rollout: {gates: [wrong]}"
        let state = Fixture.read([
            "m.yaml": Fixture.minimal(spec: spec), "r.yaml": Fixture.runtime, "t.yaml": Self.text,
        ])
        #expect(state.diagnostics.isEmpty, "\(state.diagnostics)")
        let query = RatioQuery(
            provider: "thanos",
            bad: "sum(wrong{revision=\"${revision}\"})",
            total: "sum(all{revision=\"${revision}\"})",
            maximumRatio: 1.5,
            maximumDifference: 0.01,
            interval: .seconds(15)
        )
        #expect(state.deployments.first?.rollout.gates == [Gate(name: "wrong", kind: .ratio(query))])
    }

    @Test(arguments: [
        ("maxRatio: 1.5", "maxRatio: 0.5", "expected a number from 1 to 100, found `0.5`"),
        ("maxDifference: 0.01", "maxDifference: 2", "expected a number from 0 to 1, found `2`"),
        ("interval: 15s", "interval: 100ms", "expected a duration from 1s to 1h"),
        ("wrong{revision=\"${revision}\"}", "wrong", "the query is asked for the canary and for stable: select one"),
        ("all{revision=\"${revision}\"}", "all{revision=\"${revison}\"}", "unknown variable `${revison}`"),
        ("    bad: 'sum(wrong{revision=\"${revision}\"})'\n", "", "`bad` is missing: add for example"),
        ("  ratio:", "  threshold: {query: q, max: 1}\n  ratio:", "`threshold` and `ratio` exclude each other"),
    ])
    func `mistakes are found`(old: String, new: String, message: String) {
        precondition(Self.text.contains(old), "the text does not hold \(old)")
        let problems = Fixture.read(["t.yaml": Self.text.replacing(old, with: new)]).diagnostics.map(\.message)
        #expect(problems.contains { $0.hasPrefix(message) }, "\(problems)")
    }

    @Test
    func `a gate whose interval leaves no time for a verdict is warned of`() {
        let spec = "  rollout: {steps: [{weight: 50, atMost: 2m, gates: [wrong]}]}"
        let state = Fixture.read([
            "m.yaml": Fixture.minimal(spec: spec), "r.yaml": Fixture.runtime,
            "t.yaml": Self.text.replacing("interval: 15s", with: "interval: 45s"),
        ])
        #expect(state.diagnostics.map(\.severity) == [.warning])
        #expect(state.diagnostics.first?.message.contains("measures for 3m, longer than") == true)
    }
}

struct FeedbackTemplateTests {
    private static func read(_ spec: String) -> (Gate?, [String]) {
        let template = "apiVersion: controller/v1\nkind: AnalysisTemplate\nmetadata: {name: wrong}\nspec: \(spec)\n"
        let state = Fixture.read([
            "m.yaml": Fixture.minimal(spec: "  rollout: {gates: [wrong]}"), "r.yaml": Fixture.runtime,
            "t.yaml": template,
        ])
        return (state.deployments.first?.rollout.gates.first, state.diagnostics.map(\.message))
    }

    @Test
    func `a gate that is made of labels has no queries`() {
        let (ratio, none) = Self.read("{ratio: {provider: feedback, maxRatio: 1.5, interval: 20s}}")
        #expect(none.isEmpty, "\(none)")
        #expect(ratio?.kind.labels == .correctness)
        let query = RatioQuery(
            provider: "feedback",
            bad: "",
            total: "",
            maximumRatio: 1.5,
            interval: .seconds(20)
        )
        #expect(ratio == Gate(name: "wrong", kind: .ratio(query)))
        let (mean, problems) = Self.read("{mean: {provider: feedback, worse: lower, margin: 0.05}}")
        #expect(problems.isEmpty, "\(problems)")
        #expect(mean?.kind.labels == .value)
    }

    @Test(arguments: [
        (
            "{ratio: {provider: feedback, bad: wrong}}",
            "`bad` is no question to `feedback`, which counts labels: remove"
        ),
        ("{mean: {provider: feedback, sum: s, worse: lower}}", "`sum` is no question to `feedback`"),
        ("{mean: {provider: feedback}}", "`worse` is missing"),
        (
            "{drift: {provider: feedback, query: 'h${revision}'}}",
            "`feedback` counts labels for `ratio` and `mean` gates"
        ),
        (
            "{threshold: {provider: feedback, query: q, max: 1}}",
            "`feedback` counts labels for `ratio` and `mean` gates"
        ),
        ("{ratio: {provider: feedbak}}", "`bad` is missing: add for example"),
    ])
    func `mistakes are found`(spec: String, message: String) {
        let (_, problems) = Self.read(spec)
        #expect(problems.contains { $0.hasPrefix(message) }, "\(problems)")
        // Who is told to remove a query is not told to mend it.
        #expect(!problems.contains { $0.contains("select one of them") }, "\(problems)")
    }
}

struct MeanAndDriftTemplateTests {
    private static func read(_ spec: String) -> (Gate?, [String]) {
        let template = "apiVersion: controller/v1\nkind: AnalysisTemplate\nmetadata: {name: score}\nspec:\n\(spec)\n"
        let state = Fixture.read([
            "m.yaml": Fixture.minimal(spec: "  rollout: {gates: [score]}"), "r.yaml": Fixture.runtime,
            "t.yaml": template,
        ])
        return (state.deployments.first?.rollout.gates.first, state.diagnostics.map(\.message))
    }

    private static let mean = """
          mean:
            provider: thanos
            count: 'c{revision="${revision}"}'
            sum: 's{revision="${revision}"}'
            sumOfSquares: 'q{revision="${revision}"}'
            margin: 0.05
            worse: higher
            interval: 20s
        """

    @Test
    func `every field of a mean arrives`() {
        let query = MeanQuery(
            provider: "thanos",
            count: "c{revision=\"${revision}\"}",
            sum: "s{revision=\"${revision}\"}",
            sumOfSquares: "q{revision=\"${revision}\"}",
            margin: 0.05,
            worse: .higher,
            interval: .seconds(20)
        )
        let (gate, problems) = Self.read(Self.mean)
        #expect(problems.isEmpty, "\(problems)")
        #expect(gate == Gate(name: "score", kind: .mean(query)))
    }

    @Test
    func `drift holds unless it says to roll back`() {
        let drift = "  drift: {query: 'h{revision=\"${revision}\"}', tolerance: 0.1, interval: 1m}"
        let query = DriftQuery(
            provider: "prometheus",
            query: "h{revision=\"${revision}\"}",
            tolerance: 0.1,
            interval: .minutes(1)
        )
        #expect(Self.read(drift).0 == Gate(name: "score", kind: .drift(query), onFailure: .hold))
        let other = Self.read(drift + "\n  onFailure: rollback").0
        #expect(other == Gate(name: "score", kind: .drift(query), onFailure: .rollback))
    }

    @Test(arguments: [
        ("    worse: higher\n", "", "`worse` is missing: add for example `worse: lower`"),
        ("worse: higher", "worse: up", "unknown value `up`"),
        ("margin: 0.05", "margin: 0", "with a margin of 0 no canary is ever shown to be as good"),
        ("margin: 0.05", "margin: 1.5", "expected a number from 0 to 1"),
        ("'q{revision=\"${revision}\"}'", "q", "the query is asked for the canary and for stable"),
    ])
    func `mistakes are found`(old: String, new: String, message: String) {
        precondition(Self.mean.contains(old), "the text does not hold \(old)")
        let (_, problems) = Self.read(Self.mean.replacing(old, with: new))
        #expect(problems.contains { $0.hasPrefix(message) }, "\(problems)")
    }

    @Test
    func `every field of a webhook arrives`() {
        let (gate, problems) = Self.read("  webhook: {provider: approvals, timeout: 3s, interval: 1m}")
        #expect(problems.isEmpty, "\(problems)")
        let query = WebhookQuery(provider: "approvals", timeout: .seconds(3), interval: .minutes(1))
        #expect(gate == Gate(name: "score", kind: .webhook(query)))
        #expect(Self.read("  webhook: {timeout: 3s}").1.contains { $0.hasPrefix("`provider` is missing") })
    }

    @Test
    func `every field of a job arrives`() {
        let (gate, problems) = Self.read(
            "  job: {command: [evaluate, --endpoint, \"${endpoint}\", \"${model.version}\"], timeout: 1h}"
        )
        #expect(problems.isEmpty, "\(problems)")
        let job = JobRun(command: ["evaluate", "--endpoint", "${endpoint}", "${model.version}"], timeout: .hours(1))
        #expect(gate == Gate(name: "score", kind: .job(job)))
    }

    @Test(arguments: [
        ("{command: []}", "the command is empty"), ("{timeout: 1m}", "`command` is missing"),
        ("{command: [/bin/sh, -c, id]}", "expected the name of a program, without its folder"),
        ("{command: [../sh]}", "expected the name of a program, without its folder"),
        ("{command: [evaluate, \"${endpiont}\"]}", "unknown variable `${endpiont}`: did you mean `endpoint`?"),
        ("{command: [evaluate], timeout: 2d}", "expected a duration from 1s to 1d"),
    ])
    func `mistakes in a job are found`(job: String, message: String) {
        let (_, problems) = Self.read("  job: \(job)")
        #expect(problems.contains { $0.hasPrefix(message) }, "\(problems)")
    }
}
