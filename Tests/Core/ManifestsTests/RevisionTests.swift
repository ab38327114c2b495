import Deployments
import Manifests
import Testing

struct RevisionTests {
    private func revision(replacing old: String = "", with new: String = "", in path: String? = nil) throws -> Revision
    {
        var texts = Fixture.everything
        let path = path ?? "deployments/search/file-type.yaml"
        let text = try #require(texts[path])
        precondition(old.isEmpty || text.contains(old), "the fixture does not hold \(old)")
        texts[path] = old.isEmpty ? text : text.replacing(old, with: new)
        let state = Fixture.read(texts)
        let spec = state.deployments.first { $0.id.name == "file-type" }
        return try #require(spec, "\(state.diagnostics)").revision
    }

    @Test
    func `the canonical form is the documented text`() {
        let model = Model(name: "m", version: "é\n\"1\"", format: "onnx", uri: "file:///m", source: ["run": "x"])
        let runtime = ServingRuntime(
            name: "r",
            formats: [ServingRuntime.Format(name: "onnx")],
            command: ["serve", "${port}"],
            environment: ["B": "2", "A": "1"]
        )
        let resources = Resources(milliCPU: 500, memory: 1024)
        let parameters = ["z": "1", "a": "2"]
        let form = Revision.canonicalForm(model: model, runtime: runtime, parameters: parameters, resources: resources)
        #expect(
            form == #"{"model":{"format":"onnx","name":"m","uri":"file:///m","version":"é\u000a\"1\""},"#
                + #""parameters":{"a":"2","z":"1"},"resources":{"gpu":0,"memory":1024,"milliCPU":500},"#
                + #""runtime":{"command":["serve","${port}"],"environment":{"A":"1","B":"2"},"name":"r","#
                + #""protocol":"open-inference-v2","readiness":{"failureThreshold":3,"path":"/v2/health/ready","#
                + #""period":1000,"successThreshold":1,"timeout":1000},"shutdown":{"drain":10000,"grace":30000},"#
                + #""startupTimeout":600000}}"#
        )
        let revision = Revision(model: model, runtime: runtime, parameters: parameters, resources: resources)
        #expect(revision.digest == "beddf3e5885a8655b78904d0073546e8d3ad5f07e071bca96faab14c94443464")
    }

    @Test(arguments: [
        ("replicas: 3", "replicas: 5"),
        ("  golden: golden/file-type.jsonl\n", ""),
        ("/v2/models/file-type", "/elsewhere"),
        ("below: 250ms", "below: 100ms"),
        ("bakeTime: 10m", "bakeTime: 1h"),
        ("commit: 9c1d2e4", "commit: aaaaaaa"),
        ("{team: search}", "{team: other}"),
        ("memory: 2Gi", "memory: 2048Mi"),
        ("cpu: \"2\"", "cpu: 2000m"),
        ("name: magika\n    version: \"3.3\"", "version: '3.3' # quoted\n    name: \"magika\""),
        ("  signature: any\n", ""),
    ])
    func `other fields and other spellings start no rollout`(old: String, new: String) throws {
        #expect(try self.revision(replacing: old, with: new) == self.revision())
    }

    @Test(arguments: [
        ("version: \"3.3\"", "version: \"3.4\""),
        ("name: magika", "name: magica"),
        ("3.3.tar.gz", "3.4.tar.gz"),
        ("sha256:fe", "sha256:ff"),
        ("threads: \"2\"", "threads: \"4\""),
        ("memory: 2Gi", "memory: 3Gi"),
        ("gpu: 1", "gpu: 0"),
    ])
    func `what is served identifies the revision`(old: String, new: String) throws {
        #expect(try self.revision(replacing: old, with: new) != self.revision())
    }

    @Test(arguments: [
        ("--model-dir", "--model"), ("startup: {timeout: 5m}", "startup: {timeout: 6m}"), ("drain: 11s", "drain: 12s"),
        ("period: 2s", "period: 1s"), ("{OMP_NUM_THREADS", "{OMP_THREADS"), ("path: /metrics", "path: /stats"),
    ])
    func `the runtime is part of the revision`(old: String, new: String) throws {
        let path = "deployments/runtimes/onnx.yaml"
        #expect(try self.revision(replacing: old, with: new, in: path) != self.revision())
    }

    @Test
    func `a runtime's priority is not part of the revision, nor is a default that is written out`() throws {
        let path = "deployments/runtimes/onnx.yaml"
        #expect(try self.revision(replacing: "priority: 1", with: "priority: 4", in: path) == self.revision())
        #expect(
            try self.revision(replacing: "  protocol: open-inference-v2\n", with: "", in: path) == self.revision()
        )
    }
}
