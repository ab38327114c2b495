package import ControllerWords

extension Explanation {
    package func lines(width: Int) -> [StyledText] {
        var lines: [StyledText] = []
        for paragraph in self.paragraphs {
            lines += [StyledText(paragraph.title, .bold)]
            for sentence in paragraph.sentences {
                let wrapped = TerminalText.wrapped(TerminalText.escaped(sentence), columns: max(20, width - 4))
                // What goes on below a bullet stands below its text.
                let indent = sentence.hasPrefix("• ") ? "    " : "  "
                lines += wrapped.enumerated().map { StyledText(($0 == 0 ? "  " : indent) + $1) }
            }
            lines.append("")
        }
        lines.append(StyledText("What you can do", .bold))
        lines += TextTable.aligned(
            self.commands.map { [StyledText("  " + $0.command, .cyan), StyledText($0.effect)] }
        )
        return lines
    }
}
