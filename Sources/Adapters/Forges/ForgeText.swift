/// Text that others wrote, made fit for the place where it is shown.
enum ForgeText {
    /// On one line, without control characters and those that reorder or hide what follows. What has more Unicode
    /// scalars than `limit`, which is what forges count, is cut and ends with `…`.
    static func line(_ text: some StringProtocol, limit: Int) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { scalars.append(Self.isPrintable(scalar) ? scalar : " ") }
        let words = String(scalars).split(separator: " ").joined(separator: " ")
        guard words.unicodeScalars.count > limit else { return words }
        return String(String.UnicodeScalarView(words.unicodeScalars.prefix(max(0, limit - 1)))) + "…"
    }

    /// As code: nothing in it is a link, a mention, markup or a command.
    static func code(_ text: some StringProtocol, limit: Int) -> String {
        let plain = Self.line(text, limit: limit).replacing("`", with: "'")
        return plain.isEmpty ? "" : "`\(plain)`"
    }

    /// As code in a cell of a Markdown table. A bar would begin another cell, in code too.
    static func cell(_ text: some StringProtocol, limit: Int) -> String {
        Self.code(String(text).replacing("|", with: "¦"), limit: limit)
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }
}
