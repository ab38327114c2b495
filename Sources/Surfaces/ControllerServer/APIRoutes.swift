import ControllerAPI
import Deployments
import Foundation
import Hummingbird
import Logging
import NIOCore

/// What each path answers.
struct APIRoutes: Sendable {
    let fleet: @Sendable () async -> FleetStatus
    let deployment: @Sendable (DeploymentID) async -> DeploymentStatus?
    let history: @Sendable (DeploymentID, Int) async throws -> [EventStatus]
    let events: @Sendable (Int64?, String?, Int) async throws -> [EventStatus]
    let chapter: @Sendable (Int64, DeploymentID?) async throws -> [UInt8]?
    let logs: @Sendable (DeploymentID) async -> [LogStatus]
    let log: @Sendable (DeploymentID, String, Int64) async -> LogPiece?
    let traffic: @Sendable (DeploymentID) async -> TrafficStatus?
    let spec: @Sendable (DeploymentID) async -> SpecStatus?
    let command: @Sendable (DeploymentID, OperatorRequest) async -> OperatorAnswer
    let batch: @Sendable (BatchRequest) async -> BatchAnswer
    let model: @Sendable (DeploymentID, ModelRequest) async -> ModelAnswer
    let feedback: @Sendable (DeploymentID, [FeedbackLabel]) async -> FeedbackAnswer
    let logger: Logger

    func router() -> Router<PeerContext> {
        let router = Router(context: PeerContext.self)
        router.get("healthz") { _, _ in "ok\n" }
        let api = router.group("api/v1")
        api.get("fleet") { _, _ in try Self.json(await self.fleet()) }
        api.get("events") { request, _ in try await self.answerEvents(request) }
        api.get("decisions") { request, _ in try await self.answerDecisions(request) }
        api.post("commands") { request, context in try await self.answerBatch(request, context) }
        let deployment = api.group("deployments/:namespace/:name")
        deployment.get { _, context in
            try Self.json(try await self.status(try Self.id(context)))
        }
        deployment.get("history") { request, context in
            try await self.answerHistory(request, try Self.id(context))
        }
        deployment.get("logs") { _, context in try Self.json(await self.logs(try Self.id(context))) }
        deployment.get("logs/:replica") { request, context in
            try await self.answerLog(request, try Self.id(context), try context.parameters.require("replica"))
        }
        deployment.get("traffic") { _, context in
            try await self.answerTraffic(try Self.id(context))
        }
        deployment.get("spec") { _, context in
            try await self.answerSpec(try Self.id(context))
        }
        deployment.post("commands") { request, context in
            try await self.answerCommand(request, try Self.id(context), context)
        }
        deployment.post("model") { request, context in
            try await self.answerModel(request, try Self.id(context), context)
        }
        deployment.post("feedback") { request, context in
            try await self.answerFeedback(request, try Self.id(context), context)
        }
        return router
    }

    private func status(_ id: DeploymentID) async throws(Problem) -> DeploymentStatus {
        if let found = await self.deployment(id) { return found }
        let fleet = await self.fleet()
        throw Problem.unknownDeployment(id.description, known: fleet.deployments.map { "\($0.namespace)/\($0.name)" })
    }

    private static func limit(of request: Request) throws(Problem) -> Int {
        let text = request.uri.queryParameters.get("limit")
        let limit = text.map { Int($0) } ?? APIRoute.defaultHistoryLimit
        guard let limit, (1...APIRoute.historyLimit).contains(limit) else {
            throw Problem(
                status: 400,
                title: "Bad limit",
                detail: "limit must be a whole number from 1 to \(APIRoute.historyLimit)"
            )
        }
        return limit
    }

    /// A number of something that was journaled; nothing where none is given.
    private static func number(_ request: Request) throws(Problem) -> Int64? {
        guard let text = request.uri.queryParameters.get("after") else { return nil }
        guard let number = Int64(text), number >= 0 else {
            throw Problem(status: 400, title: "Bad number", detail: "after must be a number that was answered, or 0")
        }
        return number
    }

    private func answerEvents(_ request: Request) async throws -> Response {
        let (limit, after) = (try Self.limit(of: request), try Self.number(request))
        let namespace = request.uri.queryParameters.get("namespace").map { String($0) }
        do {
            return try Self.json(try await self.events(after, namespace, limit))
        } catch {
            self.logger.error("events cannot be read", metadata: ["error": "\(error)"])
            throw Problem(
                status: 500,
                title: "Events unreadable",
                detail: "the events cannot be read from the journal: \(error)"
            )
        }
    }

    private func answerHistory(_ request: Request, _ id: DeploymentID) async throws -> Response {
        let limit = try Self.limit(of: request)
        _ = try await self.status(id)
        let events: [EventStatus]
        do {
            events = try await self.history(id, limit)
        } catch {
            self.logger.error(
                "history cannot be read",
                metadata: ["deployment.name": "\(id)", "error": "\(error)"]
            )
            throw Problem(
                status: 500,
                title: "History unreadable",
                detail: "the history of \(id) cannot be read from the journal: \(error)"
            )
        }
        return try Self.json(events)
    }

    private func answerLog(_ request: Request, _ id: DeploymentID, _ replica: String) async throws -> Response {
        let text = request.uri.queryParameters.get("from") ?? "0"
        guard let offset = Int64(text), offset > -(1 << 40) else {
            throw Problem(status: 400, title: "Bad place", detail: "from must be a whole number of bytes")
        }
        guard let piece = await self.log(id, replica, offset) else {
            let known = await self.logs(id).map(\.replica)
            throw Problem(
                status: 404,
                title: "No such log",
                detail: known.isEmpty
                    ? "no replica of \(id) has written anything that is kept"
                    : "there is no log of \(replica): \(id) has those of \(known.joined(separator: ", "))"
            )
        }
        return try Self.json(piece)
    }

    private func answerTraffic(_ id: DeploymentID) async throws -> Response {
        _ = try await self.status(id)
        guard let traffic = await self.traffic(id) else {
            throw Problem(
                status: 404,
                title: "No traffic yet",
                detail: "no revision of \(id) has had the traffic for itself since the controller started: "
                    + "ask again once one has for some minutes"
            )
        }
        return try Self.json(traffic)
    }

    /// Not only of deployments that are served: it says why one is not.
    private func answerSpec(_ id: DeploymentID) async throws -> Response {
        if let spec = await self.spec(id) { return try Self.json(spec) }
        _ = try await self.status(id)
        throw Problem(
            status: 404,
            title: "Manifest not read",
            detail:
                "no commit with the manifest of \(id) was read since the controller started: `controller get` shows "
                + "what it knows of the repository; ask again after its next poll"
        )
    }

    private func answerDecisions(_ request: Request) async throws -> Response {
        let after = try Self.number(request) ?? 0
        let deployment = request.uri.queryParameters.get("deployment").map { DeploymentID($0) }
        if case .some(.none) = deployment {
            throw Problem(status: 400, title: "Bad deployment", detail: "deployment must be namespace/name")
        }
        let lines: [UInt8]?
        do {
            lines = try await self.chapter(after, deployment ?? nil)
        } catch {
            self.logger.error("decisions cannot be read", metadata: ["error": "\(error)"])
            throw Problem(
                status: 500,
                title: "Decisions unreadable",
                detail: "the decisions after \(after) cannot be read from the journal: \(error)"
            )
        }
        guard let lines else { return Response(status: .noContent) }
        return Response(
            status: .ok,
            headers: [.contentType: "application/jsonl"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: lines))
        )
    }

    private func answerCommand(
        _ request: Request,
        _ id: DeploymentID,
        _ context: PeerContext
    ) async throws -> Response {
        let peer = try await Self.commander(context)
        var command = try await Self.decode(OperatorRequest.self, of: request, "command")
        command.by = peer.attribution(claim: command.by)
        _ = try await self.status(id)
        let answer = await self.command(id, command)
        self.logger.info(
            "operator command",
            metadata: [
                "deployment.name": "\(id)", "command.verb": "\(command.verb.rawValue)", "command.by": "\(command.by)",
                "command.accepted": "\(answer.accepted)", "command.changed": "\(answer.changed)",
            ]
        )
        return try Self.json(answer)
    }

    private func answerBatch(_ request: Request, _ context: PeerContext) async throws -> Response {
        let peer = try await Self.commander(context)
        var batch = try await Self.decode(BatchRequest.self, of: request, "command", limit: APIRoute.batchLimit)
        guard batch.selection.isMeant else {
            throw Problem(
                status: 400,
                title: "Nobody selected",
                detail: "`selection` must have `names`, `namespace` or `labels`, or `all`: true and none of them"
            )
        }
        batch.by = peer.attribution(claim: batch.by)
        let answer = await self.batch(batch)
        self.logger.info(
            "operator command for many",
            metadata: [
                "command.verb": "\(batch.verb.rawValue)", "command.by": "\(batch.by)",
                "deployments.selected": "\(answer.answers.count)",
                "deployments.changed": "\(answer.answers.count(where: \.changed))",
            ]
        )
        return try Self.json(answer)
    }

    private func answerModel(_ request: Request, _ id: DeploymentID, _ context: PeerContext) async throws -> Response {
        let peer = try await Self.commander(context)
        var model = try await Self.decode(ModelRequest.self, of: request, "request")
        guard model.selector != nil, model.digest.map(ModelRequest.isDigest) ?? true else {
            throw Problem(
                status: 400,
                title: "Not a version",
                detail: "`to` must be a version such as 8 or an alias such as @champion, and `digest` sha256: and 64 "
                    + "lower-case hexadecimal digits"
            )
        }
        model.by = peer.attribution(claim: model.by)
        _ = try await self.status(id)
        let answer = await self.model(id, model)
        self.logger.info(
            "model promotion asked for",
            metadata: [
                "deployment.name": "\(id)", "model.to": "\(model.to)", "command.by": "\(model.by)",
                "command.accepted": "\(answer.accepted)", "command.changed": "\(answer.changed)",
            ]
        )
        return try Self.json(answer)
    }

    private func answerFeedback(
        _ request: Request,
        _ id: DeploymentID,
        _ context: PeerContext
    ) async throws -> Response {
        // Labels take traffic from a canary or give it more: who may command may tell them.
        _ = try await Self.commander(context)
        let body = try await Self.body(
            of: request,
            limit: APIRoute.feedbackLimit,
            "labels may have at most \(APIRoute.feedbackLimit / 1024) KiB at once: send them in several requests"
        )
        let batch: FeedbackBatch
        do {
            batch = try APICoding.decoder().decode(FeedbackBatch.self, from: body)
        } catch let problem as FeedbackProblem {
            throw Problem(status: 400, title: "Not a label", detail: "\(problem.message); nothing was counted")
        } catch {
            throw Problem(
                status: 400,
                title: "Not labels",
                detail: "the body is not a list of labels as docs/reference/api.md describes it; nothing was counted"
            )
        }
        _ = try await self.status(id)
        return try Self.json(await self.feedback(id, batch.labels))
    }

    /// - Throws: A `Problem` for everybody who may only look.
    private static func commander(_ context: PeerContext) async throws -> Peer {
        let peer: Peer
        do {
            peer = try await context.peer()
        } catch {
            throw Problem(status: 403, title: "Unknown peer", detail: "the system does not say who asks: \(error)")
        }
        guard peer.mayCommand() else {
            throw Problem(
                status: 403,
                title: "Forbidden",
                detail: "\(peer.name) may not command this controller: only its own user and root may"
            )
        }
        return peer
    }

    private static func body(of request: Request, limit: Int, _ tooLarge: String) async throws -> Data {
        do {
            return Data(try await request.body.collect(upTo: limit).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Problem(status: 413, title: "Too large", detail: tooLarge)
        }
    }

    /// The body of what an operator asks for, `what` being how people call it.
    private static func decode<Body: Decodable>(
        _ type: Body.Type,
        of request: Request,
        _ what: String,
        limit: Int = APIRoute.bodyLimit
    ) async throws -> Body {
        let body = try await Self.body(
            of: request,
            limit: limit,
            "a \(what) may have at most \(limit / 1024) KiB: shorten its reason"
        )
        do {
            return try APICoding.decoder().decode(type, from: body)
        } catch {
            throw Problem(
                status: 400,
                title: "Not a \(what)",
                detail: "the body is not a \(what) as docs/reference/api.md describes it: \(error)"
            )
        }
    }

    private static func id(_ context: PeerContext) throws -> DeploymentID {
        DeploymentID(
            namespace: try context.parameters.require("namespace"),
            name: try context.parameters.require("name")
        )
    }

    private static func json(_ value: some Encodable) throws -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try APICoding.encoder().encode(value)))
        )
    }
}
