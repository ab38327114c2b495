import CLibgit2

extension ObjectStore {
    /// Whether files that match are other ones, or have another mode, than in each of `others`: what a commit brings
    /// of its own, and did not just take from one of them.
    ///
    /// Costs what differs: folders that are the same as in one of `others` are not looked into.
    ///
    /// - Parameters:
    ///   - commit: Whose files they are.
    ///   - pattern: Which files.
    ///   - others: The commits to compare with; nothing stands for one without any file.
    /// - Returns: Also true where that cannot be said, because folders are ambiguous or without end.
    /// - Throws: When an object cannot be read.
    func differs(
        _ commit: ObjectID,
        matching pattern: PathPattern,
        from others: [ObjectID?]
    ) throws(Failure) -> Bool {
        var trees: [TreeComparison.Entry?] = []
        for other in others {
            if let other { trees.append(.root(try self.commit(other).tree)) } else { trees.append(nil) }
        }
        var comparison = TreeComparison(store: self)
        let mine = TreeComparison.Entry.root(try self.commit(commit).tree)
        return try comparison.differs(mine, from: trees, pattern.parts[...], depth: 0)
    }
}

/// Looks for a file of one tree that is in none of the others.
private struct TreeComparison {
    struct Entry: Hashable {
        var id: ObjectID
        var mode: UInt32

        static func root(_ id: ObjectID) -> Entry {
            Entry(id: id, mode: GIT_FILEMODE_TREE.rawValue)
        }

        var isFolder: Bool { self.mode == GIT_FILEMODE_TREE.rawValue }
    }

    /// Entries looked at before it counts as a difference: a few small objects can name more of them than there is
    /// time to look at.
    private static let limit = 1_000_000
    /// Folders within folders, likewise.
    private static let depth = 256

    private let store: ObjectStore
    private var entries = 0

    init(store: ObjectStore) {
        self.store = store
    }

    mutating func differs(
        _ mine: Entry?,
        from others: [Entry?],
        _ parts: ArraySlice<String>,
        depth: Int
    ) throws(ObjectStore.Failure) -> Bool {
        if others.contains(mine) { return false }
        if parts.isEmpty {
            let file = Self.file(mine)
            if !others.contains(where: { Self.file($0) == file }) { return true }
        }
        guard let mineBelow = try self.children(mine) else { return true }
        var othersBelow: [[String: Entry]] = []
        for other in others {
            guard let below = try self.children(other) else { return true }
            othersBelow.append(below)
        }
        var names = Set(mineBelow.keys)
        for below in othersBelow { names.formUnion(below.keys) }
        self.entries += names.count
        guard self.entries <= Self.limit, depth < Self.depth else { return true }
        for name in names where parts.first.map({ PathPattern.matches(name, $0) }) ?? true {
            let theirs = othersBelow.map { $0[name] }
            if try self.differs(mineBelow[name], from: theirs, parts.dropFirst(), depth: depth + 1) { return true }
        }
        return false
    }

    /// What is no folder: a file, a link, a submodule.
    private static func file(_ entry: Entry?) -> Entry? {
        entry.flatMap { $0.isFolder ? nil : $0 }
    }

    /// - Returns: Nothing when the folder names an entry twice: it shows one file to some, and another to others.
    private func children(_ entry: Entry?) throws(ObjectStore.Failure) -> [String: Entry]? {
        guard let entry, entry.isFolder else { return [:] }
        let handle = try self.store.treeHandle(entry.id)
        defer { git_tree_free(handle) }
        var children: [String: Entry] = [:]
        for index in 0..<git_tree_entrycount(handle) {
            guard let child = git_tree_entry_byindex(handle, index), let name = git_tree_entry_name(child),
                let id = git_tree_entry_id(child)
            else { throw ObjectStore.Failure(code: -1, message: "the folder \(entry.id.text) cannot be listed") }
            let mode = git_tree_entry_filemode_raw(child).rawValue
            let found = Entry(id: ObjectID(id.pointee), mode: mode)
            if children.updateValue(found, forKey: String(cString: name)) != nil { return nil }
        }
        return children
    }
}
