package import ControllerAPI

extension AvailableCommands.Choice {
    private var words: [Substring] { self.command.split(separator: " ") }

    /// What it asks of the controller; nothing for a command that only shows something.
    package var verb: OperatorRequest.Verb? {
        self.words.count > 1 ? OperatorRequest.Verb(rawValue: String(self.words[1])) : nil
    }

    /// `promote --full`
    package var isFull: Bool { self.words.contains("--full") }

    /// `rollback --to REV`
    package var takesRevision: Bool { self.words.contains("--to") }
}
