import ControllerAPI
import ControllerCommands
import Foundation
import Synchronization
import Testing

@Suite("controller plan")
struct PlanCommandTests {
    let fixture: CommandFixture
    var file: String { self.fixture.folder.appending(path: "m.yaml").path }

    init() throws {
        self.fixture = try CommandFixture()
        try self.write(rollout: "{gates: [errors], bakeTime: 30m}")
    }

    func write(rollout: String) throws {
        let text = """
            apiVersion: controller/v1
            kind: ModelDeployment
            metadata: {name: file-type, namespace: search}
            spec:
              model: {name: magika, version: "3.4", format: onnx, uri: "file:///m"}
              runtime: test
              rollout: \(rollout)
            ---
            apiVersion: controller/v1
            kind: ServingRuntime
            metadata: {name: test}
            spec:
              formats: [{name: onnx}]
              protocol: http
              command: [serve, --port, "${port}"]
              readiness: {path: /ready}
            ---
            apiVersion: controller/v1
            kind: AnalysisTemplate
            metadata: {name: same}
            spec: {answers: {compare: exact, percent: 10, maxShare: 2%}}
            ---
            apiVersion: controller/v1
            kind: AnalysisTemplate
            metadata: {name: success-rate}
            spec: {argo: {interval: 1m, count: 10}}
            """
        try Data(text.utf8).write(to: URL(filePath: self.file))
    }

    func forecast(_ arguments: String...) async throws -> RolloutForecast {
        let run = await self.fixture.run(["plan", self.file, "--output", "json"] + arguments)
        try #require(run.status == 0, "\(run.remarks)")
        return try APICoding.decoder().decode(RolloutForecast.self, from: Data(run.output.utf8))
    }

    @Test
    func `a step that another tool's rule judges takes as long as the rule`() async throws {
        try self.write(rollout: "{gates: [success-rate], bakeTime: 30m}")
        #expect(try await self.forecast("--rate", "200").steps.map(\.secondsUntilSafe) == [600, 600, 600])
        try self.write(rollout: "{gates: [errors, success-rate], bakeTime: 30m}")
        let both = try await self.forecast("--rate", "1").steps
        #expect(try #require(both[1].secondsUntilSafe) > 600)
    }

    @Test
    func `errors are foretold of the gate that counts them, wherever it stands among others`() async throws {
        try self.write(rollout: "{gates: [errors, latency], bakeTime: 30m}")
        let first = try await self.forecast("--rate", "200").steps
        try self.write(rollout: "{gates: [latency, errors], bakeTime: 30m}")
        #expect(try await self.forecast("--rate", "200").steps == first)
        #expect(first.allSatisfy { $0.errorsJudgedBy == "errors" && $0.secondsUntilHalfFailing != nil })
    }

    @Test
    func `a step in which another tool's rule or nobody looks at errors says so`() async throws {
        for (gate, judge, words) in [
            ("success-rate", "argo", "by argo's rule"), ("latency", nil, "nobody looks"),
        ] as [(String, String?, String)] {
            try self.write(rollout: "{gates: [\(gate)], bakeTime: 30m}")
            let steps = try await self.forecast("--rate", "200").steps
            #expect(steps.allSatisfy { $0.errorsJudgedBy == judge && $0.secondsUntilHalfFailing == nil })
            let run = await self.fixture.run("plan", self.file, "--rate", "200")
            #expect(run.output.contains(words))
            #expect(!run.output.contains("not in this step"))
        }
    }

    @Test
    func `each step has its traffic, its expected time and what it would notice`() async throws {
        let steps = try await self.forecast("--rate", "200").steps
        #expect(steps.map(\.action) == ["weight 5 %", "weight 25 %", "weight 50 %"])
        #expect(steps.map(\.canaryRequestsPerSecond) == [10, 50, 100])
        // From the reference: 3 653 requests from 25 to 50 percent, 13 001 from 50 to all, at one failure in 1000.
        #expect(abs(try #require(steps[1].secondsUntilSafe) * 50 - 3653) < 5)
        #expect(abs(try #require(steps[2].secondsUntilSafe) * 100 - 13_001) < 5)
        // 2 315 at five times the errors and 5 percent.
        #expect(abs(try #require(steps[0].secondsUntilFivefoldErrors) * 10 - 2315) < 5)
        #expect(steps.allSatisfy { $0.secondsUntilHalfFailing ?? .infinity < $0.secondsUntilFivefoldErrors ?? 0 })
    }

    @Test
    func `more gates take longer to find a canary, and the slowest decides when it passes`() async throws {
        let one = try await self.forecast("--rate", "200")
        try self.write(rollout: "{gates: [errors, client-errors, latency], bakeTime: 30m}")
        let three = try await self.forecast("--rate", "200")
        for (few, many) in zip(one.steps, three.steps) {
            #expect(few.secondsUntilFivefoldErrors ?? .infinity < many.secondsUntilFivefoldErrors ?? .infinity)
            #expect(few.secondsUntilSafe ?? .infinity <= many.secondsUntilSafe ?? .infinity)
        }
    }

    @Test
    func `a gate on a provider's counters has its share of the budget, too`() async throws {
        let one = try await self.forecast("--rate", "200")
        let text = try String(contentsOfFile: self.file, encoding: .utf8)
        let template = """

            ---
            apiVersion: controller/v1
            kind: AnalysisTemplate
            metadata: {name: wrong}
            spec: {ratio: {provider: p, bad: 'b{revision="${revision}"}', total: 't{revision="${revision}"}'}}
            """
        try Data((text.replacing("[errors]", with: "[errors, wrong]") + template).utf8)
            .write(to: URL(filePath: self.file))
        let two = try await self.forecast("--rate", "200")
        for (few, many) in zip(one.steps, two.steps) {
            #expect(few.secondsUntilFivefoldErrors ?? .infinity < many.secondsUntilFivefoldErrors ?? 0)
        }
    }

    @Test
    func `approvals, copies and matched requests are steps too`() async throws {
        try self.write(
            rollout: """
                {gates: [errors], steps: [{shadow: {percent: 50}}, {match: {headers: [{name: x-canary, exact: "1"}]}},
                    {weight: 10}, {approval: {}}]}
                """
        )
        let forecast = try await self.forecast("--rate", "100", "--matching", "2%")
        #expect(forecast.steps.map(\.canaryRequestsPerSecond) == [50, 2, 10, 10])
        #expect(forecast.steps[3].isApproval)
        #expect(forecast.steps[3].secondsUntilSafe == nil)
        let run = await self.fixture.run("plan", self.file, "--rate", "100")
        #expect(run.output.contains("when somebody approves"))
        #expect(run.output.contains("Waiting for approvals comes on top."))
    }

    @Test
    func `a step that compares answers takes as long as enough of them need`() async throws {
        try self.write(
            rollout: "{steps: [{shadow: {percent: 50}, gates: [same]}, {shadow: {percent: 5}, gates: [same]}]}"
        )
        let steps = try await self.forecast("--rate", "100").steps
        // About 240 comparisons: ln(20 · 6) / 0.02, at 10 and at 5 requests a second.
        let first = try #require(steps[0].secondsUntilSafe)
        #expect(first > 20 && first < 25)
        #expect(abs(try #require(steps[1].secondsUntilSafe) - 2 * first) < 0.001)
    }

    @Test
    func `a gate on slower answers takes as long as ranks need, and its share of the budget`() async throws {
        let one = try await self.forecast("--rate", "400")
        try self.write(rollout: "{gates: [errors, slowdown], bakeTime: 30m}")
        let two = try await self.forecast("--rate", "400")
        for (few, many) in zip(one.steps, two.steps) {
            #expect(few.secondsUntilFivefoldErrors ?? .infinity < many.secondsUntilFivefoldErrors ?? 0)
        }
        try self.write(rollout: "{gates: [slowdown], bakeTime: 30m}")
        let steps = try await self.forecast("--rate", "400").steps
        // From 50 percent on, with the margin of 0.02 at full traffic: some 5,000 requests of the canary.
        let last = try #require(steps.last?.secondsUntilSafe)
        #expect(last > 20 && last < 35, "\(last)")
        // The first step's margin is four times as wide, and its canary has a tenth of the requests.
        #expect(try #require(steps.first?.secondsUntilSafe) < last)
    }

    @Test
    func `too little traffic is said, with what follows from it`() async throws {
        let paused = await self.fixture.run("plan", self.file, "--rate", "1")
        #expect(paused.output.contains("ends without a verdict and waits for an operator (`onInconclusive` is pause)"))
        try self.write(rollout: "{gates: [errors], onInconclusive: promote}")
        let promoted = await self.fixture.run("plan", self.file, "--rate", "1")
        #expect(promoted.output.contains("ends without a verdict and the rollout goes on"))
        #expect(promoted.output.contains("A good model is promoted after about"))
        try self.write(rollout: "{gates: [errors], onInconclusive: rollback}")
        let rolledBack = await self.fixture.run("plan", self.file, "--rate", "1")
        #expect(rolledBack.output.contains("ends without a verdict and a good model is rolled back"))
        #expect(!rolledBack.output.contains("is promoted"))
    }

    @Test
    func `without traffic no verdict is promised`() async throws {
        let steps = try await self.forecast("--rate", "0").steps
        #expect(steps.allSatisfy { $0.secondsUntilSafe == nil && $0.secondsUntilHalfFailing == nil })
    }

    @Test
    func `a controller that counts the deployment's traffic gives the rate`() async throws {
        try await self.fixture.serving {
            let none = await self.fixture.run("plan", self.file)
            #expect(none.status == 2)
            #expect(none.remarks.contains("say how many there are with --rate"))
            self.fixture.traffic.withLock {
                $0 = TrafficStatus(
                    deployment: "search/file-type",
                    revision: "5f2c81aa90",
                    pieceSeconds: 10,
                    errors: (0..<60).map { _ in .init(requests: 1230, bad: 5) }
                )
            }
            let run = await self.fixture.run("plan", self.file)
            #expect(run.status == 0, "\(run.remarks)")
            #expect(run.output.contains("at 123 requests/s (measured), stable fails 0.41 %"))
        }
    }

    @Test
    func `broken manifests are named, not planned`() async throws {
        try self.write(rollout: "{gates: [errrors]}")
        let run = await self.fixture.run("plan", self.file, "--rate", "1")
        #expect(run.status == 1)
        #expect(run.remarks.contains("nothing is planned before these are mended"))
    }
}
