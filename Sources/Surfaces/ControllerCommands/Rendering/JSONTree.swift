import Foundation

/// Any JSON value, as the bridge from the API's types to YAML.
package enum JSONTree: Hashable, Sendable, Decodable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONTree])
    case object([String: JSONTree])

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
            return
        }
        let attempts: [() throws -> JSONTree] = [
            { .bool(try container.decode(Bool.self)) },
            { Self.numeric(try container.decode(Double.self)) },
            { .string(try container.decode(String.self)) },
            { .array(try container.decode([JSONTree].self)) },
        ]
        for attempt in attempts {
            do {
                self = try attempt()
                return
            } catch DecodingError.typeMismatch {
                // The value is of another type: the next attempt, and at last the object, tells.
            }
        }
        self = .object(try container.decode([String: JSONTree].self))
    }

    /// Whole numbers are asked for as floating point, because Foundation reports a fraction where an integer is
    /// wanted as broken JSON. Beyond 2^53 they stay floating point: the API has no such numbers.
    private static func numeric(_ value: Double) -> JSONTree {
        value.magnitude <= 9_007_199_254_740_992 && value.rounded() == value ? .integer(Int64(value)) : .number(value)
    }
}
