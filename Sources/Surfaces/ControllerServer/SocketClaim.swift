// In a build of the whole module the compiler takes Dispatch's headers for the ones that define `stat`.
import CDispatch
import Glibc

/// The right to listen on a unix socket of the file system, held from before it is bound until the process ends.
///
/// The right is an advisory lock on a file beside the socket, because testing the socket alone would let two
/// controllers that start together both find it free. The lock's file stays: removing it would let a third one in.
struct SocketClaim: ~Copyable {
    let path: String
    private let lock: Int32

    /// Makes the socket's folder when it is missing, checks that only this user can enter it, takes the lock, and
    /// removes the socket of a controller that died.
    ///
    /// - Throws: A `ControllerServerError` that says what to change.
    static func take(_ path: String) throws(ControllerServerError) -> SocketClaim {
        guard path.hasPrefix("/"), path.utf8.count <= Self.longestPath else {
            throw ControllerServerError(
                code: .badPath,
                message: "\(path) cannot be a socket: its path must be absolute and at most \(Self.longestPath) "
                    + "bytes long"
            )
        }
        try Self.prepareFolder(of: path)
        let claim = SocketClaim(path: path, lock: try Self.takeLock(beside: path))
        try Self.removeStaleSocket(path)
        return claim
    }

    private init(path: String, lock: Int32) {
        self.path = path
        self.lock = lock
    }

    deinit {
        close(self.lock)
    }

    /// Linux's `sun_path` has 108 bytes; NIO keeps to the 104 of other systems, with the final zero.
    private static let longestPath = 103

    /// Lets only the owner connect. The folder, that nobody else can enter, covers the time before.
    static func restrict(_ path: String) throws(ControllerServerError) {
        guard chmod(path, 0o600) == 0 else {
            throw ControllerServerError(code: .system, message: "cannot restrict \(path) to its owner", errno)
        }
    }

    /// Removes the socket at the end, so that clients see at once that nobody listens.
    func removeSocket() {
        unlink(self.path)
    }

    private static func prepareFolder(of path: String) throws(ControllerServerError) {
        let parts = path.split(separator: "/").dropLast()
        let folder = "/" + parts.joined(separator: "/")
        if mkdir(folder, 0o700) != 0, errno != EEXIST {
            throw ControllerServerError(
                code: .system,
                message: "cannot make the folder \(folder) for the controller's socket; make it with mode 0700, owned "
                    + "by the controller's user",
                errno
            )
        }
        var status = stat()
        guard stat(folder, &status) == 0 else {
            throw ControllerServerError(code: .system, message: "cannot look at \(folder)", errno)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw ControllerServerError(code: .badPath, message: "\(folder) is not a folder")
        }
        guard status.st_uid == geteuid() else {
            throw ControllerServerError(
                code: .unsafeFolder,
                message: "\(folder) belongs to user \(status.st_uid), not to the controller's user \(geteuid()): its "
                    + "owner could replace the socket; put the socket into a folder of the controller's own"
            )
        }
        guard status.st_mode & 0o077 == 0 else {
            throw ControllerServerError(
                code: .unsafeFolder,
                message: "others may enter \(folder) (mode \(String(status.st_mode & 0o777, radix: 8))): "
                    + "`chmod 700 \(folder)`, or put the socket into a folder of its own"
            )
        }
    }

    private static func takeLock(beside path: String) throws(ControllerServerError) -> Int32 {
        let name = path + ".lock"
        // Close-on-exec, as the replicas outlive the controller and must not keep its lock.
        let file = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else {
            throw ControllerServerError(code: .system, message: "cannot open \(name)", errno)
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            close(file)
            if reason == EWOULDBLOCK { throw .alreadyRunning(path) }
            throw ControllerServerError(code: .system, message: "cannot lock \(name)", reason)
        }
        return file
    }

    private static func removeStaleSocket(_ path: String) throws(ControllerServerError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw ControllerServerError(code: .system, message: "cannot look at \(path)", errno)
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw ControllerServerError(
                code: .badPath,
                message: "\(path) exists and is not a socket: move it away, or choose another path for the socket"
            )
        }
        switch Self.connectError(path) {
        case nil:
            throw .alreadyRunning(path)
        case ECONNREFUSED:
            guard unlink(path) == 0 || errno == ENOENT else {
                throw ControllerServerError(code: .system, message: "cannot remove the stale socket \(path)", errno)
            }
        case .some(let reason):
            throw ControllerServerError(
                code: .system,
                message: "cannot find out whether another controller listens on \(path)",
                reason
            )
        }
    }

    /// - Returns: The error number of a connection to the socket, or nothing when somebody accepts it.
    private static func connectError(_ path: String) -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return result == 0 ? nil : errno
    }
}
