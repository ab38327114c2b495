import Glibc
import Reconciliation

/// An open regular file, closed when it goes out of scope.
struct OpenFile: ~Copyable {
    let path: String
    private let descriptor: Int32

    /// What is read or written between two checkpoints.
    static let pieceSize = 1 << 20

    /// Opens a regular file for reading; no symbolic link, no device.
    init(reading path: String) throws(ArtifactError) {
        // O_NONBLOCK: opening a pipe must not wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system("open", path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, FileStatus(status).isRegular else {
            close(descriptor)
            throw ArtifactError(
                code: .refused,
                message: "\(path) is not a regular file; devices, pipes and sockets are no artifacts",
                recovery: .needsOperator
            )
        }
        self.path = path
        self.descriptor = descriptor
    }

    /// Creates a file that must not exist yet.
    init(creating path: String) throws(ArtifactError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("create", path) }
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        close(self.descriptor)
    }

    /// Up to `count` bytes from where the last call ended; none at the end.
    func read(upTo count: Int = OpenFile.pieceSize) throws(ArtifactError) -> [UInt8] {
        try self.read(upTo: count) { Glibc.read(self.descriptor, $0, $1) }
    }

    /// Up to `count` bytes from `offset`; none at the end.
    func read(upTo count: Int, at offset: Int64) throws(ArtifactError) -> [UInt8] {
        try self.read(upTo: count) { pread(self.descriptor, $0, $1, Int(offset)) }
    }

    private func read(
        upTo count: Int,
        _ call: (UnsafeMutableRawPointer?, Int) -> Int
    ) throws(ArtifactError) -> [UInt8] {
        while true {
            var result = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                result = call(buffer.baseAddress, count)
                initialized = max(0, result)
            }
            if result >= 0 { return bytes }
            guard errno == EINTR else { throw .system("read", self.path) }
        }
    }

    func write(_ bytes: some Collection<UInt8>) throws(ArtifactError) {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(self.descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system("write", self.path)
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Makes the file read-only and brings it to the disk, so that a rename after this cannot show an empty file.
    func seal(executable: Bool = false) throws(ArtifactError) {
        guard fchmod(self.descriptor, executable ? 0o555 : 0o444) == 0 else { throw .system("protect", self.path) }
        guard fsync(self.descriptor) == 0 else { throw .system("sync", self.path) }
    }

    func status() throws(ArtifactError) -> FileStatus {
        var status = stat()
        guard fstat(self.descriptor, &status) == 0 else { throw .system("examine", self.path) }
        return FileStatus(status)
    }
}

/// What the file system says of a name.
struct FileStatus: Hashable, Sendable {
    var isRegular: Bool
    var isDirectory: Bool
    var isLink: Bool
    var isExecutable: Bool
    var bytes: Int64
    /// Nanoseconds since 1970.
    var modified: Int64

    init(_ status: stat) {
        let kind = status.st_mode & S_IFMT
        self.isRegular = kind == S_IFREG
        self.isDirectory = kind == S_IFDIR
        self.isLink = kind == S_IFLNK
        self.isExecutable = status.st_mode & 0o100 != 0
        self.bytes = Int64(status.st_size)
        self.modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }

    /// Without following a link.
    ///
    /// - Returns: Nothing when there is no such name.
    /// - Throws: When that cannot be found out.
    init?(of path: String) throws(ArtifactError) {
        var status = stat()
        if lstat(path, &status) != 0 {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .system("examine", path)
        }
        self.init(status)
    }
}
