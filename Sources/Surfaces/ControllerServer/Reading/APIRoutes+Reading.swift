import ControllerAPI
import Deployments
import Foundation
import Hummingbird
import Logging
import NIOCore

extension APIRoutes {
    static func limit(
        of request: Request,
        default usual: Int = APIRoute.defaultHistoryLimit,
        _ most: Int = APIRoute.historyLimit
    ) throws(Problem) -> Int {
        let text = request.uri.queryParameters.get("limit")
        guard let limit = text.map({ Int($0) }) ?? usual, (1...most).contains(limit) else {
            throw .badParameter("limit", "a whole number from 1 to \(most)")
        }
        return limit
    }

    /// A number of something that was journaled; nothing where none is given.
    static func number(_ request: Request) throws(Problem) -> Int64? {
        guard let text = request.uri.queryParameters.get("after") else { return nil }
        guard let number = Int64(text), number >= 0 else {
            throw Problem(status: 400, title: "Bad number", detail: "after must be a number that was answered, or 0")
        }
        return number
    }

    func answerEvents(_ request: Request, _ context: PeerContext) async throws -> Response {
        let (limit, after) = (try Self.limit(of: request), try Self.number(request))
        let namespace = request.uri.queryParameters.get("namespace").map { String($0) }
        return Self.json(
            try Self.encode(try await self.events(after: after, in: namespace, limit: limit, context))
        )
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

    func answerHistory(
        _ request: Request,
        _ id: DeploymentID,
        _ context: PeerContext
    ) async throws -> Response {
        let limit = try Self.limit(of: request)
        _ = try await self.reader.find(id, context.visibility)
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
        return Self.json(try Self.encode(events))
    }

    func answerLog(_ request: Request, _ id: DeploymentID, _ replica: String) async throws -> Response {
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
        return Self.json(try Self.encode(piece))
    }

    func answerLogs(_ id: DeploymentID) async throws -> Response {
        Self.json(try Self.encode(await self.logs(id)))
    }

    func answerTraffic(_ id: DeploymentID, _ context: PeerContext) async throws -> Response {
        _ = try await self.reader.find(id, context.visibility)
        guard let traffic = await self.traffic(id) else {
            throw Problem(
                status: 404,
                title: "No traffic yet",
                detail: "no revision of \(id) has had the traffic for itself since the controller started: "
                    + "ask again once one has for some minutes"
            )
        }
        return Self.json(try Self.encode(traffic))
    }

    /// Not only of deployments that are served: it says why one is not.
    func answerSpec(_ id: DeploymentID, _ context: PeerContext) async throws -> Response {
        if let spec = await self.spec(id) { return Self.json(try Self.encode(spec)) }
        _ = try await self.reader.find(id, context.visibility)
        throw Problem(
            status: 404,
            title: "Manifest not read",
            detail:
                "no commit with the manifest of \(id) was read since the controller started: `controller get` shows "
                + "what it knows of the repository; ask again after its next poll"
        )
    }

    func answerDecisions(_ request: Request, _ context: PeerContext) async throws -> Response {
        let after = try Self.number(request) ?? 0
        let name = request.uri.queryParameters.get("deployment")
        let deployment = name.flatMap { DeploymentID(parameter: $0) }
        if name != nil, deployment == nil {
            throw Problem.badParameter("deployment", "a namespace and a name, such as search/file-type")
        }
        if let remote = context.remote { try remote.require(.view, in: deployment?.namespace) }
        let lines: [UInt8]?
        do {
            lines = try await self.chapter(after, deployment)
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

    func answerSeries(_ id: DeploymentID, _ context: PeerContext) async throws -> Response {
        _ = try await self.reader.find(id, context.visibility)
        guard let series = await self.series(id) else {
            throw Problem(
                status: 404,
                title: "No rollout seen",
                detail: "\(id) has had no rollout since the controller started: ask again during one"
            )
        }
        return Self.json(try Self.encode(series))
    }

    // MARK: - For pages

    func status(_ id: DeploymentID, _ context: PeerContext) async throws(Problem) -> DeploymentStatus {
        let view = try await self.reader.find(id, context.visibility)
        guard let status = view.deployment(id) else { throw await self.reader.unknown(id, context.visibility) }
        return status
    }

    /// The fleet as the caller may see it.
    func fleet(for context: PeerContext) async -> FleetStatus {
        let visible = context.visibility
        let view = await self.reader.view()
        var fleet = FleetReader.frame(of: view, visible)
        fleet.deployments = view.order.filter(visible.contains).compactMap { view.deployment($0) }
        return fleet
    }
}
