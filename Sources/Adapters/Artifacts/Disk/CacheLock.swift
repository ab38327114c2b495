import Glibc
import Reconciliation

/// Keeps a second controller out of the cache. Ends with the process, however that ends.
struct CacheLock: ~Copyable {
    private let descriptor: Int32

    init(path: String) throws(ArtifactError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("open", path) }
        guard lockf(descriptor, F_TLOCK, 0) == 0 else {
            let isTaken = errno == EACCES || errno == EAGAIN
            let error = ArtifactError.system("lock", path)
            close(descriptor)
            guard isTaken else { throw error }
            throw ArtifactError(
                code: .storage,
                message: "another controller uses the folder of \(path); give each its own artifacts.directory",
                recovery: .needsOperator
            )
        }
        self.descriptor = descriptor
    }

    deinit {
        close(self.descriptor)
    }
}
