/// Two counters of a metric provider, for the canary and for stable: how many were bad, of how many.
package struct RatioQuery: Hashable, Codable, Sendable {
    package var provider: String
    /// In the provider's own language, as ``total``. `${revision}` is the canary's in one question and stable's in
    /// another; `${deployment}` and `${namespace}` are substituted as well.
    package var bad: String
    package var total: String
    /// How many times stable's share of bad ones the canary may have before that is a breach.
    package var maximumRatio: Double
    /// What it may have on top, as a share: 0.001 is one in a thousand.
    package var maximumDifference: Double
    package var interval: Duration

    package init(
        provider: String,
        bad: String,
        total: String,
        maximumRatio: Double = 1.1,
        maximumDifference: Double = 0,
        interval: Duration = .seconds(10)
    ) {
        self.provider = provider
        self.bad = bad
        self.total = total
        self.maximumRatio = maximumRatio
        self.maximumDifference = maximumDifference
        self.interval = interval
    }
}
