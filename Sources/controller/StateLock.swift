import Glibc

/// Keeps a second controller away from a state directory. The kernel lets go of it however the process ends.
struct StateLock: ~Copyable {
    private let descriptor: Int32

    struct Taken: Error, CustomStringConvertible {
        let description: String
    }

    /// - Throws: `Taken` when another controller holds it, or when the file cannot be made.
    init(directory: String) throws(Taken) {
        let path = "\(directory)/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Taken(
                description: "\(path) cannot be opened (\(String(cString: strerror(errno)))): check who owns the folder"
            )
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw Taken(
                description: "another controller runs on \(directory): stop it, or name another `stateDirectory`"
            )
        }
        self.descriptor = descriptor
    }

    deinit {
        close(self.descriptor)
    }
}
