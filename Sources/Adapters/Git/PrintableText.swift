/// Text that others wrote, made safe for one line of a terminal, a log or a page.
enum PrintableText {
    /// Control characters become spaces, as do those that reorder or hide what follows them; what is longer than
    /// `limit` characters is cut.
    static func line(_ text: some StringProtocol, limit: Int) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            scalars.append(Self.isPrintable(scalar) ? scalar : " ")
        }
        let words = String(scalars).split(separator: " ").joined(separator: " ")
        return words.count <= limit ? words : words.prefix(max(0, limit - 1)) + "…"
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }
}
