/// What became of a part of the input that has no exact counterpart in our manifests.
package struct ImportFinding: Encodable, Hashable, Sendable {
    package enum Outcome: String, Encodable, CaseIterable, Sendable {
        /// The input cannot be read from here on.
        case error
        /// Our reader does not accept what came out.
        case refused
        /// It has no place in a manifest.
        case lost
        /// A person must fill in what stands there instead.
        case decide
        /// Our reader accepts what came out, and warns.
        case warning
        /// It became something of the same intent.
        case chosen
    }

    package var outcome: Outcome
    package var path: String
    /// From 1; 0 when the whole file is meant.
    package var line: Int
    package var column: Int
    /// `spec.strategy.canary.steps[0].setWeight`; empty for the document itself.
    package var field: String
    /// What became of it, and what to do instead.
    package var message: String

    /// `rollout.yaml:12:5: lost: spec.minReadySeconds: …`, as compilers print it and editors read it.
    var text: StyledText {
        let style: StyledText.Style =
            switch self.outcome {
            case .error, .refused: .red
            case .lost, .decide, .warning: .yellow
            case .chosen: .cyan
            }
        let place = self.line > 0 ? ":\(self.line):\(self.column)" : ""
        let field = self.field.isEmpty ? "" : "\(self.field): "
        return StyledText("\(self.path)\(place): ", .bold) + StyledText("\(self.outcome.rawValue): ", style)
            + StyledText("\(field)\(self.message)")
    }
}
