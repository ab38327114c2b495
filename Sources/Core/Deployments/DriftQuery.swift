/// A histogram of a metric provider, for the canary and for stable.
package struct DriftQuery: Hashable, Codable, Sendable {
    package var provider: String
    /// In the provider's own language; variables as in ``RatioQuery``.
    package var query: String
    /// The population stability index from which a difference matters.
    package var tolerance: Double
    package var interval: Duration

    package init(provider: String, query: String, tolerance: Double = 0.05, interval: Duration = .seconds(10)) {
        self.provider = provider
        self.query = query
        self.tolerance = tolerance
        self.interval = interval
    }
}
