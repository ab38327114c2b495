/// How strongly failures cluster, from a stable revision's own past.
///
/// Model servers fail in bursts (a full queue, a garbage collection, a lost connection): several requests at once by
/// one cause. Counting those as independent would roll back healthy canaries. The factor φ is an estimate, not a
/// guarantee: the tests' guarantee holds if no more than φ requests depend on each other.
package enum BurstFactor {
    /// Over disjoint successive pairs, D = (x₁/n₁ − x₂/n₂)² / [p(1−p)(1/n₁ + 1/n₂)] has mean 1 for independent ones.
    /// The largest 5 percent are dropped (an incident is no burst), which leaves a mean of 0.7587; 1.25 is a margin.
    ///
    /// - Parameter history: Counts of successive polls of one length, oldest first.
    /// - Returns: φ; 1 when failures look independent or there is too little to tell.
    package static func estimate(_ history: [EventCounts]) -> Double { Self.known(history) ?? 1 }

    /// The same.
    ///
    /// - Returns: Nothing when there is too little to tell.
    package static func known(_ history: [EventCounts]) -> Double? {
        Self.known(
            history.map { MeanCounts(count: Double($0.total), sum: Double($0.bad), sumOfSquares: Double($0.bad)) }
        )
    }

    /// The same of the means of any value: a share is one of zeros and ones.
    package static func known(_ history: [MeanCounts]) -> Double? {
        var dispersions: [Double] = []
        for index in stride(from: 0, to: history.count - 1, by: 2) {
            let (first, second) = (history[index], history[index + 1])
            var both = first
            both += second
            guard let mean = both.mean, let one = first.mean, let two = second.mean else { continue }
            // Values that are all the same tell nothing, but for what the sums were rounded by.
            let scatter = both.sumOfSquares / both.count - mean * mean
            guard scatter > 1e-12 else { continue }
            dispersions.append((one - two) * (one - two) / (scatter * (1 / first.count + 1 / second.count)))
        }
        guard dispersions.count >= 10 else { return nil }
        let dropped = (Double(dispersions.count) * 0.05).rounded(.up)
        let kept = dispersions.sorted().dropLast(Int(dropped))
        let factor = kept.reduce(0, +) / Double(kept.count) / 0.7587
        return factor > 1.35 ? 1.25 * factor : 1
    }
}
