/// Two bounds of a histogram by which answer times are compared: as many of the canary's may lie beyond one of them as
/// of stable's beyond the other.
struct BoundPair: Hashable, Codable, Sendable {
    /// Indices of bounds.
    var stable: Int
    var canary: Int

    /// Nothing when no bound is that large.
    ///
    /// - Parameters:
    ///   - index: Of a bound, for stable.
    ///   - bounds: Ascending, in any unit.
    ///   - factor: How many times as slow the canary may be, at least 1.
    init?(ofStable index: Int, among bounds: [Double], factor: Double) {
        guard let canary = bounds.firstIndex(where: { $0 >= factor * bounds[index] }) else { return nil }
        (self.stable, self.canary) = (index, canary)
    }

    /// How many lie beyond, for ``AffineTest``.
    func increment(canary: BinCounts, stable: BinCounts) -> PairedIncrement {
        PairedIncrement(
            canaryTotal: Double(canary.total),
            canaryBad: Double(canary.beyond(self.canary)),
            stableTotal: Double(stable.total),
            stableBad: Double(stable.beyond(self.stable))
        )
    }
}
