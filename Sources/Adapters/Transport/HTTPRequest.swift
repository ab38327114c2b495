/// One HTTP request with its limits.
package struct HTTPRequest: Sendable {
    package var method: String
    /// `http` or `https`, absolute.
    package var url: String
    package var headers: HTTPHeaders
    package var body: [UInt8]?
    /// Connects to this socket of the file system instead of the URL's host, as Envoy's admin listener wants it.
    package var unixSocket: String?
    /// For the whole exchange, redirects included.
    package var timeout: Duration
    package var connectTimeout: Duration
    /// Ends a transfer that stayed below one byte a second for so long; rounded up to seconds. For downloads whose
    /// whole time cannot be foreseen.
    package var stallTimeout: Duration?
    /// A larger body is an error, not a shortened body. Of a download, the size of the whole file.
    package var maxResponseBytes: Int
    /// At most five, only to `http` and `https`, never from `https` back to `http`. On the way to another origin all
    /// header fields are dropped but those that can't be credentials.
    package var followRedirects: Bool
    /// A PEM file of the authorities to trust, instead of the system's.
    package var caFile: String?
    /// Sends it once. On a connection that was used before and ends without an answer, libcurl sends a request again,
    /// whatever its method; with this the request gets a connection of its own.
    package var isNeverRepeated = false

    package static let defaultMaxResponseBytes = 16 << 20

    package init(
        method: String = "GET",
        url: String,
        headers: HTTPHeaders = [:],
        body: [UInt8]? = nil,
        unixSocket: String? = nil,
        timeout: Duration = .seconds(30),
        connectTimeout: Duration = .seconds(5),
        stallTimeout: Duration? = nil,
        maxResponseBytes: Int = HTTPRequest.defaultMaxResponseBytes,
        followRedirects: Bool = false,
        caFile: String? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.unixSocket = unixSocket
        self.timeout = timeout
        self.connectTimeout = connectTimeout
        self.stallTimeout = stallTimeout
        self.maxResponseBytes = maxResponseBytes
        self.followRedirects = followRedirects
        self.caFile = caFile
    }

    /// The request that follows a redirect to `location`.
    func redirected(status: Int, to location: String) throws(TransportError) -> HTTPRequest {
        let origin = try WebAddress(self.url)
        let target = try WebAddress(location)
        if origin.scheme == "https", target.scheme == "http" {
            throw TransportError(
                code: .protocolError,
                message: "\(origin.redacted) redirects to unencrypted \(target.redacted); use the final https URL",
                recovery: .needsOperator
            )
        }
        var next = self
        next.url = location
        if status == 303 || (self.method == "POST" && (status == 301 || status == 302)) {
            next.method = self.method == "HEAD" ? "HEAD" : "GET"
            next.body = nil
            next.headers["Content-Type"] = nil
        }
        if !origin.hasSameOrigin(as: target) {
            next.headers.fields.removeAll { !Self.harmlessFields.contains($0.name.lowercased()) }
            next.unixSocket = nil
        }
        return next
    }

    /// An allow list, because any other name may carry a token (`Authorization`, `Private-Token`, `X-Api-Key`, …).
    private static let harmlessFields: Set<String> = [
        "accept", "accept-encoding", "accept-language", "content-type", "if-match", "if-modified-since",
        "if-none-match", "if-range", "range", "user-agent",
    ]
}
