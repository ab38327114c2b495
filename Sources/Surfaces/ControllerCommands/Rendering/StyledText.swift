import ControllerWords

/// One line of output: pieces of text, each with a style.
///
/// Text is escaped where it enters, so no renderer can let a commit's subject or a log's tail steer the terminal.
package struct StyledText: Hashable, Sendable, ExpressibleByStringInterpolation {
    private var spans: [Span]

    private struct Span: Hashable, Sendable {
        var text: String
        var style: Style
    }

    package enum Style: Hashable, Sendable {
        case plain, bold, dim, green, yellow, red, cyan

        fileprivate var code: String {
            switch self {
            case .plain: ""
            case .bold: "\u{1b}[1m"
            case .dim: "\u{1b}[2m"
            case .green: "\u{1b}[32m"
            case .yellow: "\u{1b}[33m"
            case .red: "\u{1b}[31m"
            case .cyan: "\u{1b}[36m"
            }
        }
    }

    package init(_ text: String = "", _ style: Style = .plain) {
        self.spans = text.isEmpty ? [] : [Span(text: TerminalText.escaped(text), style: style)]
    }

    package init(stringLiteral value: String) {
        self.init(value)
    }

    package static func + (left: StyledText, right: StyledText) -> StyledText {
        var sum = left
        sum.spans += right.spans
        return sum
    }

    package static func += (left: inout StyledText, right: StyledText) {
        left.spans += right.spans
    }

    package var isEmpty: Bool { self.spans.isEmpty }

    /// Columns of a terminal.
    package var width: Int {
        self.spans.reduce(0) { $0 + TerminalText.width(of: $1.text) }
    }

    package func padded(to width: Int) -> StyledText {
        let missing = width - self.width
        return missing > 0 ? self + StyledText(String(repeating: " ", count: missing)) : self
    }

    /// At most `width` columns; what is cut off is replaced by `…`.
    package func truncated(to width: Int) -> StyledText {
        guard self.width > width, width > 0 else { return self }
        var (left, kept) = (width - 1, [Span]())
        for span in self.spans {
            let piece = TerminalText.prefix(of: span.text, columns: left)
            kept.append(Span(text: piece, style: span.style))
            left -= TerminalText.width(of: piece)
            if piece.count < span.text.count { break }
        }
        var result = StyledText()
        result.spans = kept
        return result + StyledText("…")
    }

    package func rendered(colour: Bool) -> String {
        guard colour else { return self.spans.map(\.text).joined() }
        return self.spans.map { $0.style == .plain ? $0.text : $0.style.code + $0.text + "\u{1b}[0m" }.joined()
    }
}

extension [StyledText] {
    package func joined(separator: StyledText) -> StyledText {
        guard let first = self.first else { return StyledText() }
        return self.dropFirst().reduce(first) { $0 + separator + $1 }
    }

    /// Lines as bytes for a terminal or a pipe, without trailing blanks.
    package func rendered(colour: Bool) -> String {
        self.map { line in
            var text = line.rendered(colour: colour)
            while text.last == " " { text.removeLast() }
            return text + "\n"
        }.joined()
    }
}
