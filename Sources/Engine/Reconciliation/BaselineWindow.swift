import Analysis
import Deployments
import Rollouts

/// The last half hour of a stable revision's counters, in polls of ten seconds: what a rollout's burst factor and
/// latency bound are taken from. Kept in memory only; the rollout keeps what it used.
struct BaselineWindow: Sendable {
    private var revision: Revision?
    private var base: (time: Timestamp, counters: TrackCounters)?
    private var first: LatencyHistogram?
    private var polls: [EventCounts] = []
    private var latest = LatencyHistogram()

    static let pollLength: Duration = .seconds(10)
    static let capacity = 180

    mutating func add(_ counters: TrackCounters, of revision: Revision, at time: Timestamp) {
        if self.revision != revision {
            self = BaselineWindow()
            self.revision = revision
        }
        self.latest = counters.latency
        guard let base = self.base, counters.requests >= base.counters.requests,
            counters.serverErrors >= base.counters.serverErrors
        else {
            self.base = (time, counters)
            return
        }
        guard time - base.time >= Self.pollLength else { return }
        self.polls.append(
            EventCounts(
                bad: counters.serverErrors - base.counters.serverErrors,
                total: counters.requests - base.counters.requests
            )
        )
        if self.polls.count > Self.capacity { self.polls.removeFirst() }
        self.base = (time, counters)
    }

    var baseline: Baseline {
        Baseline(burst: BurstFactor.estimate(self.polls), latency: self.latest)
    }
}
