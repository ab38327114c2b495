import ControllerWords

/// A piece of a page. Strings enter it as text, escaped; only other pieces enter as they are.
///
/// `"<b title=\"\(reason)\">\(name)</b>"` is safe whatever `reason` and `name` hold, as long as attributes stand in
/// double quotes.
package struct HTML: Hashable, Sendable, ExpressibleByStringInterpolation {
    package private(set) var source: String

    package init(stringLiteral value: String) {
        self.source = value
    }

    package init(stringInterpolation: StringInterpolation) {
        self.source = stringInterpolation.source
    }

    package static let none: HTML = ""

    package var isEmpty: Bool { self.source.isEmpty }

    package static func + (left: HTML, right: HTML) -> HTML { "\(left)\(right)" }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var source = ""

        package init(literalCapacity: Int, interpolationCount: Int) {
            self.source.reserveCapacity(literalCapacity + interpolationCount * 16)
        }

        package mutating func appendLiteral(_ literal: String) {
            self.source += literal
        }

        package mutating func appendInterpolation(_ text: String) {
            HTML.escape(text, into: &self.source)
        }

        package mutating func appendInterpolation(_ number: Int) {
            self.source += "\(number)"
        }

        package mutating func appendInterpolation(_ piece: HTML) {
            self.source += piece.source
        }

        package mutating func appendInterpolation(_ pieces: [HTML]) {
            for piece in pieces { self.source += piece.source }
        }
    }

    /// Byte by byte: by `Character`, a quotation mark that a combining mark follows would be another character, and
    /// pass. What a terminal would obey or what reorders text is shown by its code, as the command line does.
    private static func escape(_ text: String, into source: inout String) {
        var bytes: [UInt8] = []
        for byte in TerminalText.escaped(text).utf8 {
            switch byte {
            case UInt8(ascii: "<"): bytes += "&lt;".utf8
            case UInt8(ascii: ">"): bytes += "&gt;".utf8
            case UInt8(ascii: "&"): bytes += "&amp;".utf8
            case UInt8(ascii: "\""): bytes += "&quot;".utf8
            case UInt8(ascii: "'"): bytes += "&#39;".utf8
            default: bytes.append(byte)
            }
        }
        source += String(decoding: bytes, as: UTF8.self)
    }
}
