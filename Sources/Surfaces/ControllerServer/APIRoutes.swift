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
    let series: @Sendable (DeploymentID) async -> SeriesStatus?
    let spec: @Sendable (DeploymentID) async -> SpecStatus?
    let command: @Sendable (DeploymentID, OperatorRequest) async -> OperatorAnswer
    let batch: @Sendable (BatchRequest) async -> BatchAnswer
    let model: @Sendable (DeploymentID, ModelRequest) async -> ModelAnswer
    let feedback: @Sendable (DeploymentID, [FeedbackLabel]) async -> FeedbackAnswer
    /// Nothing where none are kept.
    let tokens: TokenStore?
    let testReceiver: @Sendable (String, String) async -> OperatorAnswer
    let logger: Logger

    func router(_ access: PageAccess = .socket()) -> Router<PeerContext> {
        let router = Router(context: PeerContext.self)
        PageRoutes(routes: self, access: access).add(to: router)
        router.get("healthz") { _, _ in "ok\n" }
        let api = router.group("api/v1")
        api.get("fleet") { _, context in try Self.json(await self.fleet(for: context)) }
        api.get("events") { request, context in try await self.answerEvents(request, context) }
        api.get("decisions") { request, context in try await self.answerDecisions(request, context) }
        api.post("commands") { request, context in try await self.answerBatch(request, context) }
        AccessRoutes(tokens: self.tokens, logger: self.logger).add(to: api)
        api.post("receivers/:receiver/test") { request, context in
            let name = try context.parameters.require("receiver")
            return try await self.answerTest(request, name.removingPercentEncoding ?? name, context)
        }
        let deployment = api.group("deployments/:namespace/:name")
        deployment.get { _, context in
            try Self.json(try await self.status(try await self.visible(context), context))
        }
        deployment.get("history") { request, context in
            try await self.answerHistory(request, try await self.visible(context), context)
        }
        deployment.get("logs") { _, context in try Self.json(await self.logs(try await self.visible(context))) }
        deployment.get("logs/:replica") { request, context in
            let replica = try context.parameters.require("replica")
            return try await self.answerLog(request, try await self.visible(context), replica)
        }
        deployment.get("traffic") { _, context in
            try await self.answerTraffic(try await self.visible(context), context)
        }
        deployment.get("series") { _, context in
            try await self.answerSeries(try await self.visible(context), context)
        }
        deployment.get("spec") { _, context in
            try await self.answerSpec(try await self.visible(context), context)
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

    func status(_ id: DeploymentID, _ context: PeerContext) async throws(Problem) -> DeploymentStatus {
        if let found = await self.deployment(id) { return found }
        throw await self.unknown(id, context)
    }

    /// It names nothing that the caller may not see.
    private func unknown(_ id: DeploymentID, _ context: PeerContext) async -> Problem {
        let fleet = await self.fleet(for: context)
        return .unknownDeployment(id.description, known: fleet.deployments.map { "\($0.namespace)/\($0.name)" })
    }

    /// The fleet as the caller may see it.
    func fleet(for context: PeerContext) async -> FleetStatus {
        var fleet = await self.fleet()
        guard !context.seesAll else { return fleet }
        fleet.deployments.removeAll { !context.sees($0.namespace) }
        fleet.unknown?.removeAll { DeploymentID($0).map { !context.sees($0.namespace) } ?? true }
        fleet.receivers = nil
        return fleet
    }

    /// The deployment in the path. What somebody may not see does not exist for them.
    func visible(_ context: PeerContext) async throws -> DeploymentID {
        let id = try Self.id(context)
        guard context.sees(id.namespace) else { throw await self.unknown(id, context) }
        return id
    }

    /// - Throws: A `Problem` for everybody who may not do it.
    func authorize(
        _ verbs: [AccessVerb],
        on id: DeploymentID,
        _ context: PeerContext
    ) async throws -> Caller {
        let access = try await context.access()
        do throws(Problem) {
            for verb in verbs { try access.require(verb, in: id.namespace) }
        } catch {
            throw context.sees(id.namespace) ? error : await self.unknown(id, context)
        }
        return access.caller
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

    private func answerEvents(_ request: Request, _ context: PeerContext) async throws -> Response {
        let (limit, after) = (try Self.limit(of: request), try Self.number(request))
        let namespace = request.uri.queryParameters.get("namespace").map { String($0) }
        return try Self.json(try await self.events(after: after, in: namespace, limit: limit, context))
    }

    /// Those that the caller may see, oldest first.
    func events(
        after: Int64?,
        in namespace: String?,
        limit: Int,
        _ context: PeerContext
    ) async throws -> [EventStatus] {
        if let namespace, let remote = context.remote { try remote.require(.view, in: namespace) }
        do {
            guard namespace == nil, let remote = context.remote, let own = remote.namespaces(for: .view) else {
                return try await self.events(after, namespace, limit)
            }
            var events: [EventStatus] = []
            for namespace in own { events += try await self.events(after, namespace, limit) }
            events.sort { ($0.id ?? 0) < ($1.id ?? 0) }
            return Array(after == nil ? events.suffix(limit) : events.prefix(limit))
        } catch {
            self.logger.error("events cannot be read", metadata: ["error": "\(error)"])
            throw Problem(
                status: 500,
                title: "Events unreadable",
                detail: "the events cannot be read from the journal: \(error)"
            )
        }
    }

    private func answerHistory(
        _ request: Request,
        _ id: DeploymentID,
        _ context: PeerContext
    ) async throws -> Response {
        let limit = try Self.limit(of: request)
        _ = try await self.status(id, context)
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

    private func answerTraffic(_ id: DeploymentID, _ context: PeerContext) async throws -> Response {
        _ = try await self.status(id, context)
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

    private func answerSeries(_ id: DeploymentID, _ context: PeerContext) async throws -> Response {
        _ = try await self.status(id, context)
        guard let series = await self.series(id) else {
            throw Problem(
                status: 404,
                title: "No rollout seen",
                detail: "\(id) has had no rollout since the controller started: ask again during one"
            )
        }
        return try Self.json(series)
    }

    /// Not only of deployments that are served: it says why one is not.
    private func answerSpec(_ id: DeploymentID, _ context: PeerContext) async throws -> Response {
        if let spec = await self.spec(id) { return try Self.json(spec) }
        _ = try await self.status(id, context)
        throw Problem(
            status: 404,
            title: "Manifest not read",
            detail:
                "no commit with the manifest of \(id) was read since the controller started: `controller get` shows "
                + "what it knows of the repository; ask again after its next poll"
        )
    }

    private func answerDecisions(_ request: Request, _ context: PeerContext) async throws -> Response {
        let after = try Self.number(request) ?? 0
        let deployment = request.uri.queryParameters.get("deployment").map { DeploymentID($0) }
        if case .some(.none) = deployment {
            throw Problem(status: 400, title: "Bad deployment", detail: "deployment must be namespace/name")
        }
        if let remote = context.remote { try remote.require(.view, in: (deployment ?? nil)?.namespace) }
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
        let command = try await Self.decode(OperatorRequest.self, of: request, "command")
        return try Self.json(try await self.carryOut(command, on: id, context))
    }

    /// - Throws: A `Problem` for everybody who may not do it.
    func carryOut(
        _ command: OperatorRequest,
        on id: DeploymentID,
        _ context: PeerContext
    ) async throws -> OperatorAnswer {
        var command = command
        let isForced = command.verb == .promote && command.force
        let caller = try await self.authorize([command.verb.access] + (isForced ? [.force] : []), on: id, context)
        command.by = caller.attribution(claim: command.by)
        _ = try await self.status(id, context)
        let answer = await self.command(id, command)
        self.logger.info(
            "operator command",
            metadata: [
                "deployment.name": "\(id)", "command.verb": "\(command.verb.rawValue)", "command.by": "\(command.by)",
                "command.accepted": "\(answer.accepted)", "command.changed": "\(answer.changed)",
            ]
        )
        return answer
    }

    private func answerBatch(_ request: Request, _ context: PeerContext) async throws -> Response {
        let access = try await context.access()
        var batch = try await Self.decode(BatchRequest.self, of: request, "command", limit: APIRoute.batchLimit)
        guard batch.selection.isMeant else {
            throw Problem(
                status: 400,
                title: "Nobody selected",
                detail: "`selection` must have `names`, `namespace` or `labels`, or `all`: true and none of them"
            )
        }
        try Self.narrow(&batch, to: access)
        batch.by = access.caller.attribution(claim: batch.by)
        var answer = await self.batch(batch)
        answer.within = batch.selection.within
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

    /// Only those are meant of which the caller may ask it.
    private static func narrow(_ batch: inout BatchRequest, to access: Access) throws(Problem) {
        let verb = batch.verb.access
        batch.selection.within = access.namespaces(for: verb)
        if let namespace = batch.selection.namespace { try access.require(verb, in: namespace) }
        for id in (batch.selection.names ?? []).compactMap({ DeploymentID($0) }) where access.sees(id.namespace) {
            try access.require(verb, in: id.namespace)
        }
        if batch.selection.within?.isEmpty ?? false { try access.require(verb, in: nil) }
    }

    private func answerTest(_ request: Request, _ receiver: String, _ context: PeerContext) async throws -> Response {
        let access = try await context.access()
        try access.require(.notify, in: nil)
        let test = try await Self.decode(ReceiverTest.self, of: request, "request")
        let by = access.caller.attribution(claim: test.by)
        let answer = await self.testReceiver(receiver, by)
        self.logger.info(
            "receiver tried",
            metadata: [
                "receiver.name": "\(receiver)", "command.by": "\(by)", "command.accepted": "\(answer.accepted)",
            ]
        )
        return try Self.json(answer)
    }

    private func answerModel(_ request: Request, _ id: DeploymentID, _ context: PeerContext) async throws -> Response {
        let caller = try await self.authorize([.promoteModel], on: id, context)
        var model = try await Self.decode(ModelRequest.self, of: request, "request")
        guard model.selector != nil, model.digest.map(ModelRequest.isDigest) ?? true else {
            throw Problem(
                status: 400,
                title: "Not a version",
                detail: "`to` must be a version such as 8 or an alias such as @champion, and `digest` sha256: and 64 "
                    + "lower-case hexadecimal digits"
            )
        }
        model.by = caller.attribution(claim: model.by)
        _ = try await self.status(id, context)
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
        // Labels take traffic from a canary or give it more, so not everybody may tell them.
        _ = try await self.authorize([.feedback], on: id, context)
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
        _ = try await self.status(id, context)
        return try Self.json(await self.feedback(id, batch.labels))
    }

    static func body(of request: Request, limit: Int, _ tooLarge: String) async throws -> Data {
        do {
            return Data(try await request.body.collect(upTo: limit).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Problem(status: 413, title: "Too large", detail: tooLarge)
        }
    }

    /// The body of what an operator asks for, `what` being how people call it.
    static func decode<Body: Decodable>(
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

    static func id(_ context: PeerContext) throws -> DeploymentID {
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
