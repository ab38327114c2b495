import ControllerCommands
import Foundation
import Testing

@Suite("validate")
struct ValidateTests {
    let fixture: CommandFixture
    let models: URL

    static let runtime = """
        apiVersion: controller/v1
        kind: ServingRuntime
        metadata: {name: onnx}
        spec:
          formats: [{name: onnx, priority: 1}]
          protocol: open-inference-v2
          command: [model-server, --port, "${port}"]
        """

    static func deployment(_ name: String, _ extra: String = "") -> String {
        """
        apiVersion: controller/v1
        kind: ModelDeployment
        metadata: {name: \(name), namespace: search}
        spec:
          model:
            name: magika
            version: "3.3"
            format: onnx
            uri: https://models.example/magika/3.3.tar.gz
            digest: sha256:\(String(repeating: "5f", count: 32))
        \(extra)
        """
    }

    init() throws {
        self.fixture = try CommandFixture()
        self.models = self.fixture.folder.appending(path: "models")
        try self.write("runtimes/onnx.yaml", Self.runtime)
        try self.write("models/good.yaml", Self.deployment("file-type", "  golden: golden/file-type.jsonl"))
        try self.write("models/golden/file-type.jsonl", #"{"request": {"inputs": []}, "expected": {"outputs": []}}"#)
    }

    private func write(_ path: String, _ text: String) throws {
        let file = self.fixture.folder.appending(path: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(text.utf8).write(to: file)
    }

    private func validate(_ path: String, _ more: String...) async -> Run {
        let runtimes = self.fixture.folder.appending(path: "runtimes").path
        return await self.fixture.run(["validate", path, "--runtimes", runtimes] + more)
    }

    @Test
    func `a clean folder ends with 0`() async {
        let run = await self.validate(self.models.path)
        #expect(run.status == 0, "\(run)")
        #expect(run.output.isEmpty)
        #expect(run.remarks == "1 file, 1 valid deployment, 0 errors\n")
    }

    @Test
    func `a rule without a guarantee is noted, and is no problem`() async throws {
        let template =
            "apiVersion: controller/v1\nkind: AnalysisTemplate\nmetadata: {name: success-rate}\nspec: {flagger: {}}"
        try self.write("models/gate.yaml", template)
        let rollout = """
              route: {pathPrefix: /ruled}
              rollout: {gates: [success-rate], steps: [{weight: 5, gates: [success-rate]}, {weight: 50}]}
            """
        try self.write("models/ruled.yaml", Self.deployment("ruled", rollout))
        let run = await self.validate(self.models.path)
        #expect(run.status == 0, "\(run)")
        #expect(
            run.output == self.models.appending(path: "ruled.yaml").path
                + ": note: search/ruled: gate success-rate decides by flagger's rule: 5 failed checks of "
                + "`at least 99 % of its requests succeed`, one every 1m; no bound on false rollbacks, "
                + "nor on bad canaries that pass\n"
        )
        #expect(run.remarks == "3 files, 2 valid deployments, 0 errors\n")
        let json = await self.validate(self.models.path, "--output", "json")
        #expect(json.output.contains("no bound on false rollbacks"))
    }

    @Test
    func `a single file finds its golden file beside it`() async {
        let run = await self.validate(self.models.appending(path: "good.yaml").path)
        #expect(run.status == 0, "\(run)")
    }

    @Test
    func `a problem ends with 1 and is printed where it is`() async throws {
        try self.write("models/team/bad.yaml", Self.deployment("bad", "  replcas: 3"))
        let run = await self.validate(self.models.path)
        #expect(run.status == 1)
        let place = self.models.appending(path: "team/bad.yaml").path + ":11:3: error: "
        #expect(run.output.hasPrefix(place), "\(run.output)")
        #expect(run.output.contains("replicas"))
        #expect(run.remarks == "2 files, 1 valid deployment, 1 error\n")
    }

    @Test
    func `programs get the same as JSON`() async throws {
        try self.write("models/bad.yaml", "apiVersion: controller/v1\nkind: ModelDeploymet\n")
        let run = await self.validate(self.models.path, "--output", "json")
        #expect(run.status == 1)
        #expect(run.remarks.isEmpty)
        struct Report: Decodable {
            struct Deployment: Decodable { var name: String, path: String, runtime: String, revision: String }
            struct Diagnostic: Decodable { var path: String, line: Int, severity: String }
            var deployments: [Deployment], diagnostics: [Diagnostic], errors: Int
        }
        let report = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
        #expect(report.errors == 1)
        #expect(report.diagnostics.map(\.path) == [self.models.appending(path: "bad.yaml").path])
        #expect(report.deployments.map(\.name) == ["search/file-type"])
        #expect(report.deployments.first?.revision.count == 64)
    }

    @Test
    func `a problem in the shipped runtimes is told too`() async throws {
        try self.write("runtimes/broken.yaml", "apiVersion: controller/v1\nkind: ServingRuntime\n")
        let run = await self.validate(self.models.path)
        #expect(run.status == 1)
        #expect(run.output.contains("runtimes/broken.yaml:"))
    }

    @Test
    func `symbolic links are refused, hidden files are not read`() async throws {
        try self.write("models/.hidden.yaml", "nonsense")
        try FileManager.default.createSymbolicLink(
            at: self.models.appending(path: "link.yaml"),
            withDestinationURL: URL(filePath: "/etc/passwd")
        )
        let run = await self.validate(self.models.path)
        #expect(run.status == 1)
        #expect(run.output.split(separator: "\n").count == 1)
        #expect(run.output.contains("link.yaml: error: symbolic links are not followed"))
    }

    private static func defaults(_ spec: String) -> String {
        "apiVersion: controller/v1\nkind: ModelDeploymentDefaults\nspec: \(spec)\n"
    }

    @Test
    func `defaults above a manifest count, up to the root of the repository`() async throws {
        try self.write("defaults.yaml", Self.defaults("{replicas: too many}"))
        try self.write("clone/.git/HEAD", "")
        try self.write("clone/defaults.yaml", Self.defaults("{replicas: 3}"))
        try self.write("clone/models/defaults.yaml", Self.defaults("{resources: {cpu: 500m}}"))
        try self.write("clone/models/prod/a.yaml", Self.deployment("file-type"))
        for path in ["clone/models/prod/a.yaml", "clone/models/prod", "clone"] {
            let full = self.fixture.folder.appending(path: path).path
            let run = await self.validate(full, "--explain-spec")
            #expect(run.status == 0, "\(run)")
            let clone = self.fixture.folder.appending(path: "clone").path
            let lines = run.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            #expect(lines.contains(["spec.replicas", "3", "\(clone)/defaults.yaml:3"]), "\(run.output)")
            #expect(lines.contains(["spec.resources.cpu", "500m", "\(clone)/models/defaults.yaml:3"]))
            #expect(lines.contains(["spec.signature", "unchanged", "default"]))
            #expect(lines.contains(["search/file-type"]))
        }
        try self.write("clone/defaults.yaml", Self.defaults("{replicas: none}"))
        let broken = await self.validate(self.fixture.folder.appending(path: "clone/models/prod/a.yaml").path)
        #expect(broken.status == 1)
        #expect(broken.output.contains("clone/defaults.yaml:3:18: error: spec.replicas: expected a whole number"))
        #expect(broken.remarks == "3 files, 0 valid deployments, 1 error\n")
    }

    @Test
    func `a defaults.yaml of another tool above a named folder is nobody's mistake, and one in it is`() async throws {
        try self.write("clone/.git/HEAD", "")
        try self.write("clone/defaults.yaml", "nginx_port: 80\n")
        try self.write("clone/models/a.yaml", Self.deployment("file-type"))
        let clone = self.fixture.folder.appending(path: "clone")
        for path in ["models", "models/a.yaml"] {
            let run = await self.validate(clone.appending(path: path).path)
            #expect(run.status == 0 && run.output.isEmpty, "\(run)")
        }
        let all = await self.validate(clone.path)
        #expect(all.status == 1)
        #expect(
            all.output.contains("defaults.yaml:1:1: error: kind: a defaults.yaml begins with `apiVersion"),
            "\(all)"
        )
    }

    @Test
    func `outside of a repository only the defaults beside a manifest count, and no link does`() async throws {
        try self.write("defaults.yaml", Self.defaults("{replicas: none}"))
        try self.write("models/defaults.yaml", Self.defaults("{replicas: 4}"))
        let run = await self.validate(
            self.models.appending(path: "good.yaml").path,
            "--explain-spec",
            "--output",
            "json"
        )
        #expect(run.status == 0, "\(run)")
        #expect(run.output.contains("models/defaults.yaml:3"))
        try FileManager.default.removeItem(at: self.models.appending(path: "defaults.yaml"))
        try FileManager.default.createSymbolicLink(
            at: self.models.appending(path: "defaults.yaml"),
            withDestinationURL: URL(filePath: "/etc/passwd")
        )
        for path in ["good.yaml", ""] {
            let linked = await self.validate(self.models.appending(path: path).path)
            #expect(linked.status == 1)
            #expect(linked.output.split(separator: "\n").count == 1, "\(linked.output)")
            #expect(linked.output.contains("defaults.yaml: error: symbolic links are not followed"))
        }
    }

    @Test
    func `a folder without manifests is a wrong path`() async throws {
        try self.write("empty/readme.txt", "")
        let run = await self.validate(self.fixture.folder.appending(path: "empty").path)
        #expect(run.status == 2)
    }

    @Test
    func `a path that is not there is named, with what to do`() async throws {
        let path = self.models.appending(path: "missing.yaml").path
        let run = await self.validate(path)
        #expect(run.status == 2)
        #expect(run.remarks.contains("\(path) does not exist: name a manifest, or a folder of manifests"))
        let empty = await self.validate("")
        #expect(empty.status == 2)
        #expect(empty.remarks.contains("the empty path does not exist"))
        let through = await self.validate("/etc/passwd/x.yaml")
        #expect(through.remarks.contains("/etc/passwd/x.yaml cannot be read: Not a directory"))
    }
}
