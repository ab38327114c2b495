/// A weak validator of RFC 9110: of equal tags, what is shown is the same.
struct EntityTag: Hashable, CustomStringConvertible {
    private let opaque: String

    /// - Parameter text: Letters, digits and hyphens.
    init(_ text: String) { self.opaque = "\"\(text)\"" }

    var description: String { "W/\(self.opaque)" }

    /// Whether a request's `If-None-Match` has it.
    func isKnown(_ field: String?) -> Bool {
        guard let field else { return false }
        return field.split(separator: ",").contains { entry in
            let tag = entry.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
            let text = String(tag)
            return text == "*" || (text.hasPrefix("W/") ? String(text.dropFirst(2)) : text) == self.opaque
        }
    }
}
