import Deployments
import RealModule

/// The state of one gate that compares the canary's counters with stable's.
struct GateComparison: Hashable, Codable, Sendable {
    var gate: Gate
    /// The gate's share of the rollout's error budget: its part of the combined evidence.
    var weight: Double
    /// φ of its own bad answers; nothing when that was not known, and the rollout's stands.
    var burst: Double?
    /// For latency gates, in milliseconds; nothing until one is known.
    var bound: Double?
    private(set) var breach: BreachProcess
    private(set) var safe: SafeProcess?
    /// Of gates on answer times as a whole, which have this in the place of counts of bad ones.
    var slowdown: SlowdownEvidence?
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
        if case .slowdown(let rule) = gate.kind { self.slowdown = SlowdownEvidence(rule: rule) }
    }

    mutating func beginStep(nextWeight: TrafficWeight, burst: Double, parameters: AnalysisParameters) {
        let burst = self.burst ?? burst
        self.stake = parameters.massAtStart * self.breach.nextMass(parameters: parameters)
        self.breach.beginStep(parameters: parameters)
        if self.slowdown != nil {
            self.slowdown?.beginStep(nextWeight: nextWeight, burst: burst, parameters: parameters)
            return
        }
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
        let burst = self.burst ?? burst
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

    /// ln e of each bet of one poll, of a gate whose evidence is not one of bad ones.
    mutating func addBets(_ increments: [Double], isBad: Bool, seconds: Double, parameters: AnalysisParameters) {
        self.breach.add(increments, isBad: isBad, seconds: seconds, parameters: parameters)
    }

    /// ln E that the next weight is safe.
    func safeLogE(burst: Double) -> Double {
        self.slowdown?.safeLogE(burst: self.burst ?? burst) ?? self.safe?.logE ?? 0
    }

    /// Whether there is anything to judge by: ``AnalysisRun/missing(_:)`` says what is not.
    var hasEvidence: Bool {
        if let slowdown = self.slowdown { return slowdown.missing == nil }
        if case .latency = self.gate.kind, self.bound == nil { return false }
        return self.canary.total != 0 && self.stable.total != 0
    }

    /// ln of the gate's part of the combined evidence.
    var weightedLogE: Double { self.breach.logE + Double.log(self.weight) }
}

extension GateComparison {
    func evidence(burst: Double, parameters: AnalysisParameters) -> ComparisonEvidence {
        let burst = self.burst ?? burst
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
