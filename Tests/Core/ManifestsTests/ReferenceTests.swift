import Deployments
import Manifests
import Testing

struct ReferenceTests {
    private func runtime(_ name: String, format: String, priority: Int) -> String {
        Fixture.runtime
            .replacing("{name: onnx}", with: "{name: \(name)}")
            .replacing("[{name: onnx, priority: 1}]", with: "[{name: \(format), priority: \(priority)}]")
    }

    private func chosen(_ runtimes: [String], library: [String] = [], spec: String = "") -> [String] {
        func files(_ texts: [String]) -> [String: String] {
            Dictionary(uniqueKeysWithValues: texts.enumerated().map { ("r\($0.offset).yaml", $0.element) })
        }
        let texts = files(runtimes).merging(["m.yaml": Fixture.minimal(spec: spec)]) { first, _ in first }
        let state = Fixture.read(texts, library: files(library))
        return state.deployments.map(\.runtime.name) + state.diagnostics.map(\.message)
    }

    @Test
    func `of the runtimes that claim a format the highest priority wins`() {
        let low = self.runtime("low", format: "onnx", priority: 1)
        let high = self.runtime("high", format: "onnx", priority: 5)
        let other = self.runtime("other", format: "torch", priority: 9)
        #expect(self.chosen([low, high, other]) == ["high"])
        #expect(self.chosen([low], library: [high]) == ["high"])
        #expect(self.chosen([low, high], spec: "  runtime: low") == ["low"])
    }

    @Test
    func `a commit's runtime goes before the shipped one of its name or priority`() throws {
        let shipped = self.runtime("onnx", format: "onnx", priority: 7)
        let ours = self.runtime("onnx", format: "onnx", priority: 1).replacing("11s", with: "12s")
        let state = Fixture.read(["m.yaml": Fixture.minimal(), "r.yaml": ours], library: ["s.yaml": shipped])
        #expect(try #require(state.deployments.first).runtime.shutdown.drain == .seconds(12))
        let equal = self.runtime("equal", format: "onnx", priority: 7)
        #expect(self.chosen([equal], library: [shipped]) == ["equal"])
    }

    @Test
    func `equal priorities are ambiguous`() {
        let texts = ["a", "b"].map { self.runtime($0, format: "onnx", priority: 3) }
        #expect(
            self.chosen(texts) == ["`a` and `b` claim the format with the same priority 3: name one with `runtime`"]
        )
    }

    @Test
    func `no other runtime is chosen while one has errors`() {
        let good = self.runtime("good", format: "onnx", priority: 1)
        let bad = self.runtime("bad", format: "onnx", priority: 9).replacing("drain: 11s", with: "drain: soon")
        let messages = self.chosen([good, bad])
        #expect(messages.count == 2)
        #expect(
            messages.contains(
                "no runtime can be chosen while one has errors: mend r1.yaml:1, or name one with `runtime`"
            )
        )
        #expect(self.chosen([good, bad], spec: "  runtime: good").first == "good")
        let unreadable = "kind: ServingRuntime\nspec: [\n"
        #expect(self.chosen([good, unreadable]).contains { $0.contains("mend r1.yaml:") })
    }

    @Test
    func `a runtime that is declared twice serves nobody`() {
        let text = self.runtime("onnx", format: "onnx", priority: 1)
        let messages = self.chosen([text, text], spec: "  runtime: onnx")
        #expect(messages.contains("the ServingRuntime `onnx` is declared twice, also at r0.yaml:1: rename one"))
        #expect(messages.contains("the runtime has errors itself: mend r1.yaml:1"))
        #expect(messages.count == 2)
    }

    @Test
    func `no runtime for a format is an error`() {
        let torch = self.runtime("torch", format: "torch", priority: 1)
        #expect(self.chosen([torch]) == ["no ServingRuntime claims the format `onnx`: known are `torch`"])
        #expect(self.chosen([]) == ["no ServingRuntime claims the format `onnx`: there is none"])
    }

    @Test
    func `parameters must be those of the runtime`() {
        let text = Fixture.minimal().replacing("threads:", with: "threats:")
        #expect(
            Fixture.read(text).diagnostics.map(\.message) == [
                "the runtime `onnx` needs the parameter `threads`: add it to `parameters: {threads: \"…\"}`",
                "the runtime `onnx` has no parameter `threats`: did you mean `threads`?",
            ]
        )
    }

    @Test
    func `two deployments of one name are both held back`() {
        let state = Fixture.read([
            "a.yaml": Fixture.minimal(), "b.yaml": Fixture.minimal(), "r.yaml": Fixture.runtime,
        ])
        #expect(state.deployments.isEmpty)
        #expect(state.invalid.map(\.name) == ["file-type"])
        #expect(
            state.diagnostics.map(\.description) == [
                "b.yaml:1:1: error: the deployment `default/file-type` is declared twice, also at a.yaml:1: "
                    + "rename or remove one"
            ]
        )
    }

    @Test
    func `two deployments must not want the same requests`() {
        let other = Fixture.minimal("other").replacing("pathPrefix: /other", with: "pathPrefix: /file-type")
        let text = Fixture.minimal() + "\n---\n" + other
        let state = Fixture.read(text)
        #expect(state.deployments.isEmpty)
        #expect(state.invalid.count == 2)
        #expect(
            state.diagnostics.first?.description
                == "m.yaml:7:10: error: spec.route: `/file-type` on every host is also the route of default/other "
                + "(m.yaml:10): give each another `pathPrefix` or other `hosts`"
        )
        let apart = other.replacing("/file-type}", with: "/file-type, hosts: [a.example]}")
        #expect(Fixture.read(Fixture.minimal() + "\n---\n" + apart).deployments.count == 2)
    }

    @Test
    func `dependencies must exist and not go in circles`() {
        let missing = Fixture.read(
            Fixture.minimal(spec: "  dependsOn: [embeder]") + "\n---\n" + Fixture.minimal("embedder")
        )
        #expect(
            missing.diagnostics.map(\.message) == [
                "there is no deployment `default/embeder`: did you mean `embedder`?"
            ]
        )
        #expect(missing.deployments.map(\.id.name) == ["embedder"])
        let own = Fixture.read(Fixture.minimal(spec: "  dependsOn: [file-type]"))
        #expect(own.diagnostics.map(\.message) == ["a deployment can't depend on itself: remove it from the list"])
        let circle = ["a": "b", "b": "c", "c": "a", "d": "a"].sorted { $0.key < $1.key }
            .map { Fixture.minimal($0.key, spec: "  dependsOn: [\($0.value)]") }
            .joined(separator: "\n---\n")
        #expect(Fixture.read(circle).invalid.map(\.name).sorted() == ["a", "b", "c"])
        #expect(Fixture.read(circle).deployments.map(\.id.name) == ["d"])
    }

    @Test
    func `a dependency with errors is a dependency`() {
        let text = Fixture.minimal(spec: "  dependsOn: [b]") + "\n---\n" + Fixture.minimal("b", spec: "  replicas: x")
        #expect(Fixture.read(text).deployments.map(\.id.name) == ["file-type"])
    }

    @Test
    func `gates with errors hold those who name them`() {
        let spec = "  rollout: {gates: [prediction-errors]}"
        let state = Fixture.read([
            "m.yaml": Fixture.minimal(spec: spec),
            "r.yaml": Fixture.runtime,
            "t.yaml": Fixture.template.replacing("max: 0.25", with: "max: low"),
        ])
        #expect(state.deployments.isEmpty)
        #expect(state.diagnostics.map(\.message).first == "the AnalysisTemplate has errors itself: mend t.yaml:1")
    }

    @Test
    func `problems of the library are the operator's, not the commit's`() {
        let reader = ManifestReader(library: Fixture.files(["s.yaml": Fixture.minimal()]))
        #expect(reader.libraryDiagnostics.count == 1)
        #expect(reader.read([], origin: Fixture.origin) == DesiredState())
    }

    @Test
    func `a freeze among what is shipped is refused, not ignored`() {
        let freeze = """
            apiVersion: controller/v1
            kind: FreezeWindow
            metadata: {name: sale}
            spec: {schedule: {from: 2026-11-27T00:00:00Z, until: 2026-11-30T00:00:00Z}}
            """
        let reader = ManifestReader(library: Fixture.files(["s.yaml": freeze]))
        #expect(reader.libraryDiagnostics.map(\.message).first?.hasPrefix("a FreezeWindow belongs") == true)
    }
}
