package import Deployments
import Synchronization

/// How it goes with one receiver of notifications.
package struct ReceiverState: Hashable, Sendable {
    package var name: String
    /// Events that are not delivered yet; of alerts, those that could not be shown.
    package var waiting = 0
    package var delivered = 0
    /// Given up, as the receiver will not take them.
    package var refused = 0
    /// Dropped, as too much waited for too long.
    package var leftOut = 0
    /// Why the last try failed; nothing when it did not.
    package var problem: String?
    package var problemSince: Timestamp?
    /// When something was last delivered since the start.
    package var lastDelivered: Timestamp?

    package init(name: String) { self.name = name }

    mutating func note(problem: String, at now: Timestamp) {
        if self.problem == nil { self.problemSince = now }
        self.problem = problem
    }

    mutating func note(delivered count: Int, at now: Timestamp) {
        self.delivered += count
        self.lastDelivered = now
        self.problem = nil
        self.problemSince = nil
    }
}

/// The account of a receiver of alerts: what shows them writes it, readers read it.
final class ReceiverAccount: Sendable {
    private let state: Mutex<ReceiverState>

    init(name: String) { self.state = Mutex(ReceiverState(name: name)) }

    var current: ReceiverState { self.state.withLock { $0 } }

    func update(_ change: (inout ReceiverState) -> Void) {
        self.state.withLock { change(&$0) }
    }
}
