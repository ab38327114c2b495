/// A cumulative histogram that names only the edges of buckets that hold something, as Prometheus' native ones do.
///
/// Their buckets lie on a grid, of which two histograms show different parts. Where nothing lies between two edges the
/// count at any bound between is known exactly, so both can be counted by the same bounds.
struct SparseHistogram {
    /// Ascending.
    private let edges: [Double]
    /// How many are at most each edge, never decreasing.
    private let counts: [Double]
    /// Of all, those that are no number included.
    private let total: Double

    /// - Returns: Nothing when the reading is no histogram.
    init?(_ reading: TrackReading) {
        guard let edges = reading.bounds, reading.values.count == edges.count + 1, let total = reading.values.last,
            edges.allSatisfy(\.isFinite), zip(edges, edges.dropFirst()).allSatisfy(<),
            zip(reading.values, reading.values.dropFirst()).allSatisfy(<=)
        else { return nil }
        self.edges = edges
        self.counts = reading.values.dropLast()
        self.total = total
    }

    /// The edges next to the tenths of what was counted, by which stability indices are taken by custom, and the
    /// outermost two: what lies beyond them is new.
    ///
    /// - Returns: Nothing when nothing was counted between two edges.
    var tenths: [Double]? {
        guard let first = self.edges.first, let last = self.edges.last, let counted = self.counts.last,
            let least = self.counts.first, counted > 0, first < last
        else { return nil }
        var bounds = [first]
        for tenth in 1...9 {
            let wanted = least + (counted - least) * Double(tenth) / 10
            guard let index = self.counts.firstIndex(where: { $0 >= wanted }) else { continue }
            if self.edges[index] > bounds[bounds.count - 1] { bounds.append(self.edges[index]) }
        }
        if last > bounds[bounds.count - 1] { bounds.append(last) }
        return bounds
    }

    /// - Parameter bounds: Ascending.
    /// - Returns: How many are at most each bound, and of all; nothing when a bound cuts a bucket in two.
    func counts(by bounds: [Double]) -> [Double]? {
        var values: [Double] = []
        for bound in bounds {
            let next = self.edges.firstIndex { $0 > bound } ?? self.edges.count
            let value = next == 0 ? 0 : self.counts[next - 1]
            // Right on an edge nothing is cut.
            let isEdge = next > 0 && self.edges[next - 1] == bound
            guard isEdge || next == self.edges.count || self.counts[next] == value else { return nil }
            values.append(value)
        }
        return values + [self.total]
    }
}
