import Analysis
import Deployments
import Foundation

extension Double {
    var exponential: Double { exp(self) }
    var logarithm: Double { log(self) }
}

/// SplitMix64: a seed gives the same numbers on every machine.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// How many of `count` requests are bad, each with probability `rate`.
    mutating func bad(of count: Int64, rate: Double) -> Int64 {
        guard rate > 0, count > 0 else { return 0 }
        guard rate < 1 else { return count }
        // Jumps from one bad request to the next: the gaps are geometric.
        var (position, bad) = (0.0, Int64(0))
        while true {
            position +=
                1 + (log(Double.random(in: 0..<1, using: &self) + .leastNormalMagnitude) / log(1 - rate)).rounded(.down)
            if position > Double(count) { return bad }
            bad += 1
        }
    }
}

/// A router with two revisions, whose counters grow by seconds of traffic.
struct World {
    static let stable = Revision(digest: "aaaa")
    static let canary = Revision(digest: "bbbb")
    static let bounds: [Double] = [5, 10, 25, 50, 100, 250, 500, 1000]

    var random: SeededNumbers
    var time = Timestamp(milliseconds: 1_700_000_000_000)
    var requestsPerSecond: Int64 = 200
    var weight = TrafficWeight(percent: 5)
    var canaryErrors = 0.0
    var stableErrors = 0.0
    var canaryClientErrors = 0.0
    var stableClientErrors = 0.0
    /// Shares of answers that take 700 ms instead of 20.
    var canarySlow = 0.01
    var stableSlow = 0.01
    var counters: [Revision: TrackCounters] = [Self.stable: Self.empty, Self.canary: Self.empty]

    static let empty = TrackCounters(
        latency: LatencyHistogram(bounds: Self.bounds, counts: Self.bounds.map { _ in 0 })
    )

    init(seed: UInt64) { self.random = SeededNumbers(seed: seed) }

    var sample: Sample { Sample(time: self.time, tracks: self.counters) }

    /// Serves traffic for some seconds, in one poll.
    mutating func run(seconds: Int = 1) -> Sample {
        self.time = self.time + .seconds(seconds)
        let requests = self.requestsPerSecond * Int64(seconds)
        let canary = self.random.bad(of: requests, rate: Double(self.weight.percent) / 100)
        self.serve(Self.canary, canary, self.canaryErrors, self.canaryClientErrors, self.canarySlow)
        self.serve(Self.stable, requests - canary, self.stableErrors, self.stableClientErrors, self.stableSlow)
        return self.sample
    }

    private mutating func serve(
        _ revision: Revision,
        _ requests: Int64,
        _ errors: Double,
        _ clientErrors: Double,
        _ slow: Double
    ) {
        var counters = self.counters[revision] ?? Self.empty
        counters.requests += requests
        counters.serverErrors += self.random.bad(of: requests, rate: errors)
        counters.clientErrors += self.random.bad(of: requests, rate: clientErrors)
        let late = self.random.bad(of: requests, rate: slow)
        counters.latency.total += requests
        for (index, bound) in Self.bounds.enumerated() where bound >= 25 {
            counters.latency.counts[index] += bound >= 1000 ? requests : requests - late
        }
        self.counters[revision] = counters
    }
}

extension AnalysisRun {
    /// A run over the default gates, at its first step.
    static func started(
        _ world: World,
        gates: [Gate] = [.errors, .clientErrors, .latency(below: .milliseconds(250))],
        objectives: [Objective] = [],
        plannedSteps: Int = 3,
        next: Int = 25
    ) -> AnalysisRun {
        var run = AnalysisRun(
            gates: gates,
            stable: World.stable,
            canary: World.canary,
            plannedSteps: plannedSteps,
            objectives: objectives
        )
        run.beginStep(gates: gates, nextWeight: TrafficWeight(percent: next), at: world.time)
        run.add(world.sample, weightsChanged: true)
        return run
    }

    func outcome(_ gate: String, at time: Timestamp) -> GateOutcome? {
        self.outcomes(at: time).first { $0.gate.name == gate }?.outcome
    }
}
