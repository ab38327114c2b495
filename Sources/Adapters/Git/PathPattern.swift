import Glibc

/// Names files of a repository from its root: `prod/**`, `teams/*/prod`, `prod/*.yaml`.
///
/// Each part stands for one name, with `*`, `?` and `[…]` as in fnmatch(3). Whatever is below what matches counts,
/// too, so a `**` at the end says nothing more, and `**` alone is every file.
struct PathPattern: Hashable, Sendable {
    let parts: [String]

    /// Nothing when a `**` stands elsewhere than at the end, or a part can be no name.
    init?(_ text: String) {
        var parts = text.split(separator: "/").map(String.init)
        guard !parts.isEmpty else { return nil }
        if parts.last == "**" { parts.removeLast() }
        guard parts.allSatisfy({ $0 != "." && $0 != ".." && !$0.contains("**") }) else { return nil }
        self.parts = parts
    }

    static func matches(_ name: String, _ part: String) -> Bool {
        // Both are compared as Unicode text when nothing in the part is special: one name, however it is composed.
        name == part || fnmatch(part, name, 0) == 0
    }
}
