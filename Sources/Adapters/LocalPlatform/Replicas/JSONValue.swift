import Foundation

/// Any JSON, for answers whose shape only their server knows.
enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// Nothing when the bytes are not JSON, or nested too deeply.
    init?(_ bytes: [UInt8]) {
        // All that matters about text that is not JSON is that it is not.
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) else { return nil }
        self = value
    }

    init?(_ text: String) {
        self.init(Array(text.utf8))
    }

    subscript(_ key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    /// With sorted keys and without spaces: equal values have equal texts.
    var canonical: String {
        switch self {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .number(let value):
            return Int64(exactly: value).map(String.init) ?? String(value)
        case .string(let text): return Self.quoted(text)
        case .array(let elements): return "[" + elements.map(\.canonical).joined(separator: ",") + "]"
        case .object(let members):
            let texts = members.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)):\($0.value.canonical)" }
            return "{" + texts.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

extension JSONValue: Decodable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // Each `try?` asks whether it is of that kind; the last attempt throws.
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }
}

extension JSONValue {
    /// The first place where `answer` lacks what this value expects.
    ///
    /// Objects may have more members than expected, arrays must have as many elements, numbers may differ by
    /// `tolerance`.
    func mismatch(in answer: JSONValue, tolerance: Double, at place: String = "") -> Mismatch? {
        switch (self, answer) {
        case (.number(let expected), .number(let got)) where abs(expected - got) <= tolerance:
            return nil
        case (.object(let expected), .object(let got)):
            for (key, value) in expected.sorted(by: { $0.key < $1.key }) {
                let member = place.isEmpty ? key : "\(place).\(key)"
                guard let found = got[key] else {
                    return Mismatch(place: member, expected: value.canonical, got: "nothing")
                }
                if let mismatch = value.mismatch(in: found, tolerance: tolerance, at: member) { return mismatch }
            }
            return nil
        case (.array(let expected), .array(let got)) where expected.count == got.count:
            for (index, pair) in zip(expected, got).enumerated() {
                let element = "\(place)[\(index)]"
                if let mismatch = pair.0.mismatch(in: pair.1, tolerance: tolerance, at: element) { return mismatch }
            }
            return nil
        case _ where self == answer:
            return nil
        default:
            return Mismatch(place: place, expected: self.canonical, got: answer.canonical)
        }
    }

    struct Mismatch: Hashable, Sendable, CustomStringConvertible {
        var place: String
        var expected: String
        var got: String

        var description: String {
            let place = self.place.isEmpty ? "the answer" : printable(self.place, keepingFirst: 120)
            let expected = printable(self.expected, keepingFirst: 160)
            return "\(place): expected \(expected), got \(printable(self.got, keepingFirst: 160))"
        }
    }
}
