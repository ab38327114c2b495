import CLibgit2

extension ObjectStore {
    /// Enough to tell a note of this product from one of a person.
    private static let author = (name: "controller", email: "controller@localhost")

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
            if let blob = try self.blob(at: path.split(separator: "/")[...], in: root) {
                return Note(path: path, blob: blob)
            }
        }
        return nil
    }

    /// Folder by folder, because "not found" for a whole path may also mean that a folder could not be read, and
    /// then what others wrote would be overwritten.
    private func blob(at path: ArraySlice<Substring>, in tree: ObjectID) throws(Failure) -> ObjectID? {
        guard let name = path.first else { return nil }
        let handle = try self.treeHandle(tree)
        defer { git_tree_free(handle) }
        guard let entry = git_tree_entry_byname(handle, String(name)), let id = git_tree_entry_id(entry) else {
            return nil
        }
        let rest = path.dropFirst()
        switch git_tree_entry_type(entry) {
        case GIT_OBJECT_BLOB where rest.isEmpty: return ObjectID(id.pointee)
        case GIT_OBJECT_TREE where !rest.isEmpty: return try self.blob(at: rest, in: ObjectID(id.pointee))
        default: return nil
        }
    }

    /// The bytes of a blob that has at most `limit`; nothing when it has more.
    func blob(_ id: ObjectID, limit: Int) throws(Failure) -> [UInt8]? {
        var database: OpaquePointer?
        try Self.check(git_repository_odb(&database, self.repository), "the object database cannot be opened")
        defer { git_odb_free(database) }
        var raw = id.raw
        var size = 0
        var type = GIT_OBJECT_INVALID
        try Self.check(git_odb_read_header(&size, &type, database, &raw), "the object \(id.text) cannot be read")
        guard size <= limit else { return nil }
        var handle: OpaquePointer?
        try Self.check(git_blob_lookup(&handle, self.repository, &raw), "the object \(id.text) cannot be read")
        defer { git_blob_free(handle) }
        return [UInt8](UnsafeRawBufferPointer(start: git_blob_rawcontent(handle), count: size))
    }

    /// Makes a commit whose tree is that of `parent` with one note set. No reference moves.
    func commitNote(_ bytes: [UInt8], at path: String?, of commit: ObjectID, parent: ObjectID?, message: String)
        throws(Failure) -> ObjectID
    {
        var blob = git_oid()
        try Self.check(
            bytes.withUnsafeBytes { git_blob_create_from_buffer(&blob, self.repository, $0.baseAddress, $0.count) },
            "the note cannot be written"
        )
        let tree = try self.noteTree(blob: blob, path: path ?? Self.paths(of: commit)[1], parent: parent)
        defer { git_tree_free(tree) }
        var signature: UnsafeMutablePointer<git_signature>?
        try Self.check(git_signature_now(&signature, Self.author.name, Self.author.email), "no signature")
        defer { git_signature_free(signature) }
        var parents: [OpaquePointer?] = []
        if let parent { parents.append(try self.commitHandle(parent)) }
        defer { parents.forEach { git_commit_free($0) } }
        var id = git_oid()
        let code = parents.withUnsafeMutableBufferPointer { buffer in
            git_commit_create(
                &id,
                self.repository,
                nil,
                signature,
                signature,
                nil,
                message,
                tree,
                buffer.count,
                buffer.baseAddress
            )
        }
        try Self.check(code, "the commit of the note cannot be written")
        return ObjectID(id)
    }

    private func noteTree(blob: git_oid, path: String, parent: ObjectID?) throws(Failure) -> OpaquePointer {
        let base: OpaquePointer
        if let parent {
            base = try self.treeHandle(try self.commit(parent).tree)
        } else {
            var builder: OpaquePointer?
            try Self.check(git_treebuilder_new(&builder, self.repository, nil), "an empty tree cannot be made")
            defer { git_treebuilder_free(builder) }
            var empty = git_oid()
            try Self.check(git_treebuilder_write(&empty, builder), "an empty tree cannot be written")
            base = try self.treeHandle(ObjectID(empty))
        }
        defer { git_tree_free(base) }
        var id = git_oid()
        let code = path.withCString { name in
            var update = git_tree_update(
                action: GIT_TREE_UPDATE_UPSERT,
                id: blob,
                filemode: GIT_FILEMODE_BLOB,
                path: name
            )
            return git_tree_create_updated(&id, self.repository, base, 1, &update)
        }
        try Self.check(code, "the tree of the notes cannot be written")
        return try self.treeHandle(ObjectID(id))
    }

    private func treeHandle(_ id: ObjectID) throws(Failure) -> OpaquePointer {
        var raw = id.raw
        var handle: OpaquePointer?
        let code = git_tree_lookup(&handle, self.repository, &raw)
        try Self.check(code, "the tree \(id.text) cannot be read")
        guard let handle else { throw Failure(code: code, message: "the tree \(id.text) cannot be read") }
        return handle
    }
}
