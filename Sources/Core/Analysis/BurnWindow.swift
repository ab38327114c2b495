import Deployments

/// Counts of the last hours in a ring of 60 buckets, for one burn rule.
///
/// The state is bounded: 60 pairs of numbers, however often it is fed.
struct BurnWindow: Hashable, Codable, Sendable {
    let rule: BurnRule
    private let since: Timestamp
    /// The number of the last bucket, counted from `since`.
    private var newest: Int64 = 0
    /// Oldest first; the last is `newest`.
    private var bad: [Int64] = [0]
    private var total: [Int64] = [0]

    static let bucketCount = 60

    init(rule: BurnRule, since: Timestamp) {
        self.rule = rule
        self.since = since
    }

    private var width: Int64 { max(1, self.rule.longWindow.wholeMilliseconds / Int64(Self.bucketCount)) }

    private func bucket(of time: Timestamp) -> Int64 {
        max(0, (time.milliseconds - self.since.milliseconds) / self.width)
    }

    mutating func add(_ counts: EventCounts, at time: Timestamp) {
        let bucket = max(self.newest, self.bucket(of: time))
        let skipped = Int(min(bucket - self.newest, Int64(Self.bucketCount)))
        self.bad = (self.bad + Array(repeating: 0, count: skipped)).suffix(Self.bucketCount)
        self.total = (self.total + Array(repeating: 0, count: skipped)).suffix(Self.bucketCount)
        self.newest = bucket
        self.bad[self.bad.count - 1] += counts.bad
        self.total[self.total.count - 1] += counts.total
    }

    /// The long window: as much of it as has passed since the watch began.
    func long(at now: Timestamp) -> EventCounts {
        self.counts(of: Self.bucketCount, at: now)
    }

    /// The short window, which shrinks with the long one: while only a part of the long window has passed, it is the
    /// same part of itself. In whole buckets, at least the current one.
    func short(at now: Timestamp) -> EventCounts {
        let elapsed = min(self.rule.longWindow.wholeMilliseconds, max(0, (now - self.since).wholeMilliseconds))
        let ratio = Double(self.rule.shortWindow.wholeMilliseconds) / Double(self.rule.longWindow.wholeMilliseconds)
        let buckets = (Double(elapsed) * ratio / Double(self.width)).rounded(.up)
        return self.counts(of: max(1, Int(buckets)), at: now)
    }

    /// The sum of the last `count` buckets before and at `now`.
    private func counts(of count: Int, at now: Timestamp) -> EventCounts {
        let missing = Int(min(max(0, self.bucket(of: now) - self.newest), Int64(Self.bucketCount)))
        let kept = max(0, count - missing)
        return EventCounts(bad: self.bad.suffix(kept).reduce(0, +), total: self.total.suffix(kept).reduce(0, +))
    }
}
