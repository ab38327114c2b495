import ControllerAPI
import Deployments
import Foundation
import Hummingbird
import Logging
import NIOCore

/// What each path answers.
struct APIRoutes: Sendable {
    let reader: FleetReader
    var watchers: Watchers
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
    let answered = IdempotencyStore()
    /// Nothing where none are kept.
    let tokens: TokenStore?
    let testReceiver: @Sendable (String, String) async -> OperatorAnswer
    let freeze: @Sendable (FreezeRequest) async -> FreezeAnswer
    let unfreeze: @Sendable (Int64, String) async -> FreezeAnswer
    let desk: AuditDesk
    let logger: Logger

    /// What is asked, and who answers it.
    struct Route: Sendable {
        var operation: APIOperation
        var answer: @Sendable (Request, PeerContext) async throws -> Response

        init(
            _ operation: APIOperation,
            _ answer: @escaping @Sendable (Request, PeerContext) async throws -> Response
        ) {
            self.operation = operation
            self.answer = answer
        }
    }

    /// All that there is, each with its method and path: the router and the OpenAPI document are made of it.
    var table: [Route] {
        [
            Route(.health) { _, _ in Self.text("ok\n") },
            Route(.document) { _, _ in Self.json(try self.documentText) },
            Route(.fleet) { request, context in try await self.reader.fleet(request, context.visibility) },
            Route(.deployments) { request, context in
                try await self.reader.page(try PageQuery(request), request, context.visibility)
            },
            Route(.watch) { request, context in try await self.answerWatch(request, context) },
            Route(.events) { request, context in try await self.answerEvents(request, context) },
            Route(.decisions) { request, context in try await self.answerDecisions(request, context) },
            Route(.deployment) { request, context in
                try await self.reader.deployment(try Self.id(context), request, context.visibility)
            },
            Route(.history) { request, context in try await self.answerHistory(request, try Self.id(context), context)
            },
            Route(.plan) { request, context in
                try await self.reader.plan(try Self.id(context), request, context.visibility)
            },
            Route(.logs) { _, context in try await self.answerLogs(try await self.visible(context)) },
            Route(.log) { request, context in
                let replica = try context.parameters.require("replica")
                return try await self.answerLog(request, try await self.visible(context), replica)
            },
            Route(.traffic) { _, context in try await self.answerTraffic(try Self.id(context), context) },
            Route(.series) { _, context in try await self.answerSeries(try await self.visible(context), context) },
            Route(.spec) { _, context in try await self.answerSpec(try await self.visible(context), context) },
            Route(.batch) { request, context in try await self.answerBatch(request, context) },
            Route(.command) { request, context in try await self.answerCommand(request, context) },
            Route(.model) { request, context in try await self.answerModel(request, context) },
            Route(.feedback) { request, context in try await self.answerFeedback(request, context) },
            Route(.testReceiver) { request, context in
                let name = try context.parameters.require("receiver")
                return try await self.answerTest(request, name.removingPercentEncoding ?? name, context)
            },
        ] + AccessRoutes(tokens: self.tokens, desk: self.desk, logger: self.logger).table + self.auditTable
    }

    func router(_ access: PageAccess = .socket()) -> Router<PeerContext> {
        let router = Router(context: PeerContext.self)
        router.add(middleware: AuditedRefusals(desk: self.desk))
        PageRoutes(routes: self, access: access).add(to: router)
        for route in self.table {
            router.on(RouterPath(route.operation.path), method: route.operation.method.request) { request, context in
                try route.operation.check(request)
                return try await route.answer(request, context)
            }
        }
        return router
    }

    /// The deployment in the path. What somebody may not see does not exist for them.
    func visible(_ context: PeerContext) async throws -> DeploymentID {
        let id = try Self.id(context)
        guard context.sees(id.namespace) else { throw await self.reader.unknown(id, context.visibility) }
        return id
    }

    /// - Throws: A `Problem` for everybody who may not do it.
    func authorize(_ verbs: [AccessVerb], on id: DeploymentID, _ context: PeerContext) async throws -> Caller {
        let access = try await context.access()
        do throws(Problem) {
            for verb in verbs { try access.require(verb, in: id.namespace) }
        } catch {
            throw context.sees(id.namespace) ? error : await self.reader.unknown(id, context.visibility)
        }
        return access.caller
    }

    /// The methods that a path has; none when there is no such path.
    func methods(of path: String) -> [APIOperation.Method] {
        self.table.map(\.operation).filter { $0.matches(path) }.map(\.method)
    }

    static func id(_ context: PeerContext) throws -> DeploymentID {
        DeploymentID(
            namespace: try context.parameters.require("namespace"),
            name: try context.parameters.require("name")
        )
    }

    static func encode(_ value: some Encodable) throws -> ByteBuffer {
        ByteBuffer(bytes: try APICoding.encoder().encode(value))
    }

    static func json(_ body: ByteBuffer) -> Response {
        Response(status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: body))
    }

    private static func text(_ body: String) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: body))
        )
    }

    private var documentText: ByteBuffer {
        get throws { try Self.encode(APIDocument.document(of: self.table.map(\.operation))) }
    }
}
