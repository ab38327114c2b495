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
            { .integer(try container.decode(Int64.self)) },
            { .number(try container.decode(Double.self)) },
            { .string(try container.decode(String.self)) },
            { .array(try container.decode([JSONTree].self)) },
        ]
        for attempt in attempts {
            do {
                self = try attempt()
                return
            } catch DecodingError.typeMismatch, DecodingError.dataCorrupted {
                // The value is of another type: the next attempt, and at last the object, tells.
            }
        }
        self = .object(try container.decode([String: JSONTree].self))
    }
}
