import Deployments
import Manifests
import Testing

struct ModelDeploymentTests {
    @Test
    func `every field arrives`() throws {
        let state = Fixture.read(Fixture.everything)
        #expect(state.diagnostics.isEmpty, "\(state.diagnostics)")
        #expect(state.deployments.map(\.id.description) == ["other/thing", "search/embedder", "search/file-type"])
        let spec = try #require(state.deployments.last)
        #expect(spec.labels == ["team": "search"])
        #expect(spec.origin.path == "deployments/search/file-type.yaml")
        #expect(spec.origin.commit == Fixture.origin.commit)
        #expect(
            spec.model
                == Model(
                    name: "magika",
                    version: "3.3",
                    format: "onnx",
                    uri: "https://models.example/magika/3.3.tar.gz",
                    digest: "sha256:fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c",
                    source: ["commit": "9c1d2e4", "run": "mlflow:4f1c"]
                )
        )
        #expect(spec.parameters == ["threads": "2"])
        #expect(spec.replicas == 3)
        #expect(spec.resources == Resources(milliCPU: 2000, memory: 2 << 30, gpu: 1))
        #expect(spec.signature == .any)
        #expect(
            spec.route
                == Route(
                    hosts: ["file-type.models.example"],
                    pathPrefix: "/v2/models/file-type",
                    timeout: .seconds(2),
                    affinityHeader: "x-user-id"
                )
        )
        #expect(
            spec.objectives == [
                Objective(name: "availability", percent: 99.5, indicator: .availability, window: .hours(168)),
                Objective(
                    name: "latency",
                    percent: 99,
                    indicator: .latency(below: .milliseconds(250)),
                    window: .hours(720)
                ),
            ]
        )
        #expect(
            spec.dependsOn == [
                DeploymentID(namespace: "search", name: "embedder"), DeploymentID(namespace: "other", name: "thing"),
            ]
        )
    }

    @Test
    func `the rollout's gates are resolved`() throws {
        let spec = try #require(Fixture.read(Fixture.everything).deployments.last)
        let query = ThresholdQuery(
            provider: "prometheus",
            query: "sum(rate(wrong{revision=\"${revision}\"}[1m]))",
            minimum: 0,
            maximum: 0.25,
            interval: .seconds(15),
            count: 6,
            failureLimit: 2,
            consecutiveErrorLimit: 3,
            initialDelay: .minutes(1)
        )
        let named = Gate(name: "prediction-errors", kind: .threshold(query), onFailure: .hold)
        let second = Step(
            action: .weight(TrafficWeight(percent: 25)),
            gates: [.errors, .latency(below: .milliseconds(250)), named],
            atLeast: .minutes(5),
            atMost: .hours(1)
        )
        #expect(spec.rollout.steps == [.weight(5), second, Step(action: .approval), .weight(50)])
        #expect(spec.rollout.gates == [.errors, .clientErrors])
        #expect(spec.rollout.onInconclusive == .rollback)
        #expect(spec.rollout.bakeTime == .minutes(10))
        #expect(spec.rollout.progressDeadline == .minutes(15))
    }

    @Test
    func `what is left out has the documented default`() throws {
        let state = Fixture.read(Fixture.minimal(spec: ""))
        #expect(state.diagnostics.isEmpty, "\(state.diagnostics)")
        let spec = try #require(state.deployments.first)
        #expect(spec.id == DeploymentID(namespace: "default", name: "file-type"))
        #expect(spec.replicas == 1)
        #expect(spec.resources == Resources())
        #expect(spec.rollout == RolloutPolicy())
        #expect(spec.signature == .unchanged)
        #expect(spec.golden.isEmpty)
        #expect(spec.dependsOn.isEmpty)
        #expect(
            spec.objectives == [
                Objective(name: "availability", percent: 99, indicator: .availability, window: .hours(720))
            ]
        )
        #expect(spec.runtime.name == "onnx")
    }

    @Test
    func `the default latency gate takes the latency objective's bound`() throws {
        let slos = "  slos: [{name: fast, objective: 99, indicator: {latency: {below: 80ms}}}]"
        let spec = try #require(Fixture.read(Fixture.minimal(spec: slos)).deployments.first)
        #expect(spec.rollout.gates == [.errors, .clientErrors, .latency(below: .milliseconds(80))])
    }

    @Test(arguments: [
        (
            "replicas: 3", "replicaz: 3",
            "17:3: error: spec.replicaz: unknown field `replicaz`: did you mean `replicas`?"
        ),
        (
            "- weight: 5\n", "- wieght: 5\n",
            "37:9: error: spec.rollout.steps[0].wieght: unknown field `wieght`: did you mean `weight`?"
        ),
        (
            "replicas: 3", "replicas: three",
            "17:13: error: spec.replicas: expected a whole number from 1 to 1000, found the text `three`: "
                + "write for example `replicas: 3`"
        ),
        (
            "replicas: 3", "replicas: 0",
            "17:13: error: spec.replicas: expected a whole number from 1 to 1000, found `0`: "
                + "write for example `replicas: 3`"
        ),
        (
            "version: \"3.3\"", "version: 3.10",
            "10:14: error: spec.model.version: expected a text, found `3.10` without quotes: write \"3.10\""
        ),
        (
            "timeout: 2s", "timeout: 2",
            "24:14: error: spec.route.timeout: expected a duration with its unit, such as 250ms, 30s, 5m, 1h30m or 30d, "
                + "found `2`: write for example `timeout: 2s`"
        ),
        (
            "memory: 2Gi", "memory: 2gb",
            "18:33: error: spec.resources.memory: expected a number of bytes, such as 512Mi or 2Gi, "
                + "found the text `2gb`: write for example `memory: 2Gi`"
        ),
        (
            "signature: any", "signature: unchangd",
            "20:14: error: spec.signature: unknown value `unchangd`: did you mean `unchanged`?"
        ),
        (
            "hosts: [file-type.models.example]", "hosts: file-type.models.example",
            "22:12: error: spec.route.hosts: expected a list, found the text `file-type.models.example`: "
                + "write for example `hosts: [models.example]`"
        ),
        (
            "hosts: [file", "hosts: [File",
            "22:13: error: spec.route.hosts[0]: expected a host name in lower case, such as models.example, "
                + "found the text `File-type.models.example`"
        ),
        (
            "pathPrefix: /v2", "pathPrefix: v2",
            "23:17: error: spec.route.pathPrefix: expected a path that starts with / and has no //, .., spaces, ? or #, "
                + "found the text `v2/models/file-type`: write for example `pathPrefix: /v2/models/file-type`"
        ),
        (
            "objective: 99.5", "objective: 100",
            "28:18: error: spec.slos[0].objective: expected a percentage above 0 and below 100, found `100`: "
                + "write for example `objective: 99.5`"
        ),
        (
            "{availability: {}}", "{availability: {}, latency: {below: 1s}}",
            "29:18: error: spec.slos[0].indicator: `availability` and `latency` exclude each other: keep one of them"
        ),
        (
            "- name: latency", "- name: availability",
            "31:7: error: spec.slos[1]: there are two objectives named `availability`: rename or remove one"
        ),
        (
            "- weight: 50", "- weight: 20",
            "43:17: error: spec.rollout.steps[3].weight: a rollout only goes forward: 20 is less than the 25 of a step "
                + "before; sort the steps by weight"
        ),
        (
            "atLeast: 5m", "atLeast: 2h",
            "38:9: error: spec.rollout.steps[1]: atLeast (2h) is longer than atMost (1h): set both"
        ),
        (
            "- approval: {}", "- approval: {}\n        atLeast: 1h",
            "42:9: error: spec.rollout.steps[2]: atLeast (1h) is longer than atMost (default 30m): set both"
        ),
        (
            "prediction-errors]", "predictions-error]",
            "39:34: error: spec.rollout.steps[1].gates[2]: there is no gate or AnalysisTemplate `predictions-error`: "
                + "did you mean `prediction-errors`?"
        ),
        (
            "sha256:fe", "sha256:FE",
            "13:13: error: spec.model.digest: expected sha256: and 64 lower-case hexadecimal digits, found the text "
                + "`sha256:FE2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044d…`: "
                + "write for example `digest: sha256:…`"
        ),
        (
            "runtime: onnx", "runtime: onx",
            "15:12: error: spec.runtime: there is no ServingRuntime `onx`: did you mean `onnx`?"
        ),
        (
            "format: onnx", "format: torch",
            "15:12: error: spec.runtime: the runtime serves `onnx`, the model's format is `torch`: "
                + "name another runtime, or add the format to this one"
        ),
        (
            "name: magika\n", "name: --load=/etc/passwd\n",
            "9:11: error: spec.model.name: expected letters, digits and inner . _ - and +, at most 128, "
                + "found the text `--load=/etc/passwd`: write for example `name: magika`"
        ),
    ])
    func `a mistake is reported with its place and what to write instead`(old: String, new: String, expected: String) {
        let problems = Fixture.problems(replacing: old, with: new)
        let shown = problems.map { $0.replacing("deployments/search/file-type.yaml:", with: "") }
        #expect(shown == [expected])
    }

    @Test
    func `a diagnostic names file, line, column, field and fix`() {
        let problems = Fixture.problems(replacing: "- weight: 5\n", with: "- wieght: 5\n")
        #expect(
            problems == [
                "deployments/search/file-type.yaml:37:9: error: spec.rollout.steps[0].wieght: "
                    + "unknown field `wieght`: did you mean `weight`?"
            ]
        )
    }

    @Test
    func `all problems of a document are reported at once`() {
        let problems = Fixture.read(
            """
            apiVersion: controller/v1
            kind: ModelDeployment
            metadata: {nam: a, name: file-type, labels: [x]}
            spec:
              model: {name: magika, version: 1, uri: ftp://x/y}
              replicas: -1
              slos: {}
              rollout: {bakeTime: long, steps: [{weight: 101}, {}, 5]}
            """
        )
        #expect(problems.diagnostics.count == 11, "\(problems.diagnostics)")
        #expect(problems.invalid == [DeploymentID(namespace: "default", name: "file-type")])
        #expect(problems.unreadable.isEmpty)
        #expect(problems.diagnostics.allSatisfy { $0.deployment?.name == "file-type" })
    }

    @Test
    func `one bad document leaves the others of its file alone`() {
        let text = [Fixture.minimal("a"), Fixture.minimal("b", spec: "  replica: 2"), Fixture.minimal("c")]
        let state = Fixture.read(text.joined(separator: "\n---\n"))
        #expect(state.deployments.map(\.id.name) == ["a", "c"])
        #expect(state.invalid.map(\.name) == ["b"])
    }

    @Test
    func `a file whose rest can't be parsed deletes nothing`() {
        let state = Fixture.read(Fixture.minimal("a") + "\n---\n" + "metadata: {name: b\n")
        #expect(state.deployments.map(\.id.name) == ["a"])
        #expect(state.unreadable == ["m.yaml"])
        #expect(state.diagnostics.count == 1)
    }

    @Test
    func `a manifest without a readable name makes its file unreadable`() {
        let state = Fixture.read(Fixture.minimal().replacing("{name: file-type}", with: "{name: File_Type}"))
        #expect(state.deployments.isEmpty)
        #expect(state.invalid.isEmpty)
        #expect(state.unreadable == ["m.yaml"])
        #expect(state.diagnostics.count == 1)
    }

    @Test(arguments: [
        (
            "kind: ModelDeployment", "kind: ModelDeploymnt",
            "kind: unknown kind `ModelDeploymnt`: did you mean `ModelDeployment`?"
        ),
        (
            "controller/v1", "controller/v2",
            "apiVersion: unknown version `controller/v2`: this program reads `controller/v1`"
        ),
        (
            "apiVersion: controller/v1\n", "",
            "apiVersion: `apiVersion` is missing: begin with `apiVersion: controller/v1`"
        ),
    ])
    func `a slip in the head keeps the deployment's last good manifest`(old: String, new: String, message: String) {
        let state = Fixture.read(Fixture.minimal().replacing(old, with: new))
        #expect(state.invalid.map(\.name) == ["file-type"])
        #expect(state.diagnostics.count == 1)
        #expect(state.diagnostics.first?.description.hasSuffix("error: \(message)") == true, "\(state.diagnostics)")
    }

    @Test(arguments: ["apiVersion: apps/v1\nkind: Deployment\n", "image: nginx\n", "- a\n- b\n", "hello\n"])
    func `files of other programs are refused with the way out`(text: String) throws {
        let state = Fixture.read(text)
        let diagnostic = try #require(state.diagnostics.first)
        #expect(state.diagnostics.count == 1)
        #expect(
            diagnostic.message.contains("manifest") || diagnostic.message.contains("narrow the repository's `path`")
        )
    }
}
