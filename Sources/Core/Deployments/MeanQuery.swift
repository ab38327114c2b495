/// Three counters of a metric provider, for the canary and for stable, of a value from 0 to 1: a quality score, a loss.
package struct MeanQuery: Hashable, Codable, Sendable {
    package var provider: String
    /// In the provider's own language, as ``sum`` and ``sumOfSquares``; variables as in ``RatioQuery``.
    package var count: String
    package var sum: String
    package var sumOfSquares: String
    /// How much worse than stable's the canary's mean may be, in the value's own unit.
    package var margin: Double
    package var worse: Direction
    package var interval: Duration

    package enum Direction: String, Hashable, Codable, Sendable, CaseIterable {
        /// The value is a loss.
        case higher
        /// The value is a score.
        case lower
    }

    package init(
        provider: String,
        count: String,
        sum: String,
        sumOfSquares: String,
        margin: Double = 0.01,
        worse: Direction,
        interval: Duration = .seconds(10)
    ) {
        self.provider = provider
        self.count = count
        self.sum = sum
        self.sumOfSquares = sumOfSquares
        self.margin = margin
        self.worse = worse
        self.interval = interval
    }
}
