import Deployments

/// Turns counts of labels into what was told since the poll before.
///
/// Unlike counters of a provider these are read in one instant, and requests of one split may be compared whenever
/// their labels come. So no poll is dropped at a change of the weights, and what was told while nobody asked is not
/// lost.
struct LabelLedger: Hashable, Codable, Sendable {
    private var last: LabelCounts?
    private var time: Timestamp?

    struct Poll {
        var groups: [LabelIncrement]
        /// Since the poll before.
        var seconds: Double
    }

    /// - Parameters:
    ///   - counts: What was told so far.
    ///   - width: How many numbers a revision has.
    ///   - time: When it was asked.
    /// - Returns: Nothing at the first poll, from which the others count.
    mutating func add(_ counts: LabelCounts, width: Int, at time: Timestamp) -> Poll? {
        defer { (self.last, self.time) = (counts, time) }
        guard let last = self.last, let before = self.time else { return nil }
        let groups = counts.splits.compactMap { split -> LabelIncrement? in
            // With another beginning, all that there is was told since the last poll.
            let known = last.began == counts.began ? last.splits.first { $0.split == split.split } : nil
            guard let canary = Self.growth(of: split.canary, since: known?.canary ?? [], width),
                let stable = Self.growth(of: split.stable, since: known?.stable ?? [], width)
            else { return nil }
            return LabelIncrement(split: split.split, canary: canary, stable: stable)
        }
        return Poll(groups: groups, seconds: (time - before).inSeconds)
    }

    /// - Returns: Nothing when that is no growth.
    private static func growth(of values: [Double], since before: [Double], _ width: Int) -> [Double]? {
        let none = Array(repeating: 0.0, count: width)
        let (values, before) = (values.isEmpty ? none : values, before.isEmpty ? none : before)
        guard values.count == width, before.count == width else { return nil }
        let growth = zip(values, before).map { $0 - $1 }
        return growth.allSatisfy { $0 >= 0 && $0.isFinite } ? growth : nil
    }
}

/// What was told between two polls about requests of one split.
struct LabelIncrement {
    var split: TrafficSplit
    var canary: [Double]
    var stable: [Double]

    /// How many the canary got: wrong ones and all are counted for some, and all and two sums for others.
    var labels: Double { self.canary.count == LabelKind.correctness.width ? self.canary[1] : self.canary[0] }
}

extension LabelKind {
    /// How many numbers are counted for a revision.
    var width: Int {
        switch self {
        case .correctness: 2
        case .value: 3
        }
    }
}
