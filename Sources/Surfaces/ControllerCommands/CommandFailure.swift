package import ControllerAPI

/// Why a command did not succeed, with the exit status that scripts see.
package struct CommandFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// docs/reference/cli.md promises these numbers.
    package enum Code: Int32, Hashable, Sendable {
        /// The controller refused, or problems were found.
        case refused = 1
        /// The command line is wrong.
        case usage = 2
        /// No controller answers on the socket.
        case unreachable = 3
    }

    package var code: Code
    /// For stderr; empty when the output says it all.
    package var message: String

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    package init(_ error: ControllerClientError) {
        self.init(code: error.code == .unreachable ? .unreachable : .refused, message: error.message)
    }

    /// - Parameter error: A `CommandFailure` itself, or what a client throws.
    package init(_ error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as ControllerClientError: self.init(error)
        default: self.init(code: .refused, message: "\(error)")
        }
    }

    package var description: String { self.message }
}
