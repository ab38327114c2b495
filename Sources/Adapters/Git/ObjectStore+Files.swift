import CLibgit2

extension ObjectStore {
    /// A regular file of a commit.
    struct File {
        var bytes: [UInt8]
        var mode: git_filemode_t
    }

    /// The file at `path`; nothing when there is none, when it is no regular file, or has more than `limit` bytes.
    func file(at path: String, in commit: ObjectID, limit: Int) throws(Failure) -> File? {
        let root = try self.commit(commit).tree
        guard let entry = try self.entry(at: path.split(separator: "/")[...], in: root) else { return nil }
        guard [GIT_FILEMODE_BLOB, GIT_FILEMODE_BLOB_EXECUTABLE].contains(entry.mode) else { return nil }
        return try self.blob(entry.id, limit: limit).map { File(bytes: $0, mode: entry.mode) }
    }

    /// Folder by folder, because "not found" for a whole path may also mean that a folder could not be read, and
    /// then what others wrote would be overwritten.
    func entry(
        at path: ArraySlice<Substring>,
        in tree: ObjectID
    ) throws(Failure) -> (id: ObjectID, mode: git_filemode_t)? {
        guard let name = path.first else { return nil }
        let handle = try self.treeHandle(tree)
        defer { git_tree_free(handle) }
        guard let entry = git_tree_entry_byname(handle, String(name)), let id = git_tree_entry_id(entry) else {
            return nil
        }
        let rest = path.dropFirst()
        switch git_tree_entry_type(entry) {
        case GIT_OBJECT_BLOB where rest.isEmpty: return (ObjectID(id.pointee), git_tree_entry_filemode(entry))
        case GIT_OBJECT_TREE where !rest.isEmpty: return try self.entry(at: rest, in: ObjectID(id.pointee))
        default: return nil
        }
    }

    /// The bytes of a blob; nothing when it has more than `limit`.
    func blob(_ id: ObjectID, limit: Int) throws(Failure) -> [UInt8]? {
        try self.bytes(of: id, as: GIT_OBJECT_BLOB, limit: limit)
    }

    /// The bytes of an object of the given type; nothing when it has more than `limit`, which is known before it is
    /// read.
    func bytes(of id: ObjectID, as type: git_object_t, limit: Int) throws(Failure) -> [UInt8]? {
        var database: OpaquePointer?
        try Self.check(git_repository_odb(&database, self.repository), "the object database cannot be opened")
        defer { git_odb_free(database) }
        var raw = id.raw
        var size = 0
        var found = GIT_OBJECT_INVALID
        try Self.check(git_odb_read_header(&size, &found, database, &raw), "the object \(id.text) cannot be read")
        guard found == type else { throw Failure(code: -1, message: "the object \(id.text) is of another type") }
        guard size <= limit else { return nil }
        var object: OpaquePointer?
        try Self.check(git_odb_read(&object, database, &raw), "the object \(id.text) cannot be read")
        defer { git_odb_object_free(object) }
        return [UInt8](UnsafeRawBufferPointer(start: git_odb_object_data(object), count: git_odb_object_size(object)))
    }

    func message(of commit: ObjectID) throws(Failure) -> String {
        let handle = try self.commitHandle(commit)
        defer { git_commit_free(handle) }
        return git_commit_message(handle).map { Self.text($0, limit: 64 << 10) } ?? ""
    }

    /// Makes a commit that changes one file of `parent`, which has it. No reference moves.
    func commit(
        _ bytes: [UInt8],
        at path: String,
        mode: git_filemode_t,
        on parent: ObjectID,
        message: String
    ) throws(Failure) -> ObjectID {
        let base = try self.treeHandle(try self.commit(parent).tree)
        defer { git_tree_free(base) }
        let tree = try self.tree(of: base, with: try self.write(bytes), at: path, mode: mode)
        defer { git_tree_free(tree) }
        return try self.commit(tree, parent: parent, message: message)
    }

    // MARK: - Writing

    /// Enough to tell what this product wrote from what a person did.
    private static let author = (name: "controller", email: "controller@localhost")

    func write(_ bytes: [UInt8]) throws(Failure) -> git_oid {
        var id = git_oid()
        try Self.check(
            bytes.withUnsafeBytes { git_blob_create_from_buffer(&id, self.repository, $0.baseAddress, $0.count) },
            "the file cannot be written"
        )
        return id
    }

    /// A tree with one file set. The caller frees it.
    func tree(
        of base: OpaquePointer,
        with blob: git_oid,
        at path: String,
        mode: git_filemode_t
    ) throws(Failure) -> OpaquePointer {
        var id = git_oid()
        let code = path.withCString { name in
            var update = git_tree_update(action: GIT_TREE_UPDATE_UPSERT, id: blob, filemode: mode, path: name)
            return git_tree_create_updated(&id, self.repository, base, 1, &update)
        }
        try Self.check(code, "the tree cannot be written")
        return try self.treeHandle(ObjectID(id))
    }

    func commit(_ tree: OpaquePointer, parent: ObjectID?, message: String) throws(Failure) -> ObjectID {
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
        try Self.check(code, "the commit cannot be written")
        return ObjectID(id)
    }

    /// The caller frees it.
    func treeHandle(_ id: ObjectID) throws(Failure) -> OpaquePointer {
        var raw = id.raw
        var handle: OpaquePointer?
        let code = git_tree_lookup(&handle, self.repository, &raw)
        try Self.check(code, "the tree \(id.text) cannot be read")
        guard let handle else { throw Failure(code: code, message: "the tree \(id.text) cannot be read") }
        return handle
    }
}
