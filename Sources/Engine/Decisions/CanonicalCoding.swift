import Crypto
import Foundation

/// JSON in which equal values are equal bytes: keys sorted, no blanks, doubles in the shortest form that reads back
/// as the same number.
package enum CanonicalCoding {
    /// - Throws: Only what a type's own `encode(to:)` throws; none of ours does.
    package static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf",
            negativeInfinity: "-inf",
            nan: "nan"
        )
        return [UInt8](try encoder.encode(value))
    }

    /// A value of which one member is there as JSON already.
    ///
    /// - Parameters:
    ///   - value: Encodes to an object with that member; what is in its place is left out.
    ///   - key: The member's name.
    ///   - json: What stands there instead.
    /// - Returns: The object; as it is without such a member.
    /// - Throws: As ``encode(_:)``.
    package static func encode(_ value: some Encodable, with key: String, as json: [UInt8]) throws -> [UInt8] {
        let bytes = try Self.encode(value)
        guard let place = JSONSlice(bytes).members?.first(where: { $0.key == key })?.value.bytes.indices else {
            return bytes
        }
        return bytes[..<place.lowerBound] + json + bytes[place.upperBound...]
    }

    /// - Throws: A `DecodingError`.
    package static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf",
            negativeInfinity: "-inf",
            nan: "nan"
        )
        return try decoder.decode(type, from: Data(bytes))
    }

    /// The SHA-256 in 64 lower-case hexadecimal digits.
    package static func digest(of bytes: [UInt8]) -> String {
        Self.digest(of: bytes[...])
    }

    static func digest(of bytes: ArraySlice<UInt8>) -> String {
        SHA256.hash(data: bytes).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count < 2 ? "0" + digits : digits
        }.joined()
    }
}
