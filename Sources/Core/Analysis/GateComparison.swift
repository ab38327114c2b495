import Deployments
import RealModule

/// The state of one gate that compares the canary's counters with stable's.
struct GateComparison: Hashable, Codable, Sendable {
    var gate: Gate
    /// The gate's share of the rollout's error budget: its part of the combined evidence.
    var weight: Double
    /// For latency gates, in milliseconds; nothing until one is known.
    var bound: Double?
    private(set) var breach: BreachProcess
    private(set) var safe: SafeProcess?
    private(set) var ratio = RatioSequence()
    private(set) var canary = EventCounts()
    private(set) var stable = EventCounts()
    private(set) var canaryOverall = EventCounts()
    private(set) var stableOverall = EventCounts()
    /// The time covered by this step's increments.
    private(set) var seconds = 0.0
    /// The share of the breach process's capital invested at this step's start.
    private(set) var stake = 0.0
    var hasFailed = false

    init(gate: Gate, weight: Double, bound: Double?, plannedSteps: Int) {
        self.gate = gate
        self.weight = weight
        self.bound = bound
        self.breach = BreachProcess(plannedSteps: plannedSteps)
    }

    mutating func beginStep(nextWeight: TrafficWeight, burst: Double, parameters: AnalysisParameters) {
        self.stake = parameters.massAtStart * self.breach.nextMass(parameters: parameters)
        self.breach.beginStep(parameters: parameters)
        let test = AffineTest.safe(
            toward: Double(max(1, nextWeight.percent)) / 100,
            ratio: parameters.safeRatio,
            difference: parameters.safeDifference,
            burst: burst
        )
        self.safe = SafeProcess(test: test, grid: parameters.safeGrid)
        self.canary = EventCounts()
        self.stable = EventCounts()
        self.seconds = 0
    }

    mutating func add(
        canary: EventCounts,
        stable: EventCounts,
        seconds: Double,
        burst: Double,
        parameters: AnalysisParameters
    ) {
        let poll = PairedIncrement(canary: canary, stable: stable)
        self.breach.add(poll, seconds: seconds, test: parameters.breachTest(burst: burst), parameters: parameters)
        self.safe?.add(poll, grid: parameters.safeGrid)
        self.ratio.add(poll)
        self.canary += canary
        self.stable += stable
        self.canaryOverall += canary
        self.stableOverall += stable
        self.seconds += seconds
    }

    /// Whether there is anything to judge by: ``AnalysisRun/missing(_:)`` says what is not.
    var hasEvidence: Bool {
        if case .latency = self.gate.kind, self.bound == nil { return false }
        return self.canary.total != 0 && self.stable.total != 0
    }

    /// ln of the gate's part of the combined evidence.
    var weightedLogE: Double { self.breach.logE + Double.log(self.weight) }
}

extension GateComparison {
    func evidence(burst: Double, parameters: AnalysisParameters) -> ComparisonEvidence {
        var evidence = ComparisonEvidence(
            canary: self.canary,
            stable: self.stable,
            canaryOverall: self.canaryOverall,
            stableOverall: self.stableOverall,
            canaryInterval: RateSequence.interval(self.canary, alpha: parameters.intervalAlpha, burst: burst),
            stableInterval: RateSequence.interval(self.stable, alpha: parameters.intervalAlpha, burst: burst),
            ratio: self.ratio.interval(alpha: parameters.intervalAlpha, burst: burst),
            breachLogE: self.breach.logE,
            breachLimit: parameters.breachLimit - Double.log(self.weight),
            safeLogE: self.safe?.logE ?? 0,
            safeLimit: parameters.safeLimit
        )
        guard let safe = self.safe, self.seconds > 0, self.canary.total > 0, self.stable.total > 0 else {
            return evidence
        }
        let requestsPerSecond = Double(self.canary.total) / self.seconds
        evidence.requestsPerSecond = requestsPerSecond
        // Half a bad request more than were seen: a stable revision without any is not perfect.
        let rate = (Double(self.stableOverall.bad) + 0.5) / (Double(self.stableOverall.total) + 1)
        let share = Double(self.canary.total) / Double(self.canary.total + self.stable.total)
        evidence.secondsUntilSafe = RequestPlan(canaryRate: rate, stableRate: rate, share: share)
            .remaining(safe, grid: parameters.safeGrid, limit: parameters.safeLimit)
            .map { $0 / requestsPerSecond }
        evidence.secondsUntilDoublingIsSeen = RequestPlan(
            canaryRate: min(1, 2 * rate),
            stableRate: rate,
            share: share
        )
        .requests(
            parameters.breachTest(burst: burst),
            grid: parameters.breachGrid,
            level: parameters.alpha * self.weight,
            capital: self.stake
        )
        .map { $0 / requestsPerSecond }
        return evidence
    }
}
