import Glibc
package import Reconciliation
import Transport

/// Why an artifact is not here.
package struct ArtifactError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        case badLocation, notFound, refused, wrongDigest, changed, badArchive, tooLarge
        case unreachable, storage, storageFull, cancelled
    }

    package var code: Code
    /// What happened and what to do; without secrets.
    package var message: String
    package var recovery: Recovery

    package init(code: Code, message: String, recovery: Recovery) {
        self.code = code
        self.message = message
        self.recovery = recovery
    }

    package var description: String { self.message }

    static let cancelled = ArtifactError(code: .cancelled, message: "the fetch was cancelled", recovery: .retry)

    /// From `errno`; call it before anything else can change that.
    static func system(_ verb: String, _ path: String) -> ArtifactError {
        let number = errno
        let reason = String(cString: strerror(number))
        if number == ENOSPC || number == EDQUOT {
            return ArtifactError(
                code: .storageFull,
                message: "cannot \(verb) \(path): \(reason); free disk space or lower artifacts.maxSize",
                recovery: .wait(.seconds(30))
            )
        }
        if number == ENOENT {
            return ArtifactError(
                code: .notFound,
                message: "cannot \(verb) \(path): \(reason); check the model's uri",
                recovery: .needsOperator
            )
        }
        return ArtifactError(
            code: .storage,
            message: "cannot \(verb) \(path): \(reason); check its owner and permissions",
            recovery: .retry
        )
    }

    init(_ error: TransportError) {
        self.message = error.message
        switch error.recovery {
        case .retry: self.recovery = .retry
        case .wait(let time): self.recovery = .wait(time)
        case .needsOperator: self.recovery = .needsOperator
        }
        switch error.code {
        case .tooLarge: self.code = .tooLarge
        case .storage: self.code = .storage
        case .storageFull: self.code = .storageFull
        case .cancelled: self.code = .cancelled
        case .invalidRequest: self.code = .badLocation
        case .timedOut, .unreachable, .interrupted, .tls, .protocolError: self.code = .unreachable
        }
    }

    /// Throws when the task was cancelled; otherwise lets other tasks run. To be called between pieces of work of
    /// a few milliseconds, because the pool has as few threads as the machine has cores.
    static func checkpoint() async throws(ArtifactError) {
        await Task.yield()
        if Task.isCancelled { throw .cancelled }
    }
}
