import ControllerAPI
import Deployments
import Foundation
import Hummingbird
import NIOCore
import Synchronization

/// Answers what is asked of the fleet, with a tag by which whoever asks again learns that nothing is new.
final class FleetReader: Sendable {
    private let look: @Sendable () async -> FleetView
    /// Versions begin anew with each start, and must not be taken for those of before.
    private let start = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    private let shelf = Mutex(AnswerShelf(version: 0, limit: 0))

    /// Of the newest view. The whole fleet is some 3 KiB a deployment.
    private static let limit = 128 << 20
    /// So many deployments are encoded at a stretch: others may want the thread.
    private static let stretch = 64

    init(look: @escaping @Sendable () async -> FleetView) {
        self.look = look
    }

    func view() async -> FleetView { await self.look() }

    /// - Throws: The `Problem` of a name that no deployment has which may be seen.
    func find(_ id: DeploymentID, _ visible: Visibility) async throws(Problem) -> FleetView {
        let view = await self.look()
        guard view.contains(id), visible.contains(id) else { throw Self.unknown(id, in: view, visible) }
        return view
    }

    /// It names nothing that may not be seen.
    func unknown(_ id: DeploymentID, _ visible: Visibility) async -> Problem {
        Self.unknown(id, in: await self.look(), visible)
    }

    private static func unknown(_ id: DeploymentID, in view: FleetView, _ visible: Visibility) -> Problem {
        .unknownDeployment(id.description, known: view.names.filter(visible.contains).map(\.description))
    }

    func fleet(_ request: Request, _ visible: Visibility) async throws -> Response {
        let view = await self.look()
        return try await self.answer(request, of: view, visible) {
            try await self.shelf(of: view).answer("fleet \(visible.key)") { try await Self.encode(view, visible) }
        }
    }

    func deployment(_ id: DeploymentID, _ request: Request, _ visible: Visibility) async throws -> Response {
        let view = try await self.find(id, visible)
        return try await self.answer(request, of: view, visible) {
            ByteBuffer(bytes: try APICoding.encoder().encode(view.deployment(id)))
        }
    }

    func plan(_ id: DeploymentID, _ request: Request, _ visible: Visibility) async throws -> Response {
        let view = try await self.find(id, visible)
        return try await self.answer(request, of: view, visible) {
            guard let plan = view.plan(id) else { throw Self.unknown(id, in: view, visible) }
            return ByteBuffer(bytes: try APICoding.encoder().encode(plan))
        }
    }

    func page(_ query: PageQuery, _ request: Request, _ visible: Visibility) async throws -> Response {
        let view = await self.look()
        return try await self.answer(request, of: view, visible) {
            try await self.shelf(of: view).answer("\(query.key) \(visible.key)") {
                ByteBuffer(bytes: try APICoding.encoder().encode(await query.page(of: view, visible)))
            }
        }
    }

    private func shelf(of view: FleetView) -> AnswerShelf {
        self.shelf.withLock { shelf in
            if shelf.version != view.version { shelf = AnswerShelf(version: view.version, limit: Self.limit) }
            return shelf
        }
    }

    private func answer(
        _ request: Request,
        of view: FleetView,
        _ visible: Visibility,
        _ encode: () async throws -> ByteBuffer
    ) async throws -> Response {
        // Who has seen more or less than before has seen something else.
        let sight = visible == .everything ? "" : "-" + String(UInt(bitPattern: visible.hashValue), radix: 36)
        let tag = EntityTag("\(self.start)-\(String(view.version, radix: 36))\(sight)")
        let headers: HTTPFields = [.eTag: tag.description, .cacheControl: "private, no-cache"]
        if tag.isKnown(request.headers[.ifNoneMatch]) { return Response(status: .notModified, headers: headers) }
        var response = APIRoutes.json(try await encode())
        response.headers.append(contentsOf: headers)
        return response
    }

    /// As the encoder would write all at once.
    private static func encode(_ view: FleetView, _ visible: Visibility) async throws -> ByteBuffer {
        let encoder = APICoding.encoder()
        let fleet = Self.frame(of: view, visible)
        let frame = try encoder.encode(fleet)
        // A quote inside of a text is escaped, so that this is the member and nothing else.
        guard let list = frame.firstRange(of: Data(#""deployments":[]"#.utf8)) else {
            throw EncodingError.invalidValue(fleet, .init(codingPath: [], debugDescription: "a fleet without a list"))
        }
        let end = list.upperBound - 1
        var buffer = ByteBuffer(bytes: frame[..<end])
        for (index, id) in view.order.filter(visible.contains).enumerated() {
            if index % Self.stretch == 0 { await Task.yield() }
            if index > 0 { buffer.writeString(",") }
            buffer.writeBytes(try encoder.encode(view.deployment(id)))
        }
        buffer.writeBytes(frame[end...])
        return buffer
    }

    /// The fleet without its deployments, and without what may not be seen.
    static func frame(of view: FleetView, _ visible: Visibility) -> FleetStatus {
        var fleet = view.frame
        fleet.unknown?.removeAll { DeploymentID($0).map { !visible.contains($0) } ?? true }
        fleet.freezes?.removeAll { freeze in freeze.namespace.map { !visible.contains($0) } ?? false }
        if visible != .everything { fleet.receivers = nil }
        return fleet
    }
}
