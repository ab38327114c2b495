/// The rules of `git check-ref-format` for a branch.
enum BranchName {
    static func isValid(_ name: String) -> Bool {
        guard (1...250).contains(name.utf8.count), !name.hasPrefix("-"), name != "@" else { return false }
        guard !name.contains(".."), !name.contains("@{"), !name.hasSuffix(".") else { return false }
        let allowed = name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && !"~^:?*[\\".utf8.contains($0) }
        return allowed
            && name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
                !part.isEmpty && !part.hasPrefix(".") && !part.hasSuffix(".lock")
            }
    }
}
