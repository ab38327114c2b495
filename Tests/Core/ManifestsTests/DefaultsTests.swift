import Deployments
import Manifests
import Testing

/// What a `defaults.yaml` lays below the manifests of its folder.
struct DefaultsTests {
    static func defaults(_ spec: String, labels: String = "{}") -> String {
        """
        apiVersion: controller/v1
        kind: ModelDeploymentDefaults
        metadata: {labels: \(labels)}
        spec:
          \(spec)

        """
    }

    /// A deployment that says little, with one more line.
    static func manifest(_ name: String, _ line: String = "") -> String {
        """
        apiVersion: controller/v1
        kind: ModelDeployment
        metadata: {name: \(name)}
        spec:
          model: {name: m, version: v1, format: onnx, uri: "file:///m"}
          route: {pathPrefix: /\(name)}
          \(line)

        """
    }

    /// Serves `onnx`, and wants no parameters.
    static let runtime = Fixture.runtime.replacing("${parameters.threads}", with: "1")

    private func read(_ texts: [String: String]) -> DesiredState {
        Fixture.read(texts.merging(["runtime.yaml": Self.runtime]) { first, _ in first })
    }

    private func problems(_ texts: [String: String]) -> [String] { self.read(texts).diagnostics.map(\.description) }

    struct Merge: Sendable, CustomTestStringConvertible {
        var rule: String
        var outer = "{}"
        var inner = "{}"
        var manifest = ""
        var holds: @Sendable (DeploymentSpec) -> Bool

        var testDescription: String { self.rule }
    }

    static let merges = [
        Merge(rule: "what nobody says is built in") { $0.replicas == 1 },
        Merge(rule: "what the manifest does not say is the default", outer: "{replicas: 2}") { $0.replicas == 2 },
        Merge(rule: "the nearer folder goes before the farther", outer: "{replicas: 2}", inner: "{replicas: 3}") {
            $0.replicas == 3
        },
        Merge(
            rule: "the manifest goes before all",
            outer: "{replicas: 2}",
            inner: "{replicas: 3}",
            manifest: "replicas: 4"
        ) { $0.replicas == 4 },
        Merge(
            rule: "mappings are merged key by key",
            outer: "{resources: {cpu: 500m, memory: 1Gi, gpu: 1}}",
            inner: "{resources: {memory: 2Gi}}",
            manifest: "resources: {gpu: 0}"
        ) { $0.resources == Resources(milliCPU: 500, memory: 2 << 30, gpu: 0) },
        Merge(
            rule: "in mappings of mappings too",
            outer: "{route: {timeout: 3s, affinity: {header: x-user}}}",
            inner: "{rollout: {bakeTime: 1h}}",
            manifest: "rollout: {holdback: 0}"
        ) {
            $0.route.timeout == .seconds(3) && $0.route.affinityHeader == "x-user" && $0.rollout.bakeTime == .hours(1)
                && $0.rollout.holdback == .none
        },
        Merge(
            rule: "a list takes the whole place of another",
            outer: "{rollout: {steps: [{weight: 1}, {weight: 2}], gates: [errors, latency]}}",
            manifest: "rollout: {steps: [{weight: 50}], gates: [errors]}"
        ) { $0.rollout.steps == [.weight(50)] && $0.rollout.gates == [.errors] },
        Merge(
            rule: "null leaves out what is above, and then the built-in value holds",
            outer: "{replicas: 2, rollout: {bakeTime: 1h, gates: [errors]}}",
            manifest: "replicas: null\n  rollout: {bakeTime: ~}"
        ) { $0.replicas == 1 && $0.rollout.bakeTime == .minutes(30) && $0.rollout.gates == [.errors] },
        Merge(
            rule: "null of a mapping leaves out all of it",
            outer: "{resources: {cpu: 500m}, autoscaling: {minReplicas: 2, maxReplicas: 4, targetConcurrency: 1}}",
            inner: "{autoscaling: null, replicas: 5}",
            manifest: "resources: null"
        ) { $0.resources == Resources() && $0.autoscaling == nil && $0.replicas == 5 },
        Merge(rule: "null where nothing is above is as if it was not there", manifest: "replicas: null\n  runtime: ~") {
            $0.replicas == 1
        },
        Merge(
            rule: "an inner mapping may follow an outer null",
            outer: "{resources: null}",
            inner: "{resources: {gpu: 1}}"
        ) { $0.resources == Resources(gpu: 1) },
        Merge(
            rule: "a mapping with required fields may be completed below",
            outer: "{autoscaling: {targetConcurrency: 4}}",
            manifest: "autoscaling: {minReplicas: 2, maxReplicas: 8}"
        ) { $0.autoscaling?.targetConcurrency == 4 && $0.autoscaling?.maxReplicas == 8 },
    ]

    @Test(arguments: Self.merges)
    func `defaults are merged by simple rules`(merge: Merge) throws {
        let state = self.read([
            "defaults.yaml": Self.defaults(merge.outer),
            "prod/defaults.yaml": Self.defaults(merge.inner),
            "prod/eu/a.yaml": Self.manifest("a", merge.manifest),
        ])
        #expect(state.diagnostics.map(\.description) == [])
        let spec = try #require(state.deployments.first)
        #expect(merge.holds(spec), "\(spec)")
    }

    @Test
    func `labels and parameters are merged, and a null takes one away`() throws {
        let defaults =
            Self.defaults("parameters: {threads: \"2\", extra: x}", labels: "{team: search, tier: gold}")
        let manifest = Fixture.minimal("a").replacing("{name: a}", with: "{name: a, labels: {tier: null, own: x}}")
            .replacing("{threads: \"1\"}", with: "{extra: null}")
        let state = Fixture.read(["defaults.yaml": defaults, "a.yaml": manifest, "r.yaml": Fixture.runtime])
        #expect(state.diagnostics.map(\.description) == [])
        let spec = try #require(state.deployments.first)
        #expect(spec.labels == ["team": "search", "own": "x"])
        #expect(spec.parameters == ["threads": "2"])
    }

    @Test
    func `a revision changes when a default that is part of it does, and with no other`() throws {
        func revision(_ spec: String, _ line: String = "") throws -> Revision {
            let state = self.read(["defaults.yaml": Self.defaults(spec), "a.yaml": Self.manifest("a", line)])
            return try #require(state.deployments.first, "\(state.diagnostics)").revision
        }
        let plain = try revision("{}")
        #expect(try revision("{replicas: 3, rollout: {bakeTime: 1h}, slos: []}") == plain)
        #expect(try revision("{resources: {gpu: 0}}") == plain)
        let sized = try revision("{resources: {gpu: 1}}")
        #expect(sized != plain)
        #expect(try revision("{}", "resources: {gpu: 1}") == sized, "wherever it is said")
        #expect(try revision("{resources: {gpu: 2}}", "resources: {gpu: 1}") == sized, "the manifest says another")
    }

    @Test
    func `defaults reach down, and neither aside nor to a folder whose name begins alike`() {
        let state = self.read([
            "prod/defaults.yaml": Self.defaults("{replicas: 3}"),
            "prod/a.yaml": Self.manifest("a"),
            "prod/eu/west/b.yaml": Self.manifest("b"),
            "production/c.yaml": Self.manifest("c"),
            "d.yaml": Self.manifest("d"),
        ])
        #expect(state.diagnostics.isEmpty)
        #expect(state.deployments.map(\.replicas) == [3, 3, 1, 1])
    }

    @Test
    func `golden files of a default are looked for from the manifest on`() throws {
        let state = self.read([
            "defaults.yaml": Self.defaults("golden: golden.jsonl"),
            "golden.jsonl": "{\"request\": 1, \"expected\": 1}\n",
            "a/golden.jsonl": "{\"request\": 2, \"expected\": 2}\n",
            "a/a.yaml": Self.manifest("a"),
            "b/b.yaml": Self.manifest("b"),
        ])
        #expect(state.diagnostics.isEmpty)
        #expect(state.deployments.map { $0.golden.map(\.request) } == [["2"], ["1"]])
    }

    // MARK: - Errors

    @Test
    func `a bad default is told once, where it stands, and holds back what is below and nothing else`() {
        let state = self.read([
            "prod/defaults.yaml": Self.defaults("{replicas: many}"),
            "prod/a.yaml": Self.manifest("a"),
            "prod/eu/defaults.yaml": Self.defaults("{replicas: 3}"),
            "prod/eu/b.yaml": Self.manifest("b", "replicas: 2"),
            "staging/c.yaml": Self.manifest("c"),
        ])
        #expect(
            state.diagnostics.map(\.description) == [
                "prod/defaults.yaml:5:14: error: spec.replicas: expected a whole number from 1 to 1000, found the text "
                    + "`many`: write for example `replicas: 3`"
            ]
        )
        #expect(state.invalid.map(\.name).sorted() == ["a", "b"])
        #expect(state.deployments.map(\.id.name) == ["c"])
    }

    @Test
    func `what only the manifests below show of a default is told once too`() {
        let texts = [
            "prod/defaults.yaml": Self.defaults("runtime: onxx"),
            "prod/a.yaml": Self.manifest("a"),
            "prod/b.yaml": Self.manifest("b"),
            "prod/c.yaml": Self.manifest("c"),
            "prod/d.yaml": Self.manifest("d", "runtime: onnx"),
        ]
        #expect(
            self.problems(texts) == [
                "prod/defaults.yaml:5:12: error: spec.runtime: there is no ServingRuntime `onxx`: did you mean `onnx`? "
                    + "(it holds for default/a and 2 more)"
            ]
        )
        #expect(self.read(texts).deployments.map(\.id.name) == ["d"])
    }

    @Test(arguments: [
        ("metadata: {name: all}", "metadata.name: `name` is each deployment's own"),
        ("metadata: {namespace: prod}", "metadata.namespace: `namespace` is part of a deployment's name"),
        ("spec: {model: {format: onnx}}", "spec.model: `model` is what each deployment is about"),
        ("spec: {replcas: 2}", "spec.replcas: unknown field `replcas`: did you mean `replicas`?"),
        ("spec: {rollout: {wieght: 2}}", "spec.rollout.wieght: unknown field"),
        ("spec: {rollout: {steps: [{atMost: 1h}]}}", "spec.rollout.steps[0]: one of"),
        ("spec: {slos: [{objective: 99}]}", "spec.slos[0]: `name` is missing"),
        ("spec: {replicas: 2, autoscaling: {targetConcurrency: 2}}", "`replicas` and `autoscaling` exclude each other"),
        ("spec: {runtime: }", "spec.runtime: expected a text, found nothing"),
        ("spec: [a]", "spec: expected a mapping"),
        ("data: 1", "data: unknown field"),
        ("spec: {runtime: &a onnx}", "anchors are not allowed"),
        ("spec: {}\n---\nkind: ModelDeployment", "holds one document"),
    ])
    func `what cannot be a default is an error`(text: String, problem: String) {
        let defaults = "apiVersion: controller/v1\nkind: ModelDeploymentDefaults\n\(text)\n"
        let state = self.read(["prod/defaults.yaml": defaults, "prod/a.yaml": Self.manifest("a")])
        let found = state.diagnostics.map(\.description)
        #expect(found.count { $0.contains(problem) && $0.hasPrefix("prod/defaults.yaml:") } == 1, "\(found)")
        #expect(state.invalid.map(\.name) == ["a"])
    }

    @Test
    func `a defaults.yaml of something else deletes nothing that it held`() {
        let state = self.read(["prod/defaults.yaml": Self.manifest("a")])
        #expect(state.diagnostics.first?.message.contains("`kind: ModelDeploymentDefaults`") ?? false)
        #expect(state.unreadable == ["prod/defaults.yaml"])
        #expect(self.problems(["prod/defaults.yaml": "a: [b"]).count == 1)
        #expect(self.problems(["prod/defaults.yaml": "# nothing yet\n"]) == [])
    }

    @Test
    func `defaults in a file of another name are an error`() {
        for name in ["prod/defaults.yml", "prod/common.yaml", "prod/Defaults.yaml"] {
            let found = self.problems([name: Self.defaults("{replicas: 2}"), "prod/a.yaml": Self.manifest("a")])
            #expect(found.count == 1)
            #expect(found.first?.contains("read from files named `defaults.yaml`") ?? false, "\(found)")
        }
    }

    @Test
    func `a defaults.yaml that is too large, and one more than there may be, are refused`() {
        let comment = "#" + String(repeating: "x", count: 70_000)
        let large = self.read([
            "prod/defaults.yaml": Self.defaults("{replicas: 2}") + comment, "prod/a.yaml": Self.manifest("a"),
        ])
        #expect(large.diagnostics.map(\.message) == ["the file has 70102 bytes, at most 65536 are read: shorten it"])
        #expect(large.invalid.map(\.name) == ["a"])
        var texts = ["runtime.yaml": Self.runtime]
        for name in ["a", "b", "c"] {
            texts["\(name)/defaults.yaml"] = Self.defaults("{replicas: 2}")
            texts["\(name)/\(name).yaml"] = Self.manifest(name)
        }
        let many = Fixture.read(texts, limits: ManifestLimits(defaultsFiles: 2))
        #expect(
            many.diagnostics.map(\.description) == [
                "c/defaults.yaml:1:1: error: a repository may have at most 2 files of this name: merge some"
            ]
        )
        #expect(many.deployments.map(\.id.name) == ["a", "b"])
        #expect(many.invalid.map(\.name) == ["c"])
    }

    struct Conflict: Sendable {
        var defaults: String
        var manifest: String
        var problem: String
    }

    @Test(arguments: [
        Conflict(
            defaults: "{replicas: 2}",
            manifest: "autoscaling: {minReplicas: 2, maxReplicas: 4, targetConcurrency: 1}",
            problem:
                "prod/a.yaml:7:16: error: spec.autoscaling: `replicas` and `autoscaling` exclude each other: remove "
                + "`replicas`, or `autoscaling`. `spec.replicas` stands in prod/defaults.yaml:5: to do without it here, "
                + "set it to `null`"
        ),
        Conflict(
            defaults: "{rollout: {gates: [errors]}}",
            manifest: "rollout: {strategy: recreate}",
            problem:
                "prod/a.yaml:7:23: error: spec.rollout.strategy: `recreate` leaves nothing to compare with: remove "
                + "`gates`. `spec.rollout.gates` stands in prod/defaults.yaml:5: to do without it here, set it to `null`"
        ),
        Conflict(
            defaults: "{rollout: {strategy: recreate}}",
            manifest: "rollout: {steps: [{weight: 5}]}",
            problem: "prod/a.yaml:7:20: error: spec.rollout.steps: `recreate` leaves nothing to compare with: remove "
                + "`steps`. `spec.rollout.strategy` stands in prod/defaults.yaml:5: to do without it here, set it to "
                + "`null`"
        ),
        Conflict(
            defaults: "{rollout: {steps: [{weight: 5}]}}",
            manifest: "rollout: {strategy: blueGreen}",
            problem: "prod/a.yaml:7:23: error: spec.rollout.strategy: `blueGreen` moves all traffic at once after its "
                + "steps: remove the weight, or use `strategy: canary`. `spec.rollout.steps[0].weight` stands in "
                + "prod/defaults.yaml:5: to do without it here, set it to `null`"
        ),
        Conflict(
            defaults: "{parameters: {threads: \"2\"}}",
            manifest: "runtime: onnx",
            problem:
                "prod/a.yaml:7:12: error: spec.runtime: the runtime `onnx` has no parameter `threads`: there is none. "
                + "`spec.parameters.threads` stands in prod/defaults.yaml:5: to do without it here, set it to `null`"
        ),
    ])
    func `alternatives of which a default has one and the manifest another are an error that names both`(
        conflict: Conflict
    ) {
        let texts = [
            "prod/defaults.yaml": Self.defaults(conflict.defaults),
            "prod/a.yaml": Self.manifest("a", conflict.manifest),
            "prod/b.yaml": Self.manifest("b"),
        ]
        #expect(self.problems(texts).filter { $0.hasPrefix("prod/a.yaml") } == [conflict.problem])
    }

    @Test
    func `of two defaults that exclude each other the nearer is the one to mend`() {
        let found = self.problems([
            "defaults.yaml": Self.defaults("replicas: 2"),
            "prod/defaults.yaml": Self.defaults("autoscaling: {minReplicas: 1, maxReplicas: 2, targetConcurrency: 1}"),
            "prod/a.yaml": Self.manifest("a"),
            "prod/b.yaml": Self.manifest("b"),
        ])
        #expect(
            found == [
                "prod/defaults.yaml:5:16: error: spec.autoscaling: `replicas` and `autoscaling` exclude each other: remove "
                    + "`replicas`, or `autoscaling`. `spec.replicas` stands in defaults.yaml:5: to do without it here, "
                    + "set it to `null` (it holds for default/a and 1 more)"
            ]
        )
    }

    @Test
    func `a route that a default gives to several is an error that names them`() {
        let found = self.problems([
            "defaults.yaml": Self.defaults("route: {pathPrefix: /all}"),
            "a.yaml": Self.manifest("a", "route: {hosts: [a.example]}").replacing(
                "  route: {pathPrefix: /a}\n",
                with: ""
            ),
            "b.yaml": Self.manifest("b").replacing("  route: {pathPrefix: /b}\n", with: ""),
            "c.yaml": Self.manifest("c").replacing("  route: {pathPrefix: /c}\n", with: ""),
        ])
        #expect(
            found == [
                "defaults.yaml:5:10: error: spec.route: `/all` on every host is also the route of default/c (c.yaml:1): "
                    + "give each another `pathPrefix` or other `hosts` (it holds for default/b)",
                "defaults.yaml:5:10: error: spec.route: `/all` on every host is also the route of default/b (b.yaml:1): "
                    + "give each another `pathPrefix` or other `hosts` (it holds for default/c)",
            ]
        )
    }

    @Test
    func `a manifest's own mistakes are told at its own place`() {
        let found = self.problems([
            "defaults.yaml": Self.defaults("{replicas: 2, autoscaling: null}"),
            "a.yaml": Self.manifest("a", "replicas: many"),
            "b.yaml": "apiVersion: controller/v1\nkind: ModelDeployment\nmetadata: {name: b}\n",
            "c.yaml": "apiVersion: controller/v1\nkind: ModelDeployment\nmetadata: {name: c}\nspec: {replicas: 1}\n",
        ])
        #expect(found.map { String($0.prefix(12)) } == ["a.yaml:7:13:", "b.yaml:1:1: ", "c.yaml:4:7: "], "\(found)")
    }
}
