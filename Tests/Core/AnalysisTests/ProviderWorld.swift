import Analysis
import Deployments

/// A provider that counts for two revisions, read every ten seconds.
struct ProviderWorld {
    static let interval = Duration.seconds(10)
    let gate: Gate
    var random: SeededNumbers
    var run: AnalysisRun
    var time = Timestamp(milliseconds: 1_700_000_000_000)
    /// What was counted so far, in the order of the gate's queries.
    var canary: [Double]
    var stable: [Double]
    var examples: [AnswerDifference] = []
    /// When who compares answers began.
    var began = Timestamp(milliseconds: 1)

    init(_ gate: Gate, with others: [Gate] = [], counters: Int, seed: UInt64 = 1, plannedSteps: Int = 3) {
        self.gate = gate
        self.random = SeededNumbers(seed: seed)
        self.canary = Array(repeating: 0, count: counters)
        self.stable = self.canary
        self.run = AnalysisRun(
            gates: [gate] + others,
            stable: World.stable,
            canary: World.canary,
            plannedSteps: plannedSteps
        )
        self.run.beginStep(gates: [gate] + others, nextWeight: TrafficWeight(percent: 25), at: self.time)
    }

    /// Ten seconds pass, and the provider is asked.
    mutating func poll(canary: [Double] = [], stable: [Double] = []) {
        for (index, count) in canary.enumerated() { self.canary[index] += count }
        for (index, count) in stable.enumerated() { self.stable[index] += count }
        self.time = self.time + Self.interval
        self.tell()
    }

    /// The provider is asked.
    mutating func tell(canaryTime: Timestamp? = nil, stableTime: Timestamp? = nil) {
        self.tell(
            .counted(
                canary: self.reading(self.canary, at: canaryTime),
                stable: self.reading(self.stable, at: stableTime)
            )
        )
    }

    mutating func tell(_ answer: Measurement.Answer) {
        self.run.add(Measurement(gate: self.gate.name, time: self.time, answer: answer))
    }

    private func reading(_ values: [Double], at time: Timestamp?) -> TrackReading {
        TrackReading(times: values.map { _ in time ?? self.time }, values: values)
    }

    /// Requests of ten seconds, so many of them bad as chance has it.
    mutating func bad(of total: Int64, rate: Double) -> [Double] {
        [Double(self.random.bad(of: total, rate: rate)), Double(total)]
    }

    var outcome: GateOutcome? { self.run.outcome(self.gate.name, at: self.time) }
    var assessment: GateAssessment? { self.run.assessment(of: self.gate, at: self.time) }
}
