package import Deployments
import Foundation
package import Transport

/// Asks a controller: that of this machine, over its unix socket, or another one, over TLS.
package struct ControllerClient: Sendable {
    package static let defaultSocket = "/run/controller/controller.sock"

    package let target: ControllerTarget
    private let http: HTTPClient
    private let timeout: Duration

    /// The timeout is for one whole request: the controller answers from memory, so a late answer is none.
    package init(_ target: ControllerTarget, http: HTTPClient = HTTPClient(), timeout: Duration = .seconds(10)) {
        self.target = target
        self.http = http
        self.timeout = timeout
    }

    package init(socket: String, http: HTTPClient = HTTPClient(), timeout: Duration = .seconds(10)) {
        self.init(.socket(socket), http: http, timeout: timeout)
    }

    /// Who the controller takes the caller for.
    package func whoami() async throws(ControllerClientError) -> CallerStatus {
        try await self.get(APIRoute.whoami)
    }

    package func tokens() async throws(ControllerClientError) -> [TokenStatus] {
        try await self.get(APIRoute.tokens)
    }

    package func create(_ token: TokenRequest) async throws(ControllerClientError) -> TokenAnswer {
        try await self.post(token, to: APIRoute.tokens, "the request")
    }

    /// - Returns: What was revoked.
    package func revoke(token id: String) async throws(ControllerClientError) -> TokenStatus {
        try await self.exchange("DELETE", APIRoute.token(id), body: nil)
    }

    package func fleet() async throws(ControllerClientError) -> FleetStatus {
        try await self.get(APIRoute.fleet)
    }

    package func deployment(_ id: DeploymentID) async throws(ControllerClientError) -> DeploymentStatus {
        try await self.get(APIRoute.deployment(id))
    }

    package func traffic(of id: DeploymentID) async throws(ControllerClientError) -> TrafficStatus {
        try await self.get(APIRoute.traffic(id))
    }

    /// Where each value of a deployment's manifest comes from.
    package func spec(of id: DeploymentID) async throws(ControllerClientError) -> SpecStatus {
        try await self.get(APIRoute.spec(id))
    }

    /// The newest `limit` events, from 1 to `APIRoute.historyLimit`, oldest first.
    package func history(
        _ id: DeploymentID,
        limit: Int = APIRoute.defaultHistoryLimit
    ) async throws(ControllerClientError) -> [EventStatus] {
        try await self.get(APIRoute.history(id, limit: limit))
    }

    /// What replicas of a deployment wrote, the newest first.
    package func logs(of id: DeploymentID) async throws(ControllerClientError) -> [LogStatus] {
        try await self.get(APIRoute.logs(id))
    }

    /// What a replica wrote from a place on; a negative one counts from the end.
    package func log(
        _ replica: String,
        of id: DeploymentID,
        from offset: Int64
    ) async throws(ControllerClientError) -> LogPiece {
        try await self.get(APIRoute.log(replica, of: id, from: offset))
    }

    /// Events of all deployments or of those of a namespace, oldest first: the newest `limit`, or the first so many
    /// after the one with this number.
    package func events(
        after number: Int64? = nil,
        in namespace: String? = nil,
        limit: Int = APIRoute.defaultHistoryLimit
    ) async throws(ControllerClientError) -> [EventStatus] {
        try await self.get(APIRoute.events(after: number, in: namespace, limit: limit))
    }

    /// The next chapter of recorded decisions after the one with this number, as lines of an export.
    ///
    /// - Returns: Nothing after the last.
    package func decisions(
        after number: Int64,
        of deployment: DeploymentID?
    ) async throws(ControllerClientError) -> [UInt8]? {
        let response = try await self.send("GET", APIRoute.decisions(after: number, of: deployment), body: nil)
        return response.status == 204 ? nil : response.body
    }

    /// - Returns: The answer, also when the controller refused the command.
    package func command(
        _ id: DeploymentID,
        _ request: OperatorRequest
    ) async throws(ControllerClientError) -> OperatorAnswer {
        try await self.post(request, to: APIRoute.commands(id), "the command")
    }

    /// Asks the same of many. It takes as long as so many decisions do.
    package func command(_ request: BatchRequest) async throws(ControllerClientError) -> BatchAnswer {
        try await self.post(request, to: APIRoute.commands, "the command", timeout: .minutes(5))
    }

    /// Asks for another version of a deployment's model. It takes as long as the registry and the git server do.
    ///
    /// - Returns: The answer, also when the controller refused.
    package func promote(
        _ id: DeploymentID,
        _ request: ModelRequest
    ) async throws(ControllerClientError) -> ModelAnswer {
        try await self.post(request, to: APIRoute.model(id), "the request", timeout: .minutes(2))
    }

    /// Tells of answered requests, at most `FeedbackBatch.limit` at once.
    package func feedback(
        _ labels: [FeedbackLabel],
        on id: DeploymentID
    ) async throws(ControllerClientError) -> FeedbackAnswer {
        try await self.post(FeedbackBatch(labels), to: APIRoute.feedback(id), "the labels")
    }

    /// Sends a test to a receiver of notifications. It takes as long as the receiver does.
    ///
    /// - Returns: The answer, also when the receiver refused.
    package func test(receiver: String, _ test: ReceiverTest) async throws(ControllerClientError) -> OperatorAnswer {
        try await self.post(test, to: APIRoute.test(receiver: receiver), "the request", timeout: .minutes(3))
    }

    func post<Answer: Decodable>(
        _ value: some Encodable,
        to path: String,
        _ what: String,
        timeout: Duration? = nil
    ) async throws(ControllerClientError) -> Answer {
        let body: Data
        do {
            body = try APICoding.encoder().encode(value)
        } catch {
            throw ControllerClientError(code: .refused, message: "\(what) cannot be written as JSON: \(error)")
        }
        return try await self.exchange("POST", path, body: [UInt8](body), timeout: timeout)
    }

    func get<Answer: Decodable>(_ path: String) async throws(ControllerClientError) -> Answer {
        try await self.exchange("GET", path, body: nil)
    }

    func exchange<Answer: Decodable>(
        _ method: String,
        _ path: String,
        body: [UInt8]?,
        timeout: Duration? = nil
    ) async throws(ControllerClientError) -> Answer {
        let response = try await self.send(method, path, body: body, timeout: timeout)
        do {
            return try APICoding.decoder().decode(Answer.self, from: Data(response.body))
        } catch {
            throw ControllerClientError(
                code: .unreadable,
                message: "the controller at \(self.target) answered \(method) \(path) with something that this "
                    + "version of the client does not understand: use the client that came with the daemon (\(error))"
            )
        }
    }

    /// - Throws: Also when the answer is a refusal.
    private func send(
        _ method: String,
        _ path: String,
        body: [UInt8]?,
        timeout: Duration? = nil
    ) async throws(ControllerClientError) -> HTTPResponse {
        var request = HTTPRequest(
            method: method,
            url: self.target.url + path,
            headers: ["Content-Type": "application/json", "Accept": "application/json"],
            body: body,
            timeout: timeout ?? self.timeout,
            maxResponseBytes: 64 << 20
        )
        self.target.prepare(&request)
        let response: HTTPResponse
        do {
            response = try await self.http.send(request)
        } catch {
            throw self.target.failure(of: error, timeout: timeout ?? self.timeout)
        }
        guard response.isSuccess else {
            throw self.target.refusal(status: response.status, body: Data(response.body))
        }
        return response
    }
}

/// Why the controller did not do or tell what it was asked. The message says what to do.
package struct ControllerClientError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// Nobody answers there.
        case unreachable
        case notFound
        /// Who asks has not shown who they are.
        case unauthorized
        /// The controller answered that it will not.
        case refused
        /// What answered did not speak this API.
        case unreadable
    }

    package var code: Code
    package var message: String

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { self.message }
}
