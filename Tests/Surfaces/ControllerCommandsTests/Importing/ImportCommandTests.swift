import ControllerCommands
import Deployments
import Foundation
import Manifests
import Testing

@Suite("import")
struct ImportCommandTests {
    let fixture: ImportFixture

    init() throws {
        self.fixture = try ImportFixture()
    }

    static let smallest = """
        apiVersion: serving.kserve.io/v1beta1
        kind: InferenceService
        metadata: {name: iris, namespace: fraud}
        spec:
          predictor:
            minReplicas: 1
            maxReplicas: 3
            scaleTarget: 4
            model:
              modelFormat: {name: sklearn}
              storageUri: file:///srv/models/iris
        """

    // MARK: - What comes out

    @Test(arguments: ImportFixture.inputs)
    func `what comes of each tool's manifests, and what does not`(name: String) async throws {
        let run = try await self.fixture.run(on: try ImportFixture.input(name))
        #expect(run.status == 1)
        try Golden.expect(run.output, is: "import/\(name).manifests.txt")
        try Golden.expect(run.remarks, is: "import/\(name).findings.txt")
    }

    /// Runtimes that somebody must write are the only thing that is missing.
    @Test(arguments: ImportFixture.inputs)
    func `our own reader accepts what comes out`(name: String) async throws {
        let report = try await self.fixture.report(on: try ImportFixture.input(name))
        for manifest in report.manifests {
            try self.fixture.write(manifest.yaml, as: "out/\(manifest.name)-\(manifest.kind).yaml")
        }
        // Those whose program only an image knows.
        let missing = Set(report.findings.filter { $0.outcome == "refused" }.map(\.message))
        for runtime in ["custom", "preview", "ab"] where missing.contains(where: { $0.contains("`\(runtime)`") }) {
            let text = """
                apiVersion: controller/v1
                kind: ServingRuntime
                metadata: {name: \(runtime)}
                spec: {command: [serve, "${port}"]}
                """
            try self.fixture.write(text, as: "out/\(runtime)-runtime.yaml")
        }
        let run = await self.fixture.commands.run(
            "validate",
            self.fixture.path("out"),
            "--runtimes",
            ImportFixture.runtimes
        )
        #expect(run.status == 0, "\(run)")
    }

    @Test
    func `what has a place entirely ends with 0`() async throws {
        let run = try await self.fixture.run(on: Self.smallest)
        #expect(run.status == 0, "\(run)")
        #expect(
            run.output.contains("  autoscaling:\n    minReplicas: 1\n    maxReplicas: 3\n    targetConcurrency: 4\n")
        )
        #expect(run.remarks.hasSuffix("1 file: 1 ModelDeployment; 2 chosen\n"), "\(run.remarks)")
    }

    @Test
    func `a List of kubectl is read as its items, without what the cluster wrote`() async throws {
        let list = """
            apiVersion: v1
            kind: List
            items:
            - apiVersion: serving.kserve.io/v1beta1
              kind: InferenceService
              metadata:
                name: iris
                creationTimestamp: "2026-01-01T00:00:00Z"
                generation: 3
                resourceVersion: "42"
                uid: 0d6f
                managedFields: [{manager: kubectl}]
                annotations:
                  kubectl.kubernetes.io/last-applied-configuration: "{}"
              spec:
                predictor:
                  model: {modelFormat: {name: sklearn}, storageUri: "file:///srv/models/iris"}
              status: {url: "http://iris.example"}
            - {apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}
            """
        let run = try await self.fixture.run(on: list, "--namespace", "team")
        #expect(run.status == 0, "\(run)")
        #expect(run.output.contains("namespace: team\n"))
        #expect(run.remarks.hasSuffix("; ignored: 1 ConfigMap\n"), "\(run.remarks)")
        #expect(
            run.remarks.contains("in.yaml:17:28: chosen: items[0].spec.predictor.model.modelFormat: "),
            "\(run.remarks)"
        )
    }

    @Test
    func `objects refer to each other across files`() async throws {
        let parts = try ImportFixture.input("argo").components(separatedBy: "---\n")
        for (index, part) in parts.enumerated() { try self.fixture.write(part, as: "team/\(index).yaml") }
        let split = await self.fixture.run(["team"])
        let whole = try await self.fixture.run(on: parts.joined(separator: "---\n"))
        let strip = { (text: String) in text.replacing(/# From .*\n/, with: "") }
        #expect(strip(split.output) == strip(whole.output))
        #expect(split.remarks.contains("team/0.yaml:"))
    }

    @Test
    func `templates with the same name and other values are kept apart`() async throws {
        let template = """
            ---
            apiVersion: argoproj.io/v1alpha1
            kind: AnalysisTemplate
            metadata: {name: errors}
            spec:
              args: [{name: job}]
              metrics:
              - name: errors
                successCondition: result < 1
                provider: {prometheus: {query: 'bad{job="{{args.job}}"}'}}

            """
        let rollouts = ["a", "b"].map { name in
            """
            ---
            apiVersion: argoproj.io/v1alpha1
            kind: Rollout
            metadata: {name: \(name)}
            spec:
              template: {spec: {containers: [{command: [serve, --port=80], image: "x:1"}]}}
              strategy:
                canary:
                  analysis: {templates: [{templateName: errors}], args: [{name: job, value: \(name)}]}

            """
        }
        let report = try await self.fixture.report(on: template + rollouts.joined())
        let templates = report.manifests.filter { $0.kind == "AnalysisTemplate" }
        // `errors` itself is a built-in gate.
        #expect(templates.map(\.name) == ["a-errors", "b-errors"])
        #expect(templates.map { $0.yaml.contains(#"bad{job=\"a\"}"#) } == [true, false])
        #expect(!report.findings.contains { $0.outcome == "refused" }, "\(report.findings)")
    }

    // MARK: - Files

    @Test
    func `into a folder each manifest is a file, and none is overwritten unasked`() async throws {
        try self.fixture.write(Self.smallest, as: "isvc.yaml")
        let folder = self.fixture.path("out")
        let first = await self.fixture.run(["isvc.yaml"], "--into", folder)
        #expect(first.status == 0, "\(first)")
        #expect(first.output.isEmpty)
        let file = self.fixture.path("out/fraud/iris.yaml")
        let written = try String(contentsOfFile: file, encoding: .utf8)
        #expect(written.hasPrefix("# From "))
        #expect(try FileManager.default.contentsOfDirectory(atPath: self.fixture.path("out/fraud")) == ["iris.yaml"])

        try Data("mine".utf8).write(to: URL(filePath: file))
        let second = await self.fixture.run(["isvc.yaml"], "--into", folder)
        #expect(second.status == 2)
        #expect(second.remarks.contains("nothing is written, as this is there already: out/fraud/iris.yaml"))
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine")

        let third = await self.fixture.run(["isvc.yaml"], "--into", folder, "--force")
        #expect(third.status == 0, "\(third)")
        #expect(try String(contentsOfFile: file, encoding: .utf8) == written)
    }

    @Test
    func `programs get all of it as JSON`() async throws {
        let report = try await self.fixture.report(on: Self.smallest)
        #expect(report.manifests.map(\.name) == ["iris"])
        #expect(report.manifests.map(\.namespace) == ["fraud"])
        #expect(report.findings.map(\.outcome) == ["chosen", "chosen"])
        #expect(report.findings.map(\.field) == ["spec.predictor", "spec.predictor.model.modelFormat"])
        #expect(report.findings.map(\.line) == [6, 10])
    }

    @Test
    func `stdin is read to its end, and once`() throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data("kind: A\n".utf8))
        try pipe.fileHandleForWriting.write(contentsOf: Data("---\nkind: B\n".utf8))
        try pipe.fileHandleForWriting.close()
        let sources = try ImportSources(paths: ["-", "-"], standardInput: pipe.fileHandleForReading)
        #expect(sources.files.map(\.path) == ["-"])
        #expect(sources.files.map { String(decoding: $0.bytes, as: UTF8.self) } == ["kind: A\n---\nkind: B\n"])
    }

    // MARK: - What is refused

    @Test
    func `what cannot be read is told with its place, and the rest is imported`() async throws {
        try self.fixture.write("kind: [Rollout\nmetadata: {}\n", as: "all/broken.yaml")
        try self.fixture.write("spec:\n{{- toYaml .Values.spec }}\n", as: "all/chart.yaml")
        try self.fixture.write(Self.smallest, as: "all/isvc.yaml")
        let run = await self.fixture.run(["all"])
        #expect(run.status == 2)
        #expect(run.output.contains("name: iris"))
        #expect(run.remarks.contains("all/broken.yaml:2:9: error: "), "\(run.remarks)")
        #expect(run.remarks.contains("all/chart.yaml:2:1: error: "))
        #expect(run.remarks.contains("templates must be rendered first"))
    }

    @Test
    func `aliases are refused in what is imported, not in what is ignored`() async throws {
        let alias = "\nmore: &a {x: 1}\nagain: *a\n"
        let ignored = try await self.fixture.run(
            on: "apiVersion: v1\nkind: ConfigMap" + alias + "---\n" + Self.smallest
        )
        #expect(ignored.status == 0, "\(ignored)")
        let wanted = try await self.fixture.run(on: Self.smallest + alias)
        #expect(wanted.status == 2)
        #expect(wanted.remarks.contains("anchors are not allowed"))
    }

    @Test
    func `an old version of a kind is named with the one that is read`() async throws {
        let old = Self.smallest.replacing("v1beta1", with: "v1alpha1")
        let alone = try await self.fixture.run(on: old)
        #expect(alone.status == 2)
        #expect(alone.remarks.contains("InferenceService is read as serving.kserve.io/v1beta1, not as "))
        let beside = try await self.fixture.run(on: old.replacing("iris", with: "old") + "\n---\n" + Self.smallest)
        #expect(beside.status == 1)
    }

    @Test
    func `nothing to import is a wrong command line`() async throws {
        for text in ["", "# nothing\n", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"] {
            let run = try await self.fixture.run(on: text)
            #expect(run.status == 2)
            #expect(run.output.isEmpty)
            #expect(run.remarks.contains("nothing to import"), "\(run.remarks)")
        }
        #expect(try await self.fixture.run(on: "just text\n").remarks.contains("it has no `kind`"))
        #expect(await self.fixture.run(["missing.yaml"]).status == 2)
        #expect(await self.fixture.commands.run("import").status == 2)
        #expect(await self.fixture.commands.run("import", "x.yaml", "--namespace", "No").status == 2)
        #expect(await self.fixture.commands.run("import", "x.yaml", "--force").status == 2)
    }

    @Test
    func `a huge file is refused before it is parsed`() async throws {
        let run = try await self.fixture.run(on: "# " + String(repeating: "x", count: 16 << 20) + "\n" + Self.smallest)
        #expect(run.status == 2)
        #expect(run.remarks.contains("at most 16777216 are read"), "\(run.remarks.prefix(300))")
    }

    @Test
    func `what is declared twice counts once, and is told`() async throws {
        let run = try await self.fixture.run(on: Self.smallest + "\n---\n" + Self.smallest)
        #expect(run.status == 1)
        #expect(run.remarks.contains("is there twice, first at in.yaml:1, which counts"), "\(run.remarks)")
        #expect(run.output.ranges(of: "kind: ModelDeployment").count == 1)
    }

    @Test
    func `passwords in addresses are not repeated`() async throws {
        let text = Self.smallest.replacing("file:///srv/models/iris", with: "https://ada:hunter2@models.example/iris")
        let run = try await self.fixture.run(on: text)
        #expect(run.status == 1)
        #expect(!(run.output + run.remarks).contains("hunter2"))
    }

    @Test
    func `control characters of the input do not reach a terminal`() async throws {
        let text = Self.smallest + "\n  \"a\\e[31mb\": \"x\"\n"
        let run = try await self.fixture.run(on: text)
        #expect(run.status == 1)
        #expect(!(run.output + run.remarks).contains("\u{1B}"))
    }
}
