import Deployments

/// Turns readings of growing counters into increments, and lets nothing else through.
///
/// No increment comes of a reading that is not a number, of one whose times are those of the last, of one from before a
/// change of the weights, and of one in which a counter fell: something was reset between. A counter that fell because
/// a target went missing from a sum comes back with all that the target ever counted, which must not be counted twice.
/// So what a counter fell from is remembered, and the poll in which it gets past that is dropped as well.
struct CounterLedger: Hashable, Codable, Sendable {
    private var canary: Track?
    private var stable: Track?
    /// Whether increments may be counted from the last readings.
    private var isBase = false
    private var notBefore: Timestamp?
    /// Polls that gave no increment because of what was in them.
    private(set) var dropped = 0

    fileprivate struct Track: Hashable, Codable, Sendable {
        var reading: TrackReading
        /// For each counter, what it fell from and has not reached again.
        var marks: [[Double]]
    }

    /// What both tracks counted between two polls, in the order of the gate's queries.
    struct Increment {
        var canary: [Double]
        var stable: [Double]
        var seconds: Double
    }

    /// Above it a `Double` no longer counts by one.
    private static let largest = 9_007_199_254_740_992.0
    /// More falls than that at once are a counter that only oscillates.
    private static let markLimit = 8

    /// Nothing is counted that was true before `time`.
    mutating func rebase(notBefore time: Timestamp) {
        self.isBase = false
        self.notBefore = max(self.notBefore ?? time, time)
    }

    mutating func add(canary: TrackReading, stable: TrackReading) -> Increment? {
        if let notBefore, (canary.times + stable.times).contains(where: { $0 < notBefore }) { return nil }
        guard Self.isCount(canary), Self.isCount(stable) else {
            self.dropped += 1
            return nil
        }
        guard let last = self.canary, let lastStable = self.stable, last.reading.hasForm(of: canary),
            lastStable.reading.hasForm(of: stable)
        else {
            self.canary = Track(reading: canary, marks: canary.values.map { _ in [] })
            self.stable = Track(reading: stable, marks: stable.values.map { _ in [] })
            self.isBase = true
            return nil
        }
        let (times, before) = (canary.times + stable.times, last.reading.times + lastStable.reading.times)
        if times == before && self.isBase || zip(times, before).contains(where: { $0 < $1 }) { return nil }
        // Both, whatever the first says: each keeps its own marks.
        let isGrowth = self.canary?.advance(to: canary, limit: Self.markLimit) ?? false
        let isStableGrowth = self.stable?.advance(to: stable, limit: Self.markLimit) ?? false
        let wasBase = self.isBase
        self.isBase = true
        guard isGrowth, isStableGrowth else {
            self.dropped += 1
            return nil
        }
        guard wasBase else { return nil }
        return Increment(
            canary: zip(canary.values, last.reading.values).map { $0 - $1 },
            stable: zip(stable.values, lastStable.reading.values).map { $0 - $1 },
            seconds: zip(canary.times, last.reading.times).map { ($0 - $1).inSeconds }.max() ?? 0
        )
    }

    private static func isCount(_ reading: TrackReading) -> Bool {
        !reading.values.isEmpty && !reading.times.isEmpty
            && reading.values.allSatisfy { $0 >= 0 && $0 <= Self.largest }
    }
}

extension CounterLedger.Track {
    /// - Returns: Whether all that lies between is growth.
    fileprivate mutating func advance(to reading: TrackReading, limit: Int) -> Bool {
        var isGrowth = true
        for (index, value) in reading.values.enumerated() {
            let before = self.reading.values[index]
            if value < before {
                isGrowth = false
                self.marks[index] = Array((self.marks[index] + [before]).suffix(limit))
            }
            let passed = self.marks[index].filter { $0 > before && $0 <= value }
            if !passed.isEmpty { isGrowth = false }
            self.marks[index].removeAll { $0 <= value }
        }
        self.reading = reading
        return isGrowth
    }
}

extension TrackReading {
    func hasForm(of other: TrackReading) -> Bool {
        self.values.count == other.values.count && self.times.count == other.times.count && self.bounds == other.bounds
    }
}
