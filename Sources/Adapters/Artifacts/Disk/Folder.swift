import Glibc
import Reconciliation

/// Operations on directories, each of which either happened or threw.
enum Folder {
    static func create(_ path: String) throws(ArtifactError) {
        if mkdir(path, 0o755) != 0, errno != EEXIST { throw .system("create", path) }
        guard let status = try FileStatus(of: path), status.isDirectory else {
            throw ArtifactError(
                code: .storage,
                message: "\(path) is in the way of a folder; move it elsewhere",
                recovery: .needsOperator
            )
        }
    }

    /// Every missing folder on the way, too.
    static func createAll(_ path: String) throws(ArtifactError) {
        if try FileStatus(of: path) != nil { return try self.create(path) }
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            try self.createAll(String(path[..<slash]))
        }
        try self.create(path)
    }

    /// The names in a folder, sorted.
    static func names(in path: String) throws(ArtifactError) -> [String] {
        guard let stream = opendir(path) else { throw .system("list", path) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw .system("list", path) }
                return names.sorted()
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
            }
            guard let name else {
                throw ArtifactError(
                    code: .refused,
                    message: "a name in \(path) is not UTF-8; rename it",
                    recovery: .needsOperator
                )
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    /// Removes a file, or a folder with everything in it. Harmless when it is gone.
    @concurrent
    static func remove(_ path: String) async throws(ArtifactError) {
        guard let status = try FileStatus(of: path) else { return }
        if status.isDirectory {
            for name in try self.names(in: path) {
                try await self.remove("\(path)/\(name)")
            }
            if rmdir(path) != 0, errno != ENOENT { throw .system("remove", path) }
        } else if unlink(path) != 0, errno != ENOENT {
            throw .system("remove", path)
        }
    }

    static func rename(_ path: String, to target: String) throws(ArtifactError) {
        guard Glibc.rename(path, target) == 0 else { throw .system("rename to \(target):", path) }
    }

    /// Brings the folder's own entries to the disk.
    static func sync(_ path: String) throws(ArtifactError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("sync", path) }
    }

    /// A whole small file, or nothing when there is none.
    static func read(_ path: String, limit: Int = 16 << 20) throws(ArtifactError) -> [UInt8]? {
        guard try FileStatus(of: path) != nil else { return nil }
        let file = try OpenFile(reading: path)
        var bytes: [UInt8] = []
        while true {
            let piece = try file.read()
            if piece.isEmpty { return bytes }
            bytes += piece
            guard bytes.count <= limit else {
                throw ArtifactError(
                    code: .tooLarge,
                    message: "\(path) is larger than \(limit) bytes; remove it",
                    recovery: .needsOperator
                )
            }
        }
    }

    /// Replaces a small file as a whole: after a crash it is the old or the new one.
    static func write(_ bytes: [UInt8], to path: String) throws(ArtifactError) {
        let temporary = path + ".new"
        if unlink(temporary) != 0, errno != ENOENT { throw .system("remove", temporary) }
        let file = try OpenFile(creating: temporary)
        try file.write(bytes)
        try file.seal()
        try self.rename(temporary, to: path)
    }
}
