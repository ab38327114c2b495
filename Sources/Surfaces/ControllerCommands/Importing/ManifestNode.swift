import ControllerWords

/// A value of a manifest that is written out: in the order that people are used to, with comments.
indirect enum ManifestNode: Hashable {
    /// In quotes where YAML needs them.
    case text(String)
    /// A number, a duration or a quantity, as it stands.
    case plain(String)
    /// On one line.
    case flow([String])
    case sequence([Item])
    case mapping([Member])

    struct Member: Hashable {
        var key: String
        var value: ManifestNode
        /// For the person who reads the manifest, on a line of its own above.
        var comment: String?

        init(_ key: String, _ value: ManifestNode, comment: String? = nil) {
            self.key = key
            self.value = value
            self.comment = comment
        }
    }

    struct Item: Hashable {
        var value: ManifestNode
        var comment: String?
    }

    /// The members whose values are there.
    static func members(_ members: Member?...) -> ManifestNode { .mapping(members.compactMap(\.self)) }

    private var isEmpty: Bool {
        switch self {
        case .mapping(let members): members.isEmpty
        case .sequence(let items): items.isEmpty
        case .text, .plain, .flow: false
        }
    }
}

extension ManifestNode {
    /// The document, without a line of `---`.
    var rendered: String {
        guard case .mapping(let members) = self else { return self.scalar(indent: 0) + "\n" }
        return Self.lines(of: members, indent: 0)
    }

    private static func lines(of members: [Member], indent: Int) -> String {
        let margin = String(repeating: " ", count: indent)
        return members.map { member in
            let comment = Self.comment(member.comment, indent: indent)
            let key = "\(comment)\(margin)\(YAMLText.text(member.key)):"
            switch member.value {
            case .mapping(let inner) where !member.value.isEmpty:
                return "\(key)\n" + Self.lines(of: inner, indent: indent + 2)
            case .sequence(let items) where !member.value.isEmpty:
                return "\(key)\n" + Self.lines(of: items, indent: indent + 2)
            default: return "\(key) \(member.value.scalar(indent: indent + 2))\n"
            }
        }.joined()
    }

    private static func lines(of items: [Item], indent: Int) -> String {
        let margin = String(repeating: " ", count: indent)
        return items.map { item in
            let dash = Self.comment(item.comment, indent: indent) + "\(margin)- "
            guard case .mapping(let members) = item.value, !members.isEmpty else {
                return dash + item.value.scalar(indent: indent + 2) + "\n"
            }
            return dash + Self.lines(of: members, indent: indent + 2).dropFirst(indent + 2)
        }.joined()
    }

    /// Kept within the width of a page, and escaped, as other people's words may be in it.
    private static func comment(_ text: String?, indent: Int) -> String {
        guard let text else { return "" }
        let margin = String(repeating: " ", count: indent)
        return TerminalText.wrapped(TerminalText.escaped(text), columns: 100)
            .map { "\(margin)# \($0)\n" }.joined()
    }

    private func scalar(indent: Int) -> String {
        switch self {
        case .text(let text): Self.text(text, indent: indent)
        case .plain(let text): text
        case .flow(let texts): "[" + texts.map(YAMLText.text).joined(separator: ", ") + "]"
        case .mapping: "{}"
        case .sequence: "[]"
        }
    }

    /// Several lines stay lines, as queries are unreadable otherwise.
    private static func text(_ text: String, indent: Int) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let isPrintable = !text.unicodeScalars.contains { $0 != "\n" && TerminalText.isUnsafe($0) }
        guard lines.count > 1, isPrintable, lines.allSatisfy({ !$0.isEmpty && $0.last != " " }),
            lines.first?.first != " "
        else { return YAMLText.text(text) }
        let margin = String(repeating: " ", count: indent)
        return "|-\n" + lines.map { margin + $0 }.joined(separator: "\n")
    }
}
