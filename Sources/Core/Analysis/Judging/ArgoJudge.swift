/// The rule of an Argo Rollouts analysis: more failed measurements than `failureLimit`, or more errors in a row than
/// `consecutiveErrorLimit`, end it; `count` measurements without that pass it.
///
/// Nothing is compared with stable. Measurements are counted over the whole analysis.
///
/// Source: argoproj/argo-rollouts, `analysis/analysis.go` (`assessMetricFailureInconclusiveOrError`) and
/// `utils/defaults`; the success condition, interval and count are those of its documented `success-rate` template.
package struct ArgoJudge: HoldJudge, Hashable, Codable {
    /// Seconds between two measurements; each covers as much.
    package var interval: Double
    /// Measurements until the analysis passes.
    package var count: Int
    package var failureLimit: Int
    package var consecutiveErrorLimit: Int
    /// Percent of requests that must succeed.
    package var minimumSuccess: Double
    private var counts: IntervalCounts
    private(set) var measured = 0
    private(set) var failed = 0
    private(set) var consecutiveErrors = 0
    private var last = StepVerdict.continue

    package init(
        interval: Double = 300,
        count: Int = 5,
        failureLimit: Int = 0,
        consecutiveErrorLimit: Int = 4,
        minimumSuccess: Double = 95
    ) {
        self.interval = interval
        self.count = count
        self.failureLimit = failureLimit
        self.consecutiveErrorLimit = consecutiveErrorLimit
        self.minimumSuccess = minimumSuccess
        self.counts = IntervalCounts(seconds: interval)
    }

    package mutating func add(_ poll: HoldPoll) -> StepVerdict {
        guard let look = self.counts.add(poll), self.last == .continue else { return self.last }
        self.measured += 1
        if let rate = look.canary?.rate {
            self.consecutiveErrors = 0
            if (1 - rate) * 100 < self.minimumSuccess { self.failed += 1 }
        } else {
            // A query without an answer is an error, not a failure.
            self.consecutiveErrors += 1
        }
        if self.failed > self.failureLimit || self.consecutiveErrors > self.consecutiveErrorLimit {
            self.last = .rollback
        } else if self.measured >= self.count {
            self.last = .advance
        }
        return self.last
    }
}
