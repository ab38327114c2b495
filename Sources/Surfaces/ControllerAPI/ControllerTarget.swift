import Deployments
import Foundation
import Glibc
import Transport

/// Which controller is asked, and by which way.
package enum ControllerTarget: Hashable, Sendable, CustomStringConvertible {
    /// The path of a unix socket.
    case socket(String)
    case server(RemoteServer)

    package struct RemoteServer: Hashable, Sendable {
        /// `https://controller.example:8443`, without a slash at its end.
        package var url: String
        package var token: String?
        /// A PEM file of the authorities to trust, instead of the system's.
        package var caFile: String?

        package init(url: String, token: String? = nil, caFile: String? = nil) {
            self.url = url
            self.token = token
            self.caFile = caFile
        }

        /// - Parameter text: What somebody wrote.
        /// - Returns: Nothing for what is no server's address, or one over which a token could be read on its way.
        package static func address(_ text: String) -> String? {
            guard let url = URL(string: text), let host = url.host(), !host.isEmpty, url.user == nil, url.query == nil,
                url.path().isEmpty || url.path() == "/"
            else { return nil }
            let isOwn = ["127.0.0.1", "::1", "localhost"].contains(host)
            guard url.scheme == "https" || (url.scheme == "http" && isOwn) else { return nil }
            return text.hasSuffix("/") ? String(text.dropLast()) : text
        }
    }

    /// Never the token.
    package var description: String {
        switch self {
        case .socket(let path): path
        case .server(let server): server.url
        }
    }

    /// On a socket the host is never resolved; a name says in the server's log who is meant.
    var url: String {
        switch self {
        case .socket: "http://controller"
        case .server(let server): server.url
        }
    }

    func prepare(_ request: inout HTTPRequest) {
        switch self {
        case .socket(let path):
            request.unixSocket = path
        case .server(let server):
            request.caFile = server.caFile
            if let token = server.token { request.headers["Authorization"] = "Bearer \(token)" }
        }
    }

    func failure(of error: TransportError, timeout: Duration) -> ControllerClientError {
        if error.code == .timedOut {
            return ControllerClientError(
                code: .unreachable,
                message: "the controller at \(self) accepted the connection but did not answer within "
                    + "\(timeout.short): look at its log"
            )
        }
        guard case .socket(let path) = self, error.code == .unreachable || error.code == .interrupted else {
            return ControllerClientError(code: .unreachable, message: error.message)
        }
        if access(path, F_OK) == 0, access(path, R_OK | W_OK) != 0 {
            return ControllerClientError(
                code: .unreachable,
                message: "only its owner may talk to the controller on \(path): run this as that user or as root"
            )
        }
        return ControllerClientError(
            code: .unreachable,
            message: "no controller listens on \(path): start it with `controller run`, or name its socket "
                + "with --socket or CONTROLLER_SOCKET"
        )
    }

    func refusal(status: Int, body: Data) -> ControllerClientError {
        do {
            let problem = try APICoding.decoder().decode(Problem.self, from: body)
            let code: ControllerClientError.Code =
                switch status {
                case 401: .unauthorized
                case 404: .notFound
                default: .refused
                }
            return ControllerClientError(code: code, message: problem.detail)
        } catch {
            return ControllerClientError(
                code: .unreadable,
                message: "\(self) answered with HTTP status \(status) and no explanation: is a controller there?"
            )
        }
    }
}
