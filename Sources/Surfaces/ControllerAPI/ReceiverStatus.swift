package import Foundation

/// That a receiver of notifications is to be tried.
package struct ReceiverTest: Codable, Hashable, Sendable {
    /// Who asks, as ``OperatorRequest/by``.
    package var by: String

    package init(by: String = "") { self.by = by }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.by = try container.decodeIfPresent(String.self, forKey: .by) ?? ""
    }
}

/// How it goes with one receiver of notifications, since the controller started.
package struct ReceiverStatus: Codable, Hashable, Sendable {
    package var name: String
    /// Events that are not delivered yet.
    package var waiting: Int
    package var delivered: Int
    /// Given up, as the receiver refused them.
    package var refused: Int
    /// Dropped, as too much waited for too long.
    package var leftOut: Int
    /// Why the last try failed; nothing when it did not.
    package var problem: String?
    package var problemSince: Date?
    package var lastDelivered: Date?

    package init(
        name: String,
        waiting: Int,
        delivered: Int,
        refused: Int,
        leftOut: Int,
        problem: String? = nil,
        problemSince: Date? = nil,
        lastDelivered: Date? = nil
    ) {
        self.name = name
        self.waiting = waiting
        self.delivered = delivered
        self.refused = refused
        self.leftOut = leftOut
        self.problem = problem
        self.problemSince = problemSince
        self.lastDelivered = lastDelivered
    }

    /// What people should know: that it is not told, and why; nothing when all is well.
    package var trouble: String? {
        guard let problem = self.problem else { return nil }
        let counts = [(self.waiting, "waiting"), (self.refused, "refused"), (self.leftOut, "left out")]
        let words = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        return "\(problem)\(words.isEmpty ? "" : " (\(words))")"
    }
}
