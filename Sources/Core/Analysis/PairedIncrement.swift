/// What canary and stable counted between two polls, both read in one snapshot: the unit of evidence.
///
/// Counts are `Double`, because sums of values in [0, 1] are as valid as counts of bad requests.
package struct PairedIncrement: Hashable, Sendable {
    package var canaryTotal: Double
    package var canaryBad: Double
    package var stableTotal: Double
    package var stableBad: Double

    package init(canaryTotal: Double, canaryBad: Double, stableTotal: Double, stableBad: Double) {
        self.canaryTotal = canaryTotal
        self.canaryBad = canaryBad
        self.stableTotal = stableTotal
        self.stableBad = stableBad
    }

    package init(canary: EventCounts, stable: EventCounts) {
        self.init(
            canaryTotal: Double(canary.total),
            canaryBad: Double(canary.bad),
            stableTotal: Double(stable.total),
            stableBad: Double(stable.bad)
        )
    }
}
