import Foundation

/// Names with texts, as JSON in which equal values are equal bytes: what is hashed is what is stored.
package struct AuditFields: Hashable, Sendable {
    /// A JSON object of strings, its keys sorted.
    package let text: String

    /// As it was stored, whatever that is.
    package init(text: String) { self.text = text }

    /// Long texts are cut, as a caller's must not fill the disk.
    package init(_ values: [String: String]) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            let json = try encoder.encode(values.mapValues { $0.cut(to: AuditDraft.textLimit) })
            self.text = String(decoding: json, as: UTF8.self)
        } catch {
            // Strings are always written.
            self.text = "{}"
        }
    }

    /// Nothing of what is no such object: somebody changed it, which the check of the chain says.
    package var values: [String: String] {
        do {
            return try JSONDecoder().decode([String: String].self, from: Data(self.text.utf8))
        } catch {
            return [:]
        }
    }
}

extension String {
    /// At most so many bytes of it, and how many more there were.
    func cut(to limit: Int) -> String {
        guard self.utf8.count > limit else { return self }
        var end = self.utf8.index(self.startIndex, offsetBy: limit)
        while end.samePosition(in: self.unicodeScalars) == nil { end = self.utf8.index(before: end) }
        return "\(self[..<end])… (\(self.utf8.count - limit) bytes more)"
    }
}
