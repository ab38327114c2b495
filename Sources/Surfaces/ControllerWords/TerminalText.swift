/// Text that other people wrote, on its way to a terminal or a page.
package enum TerminalText {
    /// Replaces what a terminal would obey (escape sequences, C1 controls) or what would make text look like other
    /// text (directional overrides, line breaks) by `\n`, `\t` or `\u{1B}`.
    package static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: Self.isUnsafe) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where Self.isUnsafe(scalar):
                result += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    package static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .surrogate, .privateUse, .lineSeparator, .paragraphSeparator, .unassigned: true
        // Joiners shape letters of several scripts and emoji; the other format characters hide or reorder text.
        case .format: scalar != "\u{200C}" && scalar != "\u{200D}"
        default: false
        }
    }

    /// Columns that a terminal gives the text.
    package static func width(of text: String) -> Int {
        text.reduce(0) { $0 + Self.width(of: $1) }
    }

    /// As much of the text's beginning as fits.
    package static func prefix(of text: String, columns: Int) -> String {
        var (used, result) = (0, "")
        for character in text {
            used += Self.width(of: character)
            if used > columns { break }
            result.append(character)
        }
        return result
    }

    /// Breaks a sentence into lines at blanks; a word longer than a line stays whole.
    package static func wrapped(_ text: String, columns: Int) -> [String] {
        var lines: [String] = []
        var (line, used) = ("", 0)
        for word in text.split(separator: " ") {
            let width = Self.width(of: String(word))
            if used > 0, used + 1 + width > columns {
                lines.append(line)
                (line, used) = ("", 0)
            }
            line += (used > 0 ? " " : "") + word
            used += (used > 0 ? 1 : 0) + width
        }
        return used > 0 || lines.isEmpty ? lines + [line] : lines
    }

    private static func width(of character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: return Self.wide.contains { $0.contains(scalar.value) } ? 2 : 1
        }
    }

    /// The blocks of East Asian wide characters and emoji (Unicode UAX 11), coarsely.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1FAFF,
        0x20000...0x3FFFD,
    ]
}
