import CCurl

/// The parts of a URL that decide where a request goes, as libcurl reads them.
package struct WebAddress: Hashable, Sendable {
    /// `http` or `https`.
    package var scheme: String
    /// Lower case.
    package var host: String
    package var port: String
    package var path: String

    /// - Throws: `invalidRequest` when `url` is not an absolute http or https URL.
    package init(_ url: String) throws(TransportError) {
        guard let handle = curl_url() else { throw Self.invalid }
        defer { curl_url_cleanup(handle) }
        guard
            !url.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }),
            curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK,
            let scheme = Self.part(CURLUPART_SCHEME, of: handle), scheme == "http" || scheme == "https",
            let host = Self.part(CURLUPART_HOST, of: handle), !host.isEmpty,
            let port = Self.part(CURLUPART_PORT, of: handle)
        else { throw Self.invalid }
        self.scheme = scheme
        self.host = host.lowercased()
        self.port = port
        self.path = Self.part(CURLUPART_PATH, of: handle) ?? "/"
    }

    package func hasSameOrigin(as other: WebAddress) -> Bool {
        (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port)
    }

    /// Scheme, host, port and path: without user, password, query and fragment, any of which may be a secret.
    package var redacted: String {
        let isDefault = self.port == (self.scheme == "https" ? "443" : "80")
        return "\(self.scheme)://\(self.host)\(isDefault ? "" : ":\(self.port)")\(self.path)"
    }

    /// ``redacted``, or words in its place when `url` is not a URL.
    package static func redacted(_ url: String) -> String {
        // Of a mail server, which is host and port.
        if url.hasPrefix("smtp://") || url.hasPrefix("smtps://") { return url }
        // The error says no more than these words do.
        return (try? WebAddress(url))?.redacted ?? "an invalid URL"
    }

    var isLoopback: Bool {
        self.host == "localhost" || self.host == "[::1]" || self.host.hasPrefix("127.")
    }

    private static let invalid = TransportError(
        code: .invalidRequest,
        message: "not an absolute http or https URL; correct it where it is configured",
        recovery: .needsOperator
    )

    private static func part(_ part: CURLUPart, of handle: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        // The port is asked for with its default, so that `:443` and nothing are the same origin.
        let flags = UInt32(CURLU_DEFAULT_PORT)
        guard curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
