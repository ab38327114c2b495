package import Deployments

/// What a stable revision did before a rollout: the last half hour in pieces of ten seconds, from which a rollout takes
/// its burst factors, and all its answers by time, from which it takes its latency bound. 19 KB with 20 bounds.
package struct StableHistory: Hashable, Codable, Sendable {
    package private(set) var revision: Revision
    /// Answers since the last reset of the counters.
    package private(set) var latency = LatencyHistogram()
    /// Its errors, in pieces of ``pieceLength``: a ring, as are the next two. All of it is there from the first piece
    /// on: readers share it, so each piece makes a copy, and copies that grow leave holes that none of the next fits
    /// into.
    private var errors: [EventCounts] = []
    /// Its 4xx, in the same pieces.
    private var clientErrors: [Int32] = []
    /// Its slow answers, in the same pieces: for each bound of the histogram how many were slower, and last of all how
    /// many there were. One after the other, as many small arrays would be larger than what is in them.
    private var slow: [Int32] = []
    private var bounds: [Double] = []
    /// How many pieces were put into the rings; once they are full, the next takes the place of the oldest.
    private var pieceTotal = 0
    /// Since the last ``review()``.
    private var unreviewed = 0
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

    /// Feeds some snapshots, and says what follows, as ``review()`` does.
    package mutating func learn(from samples: [Sample], of revision: Revision) -> BurstFactors? {
        for sample in samples { self.add(sample, of: revision) }
        return self.review()
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
        self.append(piece, from: base.counters, to: counters)
    }

    private mutating func append(_ piece: EventCounts, from base: TrackCounters, to counters: TrackCounters) {
        if counters.latency.bounds != self.bounds {
            self = StableHistory(revision: self.revision, base: self.base, latency: self.latency)
            self.bounds = counters.latency.bounds
        }
        // The first requests of a revision bring its histogram's bounds.
        let before = base.latency.bounds.isEmpty ? self.bounds.map { _ in 0 } : base.latency.counts
        let answers = counters.latency.total - base.latency.total
        let slow = zip(counters.latency.counts, before).map { Int32(clamping: answers - ($0 - $1)) }
        let width = self.bounds.count + 1
        if self.errors.isEmpty {
            self.errors = Array(repeating: EventCounts(), count: Self.pieceCount)
            self.clientErrors = Array(repeating: 0, count: Self.pieceCount)
            self.slow = Array(repeating: 0, count: Self.pieceCount * width)
        }
        let place = self.pieceTotal % Self.pieceCount
        self.errors[place] = piece
        self.clientErrors[place] = Int32(clamping: counters.clientErrors - base.clientErrors)
        self.slow.replaceSubrange(place * width..<(place + 1) * width, with: slow + [Int32(clamping: answers)])
        self.pieceTotal += 1
        self.unreviewed += 1
    }

    private init(revision: Revision, base: Base?, latency: LatencyHistogram) {
        self.revision = revision
        self.base = base
        self.latency = latency
    }
}

extension StableHistory {
    /// The places of the rings that are filled, the oldest first.
    private var places: [Int] {
        let first = max(0, self.pieceTotal - Self.pieceCount)
        return (first..<self.pieceTotal).map { $0 % Self.pieceCount }
    }

    /// Its errors, in pieces of ``pieceLength``, oldest first.
    package var pieces: [EventCounts] { self.places.map { self.errors[$0] } }

    /// 4xx of all answers, in the pieces of ``pieces``.
    package var clientErrorPieces: [EventCounts] {
        self.places.map { place in
            let bad = Int64(self.clientErrors[place])
            return EventCounts(bad: bad, total: max(self.errors[place].total, bad))
        }
    }

    /// Slow answers of all, in the pieces of ``pieces``: those above the largest bound of the histogram that is at most
    /// `limit` milliseconds, as a latency gate counts them.
    ///
    /// - Returns: Nothing when no bound is that small.
    package func slowPieces(above limit: Double) -> [EventCounts]? {
        self.bounds.lastIndex { $0 <= limit }.map { self.slowPieces(ofBound: $0) }
    }

    private func slowPieces(ofBound index: Int) -> [EventCounts] {
        let width = self.bounds.count + 1
        return self.places.map { $0 * width }.map { start in
            EventCounts(bad: Int64(self.slow[start + index]), total: Int64(self.slow[start + width - 1]))
        }
    }

    /// The ranks of all its answers among themselves, in the pieces of ``pieces``.
    private var rankPieces: [MeanCounts] {
        let width = self.bounds.count + 1
        let pieces = self.places.map { $0 * width }.map { start in
            // As many as there are, and then those beyond one bound after the other.
            let beyond = [self.slow[start + width - 1]] + self.slow[start..<start + width - 1]
            let counts = zip(beyond, beyond.dropFirst() + [0]).map { Int64(max(0, $0 - $1)) }
            return BinCounts(bounds: self.bounds, counts: counts)
        }
        guard var all = pieces.first, !self.bounds.isEmpty else { return [] }
        for piece in pieces.dropFirst() { all += piece }
        let scores = RankScores(history: all)
        return pieces.map { scores.moments(of: $0) }
    }

    /// How its bad answers cluster, each kind by itself. Takes longer than a decision.
    package var bursts: BurstFactors {
        let pieces = self.pieces
        let slow = self.bounds.indices.compactMap { index in
            BurstFactor.known(self.slowPieces(ofBound: index)).map {
                BurstFactors.Slow(bound: self.bounds[index], factor: $0)
            }
        }
        return BurstFactors(
            errors: BurstFactor.known(pieces),
            clientErrors: BurstFactor.known(self.clientErrorPieces),
            slow: slow,
            ranks: BurstFactor.known(self.rankPieces),
            // A quiet night unlearns nothing.
            isComplete: pieces.count { $0.total > 0 } >= Self.pieceCount / 2 && pieces.count == Self.pieceCount
        )
    }

    /// What it has learnt, every ten minutes.
    package mutating func review() -> BurstFactors? {
        guard self.unreviewed >= Self.reviewInterval else { return nil }
        self.unreviewed = 0
        return self.bursts
    }

    /// In pieces.
    private static var reviewInterval: Int { 60 }
}
