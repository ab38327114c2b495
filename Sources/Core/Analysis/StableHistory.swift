package import Deployments

/// What a stable revision did before a rollout: the last half hour in pieces of ten seconds, from which a rollout takes
/// its burst factor, and all its answers by time, from which it takes its latency bound. Bounded.
package struct StableHistory: Hashable, Codable, Sendable {
    package private(set) var revision: Revision
    /// Answers since the last reset of the counters.
    package private(set) var latency = LatencyHistogram()
    /// Its errors, in pieces of ``pieceLength``, oldest first.
    package private(set) var pieces: [EventCounts] = []
    private var base: Base?

    private struct Base: Hashable, Codable, Sendable {
        var time: Timestamp
        var counters: TrackCounters
    }

    /// Ten seconds hold a burst together, which pieces as long as a poll may cut.
    package static let pieceLength: Duration = .seconds(10)
    private static let pieceCount = 180

    package init(revision: Revision) {
        self.revision = revision
    }

    /// Feeds one snapshot of what is stable now: another revision's history begins anew.
    package mutating func add(_ sample: Sample, of revision: Revision) {
        if revision != self.revision { self = StableHistory(revision: revision) }
        self.add(sample)
    }

    /// Feeds one snapshot; any rate of polling will do.
    package mutating func add(_ sample: Sample) {
        guard let counters = sample.tracks[self.revision] else {
            self.base = nil
            return
        }
        self.latency = counters.latency
        guard let base = self.base, counters.canFollow(base.counters), sample.time > base.time else {
            self.base = Base(time: sample.time, counters: counters)
            return
        }
        let elapsed = sample.time - base.time
        guard elapsed >= Self.pieceLength else { return }
        self.base = Base(time: sample.time, counters: counters)
        // A piece that spans a gap is no piece of ten seconds.
        guard elapsed < Self.pieceLength * 2,
            let now = counters.events(of: .availability), let before = base.counters.events(of: .availability),
            let piece = now.since(before)
        else { return }
        self.pieces = (self.pieces + [piece]).suffix(Self.pieceCount)
    }

    /// φ of the revision's errors; 1 when they look independent or there are too few to tell.
    package var burst: Double { BurstFactor.estimate(self.pieces) }
}
