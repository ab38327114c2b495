package import Deployments

/// A histogram with the count of each bin by itself, the last one without an upper bound.
package struct BinCounts: Hashable, Codable, Sendable {
    /// Upper bounds of all bins but the last, ascending.
    package var bounds: [Double]
    /// One more than there are bounds.
    package var counts: [Int64]

    package init(bounds: [Double], counts: [Int64]) {
        precondition(counts.count == bounds.count + 1, "\(bounds.count) bounds, \(counts.count) bins")
        self.bounds = bounds
        self.counts = counts
    }

    package init(_ histogram: LatencyHistogram) {
        self.bounds = histogram.bounds
        var before: Int64 = 0
        self.counts = histogram.counts.map { count in
            defer { before = count }
            return count - before
        }
        self.counts.append(histogram.total - before)
    }

    package var total: Int64 { self.counts.reduce(0, +) }

    /// How many lie beyond the bound with this index.
    func beyond(_ bound: Int) -> Int64 { self.counts.suffix(from: bound + 1).reduce(0, +) }

    /// What was counted between two readings of growing counters.
    ///
    /// - Returns: Nothing when a count fell or the bounds changed: something was reset between.
    package func since(_ earlier: BinCounts) -> BinCounts? {
        guard self.bounds == earlier.bounds, zip(self.counts, earlier.counts).allSatisfy({ $0 >= $1 }) else {
            return nil
        }
        return BinCounts(bounds: self.bounds, counts: zip(self.counts, earlier.counts).map { $0 - $1 })
    }

    package static func += (left: inout BinCounts, right: BinCounts) {
        precondition(left.bounds == right.bounds, "histograms of different bounds")
        for index in left.counts.indices { left.counts[index] += right.counts[index] }
    }
}
