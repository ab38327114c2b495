import Reconciliation

extension PrometheusAnswer {
    /// More are a mistake: no histogram that people read has as many.
    private static var maxBuckets: Int { 128 }

    /// The one histogram of an instant query: a native one, or a series for each bound, cumulative.
    func buckets() throws(PrometheusFailure) -> HistogramAnswer {
        let series = try self.vector()
        guard !series.isEmpty else { return .none(.noData) }
        if series.contains(where: { $0.histogram != nil }) { return try Self.native(series) }
        let labels = series.map { $0.metric.filter { $0.key != "le" } }
        guard labels.allSatisfy({ $0 == labels[0] }) else { throw Self.several(labels) }
        guard series.count <= Self.maxBuckets else {
            throw .refused("the histogram has \(series.count) buckets, more than \(Self.maxBuckets)")
        }
        var buckets: [(bound: Double, count: Double)] = []
        // Of one evaluation; should they differ, the oldest is what all of them have reached.
        let times = series.compactMap { $0.value?.timestamp }
        for one in series {
            guard let point = one.value else {
                throw .unavailable("a series came without a value")
            }
            guard let text = one.metric["le"], let bound = Double(text), !bound.isNaN else {
                throw .refused("a series has no bound in its label `le`; aggregate with sum by (le)")
            }
            let count = try Self.number(point)
            guard count.isFinite else { return .none(.notANumber) }
            buckets.append((bound, count))
        }
        buckets.sort { $0.bound < $1.bound }
        guard Set(buckets.map(\.bound)).count == buckets.count else {
            throw .refused("two series have the same bound in their label `le`; aggregate with sum by (le)")
        }
        guard buckets.last?.bound == .infinity, buckets.count > 1, buckets[0].bound > -.infinity else {
            throw .refused("the histogram has no bucket with le=\"+Inf\", or no other")
        }
        guard let time = times.min() else { return .none(.noData) }
        return .buckets(bounds: buckets.dropLast().map(\.bound), counts: buckets.map(\.count), of: time)
    }
}
