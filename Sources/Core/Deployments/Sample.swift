/// Counters of every revision of one deployment, read at one instant in one snapshot of the router's statistics.
package struct Sample: Hashable, Codable, Sendable {
    package var time: Timestamp
    package var tracks: [Revision: TrackCounters]

    package init(time: Timestamp, tracks: [Revision: TrackCounters]) {
        self.time = time
        self.tracks = tracks
    }
}

/// What the router has counted for one revision since its cluster was created. All only grow, but for resets.
package struct TrackCounters: Hashable, Codable, Sendable {
    /// Requests that were answered or failed, retries not counted.
    package var requests: Int64
    /// Answers 5xx, resets and timeouts.
    package var serverErrors: Int64
    /// Answers 4xx.
    package var clientErrors: Int64
    package var latency: LatencyHistogram

    package init(
        requests: Int64 = 0,
        serverErrors: Int64 = 0,
        clientErrors: Int64 = 0,
        latency: LatencyHistogram = LatencyHistogram()
    ) {
        self.requests = requests
        self.serverErrors = serverErrors
        self.clientErrors = clientErrors
        self.latency = latency
    }
}

/// Cumulative counts of answers by their time.
package struct LatencyHistogram: Hashable, Codable, Sendable {
    /// Upper bounds in milliseconds, ascending; what exceeds the last is only in `total`.
    package var bounds: [Double]
    /// `counts[i]` answers took at most `bounds[i]`; never decreasing.
    package var counts: [Int64]
    package var total: Int64

    package init(bounds: [Double] = [], counts: [Int64] = [], total: Int64 = 0) {
        precondition(bounds.count == counts.count, "\(bounds.count) bounds, \(counts.count) counts")
        self.bounds = bounds
        self.counts = counts
        self.total = total
    }

    /// How many answers took longer than the largest bound that is at most `limit` milliseconds.
    ///
    /// - Returns: Nothing when no bound is that small.
    package func slower(than limit: Double) -> Int64? {
        guard let index = self.bounds.lastIndex(where: { $0 <= limit }) else { return nil }
        return self.total - self.counts[index]
    }

    /// The smallest bound that at most `share` (0 to 1) of the answers exceeded.
    ///
    /// - Returns: Nothing without answers, or when more than that share exceeded every bound.
    package func bound(exceededByAtMost share: Double) -> Double? {
        guard self.total > 0 else { return nil }
        return zip(self.bounds, self.counts).first {
            Double(self.total - $0.1) <= share * Double(self.total)
        }?.0
    }
}
