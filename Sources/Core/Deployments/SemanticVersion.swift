/// A version as Semantic Versioning 2.0.0 has it, with a `v` before it or not: `1.2.3`, `v1.2.3-rc.1+build5`.
///
/// What is built of it (`+build5`) says nothing about which comes first.
package struct SemanticVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var major: Int
    package var minor: Int
    package var patch: Int
    /// `["rc", "1"]`; empty for a release.
    package var prerelease: [String]

    package init(_ major: Int, _ minor: Int, _ patch: Int, prerelease: [String] = []) {
        self.major = major
        self.minor = minor
        self.patch = patch
        self.prerelease = prerelease
    }

    /// - Returns: Nothing when `text` is no complete version.
    package init?(_ text: String) {
        guard text.utf8.count <= 256, let parsed = PartialVersion(text[...]), let minor = parsed.minor,
            let patch = parsed.patch, let major = parsed.major
        else { return nil }
        self.init(major, minor, patch, prerelease: parsed.prerelease)
    }

    package var description: String {
        "\(self.major).\(self.minor).\(self.patch)"
            + (self.prerelease.isEmpty ? "" : "-" + self.prerelease.joined(separator: "."))
    }

    package static func < (left: SemanticVersion, right: SemanticVersion) -> Bool {
        let (mine, theirs) = ([left.major, left.minor, left.patch], [right.major, right.minor, right.patch])
        if mine != theirs { return mine.lexicographicallyPrecedes(theirs) }
        // A release comes after what was tried before it.
        if left.prerelease.isEmpty || right.prerelease.isEmpty {
            return !left.prerelease.isEmpty && right.prerelease.isEmpty
        }
        for (mine, theirs) in zip(left.prerelease, right.prerelease) where mine != theirs {
            switch (Int(mine), Int(theirs)) {
            case (let mine?, let theirs?): return mine < theirs
            case (.some, nil): return true
            case (nil, .some): return false
            case (nil, nil): return mine.utf8.lexicographicallyPrecedes(theirs.utf8)
            }
        }
        return left.prerelease.count < right.prerelease.count
    }
}

/// A version of which the end may be missing: `1`, `1.2`, `1.x`, `*`.
struct PartialVersion {
    var major: Int?
    var minor: Int?
    var patch: Int?
    var prerelease: [String] = []

    init?(_ text: Substring) {
        var rest = text.hasPrefix("v") ? text.dropFirst() : text
        if let plus = rest.firstIndex(of: "+") {
            guard Self.identifiers(rest[rest.index(after: plus)...]) != nil else { return nil }
            rest = rest[..<plus]
        }
        if let dash = rest.firstIndex(of: "-") {
            guard let parts = Self.identifiers(rest[rest.index(after: dash)...]) else { return nil }
            let hasLeadingZero = parts.contains { $0.count > 1 && $0.first == "0" && Int($0) != nil }
            guard !hasLeadingZero else { return nil }
            self.prerelease = parts
            rest = rest[..<dash]
        }
        let parts = rest.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count) else { return nil }
        var numbers: [Int?] = []
        for part in parts {
            if ["x", "X", "*"].contains(part) {
                numbers.append(nil)
                continue
            }
            let isNumber = (1...9).contains(part.count) && part.allSatisfy { $0.isASCII && $0.isNumber }
            guard isNumber, part.count == 1 || part.first != "0", numbers.last != .some(nil) else { return nil }
            numbers.append(Int(part))
        }
        self.major = numbers[0]
        self.minor = numbers.count > 1 ? numbers[1] : nil
        self.patch = numbers.count > 2 ? numbers[2] : nil
        if self.patch == nil, !self.prerelease.isEmpty { return nil }
    }

    private static func identifiers(_ text: Substring) -> [String]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let isValid = parts.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
        }
        return isValid ? parts : nil
    }

    /// The first version that it stands for.
    var lowest: SemanticVersion {
        SemanticVersion(self.major ?? 0, self.minor ?? 0, self.patch ?? 0, prerelease: self.prerelease)
    }

    /// The first version after all that it stands for; nothing when it stands for all.
    var next: SemanticVersion? {
        guard let major = self.major else { return nil }
        guard let minor = self.minor else { return .before(major + 1, 0, 0) }
        guard let patch = self.patch else { return .before(major, minor + 1, 0) }
        return .before(major, minor, patch + 1)
    }
}

extension SemanticVersion {
    /// What comes before all that is tried before a release.
    static func before(_ major: Int, _ minor: Int, _ patch: Int) -> SemanticVersion {
        SemanticVersion(major, minor, patch, prerelease: ["0"])
    }
}
