package import Deployments

/// Walks a chain of entries, oldest first, and finds the first that is broken. What it holds does not grow.
package struct AuditCheck: Hashable, Sendable {
    /// The last entry that was found to be whole, or where the walk began.
    package private(set) var head: AuditPlace
    package private(set) var count = 0
    /// Of the first and the last entry that were found to be whole.
    package private(set) var oldest: Timestamp?
    package private(set) var newest: Timestamp?
    /// What somebody noted elsewhere.
    private let expected: AuditPlace?

    /// - Parameters:
    ///   - place: After which the first entry is to come.
    ///   - expected: An entry that was noted, to be compared when the walk comes by.
    package init(after place: AuditPlace = .beginning, expected: AuditPlace? = nil) {
        self.head = place
        self.expected = expected
    }

    /// - Returns: What is broken; the walk ends there.
    package mutating func take(_ entry: AuditEntry) -> AuditFinding? {
        let due = self.head.number + 1
        if entry.number > due {
            return AuditFinding(.missing, number: due, "\(Self.entries(due, entry.number - 1)) missing")
        }
        if entry.number < due {
            return AuditFinding(.order, number: entry.number, "entry \(entry.number) stands where \(due) belongs")
        }
        let followsOn = entry.previous == self.head.hash
        guard entry.hash == entry.expectedHash else {
            return followsOn
                ? AuditFinding(
                    .changed,
                    number: due,
                    "entry \(due) is not as it was written: something in it was changed"
                )
                : AuditFinding(
                    .order,
                    number: due,
                    "entry \(due) is not the one that was written there: it was changed, inserted, or moved from "
                        + "another place"
                )
        }
        guard followsOn else {
            let before = self.head.number
            return AuditFinding(
                .replaced,
                number: max(before, 1),
                before == 0
                    ? "entry 1 follows on another that is not there: the beginning was cut off"
                    : "entry \(before) is not the one that entry \(due) follows on: it was rewritten together with its "
                        + "hash"
            )
        }
        if let expected = self.expected, expected.number == entry.number, expected.hash != entry.hash {
            return AuditFinding(
                .unexpected,
                number: entry.number,
                "entry \(entry.number) is not the one that was noted: the chain was written anew, at this entry or "
                    + "before it"
            )
        }
        self.head = entry.place
        self.count += 1
        let time = Timestamp(milliseconds: entry.time)
        if self.oldest == nil { self.oldest = time }
        self.newest = time
        return nil
    }

    /// What is missing after the last entry, `given` being the highest number that was ever given.
    package func finish(given: Int64) -> AuditFinding? {
        let end = self.head.number
        let known = max(given, self.expected?.number ?? 0)
        guard known > end else { return nil }
        return AuditFinding(
            .cutOff,
            number: end + 1,
            "the end was cut off: \(Self.entries(end + 1, known)) missing"
        )
    }

    static func entries(_ first: Int64, _ last: Int64) -> String {
        first == last ? "entry \(first) is" : "entries \(first) to \(last) are"
    }
}

/// The first entry that is broken, and how.
package struct AuditFinding: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable {
        case changed, missing, order, replaced, cutOff = "cut-off", unexpected
        /// What was removed from the front is not what the chain says of it.
        case front
    }

    package var kind: Kind
    package var number: Int64
    package var message: String

    package init(_ kind: Kind, number: Int64, _ message: String) {
        self.kind = kind
        self.number = number
        self.message = message
    }

    package var description: String { self.message }
}
