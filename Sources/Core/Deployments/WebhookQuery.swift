/// A service that says whether a step may pass.
package struct WebhookQuery: Hashable, Codable, Sendable {
    package var provider: String
    /// For one answer.
    package var timeout: Duration
    /// Until it is asked again while it waits or does not answer.
    package var interval: Duration

    package init(provider: String, timeout: Duration = .seconds(10), interval: Duration = .seconds(10)) {
        self.provider = provider
        self.timeout = timeout
        self.interval = interval
    }
}
