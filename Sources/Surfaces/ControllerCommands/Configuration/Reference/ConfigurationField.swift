/// What the reference says of a setting: the decoder knows its name, this says what it is for.
package struct ConfigurationField: Hashable, Sendable {
    /// How a value is written.
    package enum Kind: String, Hashable, Sendable {
        case address = "host and port"
        case choice
        case count = "number"
        case duration
        case flag = "true or false"
        case list
        case mapping
        case name
        case path
        case range = "range of ports"
        case size = "bytes"
        case text
        case url = "URL"
    }

    /// The mapping that it is a member of, as ``Shape`` names it, and its own name.
    package var shape: String
    package var name: String
    package var kind: Kind
    /// As one would write it; nothing when there is none.
    package var standard: String?
    /// In Markdown, as it stands in docs/reference/configuration.md.
    package var text: String

    init(_ path: String, _ kind: Kind, _ standard: String? = nil, _ text: String) {
        let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
        (self.shape, self.name) = (parts[0], parts[1])
        (self.kind, self.standard, self.text) = (kind, standard, text)
    }
}
