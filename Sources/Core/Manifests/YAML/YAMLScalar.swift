/// A scalar as it is written, and what the core schema of YAML 1.2 makes of it.
///
/// YAML 1.1, which most parsers still follow, reads `no` and `on` as booleans and `1:30` as a number; 1.2 does not.
package struct YAMLScalar: Hashable, Sendable {
    package var text: String
    /// Written without quotes and not as a block.
    package var isPlain: Bool

    package enum Meaning: Hashable, Sendable {
        case null
        case boolean(Bool)
        case number
        case string
    }

    package init(text: String, isPlain: Bool) {
        self.text = text
        self.isPlain = isPlain
    }

    /// YAML 1.2.2, section 10.3.2.
    package var meaning: Meaning {
        guard self.isPlain else { return .string }
        switch self.text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .boolean(true)
        case "false", "False", "FALSE": return .boolean(false)
        default: return Self.isNumber(self.text) ? .number : .string
        }
    }

    private static func isNumber(_ text: String) -> Bool {
        guard let first = text.utf8.first, "+-.0123456789".utf8.contains(first) else { return false }
        var rest = Substring(text)
        if rest.hasPrefix("0x") { return Self.isAll(rest.dropFirst(2), where: \.isHexDigit) }
        if rest.hasPrefix("0o") { return Self.isAll(rest.dropFirst(2)) { ("0"..."7").contains($0) } }
        if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
        if [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(String(rest)) { return true }
        let whole = rest.prefix(while: \.isDecimalDigit)
        rest = rest.dropFirst(whole.count)
        var fraction: Substring = ""
        if rest.first == "." {
            fraction = rest.dropFirst().prefix(while: \.isDecimalDigit)
            rest = rest.dropFirst(fraction.count + 1)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return false }
        guard rest.first == "e" || rest.first == "E" else { return rest.isEmpty }
        rest = rest.dropFirst()
        if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
        return Self.isAll(rest, where: \.isDecimalDigit)
    }

    private static func isAll(_ text: Substring, where condition: (Character) -> Bool) -> Bool {
        !text.isEmpty && text.allSatisfy { $0.isASCII && condition($0) }
    }
}
