import ControllerWords

/// Writes YAML that every parser, of version 1.1 or 1.2, reads as the same values.
package enum YAMLText {
    package static func render(_ tree: JSONTree) -> String {
        switch tree {
        case .object(let fields) where !fields.isEmpty: Self.mapping(fields, indent: 0)
        case .array(let items) where !items.isEmpty: Self.sequence(items, indent: 0)
        default: Self.scalar(tree) + "\n"
        }
    }

    private static func mapping(_ fields: [String: JSONTree], indent: Int) -> String {
        let margin = String(repeating: " ", count: indent)
        return fields.sorted { $0.key < $1.key }.map { key, value in
            switch value {
            case .object(let inner) where !inner.isEmpty:
                "\(margin)\(Self.text(key)):\n" + Self.mapping(inner, indent: indent + 2)
            case .array(let items) where !items.isEmpty:
                "\(margin)\(Self.text(key)):\n" + Self.sequence(items, indent: indent)
            default:
                "\(margin)\(Self.text(key)): \(Self.scalar(value))\n"
            }
        }.joined()
    }

    private static func sequence(_ items: [JSONTree], indent: Int) -> String {
        let margin = String(repeating: " ", count: indent)
        return items.map { item in
            switch item {
            case .object(let fields) where !fields.isEmpty:
                "\(margin)- " + Self.mapping(fields, indent: indent + 2).dropFirst(indent + 2)
            case .array(let inner) where !inner.isEmpty:
                "\(margin)- " + Self.sequence(inner, indent: indent + 2).dropFirst(indent + 2)
            default:
                "\(margin)- \(Self.scalar(item))\n"
            }
        }.joined()
    }

    private static func scalar(_ tree: JSONTree) -> String {
        switch tree {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let text): Self.text(text)
        case .array: "[]"
        case .object: "{}"
        }
    }

    /// Plain where no reader could take it for anything but this text, otherwise in double quotes.
    static func text(_ text: String) -> String {
        let isPlain = text.wholeMatch(of: /[A-Za-z](?:[A-Za-z0-9_.\/-]| (?=[A-Za-z0-9(]))*/) != nil
        if isPlain, !Self.reserved.contains(text.lowercased()) { return text }
        return Self.quoted(text)
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where TerminalText.isUnsafe(scalar):
                let digits = String(scalar.value, radix: 16)
                let (letter, length) = scalar.value > 0xFFFF ? ("U", 8) : ("u", 4)
                result += "\\" + letter + String(repeating: "0", count: length - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// Words that YAML 1.1 or 1.2 reads as something else.
    private static let reserved: Set<String> = [
        "true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf",
    ]
}
