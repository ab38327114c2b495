import CLibgit2
import Glibc

/// The objects and references of one bare repository, by libgit2, which is never given a network or a work tree.
///
/// Not sendable: the handle belongs to the actor that opened it.
final class ObjectStore {
    let repository: OpaquePointer
    let path: String

    /// A call of libgit2 that failed.
    ///
    /// Whatever its code, it says nothing about the repository's content: libgit2 answers "not found" when it runs
    /// out of file descriptors.
    struct Failure: Error {
        var code: Int32
        var message: String
    }

    /// Once for the process: no configuration but the store's own, few open packs, and little memory at once.
    private static let library: Int32 = {
        _ = ctl_git_limit_allocations()
        let count = git_libgit2_init()
        let levels = [GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL]
        for level in levels {
            _ = ctl_git_set_search_path(level.rawValue, "")
        }
        // Its default is no limit: a store of many packs then uses up the file descriptors of the process.
        _ = ctl_git_set_mwindow_file_limit(32)
        _ = ctl_git_set_cache_max_size(16 << 20)
        return count
    }()

    /// Some 20 ms, once in a process, for who has something else to do meanwhile.
    static func load() async { _ = Self.library }

    /// The repository that a folder is in, or is, of whomever it is: objects are read of it and nothing is run.
    convenience init(searchingFrom place: String) throws(Failure) {
        _ = Self.library
        _ = ctl_git_set_owner_validation(0)
        try self.init(path: place, flags: 0)
    }

    convenience init(path: String) throws(Failure) {
        try self.init(path: path, flags: GIT_REPOSITORY_OPEN_NO_SEARCH.rawValue)
    }

    private init(path: String, flags: UInt32) throws(Failure) {
        _ = Self.library
        var handle: OpaquePointer?
        let code = git_repository_open_ext(&handle, path, flags, nil)
        try Self.check(code, "the repository \(path) cannot be opened")
        guard let handle else { throw Failure(code: code, message: "the repository \(path) cannot be opened") }
        self.repository = handle
        self.path = git_repository_path(handle).map { String(cString: $0) } ?? path
    }

    deinit {
        git_repository_free(self.repository)
    }

    /// Copies libgit2's message at once: it belongs to this thread and to the last call.
    static func check(_ code: Int32, _ what: @autoclosure () -> String) throws(Failure) {
        guard code < 0 else { return }
        let detail = git_error_last().flatMap { $0.pointee.message.map { String(cString: $0) } } ?? "no reason given"
        throw Failure(code: code, message: "\(what()): \(PrintableText.line(detail, limit: 300)) (code \(code))")
    }

    // MARK: - References

    /// The object that a reference names; nothing when there is no such reference.
    func target(of reference: String) throws(Failure) -> ObjectID? {
        var raw = git_oid()
        let code = git_reference_name_to_id(&raw, self.repository, reference)
        if code == GIT_ENOTFOUND.rawValue { return nil }
        try Self.check(code, "the reference \(reference) cannot be read")
        return ObjectID(raw)
    }

    /// The commit that a reference names, itself or by a tag; nothing when there is no such reference.
    ///
    /// - Throws: A failure with the code `GIT_EPEEL` when it names something else.
    func commit(at reference: String) throws(Failure) -> ObjectID? {
        guard let id = try self.target(of: reference) else { return nil }
        var raw = id.raw
        var object: OpaquePointer?
        try Self.check(git_object_lookup(&object, self.repository, &raw, GIT_OBJECT_ANY), "\(id.text) cannot be read")
        defer { git_object_free(object) }
        var commit: OpaquePointer?
        try Self.check(git_object_peel(&commit, object, GIT_OBJECT_COMMIT), "\(id.text) is no commit")
        defer { git_object_free(commit) }
        return git_object_id(commit).map { ObjectID($0.pointee) }
    }

    /// The commit that people name so: a branch, a tag, an id or its beginning, `HEAD~2`; nothing when there is none.
    func commit(named revision: String) throws(Failure) -> ObjectID? {
        var object: OpaquePointer?
        let code = git_revparse_single(&object, self.repository, revision)
        if code == GIT_ENOTFOUND.rawValue || code == GIT_EINVALIDSPEC.rawValue { return nil }
        try Self.check(code, "\(PrintableText.line(revision, limit: 100)) cannot be read")
        defer { git_object_free(object) }
        var commit: OpaquePointer?
        guard git_object_peel(&commit, object, GIT_OBJECT_COMMIT) == 0 else { return nil }
        defer { git_object_free(commit) }
        return git_object_id(commit).map { ObjectID($0.pointee) }
    }

    func set(_ reference: String, to id: ObjectID) throws(Failure) {
        var raw = id.raw
        var result: OpaquePointer?
        let code = git_reference_create(&result, self.repository, reference, &raw, 1, nil)
        git_reference_free(result)
        try Self.check(code, "the reference \(reference) cannot be written")
    }

    /// Moves a reference, unless another process moved it meanwhile.
    func move(_ reference: String, from old: ObjectID?, to new: ObjectID) throws(Failure) {
        var raw = new.raw
        var result: OpaquePointer?
        var code: Int32
        if let old {
            var expected = old.raw
            code = git_reference_create_matching(&result, self.repository, reference, &raw, 1, &expected, nil)
        } else {
            code = git_reference_create(&result, self.repository, reference, &raw, 0, nil)
        }
        git_reference_free(result)
        try Self.check(code, "the reference \(reference) cannot be moved; does another controller use the store?")
    }

    // MARK: - Commits

    struct Commit {
        var tree: ObjectID
        var parents: [ObjectID]
        /// Untrusted, made printable.
        var subject: String
        var author: String
    }

    func commit(_ id: ObjectID) throws(Failure) -> Commit {
        let handle = try self.commitHandle(id)
        defer { git_commit_free(handle) }
        let message = git_commit_message(handle).map { Self.text($0, limit: 4096) } ?? ""
        let author = git_commit_author(handle).flatMap { $0.pointee.name.map { Self.text($0, limit: 1024) } } ?? ""
        guard let tree = git_commit_tree_id(handle) else {
            throw Failure(code: -1, message: "the commit \(id.text) has no tree")
        }
        let firstLine = message.split(omittingEmptySubsequences: true, whereSeparator: \.isNewline).first ?? ""
        return Commit(
            tree: ObjectID(tree.pointee),
            parents: Self.parents(handle),
            subject: PrintableText.line(firstLine, limit: 200),
            author: PrintableText.line(author, limit: 100)
        )
    }

    /// The parents that the commit names, here or not; nothing when the commit itself cannot be read.
    func parents(of id: ObjectID) -> [ObjectID]? {
        // Whoever asks decides whether the commit may be missing; see `Ancestry`.
        guard let handle = try? self.commitHandle(id) else { return nil }
        defer { git_commit_free(handle) }
        return Self.parents(handle)
    }

    func commitHandle(_ id: ObjectID) throws(Failure) -> OpaquePointer {
        var raw = id.raw
        var handle: OpaquePointer?
        let code = git_commit_lookup(&handle, self.repository, &raw)
        try Self.check(code, "the commit \(id.text) cannot be read")
        guard let handle else { throw Failure(code: code, message: "the commit \(id.text) cannot be read") }
        return handle
    }

    private static func parents(_ handle: OpaquePointer) -> [ObjectID] {
        (0..<git_commit_parentcount(handle)).compactMap { index in
            git_commit_parent_id(handle, index).map { ObjectID($0.pointee) }
        }
    }

    /// At most `limit` bytes of a C string; what is not UTF-8 becomes U+FFFD.
    static func text(_ pointer: UnsafePointer<CChar>, limit: Int) -> String {
        let count = strnlen(pointer, limit)
        return UnsafeRawBufferPointer(start: pointer, count: count).withMemoryRebound(to: UInt8.self) {
            String(decoding: $0, as: UTF8.self)
        }
    }
}
