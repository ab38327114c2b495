import CLibgit2
import Glibc
import Manifests

/// Reads the manifests of one tree.
///
/// One entry that cannot be read or may not be there fails the whole snapshot: a snapshot that lacks a file looks
/// like a request to delete what the file declares.
struct ManifestTree {
    enum Failure: Error {
        /// The store has a fault, or this process is out of something.
        case unreadable(String)
        /// The commit holds what is not accepted; it will not change.
        case refused(String)
        case tooLarge(String)
    }

    private static let extensions: Set<String> = ["yaml", "yml", "json", "jsonl"]
    private static let lfsMarks = [
        "version https://git-lfs.github.com/spec/", "version https://hawser.github.com/spec/",
    ]

    /// The first versions of git wrote this mode, and it is in old repositories.
    private static let groupWritable = git_filemode_t(rawValue: 0o100664)

    private let repository: OpaquePointer
    private let database: OpaquePointer
    let limits: GitLimits
    var files: [SourceFile] = []
    var dropped = Dropped()
    private var totalBytes = 0
    var entries = 0

    /// All below `folders`, each written from the root, without slashes at its ends, and empty for the root; none lies
    /// in another. `known` is what was read last, of these folders or others.
    static func read(
        _ root: ObjectID,
        folders: [String],
        in store: ObjectStore,
        limits: GitLimits,
        after known: Contents? = nil
    ) throws(Failure) -> Contents {
        var database: OpaquePointer?
        guard git_repository_odb(&database, store.repository) == 0, let database else {
            throw .unreadable("the object database cannot be opened")
        }
        defer { git_odb_free(database) }
        var reader = ManifestTree(repository: store.repository, database: database, limits: limits)
        var found: [Folder] = []
        for path in folders { found.append(Folder(path: path, tree: try reader.find(path, in: root))) }
        if let known, known.folders.map(\.path) == folders {
            do throws(Failure) {
                try reader.read(found, after: known)
                return Contents(folders: found, files: reader.files, entries: reader.entries)
            } catch {
                // The old tree may be gone from the store, which is made anew now and then.
                guard case .unreadable = error else { throw error }
                reader = ManifestTree(repository: store.repository, database: database, limits: limits)
            }
        }
        for folder in found {
            if let tree = folder.tree { try reader.read(tree, prefix: folder.prefix, depth: 0) }
        }
        let files = reader.files.sorted { $0.path < $1.path }
        return Contents(folders: found, files: files, entries: reader.entries)
    }

    private init(repository: OpaquePointer, database: OpaquePointer, limits: GitLimits) {
        self.repository = repository
        self.database = database
        self.limits = limits
    }

    /// - Returns: Nothing when there is no such folder.
    private func find(_ folder: String, in root: ObjectID) throws(Failure) -> ObjectID? {
        var id = root
        for part in folder.split(separator: "/") {
            let handle = try self.tree(id, path: folder)
            defer { git_tree_free(handle) }
            guard let entry = git_tree_entry_byname(handle, String(part)), let found = git_tree_entry_id(entry) else {
                return nil
            }
            guard git_tree_entry_filemode_raw(entry).rawValue == GIT_FILEMODE_TREE.rawValue else {
                throw .refused("the watched path \(folder) is not a folder; set path to one")
            }
            id = ObjectID(found.pointee)
        }
        return id
    }

    func tree(_ id: ObjectID, path: String) throws(Failure) -> OpaquePointer {
        var raw = id.raw
        var handle: OpaquePointer?
        let code = git_tree_lookup(&handle, self.repository, &raw)
        try Self.check(code, "the folder \(Self.shown(path)) (\(id.text))")
        guard let handle else { throw .unreadable("the folder \(Self.shown(path)) (\(id.text)) cannot be read") }
        return handle
    }

    mutating func read(_ id: ObjectID, prefix: String, depth: Int) throws(Failure) {
        guard depth <= self.limits.depth else {
            throw .tooLarge("\(Self.shown(prefix)) lies deeper than \(self.limits.depth) folders; move it up")
        }
        let handle = try self.tree(id, path: prefix)
        defer { git_tree_free(handle) }
        let count = git_tree_entrycount(handle)
        self.entries += count
        guard self.entries <= self.limits.entries else { throw self.tooManyEntries }
        try self.requireOrder(handle, prefix)
        for index in 0..<count {
            guard let entry = git_tree_entry_byindex(handle, index) else {
                throw .unreadable("the folder \(Self.shown(prefix)) cannot be listed")
            }
            try self.read(entry: entry, prefix: prefix, depth: depth)
        }
    }

    mutating func read(entry: OpaquePointer, prefix: String, depth: Int) throws(Failure) {
        guard let pointer = git_tree_entry_name(entry), let raw = git_tree_entry_id(entry) else {
            throw .unreadable("the folder \(Self.shown(prefix)) cannot be listed")
        }
        let name = String(cString: pointer)
        let path = prefix + name
        guard Self.isName(name) else {
            throw .refused("\(Self.shown(path)) has a name that no working tree may hold; remove it from the commit")
        }
        // Editors, forges and tools keep their own files under such names, some of them in YAML.
        guard Self.isRead(name) else { return }
        let isManifest = Self.isManifest(name)
        let mode = git_tree_entry_filemode_raw(entry)
        switch mode {
        case GIT_FILEMODE_TREE:
            try Self.requireReadable(pointer, path)
            try self.read(ObjectID(raw.pointee), prefix: path + "/", depth: depth + 1)
        case GIT_FILEMODE_BLOB, GIT_FILEMODE_BLOB_EXECUTABLE, Self.groupWritable:
            guard isManifest else { return }
            try Self.requireReadable(pointer, path)
            try self.read(ObjectID(raw.pointee), path: path)
        case GIT_FILEMODE_LINK:
            // A link to a document is nobody's loss; one that may stand for a manifest or a folder of them is.
            guard isManifest || !name.contains(".") else { return }
            throw .refused(
                "\(Self.shown(path)) is a symbolic link, and links are not followed; put the file or folder itself "
                    + "there"
            )
        case GIT_FILEMODE_COMMIT:
            throw .refused(
                "\(Self.shown(path)) is a submodule, and submodules are not read; watch its repository as one of its "
                    + "own, or set path to a folder without submodules"
            )
        default:
            throw .refused(
                "\(Self.shown(path)) has the mode \(String(mode.rawValue, radix: 8)), which git never writes"
            )
        }
    }

    private mutating func read(_ id: ObjectID, path: String) throws(Failure) {
        guard self.files.count < self.limits.files else { throw self.tooManyFiles }
        var raw = id.raw
        var object: OpaquePointer?
        let code = git_odb_read(&object, self.database, &raw)
        // One that is too large to be held in memory cannot be read, but says so.
        if code < 0, let size = self.size(of: id) { try self.requireSize(size, path) }
        try Self.check(code, "\(Self.shown(path)) (\(id.text))")
        guard let object else { throw .unreadable("\(Self.shown(path)) (\(id.text)) cannot be read") }
        defer { git_odb_object_free(object) }
        guard git_odb_object_type(object) == GIT_OBJECT_BLOB else {
            throw .unreadable("\(Self.shown(path)) (\(id.text)) is not a file")
        }
        let size = git_odb_object_size(object)
        try self.requireSize(size, path)
        self.totalBytes += size
        guard self.totalBytes <= self.limits.totalBytes else { throw self.tooManyBytes }
        let bytes = [UInt8](UnsafeRawBufferPointer(start: git_odb_object_data(object), count: size))
        let isPointer =
            size <= 1024 && bytes.first == UInt8(ascii: "v") && Self.lfsMarks.contains { bytes.starts(with: $0.utf8) }
        guard !isPointer else {
            throw .refused("\(Self.shown(path)) is a Git LFS pointer, not the file; commit the file itself")
        }
        self.files.append(SourceFile(path: path, blob: id.text, bytes: bytes))
    }

    /// - Returns: Nothing when that cannot be read either.
    private func size(of id: ObjectID) -> Int? {
        var raw = id.raw
        var size = 0
        var type = GIT_OBJECT_INVALID
        return git_odb_read_header(&size, &type, self.database, &raw) == 0 ? size : nil
    }

    private func requireSize(_ size: Int, _ path: String) throws(Failure) {
        guard size <= self.limits.fileBytes else {
            throw .tooLarge(
                "\(Self.shown(path)) has \(size) bytes, more than the \(self.limits.fileBytes) that a manifest may have"
            )
        }
    }

    // MARK: - Names and errors

    static func isRead(_ name: String) -> Bool { !name.hasPrefix(".") }

    var tooManyEntries: Failure {
        .tooLarge("what is watched has more than \(self.limits.entries) entries; set path to a smaller one")
    }

    var tooManyFiles: Failure {
        .tooLarge("what is watched has more than \(self.limits.files) manifests; set path to a smaller one")
    }

    var tooManyBytes: Failure {
        .tooLarge("the manifests have more than \(self.limits.totalBytes) bytes together; set path to a smaller folder")
    }

    /// A commit may hold tens of thousands of names, so these look at bytes.
    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !name.utf8.contains(UInt8(ascii: "/")) else { return false }
        return first != UInt8(ascii: ".") || ![".", "..", ".git"].contains(name.lowercased())
    }

    private static func isManifest(_ name: String) -> Bool {
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
        let ending = name[name.utf8.index(after: dot)...]
        return ending == "yaml" || Self.extensions.contains(ending.lowercased())
    }

    /// Paths go into logs, pages and file names of others: they must be text.
    private static func requireReadable(_ name: UnsafePointer<CChar>, _ path: String) throws(Failure) {
        let isPlain = UnsafeRawBufferPointer(start: name, count: strlen(name)).allSatisfy { 0x20..<0x7F ~= $0 }
        if isPlain { return }
        let text = String(validatingCString: name)
        guard let text, text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw .refused("the name of \(Self.shown(path)) is not UTF-8 or holds control characters; rename it")
        }
    }

    static func shown(_ path: String) -> String {
        PrintableText.line(path.isEmpty ? "/" : path, limit: 200)
    }

    private static func check(_ code: Int32, _ what: @autoclosure () -> String) throws(Failure) {
        do throws(ObjectStore.Failure) {
            try ObjectStore.check(code, "\(what()) cannot be read")
        } catch {
            throw .unreadable(error.message)
        }
    }
}
