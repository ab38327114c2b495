import CCurl

extension TransportError {
    /// `detail` is libcurl's own words on this case, which may be empty.
    init(_ code: CURLcode, detail: String, request: HTTPRequest) {
        let words = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        let clean = String(String.UnicodeScalarView(words.unicodeScalars.prefix(300).filter { $0.value >= 0x20 }))
        let place =
            WebAddress.redacted(request.url) + (request.unixSocket.map { " through the socket \($0)" } ?? "")
        let (kind, advice, recovery) = Self.meaning(of: code)
        self.init(code: kind, message: "\(place): \(clean); \(advice)", recovery: recovery)
    }

    private static func meaning(of code: CURLcode) -> (Code, String, Recovery) {
        switch code {
        case CURLE_OPERATION_TIMEDOUT:
            (.timedOut, "it is overloaded or down, or its time limit too short", .retry)
        case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            (.unreachable, "check that it runs and that its name and port are right", .retry)
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE:
            (.interrupted, "the server ended the connection early", .retry)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
            (.tls, "check its certificate and the authorities trusted here", .needsOperator)
        case CURLE_USE_SSL_FAILED:
            (.tls, "it offers no STARTTLS: turn that on there, or use another `tls`", .needsOperator)
        case CURLE_LOGIN_DENIED:
            (.invalidRequest, "check user name and password, and that it takes logins at all", .needsOperator)
        case CURLE_URL_MALFORMAT:
            (.invalidRequest, "correct the URL where it is configured", .needsOperator)
        case CURLE_OUT_OF_MEMORY:
            (.unreachable, "free memory", .wait(.seconds(5)))
        default:
            (.protocolError, "what answers there does not speak HTTP properly", .retry)
        }
    }
}
