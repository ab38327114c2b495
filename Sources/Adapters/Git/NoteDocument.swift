import Foundation

/// The note on one commit: a JSON object with one key for each deployment.
enum NoteDocument {
    struct Refusal: Error {
        var reason: String
    }

    /// Where what others wrote is kept when it is not a JSON object.
    static let textKey = "text"

    /// Puts `value` under `key` and keeps everything else.
    ///
    /// - Returns: The bytes of the note; nothing when it says so already.
    static func setting(_ key: String, to value: String, in existing: [UInt8]?) throws(Refusal) -> [UInt8]? {
        guard let parsed = try? Self.parse(Array(value.utf8)) else {
            throw Refusal(reason: "the note for \(key) is not JSON")
        }
        var members: [String: Any] = [:]
        if let existing, existing.contains(where: { $0 > 0x20 }) {
            // A note that is no object, or no JSON, is somebody's text.
            if let object = (try? Self.parse(existing)) as? [String: Any] {
                members = object
            } else {
                members[Self.textKey] = String(decoding: existing, as: UTF8.self)
            }
        }
        // Members that were written once can be written again; one that cannot counts as different.
        if let old = members[key], let before = try? Self.line(old), (try? Self.line(parsed)) == before { return nil }
        members[key] = parsed
        do {
            let lines = try members.keys.sorted().map {
                try "  \(Self.line($0)): \(Self.line(members[$0] ?? NSNull()))"
            }
            return Array("{\n\(lines.joined(separator: ",\n"))\n}\n".utf8)
        } catch {
            throw Refusal(reason: "the note cannot be written as JSON: \(error)")
        }
    }

    private static func parse(_ bytes: [UInt8]) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
    }

    private static func line(_ value: Any) throws -> String {
        let options: JSONSerialization.WritingOptions = [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes]
        return try String(decoding: JSONSerialization.data(withJSONObject: value, options: options), as: UTF8.self)
    }
}
