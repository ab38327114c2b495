/// An HTTP/1.1 client over libcurl with connection reuse.
///
/// One thread, started by the first request, owns every libcurl handle; it sleeps while nothing is in flight. A slow
/// disk under ``download(_:toFile:resumingAt:progress:)`` delays the client's other requests: give large downloads a
/// client of their own.
package final class HTTPClient: Sendable {
    private let loop = TransferLoop()

    package init() {}

    deinit {
        self.loop.close()
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// - Returns: The answer, whatever its status.
    /// - Throws: A `TransportError` when there is none. Cancelling the task ends the transfer with `cancelled`.
    package func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        try await self.exchange(request, file: nil)
    }

    /// Downloads into a file.
    ///
    /// With an `offset` above zero the rest is asked for with a `Range` field; give `If-Range` among the request's
    /// header fields, so that a changed file is not mixed with the old one. 206 writes from `offset` on, 200 writes
    /// from the start and shortens the file, every other status leaves the file alone. What arrived before an error
    /// stays in the file. The file is not synced to the disk. On the client's thread, `started` gets the answer 200 or
    /// 206 before the file is touched, for its validators; `progress` the bytes in the file so far and the expected
    /// total.
    ///
    /// - Returns: The answer without its body.
    /// - Throws: A `TransportError` as ``send(_:)`` does, and `storage` or `storageFull`.
    package func download(
        _ request: HTTPRequest,
        toFile path: String,
        resumingAt offset: Int64 = 0,
        started: (@Sendable (HTTPResponse) -> Void)? = nil,
        progress: (@Sendable (Int64, Int64?) -> Void)? = nil
    ) async throws(TransportError) -> HTTPResponse {
        var request = request
        request.headers["Range"] = offset > 0 ? "bytes=\(offset)-" : nil
        if offset == 0 {
            request.headers["If-Range"] = nil
        }
        return try await self.exchange(
            request,
            file: FileDestination(path: path, offset: offset, started: started, progress: progress)
        )
    }

    /// Ends every request in flight with `cancelled`, and the thread. Later requests throw.
    package func close() {
        self.loop.close()
    }

    func exchange(_ mail: MailRequest) async throws(TransportError) -> HTTPResponse {
        let request = HTTPRequest(url: mail.place, timeout: mail.timeout, caFile: mail.caFile)
        return try await self.loop.perform(request, mail: mail).response
    }

    private static let maxRedirects = 5

    private func exchange(
        _ first: HTTPRequest,
        file: FileDestination?
    ) async throws(TransportError) -> HTTPResponse {
        let deadline = ContinuousClock.now + first.timeout
        var request = first
        for _ in 0...Self.maxRedirects {
            let exchange = try await self.loop.perform(request, file: file)
            guard request.followRedirects, let location = exchange.redirect else { return exchange.response }
            request = try request.redirected(status: exchange.response.status, to: location)
            request.timeout = max(.milliseconds(1), deadline - .now)
        }
        throw TransportError(
            code: .protocolError,
            message: "\(WebAddress.redacted(first.url)) redirects more than \(Self.maxRedirects) times; "
                + "use the final URL",
            recovery: .needsOperator
        )
    }
}
