import Deployments
import RealModule

/// What is known of a gate that compares shares of bad ones by a provider's counters.
struct RatioEvidence: Hashable, Codable, Sendable {
    let query: RatioQuery
    private(set) var breach: LagRobustBreach
    private var pairing = LagPairing<ShareCounts>()
    private var safe: LagRobust<SafeProcess>?
    private var ratio = RatioSequence()
    /// Of this step, and of all.
    private(set) var canary = ShareCounts()
    private(set) var stable = ShareCounts()
    private var canaryOverall = ShareCounts()
    private var stableOverall = ShareCounts()
    private var seconds = 0.0
    private var stake = 0.0

    init(query: RatioQuery, plannedSteps: Int) {
        self.query = query
        self.breach = LagRobustBreach(plannedSteps: plannedSteps)
    }

    mutating func beginStep(nextWeight: TrafficWeight, burst: Double, parameters: AnalysisParameters) {
        self.stake = parameters.massAtStart * self.breach.nextMass(parameters: parameters)
        self.breach.beginStep(parameters: parameters)
        self.pairing.begin()
        let test = AffineTest.safe(
            toward: Double(max(1, nextWeight.percent)) / 100,
            ratio: self.query.maximumRatio + parameters.safeRatio - parameters.breachRatio,
            difference: self.query.maximumDifference + parameters.safeDifference,
            burst: burst
        )
        self.safe = LagRobust(SafeProcess(test: test, grid: parameters.safeGrid))
        self.canary = ShareCounts()
        self.stable = ShareCounts()
        self.seconds = 0
    }

    mutating func add(
        canary: ShareCounts,
        stable: ShareCounts,
        seconds: Double,
        burst: Double,
        parameters: AnalysisParameters
    ) {
        let poll = PairedIncrement(canary, stable)
        self.breach.add(poll, seconds: seconds, test: self.breachTest(burst: burst), parameters: parameters)
        if let pairs = self.pairing.add(canary: canary, stable: stable, seconds: seconds) {
            self.safe?.add(pairs) { $0.add(PairedIncrement($1, $2), grid: parameters.safeGrid) }
        }
        self.ratio.add(poll)
        self.canary += canary
        self.stable += stable
        self.canaryOverall += canary
        self.stableOverall += stable
        self.seconds += seconds
    }

    /// Labels of requests: each group has one split of the traffic. Those of this step's alone show that the canary may
    /// get the next weight; all of them may show that it is worse.
    mutating func add(
        _ groups: [LabelIncrement],
        of split: TrafficSplit?,
        seconds: Double,
        burst: Double,
        parameters: AnalysisParameters
    ) {
        let shares = groups.map { (ShareCounts(increments: $0.canary), ShareCounts(increments: $0.stable)) }
        self.breach.addAligned(
            shares.map { PairedIncrement($0, $1) },
            seconds: seconds,
            test: self.breachTest(burst: burst),
            parameters: parameters
        )
        for (group, (canary, stable)) in zip(groups, shares) {
            let pair = PairedIncrement(canary, stable)
            self.ratio.add(pair)
            self.canaryOverall += canary
            self.stableOverall += stable
            guard group.split == split else { continue }
            self.safe?.each { $0.add(pair, grid: parameters.safeGrid) }
            self.canary += canary
            self.stable += stable
        }
        self.seconds += seconds
    }

    var safeLogE: Double { self.safe?.least(\.logE) ?? 0 }

    private func breachTest(burst: Double) -> AffineTest {
        AffineTest(ratio: self.query.maximumRatio, difference: self.query.maximumDifference, burst: burst)
    }
}

/// How many of how many were bad, as far as counters of a provider tell: sums of them need not be whole.
struct ShareCounts: Hashable, Codable, Sendable {
    var bad = 0.0
    var total = 0.0

    static func += (left: inout ShareCounts, right: ShareCounts) {
        left.bad += right.bad
        left.total += right.total
    }

    var rounded: EventCounts {
        EventCounts(bad: Int64(self.bad.rounded()), total: Int64(max(self.bad, self.total).rounded()))
    }
}

extension ShareCounts {
    /// - Parameter values: Bad ones and all. When fewer were counted than were bad, the bad ones count as all, as in
    ///   ``EventCounts/since(_:)``.
    init(increments values: [Double]) {
        self.init(bad: values[0], total: max(values[0], values[1]))
    }
}

extension PairedIncrement {
    fileprivate init(_ canary: ShareCounts, _ stable: ShareCounts) {
        self.init(
            canaryTotal: canary.total,
            canaryBad: canary.bad,
            stableTotal: stable.total,
            stableBad: stable.bad
        )
    }
}

extension RatioEvidence {
    func evidence(weight: Double, burst: Double, parameters: AnalysisParameters) -> ComparisonEvidence {
        let (canary, stable) = (self.canary.rounded, self.stable.rounded)
        var evidence = ComparisonEvidence(
            canary: canary,
            stable: stable,
            canaryOverall: self.canaryOverall.rounded,
            stableOverall: self.stableOverall.rounded,
            canaryInterval: RateSequence.interval(canary, alpha: parameters.intervalAlpha, burst: burst),
            stableInterval: RateSequence.interval(stable, alpha: parameters.intervalAlpha, burst: burst),
            ratio: self.ratio.interval(alpha: parameters.intervalAlpha, burst: burst),
            breachLogE: self.breach.logE,
            breachLimit: parameters.breachLimit - Double.log(weight),
            safeLogE: self.safeLogE,
            safeLimit: parameters.safeLimit
        )
        guard let safe = self.safe, self.seconds > 0, self.canary.total > 0, self.stable.total > 0 else {
            return evidence
        }
        let perSecond = self.canary.total / self.seconds
        evidence.requestsPerSecond = perSecond
        // As for the gates on the router's counters.
        let rate = (self.stableOverall.bad + 0.5) / (self.stableOverall.total + 1)
        let share = self.canary.total / (self.canary.total + self.stable.total)
        evidence.secondsUntilSafe = RequestPlan(canaryRate: rate, stableRate: rate, share: share)
            .remaining(safe.same, grid: parameters.safeGrid, limit: parameters.safeLimit)
            .map { $0 / perSecond }
        evidence.secondsUntilDoublingIsSeen = RequestPlan(
            canaryRate: min(1, 2 * rate),
            stableRate: rate,
            share: share
        )
        .requests(
            self.breachTest(burst: burst),
            grid: parameters.breachGrid,
            level: parameters.alpha * weight,
            capital: self.stake
        )
        .map { $0 / perSecond }
        return evidence
    }
}
