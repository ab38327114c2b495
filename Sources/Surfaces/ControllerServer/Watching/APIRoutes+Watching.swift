import ControllerAPI
import Foundation
import Hummingbird
import NIOCore

extension APIRoutes {
    func answerWatch(_ request: Request, _ context: PeerContext) async throws -> Response {
        let visible = context.visibility
        let scope = try WatchScope(request, visible)
        if case .namespace(let namespace) = scope, let remote = context.remote {
            try remote.require(.view, in: namespace)
        }
        if case .deployment(let id) = scope { _ = try await self.reader.find(id, visible) }
        let place = try Self.place(of: request)
        // A token may have been revoked meanwhile: whoever goes on shows it again.
        let end = context.remote.map { min($0.expires ?? .distantFuture, Date.now + self.watchers.limits.session) }
        let channel = context.channel
        guard let ticket = self.watchers.join(scope, cut: { channel.close(promise: nil) }) else {
            throw Problem(
                status: 503,
                title: "Too many watchers",
                detail: "this controller has as many watchers as it takes (\(self.watchers.limits.watchers)), or ends: "
                    + "try again in a second"
            )
        }
        let (watchers, body) = (self.watchers, request.body)
        var response = Response(
            status: .ok,
            headers: [.contentType: ServerSentEvent.mediaType, .cacheControl: "no-store"],
            body: ResponseBody { writer in
                try await body.consumeWithInboundCloseHandler { _ in
                    try await watchers.tell(ticket, from: place, until: end, &writer)
                } onInboundClosed: {
                    watchers.dismiss(ticket)
                }
            }
        )
        // Nginx keeps answers back until they are long enough.
        if let buffering = HTTPFields.Element.Name("X-Accel-Buffering") { response.headers[buffering] = "no" }
        return response
    }

    /// Who could not keep a header gives a parameter; a browser that connects again sends both, and the header is
    /// newer.
    private static func place(of request: Request) throws(Problem) -> WatchPlace {
        var place = WatchPlace()
        if let text = request.uri.queryParameters.get("after") {
            place = try Self.place(text, "after")
        }
        if let field = request.headers.first(where: { $0.name.canonicalName == "last-event-id" }) {
            place = try Self.place(field.value, "Last-Event-ID")
        }
        return place
    }

    private static func place(_ text: String, _ name: String) throws(Problem) -> WatchPlace {
        guard let place = WatchPlace(text) else {
            throw .badParameter(name, "an id of this stream, such as 412.k3x9.77, or an event's number")
        }
        return place
    }
}

extension Watchers {
    /// Writes what somebody watches, until the signals end.
    @concurrent
    fileprivate func tell(
        _ ticket: Ticket,
        from place: WatchPlace,
        until end: Date?,
        _ writer: inout any ResponseBodyWriter
    ) async throws {
        var reason = "the controller ends"
        var reader = ChangeBoard.Reader(place)
        var written = ContinuousClock.now
        for await _ in ticket.signals {
            while let messages = try await self.next(&reader, ticket) {
                try await self.write(messages + [ServerSentEvent.mark(reader.place)], ticket, &writer)
                written = .now
            }
            // Half of it, as the signs are not given to the moment.
            if ContinuousClock.now - written >= self.limits.beat / 2 {
                try await self.write([ServerSentEvent.keepAlive], ticket, &writer)
                written = .now
            }
            if let end, end <= .now {
                reason = "show again who you are"
                break
            }
        }
        let end = try ServerSentEvent.message("end", ServerSentEvent.End(reason: reason))
        try await self.write([end], ticket, &writer)
        try await writer.finish(nil)
    }

    /// - Returns: Nothing when there is no news.
    private func next(_ reader: inout ChangeBoard.Reader, _ ticket: Ticket) async throws -> [ByteBuffer]? {
        switch try self.read(&reader, ticket) {
        case .messages(let messages): messages
        case .events(let number): try await self.readJournal(&reader, after: number, ticket)
        case .nothing: nil
        }
    }

    @concurrent
    private func write(_ messages: [ByteBuffer], _ ticket: Ticket, _ writer: inout any ResponseBodyWriter) async throws
    {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(messages.reduce(0) { $0 + $1.readableBytes })
        for message in messages { buffer.writeImmutableBuffer(message) }
        self.note(writing: true, ticket)
        try await writer.write(buffer)
        self.note(writing: false, ticket)
    }
}
