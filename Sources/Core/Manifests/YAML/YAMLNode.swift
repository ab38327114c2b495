/// A value of a YAML document, with its place.
package struct YAMLNode: Hashable, Sendable {
    package var content: Content
    package var position: TextPosition

    package enum Content: Hashable, Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        case mapping([Member])
    }

    /// One `key: value`, in the order of the text. No two of a mapping have one key.
    package struct Member: Hashable, Sendable {
        package var key: String
        package var keyPosition: TextPosition
        package var value: YAMLNode

        package init(key: String, keyPosition: TextPosition, value: YAMLNode) {
            self.key = key
            self.keyPosition = keyPosition
            self.value = value
        }
    }

    package init(content: Content, position: TextPosition) {
        self.content = content
        self.position = position
    }

    /// The member of that name, when this is a mapping that has it.
    package subscript(key: String) -> YAMLNode? {
        guard case .mapping(let members) = self.content else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// `null` or `~`, not just nothing.
    var isWrittenNull: Bool {
        guard case .scalar(let scalar) = self.content, scalar.isPlain, let first = scalar.text.utf8.first else {
            return false
        }
        return "~nN".utf8.contains(first) && scalar.meaning == .null
    }

    /// The text of a scalar, whatever it means.
    package var scalarText: String? {
        guard case .scalar(let scalar) = self.content else { return nil }
        return scalar.text
    }
}
