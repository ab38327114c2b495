import ControllerAPI

/// A JSON Schema of a value that the API takes or answers.
struct Schema: Hashable, Sendable {
    var members: [String: JSONValue]

    init(_ members: [String: JSONValue]) { self.members = members }

    var json: JSONValue { .object(self.members) }

    static let text = Schema(["type": "string"])
    static let flag = Schema(["type": "boolean"])
    static let texts = Schema.list(of: .text)
    static let integer = Schema(["type": "integer", "format": "int64"])
    static let count = Schema(["type": "integer", "format": "int64", "minimum": 0])
    static let number = Schema(["type": "number", "format": "double"])
    static let percent = Schema(["type": "integer", "minimum": 0, "maximum": 100])
    static let share = Schema(["type": "number", "minimum": 0, "maximum": 1])
    /// In UTC, as ``APICoding`` reads it.
    static let time = Schema([
        "type": "string", "format": "date-time",
        "pattern": #"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z$"#,
    ])
    static let labels = Schema(["type": "object", "additionalProperties": ["type": "string"]])

    static func list(of item: Schema) -> Schema { Schema(["type": "array", "items": item.json]) }

    static func one(of values: [String]) -> Schema {
        Schema(["type": "string", "enum": .list(values.map(JSONValue.text))])
    }

    static func one<Value: CaseIterable & RawRepresentable<String>>(of type: Value.Type) -> Schema {
        .one(of: type.allCases.map(\.rawValue))
    }

    static func reference(_ name: String) -> Schema {
        Schema(["$ref": .text("#/components/schemas/\(name)")])
    }

    /// What a request may also leave out by `null`.
    var orNull: Schema {
        var schema = self
        switch self.members["type"] {
        case .text(let type)?: schema.members["type"] = ["null", .text(type)]
        default: return Schema(["anyOf": [self.json, ["type": "null"]]])
        }
        if case .list(let values)? = self.members["enum"] {
            // JSON Schema's `enum` holds for null, too.
            return Schema(["anyOf": [["type": "string", "enum": .list(values)], ["type": "null"]]])
        }
        return schema
    }

    func described(_ text: String) -> Schema {
        var schema = self
        schema.members["description"] = .text(text)
        return schema
    }
}

/// An object of the API by name, and what each of its members means.
struct ObjectSchema: Sendable {
    var name: String
    var description: String
    var properties: [Property]
    var rules: [String: JSONValue] = [:]

    struct Property: Sendable {
        var name: String
        var schema: Schema
        var isRequired: Bool

        static func always(_ name: String, _ schema: Schema, _ description: String? = nil) -> Property {
            Property(name: name, schema: description.map { schema.described($0) } ?? schema, isRequired: true)
        }

        /// Left out where there is none.
        static func maybe(_ name: String, _ schema: Schema, _ description: String? = nil) -> Property {
            Property(name: name, schema: description.map { schema.described($0) } ?? schema, isRequired: false)
        }

        /// Of a request: left out, or null.
        static func taken(_ name: String, _ schema: Schema, _ description: String) -> Property {
            Property(name: name, schema: schema.orNull.described(description), isRequired: false)
        }
    }

    init(_ name: String, _ description: String, _ properties: [Property], rules: [String: JSONValue] = [:]) {
        self.name = name
        self.description = description
        self.properties = properties
        self.rules = rules
    }

    var json: JSONValue {
        var members = self.rules
        members["type"] = "object"
        members["description"] = .text(self.description)
        members["properties"] = .object(
            Dictionary(self.properties.map { ($0.name, $0.schema.json) }, uniquingKeysWith: { first, _ in first })
        )
        let required = self.properties.filter(\.isRequired).map { JSONValue.text($0.name) }
        if !required.isEmpty { members["required"] = .list(required) }
        return .object(members)
    }
}
