/// What was told, after they were answered, about requests to two revisions. It only grows, but for restarts of who
/// counts.
package struct LabelCounts: Hashable, Codable, Sendable {
    /// When it began to be counted: all that is in counts with another beginning was told since then.
    package var began: Timestamp
    /// In their order.
    package var splits: [Split]

    /// Of the requests of one split.
    package struct Split: Hashable, Codable, Sendable {
        package var split: TrafficSplit
        /// As the gate's kind of label says; none is an empty list.
        package var canary: [Double]
        package var stable: [Double]

        package init(_ split: TrafficSplit, canary: [Double], stable: [Double]) {
            self.split = split
            self.canary = canary
            self.stable = stable
        }
    }

    package init(began: Timestamp, splits: [Split] = []) {
        self.began = began
        self.splits = splits
    }
}

/// Which labels a gate is made of.
package enum LabelKind: String, Hashable, Codable, Sendable {
    /// Whether the answer was right. Counted are wrong ones, and all.
    case correctness
    /// How good or bad it was, from 0 to 1. Counted are labels, their sum and the sum of their squares.
    case value
}

extension Gate.Kind {
    /// The provider that is no service, but what the controller itself is told.
    package static let feedback = "feedback"

    /// Nothing for gates that are not made of labels.
    package var labels: LabelKind? {
        switch self {
        case .ratio(let query): query.provider == Self.feedback ? .correctness : nil
        case .mean(let query): query.provider == Self.feedback ? .value : nil
        default: nil
        }
    }
}
