import ControllerAPI
import Crypto
import Foundation
import Hummingbird
package import Logging
import NIOCore
import Synchronization

/// Brings the pages of a controller's socket to a browser of this machine, for the user who runs it and no other: a
/// port of the loopback address is open to all of them.
///
/// Who knows the address that is printed, which works once, gets a cookie; who has it not gets nothing. Everything is
/// asked in the name of the user who runs this, as the socket's peer.
package struct PageForwarder: Sendable {
    package struct Question: Sendable {
        package var method: String
        /// With the query.
        package var path: String
        package var headers: [(name: String, value: String)]
        package var body: [UInt8]
    }

    package struct Answer: Sendable {
        package var status: Int
        /// By names in small letters.
        package var headers: [String: String]
        package var body: [UInt8]

        package init(status: Int, headers: [String: String], body: [UInt8]) {
            self.status = status
            self.headers = headers
            self.body = body
        }
    }

    private let port: Int
    private let logger: Logger
    private let whenListening: @Sendable (String) async -> Void
    private let ask: @Sendable (Question) async throws -> Answer

    /// - Parameters:
    ///   - port: 0 for one that is free.
    ///   - logger: Gets what goes wrong.
    ///   - whenListening: Is told the address to open.
    ///   - ask: Asks the socket.
    package init(
        port: Int,
        logger: Logger,
        whenListening: @escaping @Sendable (String) async -> Void,
        ask: @escaping @Sendable (Question) async throws -> Answer
    ) {
        self.port = port
        self.logger = logger
        self.whenListening = whenListening
        self.ask = ask
    }

    /// Forwards until the service group shuts down or the task is cancelled.
    ///
    /// - Throws: A `ControllerServerError` when it cannot listen.
    package func run() async throws {
        let door = Door()
        let server = OpenServer(
            host: "127.0.0.1",
            port: self.port,
            setting: "--port",
            // One person's browser, for as long as it likes.
            limits: OpenServerLimits(exchange: .seconds(3600), connections: 64),
            responder: ForwardingResponder(door: door, ask: self.ask, logger: self.logger),
            logger: self.logger
        )
        try await server.run { port in
            await self.whenListening("http://127.0.0.1:\(port)\(Door.path)\(door.secret)")
        }
    }
}

/// Exchanges the address's secret, once, for a cookie.
private final class Door: Sendable {
    static let path = "/open/"

    let secret = Door.random()
    private let cookie = Door.random()
    private let isUsed = Atomic(false)
    /// Ports do not part cookies: two forwarders must not overwrite each other's.
    private let name = "controller-page-" + Door.random().prefix(8)

    private static func random() -> String {
        SymmetricKey(size: .bits256).withUnsafeBytes { bytes in
            bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
    }

    /// The cookie's field, for the first who comes with the secret.
    func open(_ path: String) -> String? {
        guard path.hasPrefix(Self.path), ConstantTime.areEqual(path.dropFirst(Self.path.count), self.secret),
            !self.isUsed.exchange(true, ordering: .relaxed)
        else { return nil }
        return "\(self.name)=\(self.cookie); Path=/; HttpOnly; SameSite=Strict"
    }

    func isOpen(to cookies: String?) -> Bool {
        (cookies ?? "").split(separator: ";").contains { pair in
            let parts = pair.split(separator: "=", maxSplits: 1)
            return parts.count == 2 && parts[0].trimmingCharacters(in: .whitespaces) == self.name
                && ConstantTime.areEqual(parts[1].trimmingCharacters(in: .whitespaces), self.cookie)
        }
    }
}

private struct ForwardingResponder: HTTPResponder {
    let door: Door
    let ask: @Sendable (PageForwarder.Question) async throws -> PageForwarder.Answer
    let logger: Logger

    @concurrent
    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        do throws(Problem) {
            try BrowserGuard.check(request, isOwnMachine: true)
        } catch {
            return Self.text(HTTPResponse.Status(code: error.status), error.detail + "\n")
        }
        if request.uri.path.hasPrefix(Door.path) {
            guard let cookie = self.door.open(request.uri.path) else {
                return Self.text(.forbidden, "this address was used, or is another's: run `controller open` again\n")
            }
            var response = Response(status: .seeOther, headers: [.location: "/", .cacheControl: "no-store"])
            response.headers[.setCookie] = cookie
            return response
        }
        guard self.door.isOpen(to: request.headers[.cookie]) else {
            return Self.text(.forbidden, "open the address that `controller open` printed\n")
        }
        return try await self.forward(request)
    }

    private func forward(_ request: Request) async throws -> Response {
        let body: [UInt8]
        do {
            body = Array(try await request.body.collect(upTo: APIRoute.bodyLimit).readableBytesView)
        } catch is NIOTooManyBytesError {
            return Self.text(.contentTooLarge, "at most \(APIRoute.bodyLimit / 1024) KiB\n")
        }
        let question = PageForwarder.Question(
            method: request.method.rawValue,
            path: request.uri.string,
            headers: [("Host", request.head.authority ?? "localhost")]
                + request.headers.filter { Self.passed.contains($0.name.canonicalName) }.map {
                    ($0.name.rawName, $0.value)
                },
            body: body
        )
        let answer: PageForwarder.Answer
        do {
            answer = try await self.ask(question)
        } catch {
            self.logger.warning("the controller does not answer", metadata: ["error": "\(error)"])
            return Self.text(.badGateway, "the controller does not answer: \(error)\n")
        }
        var response = Response(
            status: HTTPResponse.Status(code: answer.status),
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body))
        )
        response.headers[.contentType] = answer.headers["content-type"]
        response.headers[.cacheControl] = answer.headers["cache-control"]
        response.headers[.location] = answer.headers["location"]
        response.headers[.contentSecurityPolicy] = answer.headers["content-security-policy"]
        response.headers[.xContentTypeOptions] = answer.headers["x-content-type-options"]
        response.headers[.crossOriginResourcePolicy] = answer.headers["cross-origin-resource-policy"]
        return response
    }

    /// What the controller goes by; cookies stay here.
    private static let passed: Set<String> = ["content-type", "origin", "sec-fetch-site", "accept"]

    private static func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(
            status: status,
            headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}
