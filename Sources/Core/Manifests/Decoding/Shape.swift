/// The fields that one kind of mapping has: what the decoder reads, what the JSON Schema lists, what an error offers.
package struct Shape: Hashable, Sendable {
    /// As in the `$defs` of the JSON Schema.
    package let name: String
    package let fields: [Entry]
    /// Fields of the contract that this version does not have, each with what to do instead.
    package let unavailable: [String: String]
    /// Fields of similar mappings that this one may not have, each with why.
    package let excluded: [String: String]

    package struct Entry: Hashable, Sendable {
        package var name: String
        package var isRequired: Bool
        /// A value as one would write it, for messages.
        package var example: String

        package static func required(_ name: String, _ example: String) -> Entry {
            Entry(name: name, isRequired: true, example: example)
        }

        package static func optional(_ name: String, _ example: String) -> Entry {
            Entry(name: name, isRequired: false, example: example)
        }
    }

    package init(
        _ name: String,
        _ fields: [Entry],
        unavailable: [String: String] = [:],
        excluded: [String: String] = [:]
    ) {
        self.name = name
        self.fields = fields
        self.unavailable = unavailable
        self.excluded = excluded
    }

    package var names: [String] { self.fields.map(\.name) }

    func entry(_ name: String) -> Entry? {
        self.fields.first { $0.name == name }
    }
}
