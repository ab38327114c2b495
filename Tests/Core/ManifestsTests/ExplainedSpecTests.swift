import Deployments
import Manifests
import Testing

/// Where each value of a deployment comes from.
struct ExplainedSpecTests {
    private static let id = DeploymentID(namespace: "default", name: "a")

    private func explain(_ texts: [String: String], _ id: DeploymentID = Self.id) -> ExplainedSpec? {
        let reader = ManifestReader()
        var memory = ManifestMemory()
        let files = Fixture.files(texts.merging(["runtime.yaml": DefaultsTests.runtime]) { first, _ in first })
        _ = reader.read(files, origin: Fixture.origin, knowing: &memory)
        return reader.explain(id, knowing: memory)
    }

    private func lines(_ explained: ExplainedSpec?) -> [String] {
        explained?.values.map { "\($0.field) \($0.text) \($0.origin)" } ?? []
    }

    @Test
    func `each value has its file and line, or is built in`() throws {
        let outer = """
            apiVersion: controller/v1
            kind: ModelDeploymentDefaults
            metadata:
              labels:
                team: search
            spec:
              replicas: 3
              resources:
                cpu: 500m
                memory: 1Gi
              rollout:
                strategy: canary
                steps:
                  - weight: 10
                  - weight: 50
                    atMost: 1h
                bakeTime: 1h
            """
        let explained = try #require(
            self.explain([
                "defaults.yaml": outer,
                "prod/defaults.yaml": DefaultsTests.defaults("resources: {memory: 2Gi}"),
                "prod/a.yaml": DefaultsTests.manifest("a", "rollout: {bakeTime: null, gates: [errors]}"),
            ])
        )
        #expect(explained.file == "prod/a.yaml")
        #expect(explained.problems == [])
        #expect(
            self.lines(explained) == [
                "metadata.labels.team search defaults.yaml:5",
                "spec.model.name m prod/a.yaml:5",
                "spec.model.version v1 prod/a.yaml:5",
                "spec.model.format onnx prod/a.yaml:5",
                "spec.model.uri file:///m prod/a.yaml:5",
                "spec.runtime onnx default",
                "spec.replicas 3 defaults.yaml:7",
                "spec.resources.cpu 500m defaults.yaml:9",
                "spec.resources.memory 2Gi prod/defaults.yaml:5",
                "spec.resources.gpu 0 default",
                "spec.signature unchanged default",
                "spec.route.hosts [] default",
                "spec.route.pathPrefix /a prod/a.yaml:6",
                "spec.route.timeout 1m default",
                "spec.slos[0].name availability default",
                "spec.slos[0].objective 99 default",
                "spec.slos[0].indicator.availability {} default",
                "spec.slos[0].window 30d default",
                "spec.rollout.strategy canary defaults.yaml:12",
                "spec.rollout.steps[0].weight 10 defaults.yaml:14",
                "spec.rollout.steps[0].atLeast 2m default",
                "spec.rollout.steps[0].atMost 30m default",
                "spec.rollout.steps[1].weight 50 defaults.yaml:15",
                "spec.rollout.steps[1].atMost 1h defaults.yaml:16",
                "spec.rollout.steps[1].atLeast 2m default",
                "spec.rollout.gates [errors] prod/a.yaml:7",
                "spec.rollout.onInconclusive pause default",
                "spec.rollout.bakeTime 30m default",
                "spec.rollout.holdback 5 default",
                "spec.rollout.progressDeadline 20m default",
                "spec.rollout.surge 100% default",
                "spec.rollout.revert none default",
            ]
        )
    }

    @Test
    func `every value of a manifest that says everything comes from it`() throws {
        var texts = Fixture.everything
        texts["runtime.yaml"] = "# one is enough"
        let explained = self.explain(texts, DeploymentID(namespace: "search", name: "file-type"))
        let values = try #require(explained).values
        let strangers = values.filter { $0.place?.file != "deployments/search/file-type.yaml" }.map(\.field)
        #expect(
            strangers == [
                "spec.slos[1].window", "spec.rollout.steps[0].atLeast", "spec.rollout.steps[0].atMost",
                "spec.rollout.steps[2].atLeast", "spec.rollout.steps[2].atMost", "spec.rollout.steps[3].atLeast",
                "spec.rollout.steps[3].atMost", "spec.rollout.holdback", "spec.rollout.revert",
            ]
        )
        #expect(values.allSatisfy { !$0.text.isEmpty })
    }

    @Test
    func `what is wrong is told with the values that would be`() throws {
        let own = try #require(self.explain(["a.yaml": DefaultsTests.manifest("a", "replicas: many")]))
        #expect(own.problems.map(\.field) == ["spec.replicas"])
        #expect(self.lines(own).contains("spec.replicas many a.yaml:7"))
        let above = try #require(
            self.explain([
                "prod/defaults.yaml": DefaultsTests.defaults("{replicas: many}"),
                "prod/a.yaml": DefaultsTests.manifest("a"),
            ])
        )
        #expect(above.problems.map(\.path) == ["prod/defaults.yaml"])
        #expect(above.values == [], "what holds is not known")
        #expect(self.explain(["b.yaml": DefaultsTests.manifest("b")]) == nil)
    }
}
