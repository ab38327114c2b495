extension String {
    /// Untrusted text for a message: in backticks, at most 60 characters, nothing that moves a terminal's cursor or
    /// the direction of writing.
    package var inBackticks: String { "`\(self.printable(limit: 60))`" }

    func printable(limit: Int) -> String {
        // Nearly always.
        if self.utf8.count <= limit, self.hasOnly({ (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "`") }) {
            return self
        }
        var text = ""
        for (count, scalar) in self.unicodeScalars.enumerated() {
            if count == limit { return text + "…" }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar == "`" ? "'" : scalar)
            }
        }
        return text
    }
}

extension Sequence<String> {
    /// `a`, `b` and `c`
    package func joined(lastWith word: String) -> String {
        let names = self.map(\.inBackticks)
        guard let last = names.last, names.count > 1 else { return names.first ?? "" }
        return names.dropLast().joined(separator: ", ") + " \(word) " + last
    }
}
