import Hummingbird
import Logging
import NIOCore

/// Takes deliveries: `POST /webhooks/REPOSITORY`.
struct WebhookResponder: HTTPResponder {
    let webhooks: [String: Webhook]
    let bodyLimit: Int
    let ledger: WebhookLedger
    let wake: @Sendable (String) -> Bool
    let logger: Logger

    private static let prefix = "/webhooks/"

    @concurrent
    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let path = request.uri.path
        guard path.hasPrefix(Self.prefix) else {
            return Self.response(.notFound, "there is nothing here: deliveries go to /webhooks/REPOSITORY")
        }
        guard request.method == .post else {
            var response = Self.response(.methodNotAllowed, "a delivery is a POST")
            response.headers[.allow] = "POST"
            return response
        }
        let name = String(path.dropFirst(Self.prefix.count))
        do {
            try await self.check(request, for: name)
            return self.accept(request, for: name)
        } catch let refusal as WebhookRefusal {
            return self.refuse(refusal, of: name)
        }
        // Errors of the connection itself pass: Hummingbird ends it.
    }

    /// What is for no repository is checked as if it were for one: neither the answer nor how long it takes should tell
    /// which there are.
    ///
    /// - Throws: A `WebhookRefusal`, or what ended the connection.
    private func check(_ request: Request, for name: String) async throws {
        guard let webhook = self.webhooks[name] ?? self.webhooks.values.first else {
            throw WebhookRefusal.unknownRepository
        }
        var problem: WebhookRefusal?
        let secrets: [WebhookSecret]
        do throws(ControllerServerError) {
            secrets = try WebhookSecret.read(webhook.secretFile)
        } catch {
            (secrets, problem) = ([.ofNobody()], .badSecret(error))
        }
        var signature = DeliverySignature(kind: webhook.kind, fields: request.headers, secrets: secrets)
        var length = 0
        for try await part in request.body {
            length += part.readableBytes
            guard length <= self.bodyLimit else { throw WebhookRefusal.tooLarge(self.bodyLimit) }
            part.withUnsafeReadableBytes { signature.update($0) }
        }
        let isAuthentic = signature.isAuthentic
        guard webhook.repository == name else { throw WebhookRefusal.unknownRepository }
        if let problem { throw problem }
        guard isAuthentic else { throw signature.isSigned ? WebhookRefusal.wrongSignature : .unsigned }
    }

    /// Answered before the poll: servers give up on who takes longer than some seconds.
    private func accept(_ request: Request, for name: String) -> Response {
        self.ledger.noteDelivery(for: name)
        let event = Self.event(of: request)
        // Sent when a webhook is made; nothing was pushed.
        if event == "ping" || event == "diagnostics:ping" {
            self.log(.info, "webhook works", name, event)
            return Response(status: .noContent, headers: [.connection: "close"])
        }
        let isNew = self.wake(name)
        self.log(isNew ? .info : .debug, "webhook wakes a poll", name, event)
        return Self.response(.accepted, "the repository is looked at")
    }

    private func log(_ level: Logger.Level, _ message: Logger.Message, _ name: String, _ event: String) {
        self.logger.log(
            level: level,
            message,
            metadata: ["repository.name": "\(name)", "webhook.event": "\(event)"]
        )
    }

    private func refuse(_ refusal: WebhookRefusal, of name: String) -> Response {
        let known = self.webhooks[name]?.repository
        if let untold = self.ledger.note(refusal, of: known) {
            self.logger.warning(
                "webhook refused",
                metadata: [
                    "repository.name": "\(known ?? "unknown")", "webhook.reason": "\(refusal.reason)",
                    "webhook.untold": "\(untold)",
                ]
            )
        }
        if case .tooLarge(let limit) = refusal {
            return Self.response(
                .contentTooLarge,
                "a delivery may have at most \(limit >> 20) MiB; the next poll finds what was pushed"
            )
        }
        return Self.response(
            .unauthorized,
            "the signature is missing or wrong, or no repository of this name takes webhooks; "
                + "the controller's log says which"
        )
    }

    /// The word for what happened, as far as a log can take it. No signature covers it.
    private static func event(of request: Request) -> String {
        let names = ["x-github-event", "x-event-key", "x-gitlab-event"]
        let field = request.headers.first { names.contains($0.name.canonicalName) }
        guard let value = field?.value, value.wholeMatch(of: /[A-Za-z0-9:_. -]{1,64}/) != nil else { return "unknown" }
        return value
    }

    private static func response(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(
            status: status,
            headers: [.contentType: "text/plain; charset=utf-8", .connection: "close"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text + "\n"))
        )
    }
}
