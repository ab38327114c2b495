/// A small bar of evidence: empty is none, full is decided.
package enum Meter {
    private static let cells = 10

    /// `██████░░░░ 60 %`, or `██████████ decided`.
    ///
    /// Never full before the decision: 99.9 percent of the evidence still decides nothing.
    package static func render(_ evidence: Double, style: StyledText.Style) -> StyledText {
        // An answer that is no number draws nothing rather than something wrong.
        guard evidence.isFinite else { return StyledText("unknown", .dim) }
        if evidence >= 1 { return StyledText(String(repeating: "█", count: Self.cells) + " decided", style) }
        let share = max(0, evidence)
        let filled = min(Self.cells - 1, Int((share * Double(Self.cells)).rounded()))
        let percent = min(99, Int((share * 100).rounded()))
        return StyledText(String(repeating: "█", count: filled), style)
            + StyledText(String(repeating: "░", count: Self.cells - filled), .dim) + StyledText(" \(percent) %")
    }
}
