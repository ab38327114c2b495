import Deployments
import Transport

/// A user's request, to be asked again.
struct CopiedRequest: Sendable {
    var method: String
    /// With the query.
    var path: String
    /// As the user's: a model server that looks at the host must see the same.
    var host: String?
    var headers: HTTPHeaders
    var body: [UInt8]

    /// Of one connection alone (RFC 9110, 7.6.1), made anew, or for Envoy and us. Without `accept-encoding`, answers
    /// come as they are: compressed ones may differ by the time in them.
    private static let own: Set<String> = [
        "accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade", AnswerTap.header,
    ]

    func request(to endpoint: Endpoint, within timeout: Duration) -> HTTPRequest {
        var headers = HTTPHeaders(
            self.headers.fields.filter { field in
                let name = field.name.lowercased()
                return !Self.own.contains(name) && !name.hasPrefix("x-envoy-")
            }
        )
        headers["host"] = self.host
        headers[AnswerTap.marker] = "1"
        let host = endpoint.host.contains(":") ? "[\(endpoint.host)]" : endpoint.host
        return HTTPRequest(
            method: self.method,
            url: "http://\(host):\(endpoint.port)\(self.path)",
            headers: headers,
            body: self.body.isEmpty ? nil : self.body,
            timeout: timeout,
            connectTimeout: .seconds(1),
            maxResponseBytes: AnswerTap.bodyLimit
        )
    }
}
