package import Foundation

/// What came to a repository's webhook since the controller started.
package struct WebhookStatus: Codable, Hashable, Sendable {
    package var lastDelivered: Date?
    package var lastRefused: Date?
    /// Why the last one that was refused was.
    package var refusal: String?

    package init(lastDelivered: Date? = nil, lastRefused: Date? = nil, refusal: String? = nil) {
        self.lastDelivered = lastDelivered
        self.lastRefused = lastRefused
        self.refusal = refusal
    }
}
