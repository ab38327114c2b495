package import Deployments
package import Rollouts

/// A freeze that an operator asked for, beside the windows that git declares. It holds for whatever it selects, also
/// for what git brings later, and it ends.
package struct OperatorFreeze: Hashable, Codable, Sendable {
    /// From 1 on; never given twice.
    package var number: Int64
    /// Nothing is every namespace.
    package var namespace: String?
    /// All of these must be the deployment's.
    package var labels: [String: String]
    package var by: String
    package var why: String
    package var since: Timestamp
    package var until: Timestamp

    package init(
        number: Int64 = 0,
        namespace: String? = nil,
        labels: [String: String] = [:],
        by: String,
        why: String,
        since: Timestamp,
        until: Timestamp
    ) {
        self.number = number
        self.namespace = namespace
        self.labels = labels
        self.by = by
        self.why = why
        self.since = since
        self.until = until
    }

    package func selects(_ id: DeploymentID, labels: [String: String]) -> Bool {
        (self.namespace ?? id.namespace) == id.namespace && self.labels.allSatisfy { labels[$0.key] == $0.value }
    }

    /// Who and why, in a sentence: `3 by alice (quarter's end)`. No window of git has a blank in its name.
    package var window: FreezeWindow {
        // Every deployment's state carries it.
        let reason = self.why.count > Self.reasonLimit ? "\(self.why.prefix(Self.reasonLimit))…" : self.why
        // Not from `since` on: a clock that is set back must not open it.
        return FreezeWindow(
            name: "\(self.number) by \(self.by.prefix(Self.reasonLimit))\(reason.isEmpty ? "" : " (\(reason))")",
            schedule: .once(from: Timestamp(milliseconds: 0), until: self.until),
            namespaces: self.namespace.map { [$0] } ?? [],
            labels: self.labels
        )
    }

    private static let reasonLimit = 120

    /// The number of the freeze that a window stands for; nothing for one of git's.
    package static func number(ofWindow name: String) -> Int64? {
        let words = name.split(separator: " ", maxSplits: 2)
        return words.count == 3 && words[1] == "by" ? Int64(words[0]) : nil
    }

    /// `all deployments`, `namespace search`, `team=search in namespace search`.
    package var selection: String {
        let labels = self.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        guard let namespace = self.namespace else { return labels.isEmpty ? "all deployments" : labels }
        return labels.isEmpty ? "namespace \(namespace)" : "\(labels) in namespace \(namespace)"
    }
}

/// All freezes of operators, as they are kept over a restart.
package struct FreezeBook: Hashable, Codable, Sendable {
    /// The highest number that was given.
    package var last: Int64
    package var freezes: [OperatorFreeze]

    package init(last: Int64 = 0, freezes: [OperatorFreeze] = []) {
        self.last = last
        self.freezes = freezes
    }
}

/// Where the freezes of operators are kept.
package protocol FreezeStore: Sendable {
    func freezes() async throws(JournalError) -> FreezeBook

    /// Writes the whole book in place of the one before, or nothing of it.
    func keep(_ book: FreezeBook) async throws(JournalError)
}

/// What became of a freeze that was asked for, or of its end.
package struct FreezeReceipt: Hashable, Sendable {
    package var answer: CommandAnswer
    /// The one that begins or ends.
    package var freeze: OperatorFreeze?

    package init(_ answer: CommandAnswer, _ freeze: OperatorFreeze? = nil) {
        self.answer = answer
        self.freeze = freeze
    }
}
