import Deployments
import RealModule

/// What is known of a gate that compares distributions by a provider's histograms.
///
/// With many answers any difference is beyond chance, so the gate fails only when it also matters: when the corrected
/// stability index of this step reaches the tolerance. What is known of it does not count for other gates.
struct DriftEvidence: Hashable, Codable, Sendable {
    let query: DriftQuery
    private let plannedSteps: Int
    /// Nothing before the first histogram.
    private(set) var bounds: [Double]?
    private var pairing = LagPairing<[Double]>()
    private var breach: LagRobust<StepBets<DriftProcess>>
    private var hasBegun = false
    /// Answers of this step.
    private(set) var canary = 0.0
    private(set) var stable = 0.0
    private var seconds = 0.0
    private(set) var polls = 0
    /// Polls of this step that were tested, and the canary's answers in them but for the first two: what the first
    /// shows is the estimate that others are bet on with, and of the three pairings one begins a poll later.
    private var testedPolls = 0
    private var tested = 0.0

    /// Tested answers of the canary without which nobody could tell: with ten bins the index of as many from stable's
    /// own distribution strays by some 0.015, well below the usual tolerance.
    static let enough = 300.0

    init(query: DriftQuery, plannedSteps: Int) {
        self.query = query
        self.plannedSteps = plannedSteps
        self.breach = LagRobust(StepBets(plannedSteps: plannedSteps))
    }

    /// Bounds are chosen by stable's first histogram, which is never itself evidence, and stay for the rollout.
    ///
    /// - Returns: Why the histograms can't be brought to them, if so.
    mutating func align(_ canary: inout TrackReading, _ stable: inout TrackReading) -> String? {
        guard let bounds = self.bounds ?? SparseHistogram(stable)?.tenths else {
            return "stable's histogram has counted nothing yet to choose bounds by"
        }
        guard let ofCanary = SparseHistogram(canary)?.counts(by: bounds),
            let ofStable = SparseHistogram(stable)?.counts(by: bounds)
        else { return "the buckets of the histogram are too wide for the bounds that the rollout began with" }
        self.bounds = bounds
        canary = TrackReading(times: canary.times, values: ofCanary, bounds: bounds)
        stable = TrackReading(times: stable.times, values: ofStable, bounds: bounds)
        return nil
    }

    mutating func beginStep() {
        self.pairing.begin()
        self.hasBegun = false
        self.canary = 0
        self.stable = 0
        self.seconds = 0
        self.testedPolls = 0
        self.tested = 0
    }

    /// - Parameters:
    ///   - canary: Counts per bin.
    ///   - stable: The same.
    ///   - bounds: Of all bins but the last, the same in every poll.
    ///   - seconds: Since the poll before.
    ///   - parameters: The schedule of investments.
    mutating func add(
        canary: [Double],
        stable: [Double],
        bounds: [Double],
        seconds: Double,
        parameters: AnalysisParameters
    ) {
        self.bounds = self.bounds ?? bounds
        guard bounds == self.bounds else { return }
        if !self.hasBegun {
            self.hasBegun = true
            let process = DriftProcess(bins: bounds.count + 1)
            self.breach.each { $0.beginStep(process, parameters: parameters) }
        }
        if let pairs = self.pairing.add(canary: canary, stable: stable, seconds: seconds) {
            self.breach.add(pairs) { bets, canary, stable in bets.add { $0.add(canary: canary, stable: stable) } }
            if self.testedPolls > 1 { self.tested += pairs.canary.reduce(0, +) }
            self.testedPolls += 1
        }
        let count = canary.reduce(0, +)
        self.canary += count
        self.stable += stable.reduce(0, +)
        self.seconds += seconds
        if count > 0 { self.polls += 1 }
    }

    var breachLogE: Double { self.breach.least { $0.logE(\.logE) } }

    /// Of this step.
    var stability: Double? {
        self.hasBegun ? self.breach.same.newest?.stability.correctedIndex : nil
    }

    var matters: Bool { self.stability.map { $0 >= self.query.tolerance } ?? false }

    var isEnough: Bool { self.tested >= Self.enough && self.stable > 0 }

    func evidence(weight: Double, parameters: AnalysisParameters) -> ComparisonEvidence {
        var evidence = ComparisonEvidence(
            counted: (self.canary, self.stable),
            breach: (self.breachLogE, parameters.breachLimit - Double.log(weight)),
            safe: (self.tested, Self.enough)
        )
        if self.seconds > 0, self.canary > 0 {
            evidence.requestsPerSecond = self.canary / self.seconds
            evidence.secondsUntilSafe = max(0, Self.enough - self.tested) * self.seconds / self.canary
        }
        return evidence
    }

    var value: String {
        guard let stability = self.stability else { return "without answers on both sides" }
        let (canary, stable) = (
            NumberText.number(self.canary, decimals: 0), NumberText.number(self.stable, decimals: 0)
        )
        return "stability index \(NumberText.number(stability)), canary \(canary) answers, stable \(stable)"
    }

    func detail(_ outcome: GateOutcome, isBeyondChance: Bool, parameters: AnalysisParameters) -> String {
        switch outcome {
        case .failed:
            "other answers than stable's beyond chance (false alarms: at most "
                + "\(NumberText.percent(parameters.alpha)) of rollouts)"
        case .passed where isBeyondChance, .inconclusive where isBeyondChance:
            "other answers than stable's beyond chance, but by less than matters"
        case .passed: "no difference that matters"
        case .inconclusive, .noData, .providerDown:
            "\(NumberText.number(self.tested, decimals: 0)) of \(NumberText.number(Self.enough, decimals: 0)) answers "
                + "of the canary are tested"
        }
    }
}

extension DriftEvidence {
    /// - Parameter values: Growth of cumulative counts by bound, as Prometheus has them.
    /// - Returns: Counts per bin; nothing when they are not cumulative.
    static func bins(_ values: [Double]) -> [Double]? {
        var before = 0.0
        var bins: [Double] = []
        for value in values {
            guard value >= before else { return nil }
            bins.append(value - before)
            before = value
        }
        return bins
    }
}
