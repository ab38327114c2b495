import ControllerAPI
import Foundation
import Hummingbird
import Logging
import NIOCore

/// Who asks, and the tokens by which others may.
struct AccessRoutes: Sendable {
    let tokens: TokenStore?
    let desk: AuditDesk
    let logger: Logger

    var table: [APIRoutes.Route] {
        [
            APIRoutes.Route(.whoami) { _, context in
                let access = try await context.access()
                return try Self.json(
                    CallerStatus(caller: access.caller, grants: access.grants, expires: access.expires)
                )
            },
            APIRoutes.Route(.tokens) { _, context in
                let (store, _) = try await self.administer(context)
                return try Self.json(store.all)
            },
            APIRoutes.Route(.createToken) { request, context in try await self.create(request, context) },
            APIRoutes.Route(.revokeToken) { _, context in
                try await self.revoke(try context.parameters.require("id"), context)
            },
        ]
    }

    private func administer(_ context: PeerContext) async throws -> (TokenStore, Access) {
        let access = try await context.access()
        try access.require(.tokens, in: nil)
        guard let tokens = self.tokens else {
            throw Problem(status: 404, title: "No tokens", detail: "this controller keeps no tokens")
        }
        return (tokens, access)
    }

    private func create(_ request: Request, _ context: PeerContext) async throws -> Response {
        let (store, access) = try await self.administer(context)
        let asked = try await APIRoutes.decode(TokenRequest.self, of: request, "request")
        if let problem = asked.problem { throw Problem(status: 400, title: "Not a token", detail: problem) }
        let made = try await self.desk.created(asked, by: access.caller) {
            Result { () throws(ControllerServerError) in try store.create(asked, by: access.caller.attribution) }
        }
        let answer: TokenAnswer
        do throws(ControllerServerError) {
            answer = try made.get()
        } catch {
            throw Problem(status: 503, title: "Token not kept", detail: error.message)
        }
        self.logger.notice(
            "token made",
            metadata: [
                "token.id": "\(answer.status.id)", "token.name": "\(answer.status.name)",
                "token.grants": "\(answer.status.grants.map(\.description).joined(separator: "; "))",
                "command.by": "\(access.caller.attribution)",
            ]
        )
        return try Self.json(answer, status: .created)
    }

    private func revoke(_ id: String, _ context: PeerContext) async throws -> Response {
        let (store, access) = try await self.administer(context)
        let ended = try await self.desk.revoked(id, by: access.caller) {
            Result { () throws(ControllerServerError) in try store.revoke(id) }
        }
        let revoked: TokenStatus?
        do throws(ControllerServerError) {
            revoked = try ended.get()
        } catch {
            throw Problem(status: 503, title: "Token comes back", detail: error.message)
        }
        guard let revoked else {
            throw Problem(
                status: 404,
                title: "Unknown token",
                detail: "there is no token \(id): `controller token list` shows them all"
            )
        }
        self.logger.notice(
            "token revoked",
            metadata: [
                "token.id": "\(revoked.id)", "token.name": "\(revoked.name)",
                "command.by": "\(access.caller.attribution)",
            ]
        )
        return try Self.json(revoked)
    }

    private static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try APICoding.encoder().encode(value)))
        )
    }
}
