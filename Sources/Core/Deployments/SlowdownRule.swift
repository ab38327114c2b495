/// How much slower than stable a canary may answer, whatever an objective says of its tail.
package struct SlowdownRule: Hashable, Codable, Sendable {
    /// Of random pairs of one answer of either revision, the share in which the canary's may be the slower one; a tie
    /// is half a pair. Above 0.5 and below 1.
    package var maximumPairs: Double
    /// How many times stable's the canary's answer times may be at each of some quantiles, at least 1; nothing when
    /// the pairs alone count.
    package var maximumRatio: Double?

    package init(maximumPairs: Double = SlowdownRule.defaultPairs, maximumRatio: Double? = nil) {
        self.maximumPairs = maximumPairs
        self.maximumRatio = maximumRatio
    }

    /// Two replicas of one model differ by less, as the router's buckets tell answer times apart; one that is 5 to 10
    /// percent slower throughout mostly does not.
    package static let defaultPairs = 0.52
}
