import CCurl
import Glibc
import Synchronization

/// What callers and the thread share: the mailbox, and nothing else.
final class TransferLoop: Sendable {
    private let mailbox = Mutex(Mailbox())

    private struct Mailbox {
        var mail: [Mail] = []
        var lastID: UInt64 = 0
        /// Cancelled before their start was posted. A call removes its own number when it ends.
        var cancelledEarly: Set<UInt64> = []
        var thread: ThreadState = .notStarted
    }

    private enum ThreadState {
        case notStarted
        /// The multi handle's address, for the one function that other threads may call; zero until there is one.
        case running(multi: UInt)
        case closed
    }

    enum Mail: Sendable {
        case start(TransferJob)
        case cancel(UInt64)
    }

    /// Runs one request without following redirects.
    func perform(
        _ request: HTTPRequest,
        file: FileDestination? = nil,
        mail: MailRequest? = nil
    ) async throws(TransportError) -> Exchange {
        let id = self.mailbox.withLock {
            $0.lastID += 1
            return $0.lastID
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                self.post(
                    TransferJob(id: id, request: request, file: file, mail: mail, continuation: continuation)
                )
            }
        } onCancel: {
            self.cancel(id)
        }
        self.mailbox.withLock { _ = $0.cancelledEarly.remove(id) }
        return try result.get()
    }

    func close() {
        self.mailbox.withLock {
            let before = $0.thread
            $0.thread = .closed
            Self.wake(before)
        }
    }

    private func post(_ job: TransferJob) {
        let refusal: TransportError? = self.mailbox.withLock {
            if $0.cancelledEarly.contains(job.id) { return .cancelled(job.request.url) }
            switch $0.thread {
            case .closed:
                return .closed
            case .notStarted:
                let code = self.startThread()
                guard code == 0 else { return Self.noThread(code) }
                $0.thread = .running(multi: 0)
            case .running:
                break
            }
            $0.mail.append(.start(job))
            Self.wake($0.thread)
            return nil
        }
        if let refusal {
            job.continuation.resume(returning: .failure(refusal))
        }
    }

    private func cancel(_ id: UInt64) {
        self.mailbox.withLock {
            $0.cancelledEarly.insert(id)
            $0.mail.append(.cancel(id))
            Self.wake($0.thread)
        }
    }

    private static func wake(_ thread: ThreadState) {
        guard case .running(let multi) = thread, let handle = UnsafeMutableRawPointer(bitPattern: multi) else { return }
        // Inside the lock, so the handle is alive: the thread takes its address back before it frees it.
        curl_multi_wakeup(handle)
    }

    private func startThread() -> Int32 {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                let loop = Unmanaged<TransferLoop>.fromOpaque(context).takeRetainedValue()
                TransferThread(loop: loop).run()
                return nil
            },
            context.toOpaque()
        )
        if code == 0 {
            pthread_detach(thread)
        } else {
            context.release()
        }
        return code
    }

    private static func noThread(_ code: Int32) -> TransportError {
        TransportError(
            code: .unreachable,
            message: "cannot start the HTTP client's thread: \(String(cString: strerror(code))); "
                + "raise the limit on processes",
            recovery: .wait(.seconds(5))
        )
    }

    // MARK: - The thread's side

    /// Makes the multi handle known to ``wake(_:)``, or takes it back with zero.
    func publish(multi address: UInt) {
        self.mailbox.withLock {
            guard case .running = $0.thread else { return }
            $0.thread = .running(multi: address)
        }
    }

    /// The mail since the last call, and whether the client was closed.
    func takeMail() -> (mail: [Mail], isClosed: Bool) {
        self.mailbox.withLock {
            let mail = $0.mail
            $0.mail = []
            if case .closed = $0.thread { return (mail, true) }
            return (mail, false)
        }
    }
}

/// A request on its way to the thread.
struct TransferJob: Sendable {
    var id: UInt64
    var request: HTTPRequest
    var file: FileDestination?
    /// What is sent in place of an HTTP request; the request has its times and authorities.
    var mail: MailRequest?
    var continuation: CheckedContinuation<Result<Exchange, TransportError>, Never>
}

/// One answer, and where it redirects to.
struct Exchange: Sendable {
    var response: HTTPResponse
    var redirect: String?
}

/// Where a download goes.
struct FileDestination: Sendable {
    var path: String
    var offset: Int64
    var started: (@Sendable (HTTPResponse) -> Void)?
    var progress: (@Sendable (Int64, Int64?) -> Void)?
}
