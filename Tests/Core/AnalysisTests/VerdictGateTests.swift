import Analysis
import Deployments
import FoundationEssentials
import Testing

@Suite("Gates that somebody decides")
struct VerdictGateTests {
    static let gate = Gate(name: "approval", kind: .webhook(WebhookQuery(provider: "approvals")))
    static let start = Timestamp(milliseconds: 1_700_000_000_000)

    private static func run() -> AnalysisRun {
        var run = AnalysisRun(gates: [Self.gate], stable: World.stable, canary: World.canary, plannedSteps: 1)
        run.beginStep(gates: [Self.gate], nextWeight: .all, at: Self.start)
        return run
    }

    @Test(
        arguments: [
            ([], .inconclusive),
            ([.verdict(GateVerdict(.wait))], .inconclusive),
            ([.verdict(GateVerdict(.wait)), .verdict(GateVerdict(.pass))], .passed),
            ([.verdict(GateVerdict(.fail))], .failed),
            ([.verdict(GateVerdict(.fail)), .verdict(GateVerdict(.pass))], .failed),
            ([.verdict(GateVerdict(.pass)), .verdict(GateVerdict(.fail))], .passed),
            ([.unavailable("no answer")], .providerDown), ([.refused("404")], .providerDown),
            ([.value(1)], .providerDown),
            ([.unavailable("no answer"), .verdict(GateVerdict(.pass))], .passed),
            ([.verdict(GateVerdict(.wait)), .unavailable("no answer")], .providerDown),
        ] as [([Measurement.Answer], GateOutcome)]
    )
    func `the last word counts, until it is pass or fail`(answers: [Measurement.Answer], expected: GateOutcome) {
        var run = Self.run()
        var time = Self.start
        for answer in answers {
            time = time + .seconds(10)
            run.add(Measurement(gate: "approval", time: time, answer: answer))
        }
        #expect(run.outcome("approval", at: time) == expected)
    }

    @Test
    func `it is asked at once, again every interval while it waits, and no more when it has passed`() {
        var run = Self.run()
        #expect(run.dueQueries(at: Self.start).map(\.name) == ["approval"])
        run.add(Measurement(gate: "approval", time: Self.start, answer: .verdict(GateVerdict(.wait))))
        #expect(run.dueQueries(at: Self.start + .seconds(9)).isEmpty)
        #expect(run.dueQueries(at: Self.start + .seconds(10)).count == 1)
        let later = Self.start + .seconds(10)
        run.add(Measurement(gate: "approval", time: later, answer: .verdict(GateVerdict(.pass))))
        #expect(run.dueQueries(at: later + .hours(1)).isEmpty)
        run.beginStep(gates: [Self.gate], nextWeight: .all, at: later + .hours(1))
        #expect(run.dueQueries(at: later + .hours(1)).count == 1)
        #expect(run.outcome("approval", at: later + .hours(1)) == .inconclusive)
        // An answer that was on its way when the step began is none on this step.
        run.add(Measurement(gate: "approval", time: later, answer: .verdict(GateVerdict(.fail))))
        #expect(run.outcome("approval", at: later + .hours(1)) == .inconclusive)
    }

    @Test
    func `a job is run once in a step, whatever comes of it`() {
        let gate = Gate(name: "evaluation", kind: .job(JobRun(command: ["evaluate"])))
        for answer in [Measurement.Answer.unavailable("exit code 2"), .verdict(GateVerdict(.fail))] {
            var run = AnalysisRun(gates: [gate], stable: World.stable, canary: World.canary, plannedSteps: 1)
            run.beginStep(gates: [gate], nextWeight: .all, at: Self.start)
            #expect(run.dueQueries(at: Self.start).count == 1)
            run.add(Measurement(gate: "evaluation", time: Self.start, answer: answer))
            #expect(run.dueQueries(at: Self.start + .hours(24)).isEmpty)
            let isFailure = answer == .verdict(GateVerdict(.fail))
            #expect(run.outcome("evaluation", at: Self.start) == (isFailure ? .failed : .providerDown))
            run.beginStep(gates: [gate], nextWeight: .all, at: Self.start + .hours(24))
            #expect(run.dueQueries(at: Self.start + .hours(24)).isEmpty == isFailure)
        }
    }

    @Test
    func `what was said is shown`() throws {
        var run = Self.run()
        #expect(run.assessment(of: Self.gate, at: Self.start)?.value == "approvals has not answered yet")
        let verdict = GateVerdict(.wait, "two of three signed")
        run.add(Measurement(gate: "approval", time: Self.start, answer: .verdict(verdict)))
        let waiting = try #require(run.assessment(of: Self.gate, at: Self.start))
        #expect(waiting.value == "approvals says wait: two of three signed")
        #expect(waiting.detail == "asked again every 10s")
        run.add(Measurement(gate: "approval", time: Self.start, answer: .unavailable("approvals: timeout")))
        #expect(run.missingEvidence(of: Self.gate) == "approvals: timeout")
        let bytes = try JSONEncoder().encode(run)
        #expect(try JSONDecoder().decode(AnalysisRun.self, from: bytes) == run)
    }
}
