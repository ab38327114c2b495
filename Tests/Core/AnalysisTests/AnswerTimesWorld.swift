import Analysis
import Deployments

/// A router that counts the answer times of two revisions, read once a second.
struct AnswerTimesWorld {
    static let bounds: [Double] = [5, 10, 25, 50, 100, 250, 500, 1000]
    /// By bin, the last above all bounds.
    static let usual = [0.01, 0.03, 0.15, 0.3, 0.3, 0.15, 0.04, 0.015, 0.005]
    /// Slower in its body, with the same tail above 250 ms.
    static let slower = [0.005, 0.01, 0.05, 0.2, 0.45, 0.225, 0.04, 0.015, 0.005]
    static let quicker = [0.05, 0.15, 0.35, 0.25, 0.1, 0.04, 0.04, 0.015, 0.005]
    /// As quick as stable, but for its slowest answers.
    static let heavyTail = [0.01, 0.03, 0.15, 0.3, 0.3, 0.14, 0.01, 0.01, 0.05]

    let gate: Gate
    var random: SeededNumbers
    var run: AnalysisRun
    var time = Timestamp(milliseconds: 1_700_000_000_000)
    var counts: [Revision: [Int64]] = [:]

    init(
        _ rule: SlowdownRule = SlowdownRule(),
        with others: [Gate] = [],
        seed: UInt64 = 1,
        hasHistory: Bool = true,
        next: Int = 50,
        burst: Double = 1,
        plannedSteps: Int = 4
    ) {
        self.gate = Gate(name: "slowdown", kind: .slowdown(rule))
        self.random = SeededNumbers(seed: seed)
        let history = Self.usual.map { Int64($0 * 100_000) }
        self.run = AnalysisRun(
            gates: [self.gate] + others,
            stable: World.stable,
            canary: World.canary,
            plannedSteps: plannedSteps,
            history: hasHistory ? Self.histogram(history) : LatencyHistogram(),
            burst: burst
        )
        self.begin(with: others, next: next)
    }

    mutating func begin(with others: [Gate] = [], next: Int) {
        self.run.beginStep(
            gates: [self.gate] + others,
            nextWeight: TrafficWeight(percent: next),
            at: self.time
        )
        self.run.add(self.sample, weightsChanged: true)
    }

    static func histogram(_ counts: [Int64], bounds: [Double] = Self.bounds) -> LatencyHistogram {
        let cumulative = bounds.indices.map { counts[...$0].reduce(0, +) }
        return LatencyHistogram(bounds: bounds, counts: cumulative, total: counts.reduce(0, +))
    }

    var sample: Sample {
        Sample(
            time: self.time,
            tracks: Dictionary(
                uniqueKeysWithValues: [World.stable, World.canary].map { revision in
                    let histogram = Self.histogram(self.counts[revision] ?? Self.usual.map { _ in 0 })
                    return (revision, TrackCounters(requests: histogram.total, latency: histogram))
                }
            )
        )
    }

    /// A second of 200 requests passes, a tenth of them for the canary, and the router is read.
    mutating func poll(_ canaryShares: [Double]) { self.poll(20, canaryShares, 180) }

    mutating func poll(
        _ canary: Int,
        _ canaryShares: [Double],
        _ stable: Int,
        _ stableShares: [Double] = Self.usual
    ) {
        self.count(canary, canaryShares, of: World.canary)
        self.count(stable, stableShares, of: World.stable)
        self.time = self.time + .seconds(1)
        self.run.add(self.sample)
    }

    mutating func count(_ count: Int, _ shares: [Double], of revision: Revision) {
        let more = self.random.draws(count, shares: shares)
        self.counts[revision] = zip(self.counts[revision] ?? shares.map { _ in 0 }, more).map { $0 + $1 }
    }

    var outcome: GateOutcome? { self.run.outcome(self.gate.name, at: self.time) }
    var assessment: GateAssessment? { self.run.assessment(of: self.gate, at: self.time) }
    var breachLogE: Double { self.assessment?.comparison?.breachLogE ?? .nan }
    var safeLogE: Double { self.assessment?.comparison?.safeLogE ?? .nan }
}
