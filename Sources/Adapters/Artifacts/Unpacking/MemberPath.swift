import Reconciliation

/// The path of a file inside an artifact: relative, without `..`, the same on every system.
struct MemberPath: Hashable, Comparable, Sendable, CustomStringConvertible {
    let components: [String]

    /// Nothing for the artifact's own root (`.`, `./`).
    ///
    /// - Throws: `badArchive` for every path that could leave the root or that `sha256sum` would print in another way.
    init?(_ raw: some Collection<UInt8>) throws(ArtifactError) {
        guard let text = String(validating: raw, as: UTF8.self) else {
            throw Self.refused("a name that is not UTF-8")
        }
        let isPlain = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0 != "\\" }
        guard isPlain else { throw Self.refused("a name with a backslash or a control character") }
        guard !text.hasPrefix("/") else { throw Self.refused("the absolute path \(text.prefix(100))") }
        let components = text.split(separator: "/").map(String.init).filter { $0 != "." }
        guard !components.contains("..") else { throw Self.refused("the path \(text.prefix(100)), which has ..") }
        guard text.utf8.count <= 1024, components.allSatisfy({ $0.utf8.count <= 255 }) else {
            throw Self.refused("a path of more than 1024 bytes")
        }
        guard !components.isEmpty else { return nil }
        self.components = components
    }

    private init(components: [String]) {
        self.components = components
    }

    /// The path that a symbolic link here points to; nothing when that leaves the root.
    func resolving(link target: String) -> MemberPath? {
        guard !target.hasPrefix("/") else { return nil }
        var components = self.components.dropLast()
        for part in target.split(separator: "/") where part != "." {
            if part == ".." {
                guard components.popLast() != nil else { return nil }
            } else {
                components.append(String(part))
            }
        }
        return components.isEmpty ? nil : MemberPath(components: Array(components))
    }

    var parents: [String] {
        (1..<max(1, self.components.count)).map { self.components[..<$0].joined(separator: "/") }
    }

    var description: String { self.components.joined(separator: "/") }

    /// By bytes, as `LC_ALL=C sort` does.
    static func < (left: MemberPath, right: MemberPath) -> Bool {
        left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
    }

    private static func refused(_ what: String) -> ArtifactError {
        ArtifactError(
            code: .badArchive,
            message: "the artifact has \(what); pack it anew without that",
            recovery: .needsOperator
        )
    }
}
