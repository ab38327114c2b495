import ControllerAPI
import ControllerWords
import Foundation

/// Writes the API's types for programs, safe to look at on a terminal as well.
package enum JSONText {
    /// Pretty, or `compact` on one line.
    package static func render(_ value: some Encodable, compact: Bool = false) throws -> String {
        let encoder = APICoding.encoder()
        if !compact { encoder.outputFormatting.insert(.prettyPrinted) }
        return Self.escaped(String(decoding: try encoder.encode(value), as: UTF8.self)) + "\n"
    }

    package static func tree(of value: some Encodable) throws -> JSONTree {
        try APICoding.decoder().decode(JSONTree.self, from: try APICoding.encoder().encode(value))
    }

    /// JSON in which the control and formatting characters of strings are escaped. Encoders leave those from U+007F
    /// on as they are, and terminals obey some of them.
    private static func escaped(_ json: String) -> String {
        var result = ""
        for scalar in json.unicodeScalars {
            // Line feeds stand between values only; within strings the encoder has escaped them.
            if scalar != "\n", TerminalText.isUnsafe(scalar) {
                result += Self.escape(scalar)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        Character(scalar).utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }
}
