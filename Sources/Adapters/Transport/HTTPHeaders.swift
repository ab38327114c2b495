/// The header fields of a request or an answer, in order; names are compared without regard to case.
package struct HTTPHeaders: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    package struct Field: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package var fields: [Field]

    package init(_ fields: [Field] = []) {
        self.fields = fields
    }

    package init(dictionaryLiteral elements: (String, String)...) {
        self.fields = elements.map { Field(name: $0.0, value: $0.1) }
    }

    /// The first value of `name`. Setting replaces every field of that name; setting nil removes them.
    package subscript(_ name: String) -> String? {
        get {
            let wanted = name.lowercased()
            return self.fields.first { $0.name.lowercased() == wanted }?.value
        }
        set {
            let wanted = name.lowercased()
            self.fields.removeAll { $0.name.lowercased() == wanted }
            if let newValue {
                self.fields.append(Field(name: name, value: newValue))
            }
        }
    }

    package mutating func add(name: String, value: String) {
        self.fields.append(Field(name: name, value: value))
    }
}
