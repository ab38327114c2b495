/// Why there is no answer. Its message names host and path, never credentials, queries or bodies.
package struct TransportError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// Nothing wrong was sent, but the URL, a header field or the method cannot be.
        case invalidRequest
        case timedOut
        /// The name does not resolve, or nobody accepts the connection.
        case unreachable
        /// The connection ended in the middle of the exchange.
        case interrupted
        case tls
        case tooLarge
        /// The task was cancelled, or the client closed.
        case cancelled
        case protocolError
        /// The file of a download cannot be written; the disk has room.
        case storage
        case storageFull
    }

    /// What helps.
    package enum Recovery: Hashable, Sendable {
        case retry
        case wait(Duration)
        case needsOperator
    }

    package var code: Code
    package var message: String
    package var recovery: Recovery

    package init(code: Code, message: String, recovery: Recovery) {
        self.code = code
        self.message = message
        self.recovery = recovery
    }

    package var description: String { self.message }

    static func cancelled(_ url: String) -> TransportError {
        TransportError(
            code: .cancelled,
            message: "the request to \(WebAddress.redacted(url)) was cancelled",
            recovery: .retry
        )
    }

    static let closed = TransportError(
        code: .cancelled,
        message: "the HTTP client is closed; requests end with the program",
        recovery: .needsOperator
    )
}
