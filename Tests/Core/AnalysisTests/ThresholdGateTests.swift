import Analysis
import Deployments
import Testing

@Suite("Threshold gates")
struct ThresholdGateTests {
    static let start = Timestamp(milliseconds: 1_700_000_000_000)

    private func run(_ query: ThresholdQuery) -> AnalysisRun {
        let gate = Gate(name: "queue", kind: .threshold(query))
        var run = AnalysisRun(gates: [gate], stable: World.stable, canary: World.canary, plannedSteps: 1)
        run.beginStep(gates: [gate], nextWeight: .all, at: Self.start)
        return run
    }

    private func query(
        minimum: Double? = nil,
        maximum: Double? = 0.5,
        failureLimit: Int = 0,
        initialDelay: Duration = .zero
    ) -> ThresholdQuery {
        ThresholdQuery(
            provider: "prometheus",
            query: "q",
            minimum: minimum,
            maximum: maximum,
            count: 3,
            failureLimit: failureLimit,
            consecutiveErrorLimit: 2,
            initialDelay: initialDelay
        )
    }

    private func outcome(after answers: [Measurement.Answer], _ query: ThresholdQuery) -> GateOutcome? {
        var run = self.run(query)
        var time = Self.start
        for answer in answers {
            time = time + .seconds(30)
            run.add(Measurement(gate: "queue", time: time, answer: answer))
        }
        return run.outcome("queue", at: time)
    }

    @Test(
        arguments: [
            ([], .inconclusive),
            ([.value(0.1), .value(0.5)], .inconclusive),
            ([.value(0.1), .value(0.5), .value(0)], .passed),
            ([.value(0.1), .value(0.51)], .failed),
            ([.value(.infinity)], .failed),
            ([.value(0.1), .value(0.1), .value(0.1), .value(0.6)], .failed),
            ([.notANumber, .value(.nan)], .inconclusive),
            ([.notANumber, .value(.nan), .noData], .noData),
            ([.noData, .noData, .noData, .value(0.1)], .inconclusive),
            ([.refused("no such function"), .unavailable("timeout"), .unavailable("timeout")], .providerDown),
            ([.value(0.1), .value(0.1), .value(0.1), .noData, .noData, .unavailable("timeout")], .providerDown),
        ] as [([Measurement.Answer], GateOutcome)]
    )
    func `answers decide by their counts`(answers: [Measurement.Answer], expected: GateOutcome) {
        #expect(self.outcome(after: answers, self.query()) == expected)
    }

    @Test
    func `failures up to the limit are forgiven`() {
        let answers: [Measurement.Answer] = [.value(9), .value(0.1), .value(9), .value(0.1), .value(0.1)]
        #expect(self.outcome(after: answers, self.query(failureLimit: 2)) == .passed)
        #expect(self.outcome(after: answers, self.query(failureLimit: 1)) == .failed)
    }

    @Test
    func `a minimum is kept too`() {
        #expect(self.outcome(after: [.value(0.89)], self.query(minimum: 0.9, maximum: nil)) == .failed)
    }

    @Test
    func `queries are due after the initial delay and then at every interval`() {
        var run = self.run(self.query(initialDelay: .minutes(1)))
        #expect(run.dueQueries(at: Self.start).isEmpty)
        #expect(run.dueQueries(at: Self.start + .minutes(1)).map(\.name) == ["queue"])
        run.add(Measurement(gate: "queue", time: Self.start + .minutes(1), answer: .value(0)))
        #expect(run.dueQueries(at: Self.start + .seconds(89)).isEmpty)
        #expect(run.dueQueries(at: Self.start + .seconds(90)).map(\.name) == ["queue"])
    }

    @Test
    func `a new step asks anew, and ignores answers from before it`() {
        var run = self.run(self.query())
        let gate = Gate(name: "queue", kind: .threshold(self.query()))
        for index in 1...3 {
            run.add(Measurement(gate: "queue", time: Self.start + .seconds(index), answer: .value(0)))
        }
        #expect(run.outcome("queue", at: Self.start) == .passed)
        let later = Self.start + .minutes(5)
        run.beginStep(gates: [gate], nextWeight: .all, at: later)
        run.add(Measurement(gate: "queue", time: later + .seconds(-1), answer: .value(9)))
        #expect(run.outcome("queue", at: later) == .inconclusive)
        #expect(run.dueQueries(at: later).count == 1)
    }

    @Test
    func `the evidence says that a fixed limit guarantees nothing`() throws {
        var run = self.run(self.query(minimum: 0.1))
        run.add(Measurement(gate: "queue", time: Self.start, answer: .value(2)))
        let assessment = try #require(run.assessments(at: Self.start).first)
        #expect(assessment.value == "2")
        #expect(assessment.limit == "at least 0.1, at most 0.5")
        #expect(assessment.detail == "1 bad measurements, 0 allowed (a fixed limit, no guarantee)")
        #expect(assessment.comparison == nil)
    }
}
