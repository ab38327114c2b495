import ControllerAPI
import Foundation
import Hummingbird

/// Answers every error as `application/problem+json`, also those of unknown paths.
struct ProblemResponder<Inner: HTTPResponder>: HTTPResponder {
    let inner: Inner
    /// The methods that a path has.
    let methods: @Sendable (String) -> [APIOperation.Method]

    @concurrent
    func respond(to request: Request, context: Inner.Context) async throws -> Response {
        do {
            let response = try await self.inner.respond(to: request, context: context)
            // The router turns its own errors into bare statuses. What our routes refuse is thrown as a problem.
            // A page says itself what went wrong.
            guard response.status.code >= 400, response.headers[.contentType] != PageRoutes.mediaType else {
                return response
            }
            // The router says of a method that a path does not have that there is no such path.
            let allowed = response.status == .notFound ? self.methods(request.uri.path) : []
            guard allowed.isEmpty else {
                return try Self.response(Self.notAllowed(request, allowed), allowing: allowed)
            }
            return try Self.response(Self.problem(status: response.status, request: request))
        } catch let problem as Problem {
            return try Self.response(problem)
        }
        // Errors of the connection itself pass: Hummingbird ends it.
    }

    private static func notAllowed(_ request: Request, _ allowed: [APIOperation.Method]) -> Problem {
        let names = allowed.map(\.request.rawValue).joined(separator: " and ")
        return Problem(
            status: 405,
            title: "Method not allowed",
            detail: "\(request.uri.path) takes \(names), not \(request.method.rawValue)"
        )
    }

    private static func problem(status: HTTPResponse.Status, request: Request) -> Problem {
        let asked = "\(request.method.rawValue) \(request.uri.path)"
        return switch status {
        case .notFound, .methodNotAllowed:
            Problem(
                status: status.code,
                title: "Unknown request",
                detail: "this controller has no \(asked); docs/reference/api.md lists what there is"
            )
        default:
            Problem(status: status.code, title: status.reasonPhrase, detail: "\(asked): \(status.reasonPhrase)")
        }
    }

    static func response(_ problem: Problem, allowing methods: [APIOperation.Method] = []) throws -> Response {
        var response = Response(
            status: HTTPResponse.Status(code: problem.status),
            headers: [.contentType: Problem.mediaType],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try APICoding.encoder().encode(problem)))
        )
        if !methods.isEmpty { response.headers[.allow] = methods.map(\.request.rawValue).joined(separator: ", ") }
        // Both end by themselves, and soon.
        if problem.status == 409 || problem.status == 503, response.headers[.retryAfter] == nil {
            response.headers[.retryAfter] = "1"
        }
        return response
    }
}
