/// What a server answered. Any status: 4xx and 5xx are answers, not errors.
package struct HTTPResponse: Hashable, Sendable {
    package var status: Int
    package var headers: HTTPHeaders
    package var body: [UInt8]

    package init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package var isSuccess: Bool { (200..<300).contains(self.status) }

    /// The body as text, with replacement characters where it is not UTF-8.
    package var text: String { String(decoding: self.body, as: UTF8.self) }
}
