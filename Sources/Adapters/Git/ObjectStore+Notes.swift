import CLibgit2

extension ObjectStore {
    /// Where the note of `commit` is in the tree of a notes commit.
    ///
    /// git spreads notes over folders of two digits as they become many, and reads any mixture.
    private static func paths(of commit: ObjectID) -> [String] {
        let name = commit.text
        let first = name.prefix(2)
        let second = name.dropFirst(2).prefix(2)
        return [name, "\(first)/\(name.dropFirst(2))", "\(first)/\(second)/\(name.dropFirst(4))"]
    }

    struct Note {
        var path: String
        var blob: ObjectID
    }

    /// The note of `commit` in the notes commit `notes`; nothing when it has none.
    func note(of commit: ObjectID, in notes: ObjectID) throws(Failure) -> Note? {
        let root = try self.commit(notes).tree
        for path in Self.paths(of: commit) {
            if let entry = try self.entry(at: path.split(separator: "/")[...], in: root) {
                return Note(path: path, blob: entry.id)
            }
        }
        return nil
    }

    /// Makes a commit whose tree is that of `parent` with one note set. No reference moves.
    func commitNote(_ bytes: [UInt8], at path: String?, of commit: ObjectID, parent: ObjectID?, message: String)
        throws(Failure) -> ObjectID
    {
        let base: OpaquePointer
        if let parent {
            base = try self.treeHandle(try self.commit(parent).tree)
        } else {
            base = try self.emptyTree()
        }
        defer { git_tree_free(base) }
        let place = path ?? Self.paths(of: commit)[1]
        let tree = try self.tree(of: base, with: try self.write(bytes), at: place, mode: GIT_FILEMODE_BLOB)
        defer { git_tree_free(tree) }
        return try self.commit(tree, parent: parent, message: message)
    }

    /// The caller frees it.
    private func emptyTree() throws(Failure) -> OpaquePointer {
        var builder: OpaquePointer?
        try Self.check(git_treebuilder_new(&builder, self.repository, nil), "an empty tree cannot be made")
        defer { git_treebuilder_free(builder) }
        var empty = git_oid()
        try Self.check(git_treebuilder_write(&empty, builder), "an empty tree cannot be written")
        return try self.treeHandle(ObjectID(empty))
    }
}
