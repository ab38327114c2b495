package import Foundation

/// Text in addresses and forms.
package enum URLText {
    /// Everything but RFC 3986's unreserved characters is percent-encoded.
    package static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: Self.unreserved) ?? ""
    }

    private static let unreserved = CharacterSet(
        charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
    )

    /// The path of a deployment's page.
    package static func page(_ namespace: String, _ name: String) -> String {
        "/deployments/\(Self.encoded(namespace))/\(Self.encoded(name))"
    }

    /// The fields of a form as browsers send them (`application/x-www-form-urlencoded`); of several with one name the
    /// first.
    package static func fields(_ body: Data) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in String(decoding: body, as: UTF8.self).split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0]), fields[name] == nil else { continue }
            fields[name] = parts.count > 1 ? Self.decoded(parts[1]) ?? "" : ""
        }
        return fields
    }

    private static func decoded(_ text: Substring) -> String? {
        text.replacing("+", with: " ").removingPercentEncoding
    }
}
