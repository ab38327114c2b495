import Audits
import ControllerAPI
import Deployments
import Foundation
import Hummingbird
import Logging
import NIOCore

extension APIRoutes {
    var auditTable: [Route] {
        [
            Route(.audit) { request, context in try await self.answerAudit(request, context) },
            Route(.auditCheck) { request, context in try await self.answerAuditCheck(request, context) },
            Route(.auditHead) { _, context in try await self.answerAuditHead(context) },
            Route(.freezes) { _, context in try Self.json(await self.standing(context)) },
            Route(.freeze) { request, context in try await self.answerFreeze(request, context) },
            Route(.unfreeze) { request, context in try await self.answerUnfreeze(request, context) },
        ]
    }

    private static func json(_ value: some Encodable) throws -> Response { Self.json(try Self.encode(value)) }

    /// Those that hold where the caller may look.
    private func standing(_ context: PeerContext) async -> [FreezeStatus] {
        let visible = context.visibility
        return (await self.reader.view().frame.freezes ?? []).filter { freeze in
            freeze.namespace.map { visible.contains($0) } ?? true
        }
    }

    /// It is about all namespaces.
    private func trail(_ context: PeerContext) async throws -> AuditTrail {
        try await context.access().require(.audit, in: nil)
        guard let trail = self.desk.trail else {
            throw Problem(status: 404, title: "No audit", detail: "this controller keeps no audit")
        }
        return trail
    }

    private func answerAudit(_ request: Request, _ context: PeerContext) async throws -> Response {
        let trail = try await self.trail(context)
        let query = AuditQuery(
            AuditFilter(
                after: try Self.number(request),
                limit: try Self.limit(of: request),
                deployment: try Self.text("deployment", of: request),
                by: try Self.text("by", of: request),
                action: try Self.text("action", of: request),
                since: try Self.text("since", of: request).map(Self.time)
            )
        )
        return try Self.json(try await self.reading { try await trail.store.entries(query) }.map { AuditStatus($0) })
    }

    private func answerAuditCheck(_ request: Request, _ context: PeerContext) async throws -> Response {
        let trail = try await self.trail(context)
        let part = AuditPart(
            after: try Self.place("after", of: request),
            expected: try Self.place("expect", of: request)
        )
        return try Self.json(AuditCheckStatus(try await self.reading { try await trail.store.check(part) }))
    }

    private func answerAuditHead(_ context: PeerContext) async throws -> Response {
        let trail = try await self.trail(context)
        let head = try await self.reading { try await trail.store.head() }
        let account = trail.account
        return try Self.json(
            AuditHeadStatus(head: head.description, unwritten: account.unwritten, problem: account.problem)
        )
    }

    private func reading<Value: Sendable>(_ work: () async throws -> Value) async throws -> Value {
        do {
            return try await work()
        } catch {
            self.logger.error("audit cannot be read", metadata: ["error": "\(error)"])
            throw Problem(status: 500, title: "Audit unreadable", detail: "the audit cannot be read: \(error)")
        }
    }

    private static func text(_ name: String, of request: Request) throws(Problem) -> String? {
        guard let text = request.uri.queryParameters.get(name) else { return nil }
        guard text.utf8.count <= 1024 else {
            throw Problem(status: 400, title: "Too long", detail: "\(name) may have at most 1024 bytes")
        }
        return text
    }

    private static func time(_ text: String) throws(Problem) -> Date {
        guard let date = APICoding.date(of: text) else {
            throw Problem(status: 400, title: "Bad time", detail: "since must be a time such as 2026-12-01T14:29:06Z")
        }
        return date
    }

    private static func place(_ name: String, of request: Request) throws(Problem) -> AuditPlace? {
        guard let text = request.uri.queryParameters.get(name) else { return nil }
        guard let place = AuditPlace(text) else {
            throw Problem(
                status: 400,
                title: "Bad place",
                detail:
                    "\(name) must be an entry's number, a colon and its hash, as `controller audit head` prints them"
            )
        }
        return place
    }

    // MARK: - Freezes

    private func answerFreeze(_ request: Request, _ context: PeerContext) async throws -> Response {
        let access = try await context.access()
        let body = try await Self.body(of: request, "freeze")
        var wanted = try Self.decode(FreezeRequest.self, body, "freeze")
        if let problem = wanted.problem { throw Problem(status: 400, title: "Not a freeze", detail: problem) }
        try access.require(.freeze, in: wanted.selection.namespace)
        wanted.by = access.caller.attribution(claim: wanted.by)
        let freeze = wanted
        return try await self.once(request, body, by: access.caller) {
            try Self.encode(try await self.desk.freeze(freeze, by: access.caller) { await self.freeze(freeze) })
        }
    }

    private func answerUnfreeze(_ request: Request, _ context: PeerContext) async throws -> Response {
        let access = try await context.access()
        guard let id = Int64(try context.parameters.require("id")), id > 0 else {
            throw Problem(status: 400, title: "Bad number", detail: "a freeze is named by its number")
        }
        // One that has ended, or never was, is about everybody.
        let freeze = await self.reader.view().frame.freezes?.first { $0.id == id }
        try access.require(.freeze, in: freeze?.namespace)
        let name = access.caller.attribution(claim: try Self.text("by", of: request) ?? "")
        let why = try Self.text("why", of: request) ?? ""
        let answer = try await self.desk.unfreeze(id, why: why, as: name, by: access.caller) {
            await self.unfreeze(id, name)
        }
        return try Self.json(answer)
    }
}
