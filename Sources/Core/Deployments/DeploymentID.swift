/// The name of a deployment, unique in this controller: `search/file-type`.
package struct DeploymentID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let namespace: String
    package let name: String
    /// Mixed from both names (FNV-1a). Deployments are the keys of most dictionaries of a fleet: hashing two texts at
    /// each look-up would be a good part of a tick.
    private let key: UInt64

    package init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
        var key: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in namespace.utf8 { key = (key ^ UInt64(byte)) &* 0x100_0000_01B3 }
        key = (key ^ UInt64(UInt8(ascii: "/"))) &* 0x100_0000_01B3
        for byte in name.utf8 { key = (key ^ UInt64(byte)) &* 0x100_0000_01B3 }
        self.key = key
    }

    package static func == (left: DeploymentID, right: DeploymentID) -> Bool {
        left.key == right.key && left.name == right.name && left.namespace == right.namespace
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.key)
    }

    package func _rawHashValue(seed: Int) -> Int { self.key.mixed(with: seed) }

    /// Reads `namespace/name`, or a bare `name` of the namespace `default`.
    ///
    /// - Returns: Nothing when either part is empty or there are more than two.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }), let name = parts.last else { return nil }
        self.init(namespace: parts.count == 2 ? parts[0] : "default", name: name)
    }

    package var description: String {
        "\(self.namespace)/\(self.name)"
    }

    package static func < (left: DeploymentID, right: DeploymentID) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}

extension DeploymentID: Codable, CodingKeyRepresentable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let id = DeploymentID(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not a deployment's name: \(text)")
            )
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.description)
    }

    package var codingKey: any CodingKey { TextKey(self.description) }

    package init?(codingKey: some CodingKey) {
        self.init(codingKey.stringValue)
    }
}

extension UInt64 {
    /// The place of a key, that is well mixed already, in a hash table. The library's own way there, SipHash over the
    /// key, was a tenth of a decision, and keeps no better apart what has one key.
    func mixed(with seed: Int) -> Int {
        let product = (self ^ UInt64(bitPattern: Int64(seed))).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return Int(truncatingIfNeeded: product.high ^ product.low)
    }
}

/// A coding key that is any text: for dictionaries whose keys are our own types.
package struct TextKey: CodingKey {
    package let stringValue: String
    package var intValue: Int? { nil }

    package init(_ text: String) { self.stringValue = text }
    package init?(stringValue: String) { self.stringValue = stringValue }
    package init?(intValue: Int) { nil }
}
