/// A set that is written in ascending order, so that equal sets are equal bytes in a journal.
@propertyWrapper
package struct SortedCoding<Element: Hashable & Comparable & Codable & Sendable>: Hashable, Codable, Sendable {
    package var wrappedValue: Set<Element>

    package init(wrappedValue: Set<Element>) {
        self.wrappedValue = wrappedValue
    }

    package init(from decoder: any Decoder) throws {
        self.wrappedValue = Set(try decoder.singleValueContainer().decode([Element].self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.wrappedValue.sorted())
    }
}
