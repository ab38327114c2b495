import Deployments

/// How long decisions are kept, and how much room they may take.
///
/// Whole chapters go, the oldest first, so that what is left can be replayed. The newest chapter of each deployment
/// that exists stays, however old.
package struct DecisionRetention: Hashable, Sendable {
    /// From a chapter's last decision.
    package var keep: Duration
    /// Bytes of all decisions, compressed as they are.
    package var maxSize: Int64

    /// A month, as incidents are looked into the week after; and room for some millions of decisions.
    package init(keep: Duration = .hours(30 * 24), maxSize: Int64 = 1 << 30) {
        self.keep = keep
        self.maxSize = maxSize
    }

    /// Chapters that one write may remove: more than it can add, so that the limits are met in time, and few enough
    /// that no decision waits for it.
    static let batch = 8
}
