/// Flagger's rule: so many failed checks in all, and the canary goes.
///
/// At every interval the number of failed checks is looked at first, and then the metric: a value out of bounds, a
/// missing or not-a-number value and a failed query each count as one. Success takes nothing off. There is no
/// comparison with stable, so an incident that both share counts like the canary's own.
///
/// Source: fluxcd/flagger, `pkg/controller/scheduler.go` and `scheduler_metrics.go`; the defaults are those of its
/// documented example with the built-in `request-success-rate`.
package struct FlaggerJudge: HoldJudge, Hashable, Codable {
    /// Seconds between two looks; the metric covers as much.
    package var interval: Double
    /// Failed checks at which the canary is rolled back.
    package var threshold: Int
    /// Percent of requests that must succeed.
    package var minimumSuccess: Double
    private var counts: IntervalCounts
    private(set) var failedChecks = 0
    private var last = StepVerdict.continue

    package init(interval: Double = 60, threshold: Int = 5, minimumSuccess: Double = 99) {
        self.interval = interval
        self.threshold = threshold
        self.minimumSuccess = minimumSuccess
        self.counts = IntervalCounts(seconds: interval)
    }

    /// Begins a step: it needs a check of its own that succeeds. Failed checks count on, as in the tool.
    mutating func beginStep() {
        self.counts = IntervalCounts(seconds: self.interval)
        if self.last != .rollback { self.last = .continue }
    }

    package mutating func add(_ poll: HoldPoll) -> StepVerdict {
        guard let look = self.counts.add(poll), self.last != .rollback else { return self.last }
        if self.failedChecks >= self.threshold {
            self.last = .rollback
        } else if let rate = look.canary?.rate, (1 - rate) * 100 >= self.minimumSuccess {
            self.last = .advance
        } else {
            self.failedChecks += 1
            self.last = .continue
        }
        return self.last
    }
}
