/// Names one answered request, and says who answered it and how requests were split then: `x-feedback-id`.
///
/// The router makes it anew for each answer, so that a client can choose neither of them, nor the name. It is no proof:
/// whoever may tell labels may make ids up.
package struct FeedbackID: Hashable, Sendable, CustomStringConvertible {
    /// In lower case, as HTTP compares names without regard to it.
    package static let header = "x-feedback-id"
    package static let longest = 128

    /// ``Revision/short`` of who answered.
    package let revision: String
    package let split: TrafficSplit
    /// What no other answer has.
    package let unique: String

    /// - Returns: Nothing when the text is not of that form.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.longest else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, (1...10).contains(parts[0].utf8.count), parts[0].utf8.allSatisfy(\.isLowerHexadecimal),
            let split = TrafficSplit(parts[1]), !parts[2].isEmpty,
            parts[2].utf8.allSatisfy({ $0.isLowerHexadecimal || $0 == UInt8(ascii: "-") })
        else { return nil }
        self.revision = String(parts[0])
        self.split = split
        self.unique = String(parts[2])
    }

    /// All but what is unique.
    package static func prefix(_ revision: Revision, _ split: TrafficSplit) -> String {
        "\(revision.short).\(split)."
    }

    package var description: String { "\(self.revision).\(self.split).\(self.unique)" }
}
