import CLibgit2
import Dispatch
import Foundation
import Manifests
import Synchronization

/// A file of a tree that is to be read.
struct WantedFile: Sendable {
    var id: ObjectID
    /// From the root of the repository.
    var path: String
}

/// Reads many files out of a store: of thousands, each core reads some.
struct FileReading {
    private let wanted: [WantedFile]
    private let store: ObjectStore
    private let limits: GitLimits

    private static let lfsMarks = [
        "version https://git-lfs.github.com/spec/", "version https://hawser.github.com/spec/",
    ]
    /// Below, opening the store once more takes longer than it saves.
    private static let few = 512
    private static let mostThreads = 4

    init(_ wanted: [WantedFile], of store: ObjectStore, limits: GitLimits) {
        self.wanted = wanted
        self.store = store
        self.limits = limits
    }

    /// All of them, in the order in which they are wanted.
    ///
    /// - Throws: What is wrong with the first that cannot be read or is not accepted.
    func files() throws(ManifestTree.Failure) -> [SourceFile] {
        let budget = Budget(bytes: self.limits.totalBytes)
        let threads = min(Self.mostThreads, ProcessInfo.processInfo.activeProcessorCount)
        guard self.wanted.count > Self.few, threads > 1 else {
            return try Self.read(self.wanted[...], of: self.store, self.limits, budget)
        }
        let (wanted, path, limits) = (self.wanted, self.store.path, self.limits)
        let size = (wanted.count + threads - 1) / threads
        let ranges = (0..<threads).map { min($0 * size, wanted.count)..<min(($0 + 1) * size, wanted.count) }
        let parts = Mutex([Part?](repeating: nil, count: threads))
        DispatchQueue.concurrentPerform(iterations: threads) { index in
            // libgit2's handles are for one thread each. Without one, as for want of a descriptor, it is done below.
            guard let store = try? ObjectStore(path: path) else { return }
            let part = Part { () throws(ManifestTree.Failure) in
                try Self.read(wanted[ranges[index]], of: store, limits, budget)
            }
            parts.withLock { $0[index] = part }
        }
        var files: [SourceFile] = []
        files.reserveCapacity(wanted.count)
        for (range, part) in zip(ranges, parts.withLock({ $0 })) {
            if let part {
                files += try part.get()
            } else {
                files += try Self.read(wanted[range], of: self.store, limits, budget)
            }
        }
        return files
    }

    private typealias Part = Result<[SourceFile], ManifestTree.Failure>

    /// What all files together may take, counted by all threads.
    private final class Budget: Sendable {
        private let left: Mutex<Int>

        init(bytes: Int) { self.left = Mutex(bytes) }

        func take(_ count: Int) -> Bool {
            self.left.withLock { left in
                left -= count
                return left >= 0
            }
        }
    }

    private static func read(
        _ wanted: ArraySlice<WantedFile>,
        of store: ObjectStore,
        _ limits: GitLimits,
        _ budget: Budget
    ) throws(ManifestTree.Failure) -> [SourceFile] {
        var database: OpaquePointer?
        guard git_repository_odb(&database, store.repository) == 0, let database else {
            throw .unreadable("the object database cannot be opened")
        }
        defer { git_odb_free(database) }
        var files: [SourceFile] = []
        files.reserveCapacity(wanted.count)
        for file in wanted { files.append(try Self.read(file, of: database, limits, budget)) }
        return files
    }

    private static func read(
        _ file: WantedFile,
        of database: OpaquePointer,
        _ limits: GitLimits,
        _ budget: Budget
    ) throws(ManifestTree.Failure) -> SourceFile {
        func name() -> String { "\(ManifestTree.shown(file.path)) (\(file.id.text))" }
        var raw = file.id.raw
        var size = 0
        var type = GIT_OBJECT_INVALID
        // The size first: a small pack can hold one object of many gigabytes.
        try ManifestTree.check(git_odb_read_header(&size, &type, database, &raw), name())
        guard type == GIT_OBJECT_BLOB else { throw .unreadable("\(name()) is not a file") }
        guard size <= limits.fileBytes else {
            throw .tooLarge(
                "\(ManifestTree.shown(file.path)) has \(size) bytes, more than the \(limits.fileBytes) that a manifest "
                    + "may have"
            )
        }
        guard budget.take(size) else { throw ManifestTree.tooManyBytes(limits) }
        var object: OpaquePointer?
        try ManifestTree.check(git_odb_read(&object, database, &raw), name())
        guard let object else { throw .unreadable("\(name()) cannot be read") }
        defer { git_odb_object_free(object) }
        guard git_odb_object_size(object) == size else {
            throw .unreadable("\(name()) is not as long as the store says")
        }
        let bytes = [UInt8](UnsafeRawBufferPointer(start: git_odb_object_data(object), count: size))
        guard size > 1024 || !Self.lfsMarks.contains(where: { bytes.starts(with: $0.utf8) }) else {
            throw .refused(
                "\(ManifestTree.shown(file.path)) is a Git LFS pointer, not the file; commit the file itself"
            )
        }
        return SourceFile(path: file.path, blob: file.id.text, bytes: bytes)
    }
}
