import Foundation

/// Why the API, or webhooks, cannot be served. The message says what to change.
package struct ControllerServerError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        case alreadyRunning
        case badPath
        case badSecret
        case badTokens
        case cannotListen
        /// Somebody else could reach the socket.
        case unsafeFolder
        case system
    }

    package var code: Code
    package var message: String

    init(code: Code, message: String, _ number: Int32? = nil) {
        self.code = code
        self.message = number.map { "\(message): \(String(cString: strerror($0)))" } ?? message
    }

    static func alreadyRunning(_ path: String) -> ControllerServerError {
        ControllerServerError(
            code: .alreadyRunning,
            message: "another controller is running: it listens on \(path); stop it first, or give this one another "
                + "socket and state folder"
        )
    }

    package var description: String { self.message }
}
