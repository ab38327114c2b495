import Glibc

/// Writes the body of a download.
struct FileSink {
    private let destination: FileDestination
    private let limit: Int
    private var descriptor: Int32 = -1
    private var position: Int64 = 0

    init(destination: FileDestination, limit: Int) {
        self.destination = destination
        self.limit = limit
    }

    /// Writes a piece of an answer 200 or 206, whose body is `total` bytes long if the server told it; the body of
    /// any other answer is dropped.
    mutating func write(
        _ bytes: UnsafeRawBufferPointer,
        status: Int,
        headers: HTTPHeaders,
        total: Int64?
    ) -> TransportError? {
        guard status == 200 || status == 206 else { return nil }
        if self.descriptor < 0, let failure = self.open(status: status, headers: headers) { return failure }
        let end = self.start(status: status) + (total ?? 0)
        guard max(end, self.position + Int64(bytes.count)) <= Int64(self.limit) else {
            return TransportError(
                code: .tooLarge,
                message: "the download is larger than the limit of \(self.limit) bytes; raise the limit",
                recovery: .needsOperator
            )
        }
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(self.descriptor, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                return self.failure("write")
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        self.position += Int64(bytes.count)
        self.destination.progress?(self.position, total.map { self.start(status: status) + $0 })
        return nil
    }

    /// Creates the file when the body was empty.
    mutating func finish(status: Int, headers: HTTPHeaders) -> TransportError? {
        guard status == 200 || status == 206, self.descriptor < 0 else { return nil }
        return self.open(status: status, headers: headers)
    }

    mutating func close() {
        guard self.descriptor >= 0 else { return }
        Glibc.close(self.descriptor)
        self.descriptor = -1
    }

    private func start(status: Int) -> Int64 {
        status == 206 ? self.destination.offset : 0
    }

    private mutating func open(status: Int, headers: HTTPHeaders) -> TransportError? {
        let start = self.start(status: status)
        if status == 206 {
            let range = headers["Content-Range"] ?? ""
            guard range.hasPrefix("bytes \(start)-") else {
                return TransportError(
                    code: .protocolError,
                    message: "the server sent another range than the one asked for, from byte \(start); "
                        + "start the download anew",
                    recovery: .retry
                )
            }
        }
        self.destination.started?(HTTPResponse(status: status, headers: headers))
        self.descriptor = Glibc.open(self.destination.path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard self.descriptor >= 0 else { return self.failure("open") }
        guard ftruncate(self.descriptor, Int(start)) == 0, lseek(self.descriptor, Int(start), SEEK_SET) == Int(start)
        else {
            return self.failure("shorten")
        }
        self.position = start
        return nil
    }

    private func failure(_ what: String) -> TransportError {
        let number = errno
        let isFull = number == ENOSPC || number == EDQUOT
        return TransportError(
            code: isFull ? .storageFull : .storage,
            message: "cannot \(what) \(self.destination.path): \(String(cString: strerror(number)))"
                + (isFull ? "; free disk space" : ""),
            recovery: isFull ? .wait(.seconds(30)) : .needsOperator
        )
    }
}
