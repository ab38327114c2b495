import ControllerAPI
import Crypto
import Deployments
import Foundation
import Hummingbird
import Logging
import NIOCore

extension APIRoutes {
    func answerCommand(_ request: Request, _ context: PeerContext) async throws -> Response {
        let id = try Self.id(context)
        let body = try await Self.body(of: request, "command")
        let command = try Self.decode(OperatorRequest.self, body, "command")
        let caller = try await self.authorize(Self.verbs(of: command), on: id, context)
        return try await self.once(request, body, by: caller) {
            try Self.encode(try await self.carryOut(command, on: id, context))
        }
    }

    private static func verbs(of command: OperatorRequest) -> [AccessVerb] {
        [command.verb.access] + (command.verb == .promote && command.force ? [.force] : [])
    }

    /// - Throws: A `Problem` for everybody who may not do it.
    func carryOut(
        _ wanted: OperatorRequest,
        on id: DeploymentID,
        _ context: PeerContext
    ) async throws -> OperatorAnswer {
        var command = wanted
        let caller = try await self.authorize(Self.verbs(of: command), on: id, context)
        command.by = caller.attribution(claim: command.by)
        _ = try await self.reader.find(id, context.visibility)
        let asked = command
        let answer = try await self.desk.command(asked, on: id, by: caller) { await self.command(id, asked) }
        self.logger.info(
            "operator command",
            metadata: [
                "deployment.name": "\(id)", "command.verb": "\(command.verb.rawValue)",
                "command.by": "\(command.by)", "command.accepted": "\(answer.accepted)",
                "command.changed": "\(answer.changed)",
            ]
        )
        return answer
    }

    func answerBatch(_ request: Request, _ context: PeerContext) async throws -> Response {
        let access = try await context.access()
        let body = try await Self.body(of: request, "command", limit: APIRoute.batchLimit)
        var batch = try Self.decode(BatchRequest.self, body, "command")
        guard batch.selection.isMeant else {
            throw Problem(
                status: 400,
                title: "Nobody selected",
                detail: "`selection` must have `names`, `namespace` or `labels`, or `all`: true and none of them"
            )
        }
        try Self.narrow(&batch, to: access)
        batch.by = access.caller.attribution(claim: batch.by)
        return try await self.once(request, body, by: access.caller) { [batch] in
            var answer = try await self.desk.batch(batch, by: access.caller) { await self.batch(batch) }
            answer.within = batch.selection.within
            self.logger.info(
                "operator command for many",
                metadata: [
                    "command.verb": "\(batch.verb.rawValue)", "command.by": "\(batch.by)",
                    "deployments.selected": "\(answer.answers.count)",
                    "deployments.changed": "\(answer.answers.count(where: \.changed))",
                ]
            )
            return try Self.encode(answer)
        }
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

    func answerTest(_ request: Request, _ receiver: String, _ context: PeerContext) async throws -> Response {
        let access = try await context.access()
        try access.require(.notify, in: nil)
        let body = try await Self.body(of: request, "request")
        return try await self.once(request, body, by: access.caller) {
            let test = try Self.decode(ReceiverTest.self, body, "request")
            let by = access.caller.attribution(claim: test.by)
            let answer = await self.testReceiver(receiver, by)
            self.logger.info(
                "receiver tried",
                metadata: [
                    "receiver.name": "\(receiver)", "command.by": "\(by)", "command.accepted": "\(answer.accepted)",
                ]
            )
            return try Self.encode(answer)
        }
    }

    func answerModel(_ request: Request, _ context: PeerContext) async throws -> Response {
        let id = try Self.id(context)
        let caller = try await self.authorize([.promoteModel], on: id, context)
        let body = try await Self.body(of: request, "request")
        return try await self.once(request, body, by: caller) {
            var model = try Self.decode(ModelRequest.self, body, "request")
            guard model.selector != nil, model.digest.map(ModelRequest.isDigest) ?? true else {
                throw Problem(
                    status: 400,
                    title: "Not a version",
                    detail: "`to` must be a version such as 8 or an alias such as @champion, and `digest` sha256: and "
                        + "64 lower-case hexadecimal digits"
                )
            }
            model.by = caller.attribution(claim: model.by)
            _ = try await self.reader.find(id, context.visibility)
            let asked = model
            let answer = try await self.desk.model(asked, on: id, by: caller) { await self.model(id, asked) }
            self.logger.info(
                "model promotion asked for",
                metadata: [
                    "deployment.name": "\(id)", "model.to": "\(model.to)", "command.by": "\(model.by)",
                    "command.accepted": "\(answer.accepted)", "command.changed": "\(answer.changed)",
                ]
            )
            return try Self.encode(answer)
        }
    }

    func answerFeedback(_ request: Request, _ context: PeerContext) async throws -> Response {
        let id = try Self.id(context)
        // Labels take traffic from a canary or give it more, so not everybody may tell them.
        let caller = try await self.authorize([.feedback], on: id, context)
        let body = try await Self.body(
            of: request,
            limit: APIRoute.feedbackLimit,
            tooLarge: "labels may have at most \(APIRoute.feedbackLimit / 1024) KiB at once: send them in several "
                + "requests"
        )
        return try await self.once(request, body, by: caller) {
            let batch: FeedbackBatch
            do {
                batch = try APICoding.decoder().decode(FeedbackBatch.self, from: body)
            } catch let problem as FeedbackProblem {
                throw Problem(status: 400, title: "Not a label", detail: "\(problem.message); nothing was counted")
            } catch {
                throw Problem(
                    status: 400,
                    title: "Not labels",
                    detail:
                        "the body is not a list of labels as docs/reference/api.md describes it; nothing was counted"
                )
            }
            // Whoever tells labels need not see what they are of.
            guard await self.reader.view().contains(id) else {
                throw await self.reader.unknown(id, context.visibility)
            }
            let answer = await self.feedback(id, batch.labels)
            self.desk.feedback(answer, of: batch.labels.count, on: id, by: caller)
            return try Self.encode(answer)
        }
    }

    // MARK: - Once

    /// Carries out what is asked, unless the same caller has had it carried out under the same key.
    ///
    /// What is refused before anything is done is not remembered.
    func once(
        _ request: Request,
        _ body: Data,
        by caller: Caller,
        _ answer: () async throws -> ByteBuffer
    ) async throws -> Response {
        let field = request.headers.first { $0.name.canonicalName == APIRoute.idempotencyKey.lowercased() }
        guard let name = field?.value else { return Self.json(try await answer()) }
        guard APIRoute.isIdempotencyKey(name) else {
            throw Problem(
                status: 400,
                title: "Bad Idempotency-Key",
                detail: "Idempotency-Key must have from 1 to \(APIRoute.idempotencyKeyLimit) visible ASCII characters: "
                    + "a new UUID for each command is a good one"
            )
        }
        let key = IdempotencyStore.Key(
            caller: "\(caller.attribution) \(caller.credential ?? "")",
            name: name
        )
        var digest = SHA256()
        digest.update(data: Data("\(request.uri.string)\n".utf8))
        digest.update(data: body)
        switch self.answered.begin(key, digest.finalize()) {
        case .answered(let answer):
            var response = Self.json(answer)
            if let replayed = HTTPFields.Element.Name("Idempotency-Replayed") { response.headers[replayed] = "true" }
            return response
        case .running:
            throw Problem(
                status: 409,
                title: "Being carried out",
                detail: "the first request with this Idempotency-Key has no answer yet: send it again in a second"
            )
        case .other:
            throw Problem(
                status: 422,
                title: "Idempotency-Key used before",
                detail: "this Idempotency-Key was sent with another command: give each command a key of its own"
            )
        case .fresh: break
        }
        do {
            let answer = try await answer()
            self.answered.finish(key, with: answer)
            return Self.json(answer)
        } catch {
            self.answered.abandon(key)
            throw error
        }
    }

    // MARK: - Who and what

    /// The body of what an operator asks for, `what` being how people call it.
    static func body(
        of request: Request,
        _ what: String,
        limit: Int = APIRoute.bodyLimit
    ) async throws -> Data {
        try await Self.body(
            of: request,
            limit: limit,
            tooLarge: "a \(what) may have at most \(limit / 1024) KiB: shorten its reason"
        )
    }

    static func body(of request: Request, limit: Int, tooLarge: String) async throws -> Data {
        do {
            return Data(try await request.body.collect(upTo: limit).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Problem(status: 413, title: "Too large", detail: tooLarge)
        }
    }

    static func decode<Body: Decodable>(
        _ type: Body.Type,
        of request: Request,
        _ what: String
    ) async throws -> Body {
        try Self.decode(type, try await Self.body(of: request, what), what)
    }

    static func decode<Body: Decodable>(_ type: Body.Type, _ body: Data, _ what: String) throws -> Body {
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
}
