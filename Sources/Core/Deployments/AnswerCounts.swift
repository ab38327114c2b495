/// What was found in comparing a canary's answers with stable's. It only grows, but for restarts of who compares.
package struct AnswerCounts: Hashable, Codable, Sendable {
    /// When they began: two with other beginnings say nothing about the time between.
    package var began: Timestamp
    package var compared: Int64
    /// Of those compared.
    package var differing: Int64
    /// Copies that nobody looked at, as too many were being compared.
    package var dropped: Int64
    /// Copies that one of the two revisions did not answer, or not within the limits.
    package var uncompared: Int64
    /// The newest differences, at most ``exampleLimit``, oldest first.
    package var examples: [AnswerDifference]
    /// Why the last copy that was not compared was not.
    package var problem: String?

    package init(
        began: Timestamp = Timestamp(milliseconds: 0),
        compared: Int64 = 0,
        differing: Int64 = 0,
        dropped: Int64 = 0,
        uncompared: Int64 = 0,
        examples: [AnswerDifference] = [],
        problem: String? = nil
    ) {
        self.began = began
        self.compared = compared
        self.differing = differing
        self.dropped = dropped
        self.uncompared = uncompared
        self.examples = examples
        self.problem = problem
    }

    package static let exampleLimit = 3
}

/// The first place where two answers to one request differ.
package struct AnswerDifference: Hashable, Codable, Sendable, CustomStringConvertible {
    package var place: String
    package var stable: String
    package var canary: String

    /// Keeps so much of each text: enough to see what differs, too little to keep users' data.
    package static let longestText = 80

    /// Control characters are replaced, and texts cut.
    package init(place: String, stable: String, canary: String) {
        self.place = Self.shown(place)
        self.stable = Self.shown(stable)
        self.canary = Self.shown(canary)
    }

    package var description: String { "\(self.place): stable \(self.stable), canary \(self.canary)" }

    private static func shown(_ text: String) -> String {
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard shown.count < Self.longestText else { return String(shown.dropLast()) + "…" }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                shown.append("\u{FFFD}")
            default: shown.append(scalar)
            }
        }
        return String(shown)
    }
}
