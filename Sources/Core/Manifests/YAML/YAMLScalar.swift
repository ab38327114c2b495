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
        // Nearly every text ends here.
        if let first = self.text.utf8.first, !"~nNtTfF+-.0123456789".utf8.contains(first) { return .string }
        switch self.text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .boolean(true)
        case "false", "False", "FALSE": return .boolean(false)
        default: return Self.isNumber(self.text) ? .number : .string
        }
    }

    private static func isNumber(_ text: String) -> Bool {
        var rest = text.utf8[...]
        if rest.starts(with: "0x".utf8) {
            let digits = "0123456789abcdefABCDEF".utf8
            return rest.count > 2 && rest.dropFirst(2).allSatisfy { digits.contains($0) }
        }
        if rest.starts(with: "0o".utf8) {
            return rest.count > 2 && rest.dropFirst(2).allSatisfy { "01234567".utf8.contains($0) }
        }
        Self.skipSign(&rest)
        if rest.first == UInt8(ascii: "."), [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(Substring(rest)) {
            return true
        }
        var digits = Self.skipDigits(&rest)
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            digits += Self.skipDigits(&rest)
        }
        guard digits > 0 else { return false }
        guard rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") else { return rest.isEmpty }
        rest.removeFirst()
        Self.skipSign(&rest)
        return Self.skipDigits(&rest) > 0 && rest.isEmpty
    }

    private static func skipSign(_ rest: inout Substring.UTF8View) {
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
    }

    private static func skipDigits(_ rest: inout Substring.UTF8View) -> Int {
        let count = rest.count
        rest = rest.drop(while: \.isDecimalDigit)
        return count - rest.count
    }
}
