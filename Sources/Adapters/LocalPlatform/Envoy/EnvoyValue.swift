import Deployments

/// JSON as Envoy reads it. Written here, with sorted keys, so that equal configuration is equal bytes.
enum EnvoyValue: Hashable, Sendable {
    case object([String: EnvoyValue])
    case array([EnvoyValue])
    case string(String)
    case integer(Int)
    case number(Double)
    case bool(Bool)

    /// Protobuf's form of a duration: `1.250s`.
    static func duration(_ duration: Duration) -> EnvoyValue {
        let milliseconds = duration.wholeMilliseconds
        let fraction = milliseconds % 1000
        guard fraction != 0 else { return .string("\(milliseconds / 1000)s") }
        let digits = String(fraction)
        return .string("\(milliseconds / 1000).\(String(repeating: "0", count: 3 - digits.count))\(digits)s")
    }

    static func message(_ type: String, _ fields: [String: EnvoyValue]) -> EnvoyValue {
        var fields = fields
        fields["@type"] = .string("type.googleapis.com/\(type)")
        return .object(fields)
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        self.write(to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .object(let fields):
            bytes.append(UInt8(ascii: "{"))
            for (index, key) in fields.keys.sorted().enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.write(key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                fields[key]?.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .string(let text): Self.write(text, to: &bytes)
        case .integer(let integer): bytes.append(contentsOf: String(integer).utf8)
        case .number(let number): bytes.append(contentsOf: String(number).utf8)
        case .bool(let bool): bytes.append(contentsOf: String(bool).utf8)
        }
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        defer { bytes.append(UInt8(ascii: "\"")) }
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) else {
            bytes.append(contentsOf: text.utf8)
            return
        }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                bytes.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
            default:
                bytes.append(byte)
            }
        }
    }
}

extension EnvoyValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int) { self = .integer(value) }
    init(floatLiteral value: Double) { self = .number(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(arrayLiteral elements: EnvoyValue...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, EnvoyValue)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { _, last in last }))
    }
}
