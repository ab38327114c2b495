/// Which versions are wanted: `>=1.2.0 <2.0.0`, `^1.2`, `~1.2.3`, `1.x`, `*`; alternatives are separated by `||`.
///
/// What was tried before a release (`2.0.0-rc.1`) is wanted only where a bound names such a version itself.
package struct VersionRange: Hashable, Sendable, CustomStringConvertible {
    /// As it was written.
    package let description: String
    private let alternatives: [Bounds]

    fileprivate struct Bounds: Sendable {
        /// Of these all hold.
        var lowest: [(version: SemanticVersion, isIncluded: Bool)] = []
        var highest: [(version: SemanticVersion, isIncluded: Bool)] = []
        var hasPrereleases = false

        func contains(_ version: SemanticVersion) -> Bool {
            (version.prerelease.isEmpty || self.hasPrereleases)
                && self.lowest.allSatisfy { $0.isIncluded ? version >= $0.version : version > $0.version }
                && self.highest.allSatisfy { $0.isIncluded ? version <= $0.version : version < $0.version }
        }
    }

    /// - Returns: Nothing when `text` is no range.
    package init?(_ text: String) {
        guard text.utf8.count <= 256 else { return nil }
        var alternatives: [Bounds] = []
        for part in Self.split(text) {
            guard let bounds = Self.bounds(of: part) else { return nil }
            alternatives.append(bounds)
        }
        self.alternatives = alternatives
        self.description = text
    }

    /// What is written alike is alike.
    package static func == (left: VersionRange, right: VersionRange) -> Bool { left.description == right.description }

    package func hash(into hasher: inout Hasher) { hasher.combine(self.description) }

    package func contains(_ version: SemanticVersion) -> Bool {
        self.alternatives.contains { $0.contains(version) }
    }

    private static func split(_ text: String) -> [Substring] {
        var parts: [Substring] = []
        var rest = text[...]
        while let bar = rest.indices.first(where: { rest[$0...].hasPrefix("||") }) {
            parts.append(rest[..<bar])
            rest = rest[rest.index(bar, offsetBy: 2)...]
        }
        return parts + [rest]
    }

    private static func bounds(of text: Substring) -> Bounds? {
        var bounds = Bounds()
        var words = text.split { $0 == " " || $0 == "," }
        guard !words.isEmpty else { return nil }
        while !words.isEmpty {
            var word = words.removeFirst()
            let signs = word.prefix { "<>=^~".contains($0) }
            // `>= 1.2`
            if signs.count == word.count, !words.isEmpty { word += words.removeFirst() }
            guard let version = PartialVersion(word.dropFirst(signs.count)) else { return nil }
            guard bounds.add(String(signs), version) else { return nil }
        }
        return bounds
    }
}

extension VersionRange.Bounds {
    /// - Returns: Whether `sign` is one.
    fileprivate mutating func add(_ sign: String, _ version: PartialVersion) -> Bool {
        if !version.prerelease.isEmpty { self.hasPrereleases = true }
        switch sign {
        case ">=":
            self.lowest.append((version.lowest, true))
        case ">":
            // More than 1.2 is 1.3 and later; nothing is more than all.
            guard let next = version.patch == nil ? version.next : version.lowest else { return false }
            self.lowest.append((next, version.patch == nil))
        case "<":
            self.highest.append((version.prerelease.isEmpty ? version.firstOfAll : version.lowest, false))
        case "<=":
            if version.patch == nil, let next = version.next { self.highest.append((next, false)) }
            if version.patch != nil { self.highest.append((version.lowest, true)) }
        case "", "=":
            self.lowest.append((version.lowest, true))
            if version.patch != nil { self.highest.append((version.lowest, true)) }
            if version.patch == nil, let next = version.next { self.highest.append((next, false)) }
        case "~":
            guard let major = version.major else { return false }
            self.lowest.append((version.lowest, true))
            self.highest.append((version.minor.map { .before(major, $0 + 1, 0) } ?? .before(major + 1, 0, 0), false))
        case "^":
            guard let major = version.major else { return false }
            self.lowest.append((version.lowest, true))
            self.highest.append((version.firstIncompatible(major), false))
        default:
            return false
        }
        return true
    }
}

extension PartialVersion {
    /// What comes before all versions that it stands for.
    fileprivate var firstOfAll: SemanticVersion {
        .before(self.major ?? 0, self.minor ?? 0, self.patch ?? 0)
    }

    /// The first whose leftmost number other than 0 is larger.
    fileprivate func firstIncompatible(_ major: Int) -> SemanticVersion {
        guard major == 0, let minor = self.minor else { return .before(major + 1, 0, 0) }
        guard minor == 0, let patch = self.patch else { return .before(0, minor + 1, 0) }
        return .before(0, 0, patch + 1)
    }
}
