import ControllerAPI
import ControllerCommands
import Foundation
import Testing

@Suite("controller simulate")
struct SimulateCommandTests {
    let fixture: CommandFixture
    var file: String { self.fixture.folder.appending(path: "m.yaml").path }

    init() throws {
        self.fixture = try CommandFixture()
        try self.write(Self.manifest("file-type") + Self.others)
    }

    func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: self.file)) }

    static func manifest(_ name: String) -> String {
        """
        apiVersion: controller/v1
        kind: ModelDeployment
        metadata: {name: \(name), namespace: search}
        spec:
          model: {name: magika, version: "3.4", format: onnx, uri: "file:///m"}
          runtime: test
          route: {pathPrefix: /\(name)}
          rollout:
            steps: [{weight: 10}, {approval: {}}, {weight: 50}]
            gates: [errors, drift]
            bakeTime: 10m

        """
    }

    static let others = """
        ---
        apiVersion: controller/v1
        kind: ServingRuntime
        metadata: {name: test}
        spec:
          formats: [{name: onnx, priority: 1}]
          protocol: open-inference-v2
          command: [serve, "${port}"]
          readiness: {path: /ready}
        ---
        apiVersion: controller/v1
        kind: AnalysisTemplate
        metadata: {name: drift}
        spec: {threshold: {query: up, max: 1, interval: 30s, count: 3}}
        """

    @Test
    func `a described world gives a timeline`() async throws {
        let run = await self.fixture.run("simulate", self.file, "--rate", "40", "--canary-errors", "5.1%")
        #expect(run.status == 0, "\(run)")
        #expect(run.remarks == "gate drift: taken to be within its limits; say otherwise with --metric\n")
        try Golden.expect(run.output, is: "simulate.txt")
        let again = await self.fixture.run("simulate", self.file, "--rate", "40", "--canary-errors", "5.1%")
        #expect(again.output == run.output)
    }

    @Test
    func `several runs are summed up`() async throws {
        let run = await self.fixture.run("simulate", self.file, "--canary-errors", "1%", "--runs", "8", "--seed", "3")
        #expect(run.status == 0)
        try Golden.expect(run.output, is: "simulate-runs.txt")
        let json = await self.fixture.run("simulate", self.file, "--metric", "drift=2", "-o", "json")
        let report = try APICoding.decoder().decode(SimulationReport.self, from: Data(json.output.utf8))
        #expect(report.runs.map(\.verdict) == ["rolled-back"])
        #expect(report.summary.rolledBack.reasons == ["gate drift failed": 1])
        #expect(report.runs[0].events?.first?.kind == "rollout-started")
        #expect(json.remarks.isEmpty)
    }

    @Test
    func `what cannot be simulated is said with its fix`() async throws {
        let metric = await self.fixture.run("simulate", self.file, "--metric", "nonsense=2")
        #expect(metric.status == 2)
        #expect(metric.remarks.contains("has no gate nonsense that asks others; it has drift"))
        let other = await self.fixture.run("simulate", self.file, "--deployment", "search/other")
        #expect(other.status == 2)
        #expect(other.remarks.contains("there is: search/file-type"))
        try self.write(Self.manifest("a") + "---\n" + Self.manifest("b") + Self.others)
        let several = await self.fixture.run("simulate", self.file)
        #expect(several.status == 2)
        #expect(several.remarks.contains("choose one with --deployment: search/a, search/b"))
        let one = await self.fixture.run("simulate", self.file, "--deployment", "search/b", "--for", "1m")
        #expect(one.output.contains("search/b"))
        try self.write(Self.manifest("a").replacing("weight: 10", with: "weight: 101") + Self.others)
        let broken = await self.fixture.run("simulate", self.file)
        #expect(broken.status == 1)
        #expect(broken.remarks.contains("m.yaml:9:"))
    }

    @Test(arguments: [
        ["--rate", "-1"], ["--canary-errors", "0.05"], ["--canary-errors", "101%"], ["--runs", "0"],
        ["--no-approval", "--approve-after", "1m"], ["--metric", "drift"],
    ])
    func `a wrong command line ends with 2`(arguments: [String]) async {
        let run = await self.fixture.run(["simulate", self.file] + arguments)
        #expect(run.status == 2, "\(run)")
    }
}
