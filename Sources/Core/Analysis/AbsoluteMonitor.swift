import Deployments

/// Watches whether one revision alone burns an objective's budget too fast, beginning at any time.
///
/// A ``StartMixture`` of ``AbsoluteTest`` increments: under the null (the bad rate never exceeds the limit) its
/// ``logE`` ever reaches ln(1/α) with probability at most α. Evidence is capped a little above where it decides, so
/// that an incident that is over stops counting after some hundreds of good requests.
struct AbsoluteMonitor: Hashable, Codable, Sendable {
    let test: AbsoluteTest
    private var mixture = StartMixture()
    private(set) var badPolls = 0

    init(test: AbsoluteTest) {
        self.test = test
    }

    mutating func begin(mass: Double) {
        self.mixture.begin(mass: mass)
    }

    mutating func add(_ counts: EventCounts, seconds: Double, limit: Double, parameters: AnalysisParameters) {
        self.mixture.add(
            self.test.logE(counts, grid: parameters.breachGrid),
            first: parameters.massAtStart,
            share: parameters.investedShare(seconds: seconds),
            // Two nats: enough not to flutter at the limit.
            cap: limit + 2
        )
        if counts.bad > 0 { self.badPolls += 1 }
    }

    var logE: Double { self.mixture.logE }
}
