import ControllerAPI
import Hummingbird

/// Has it audited who was told that they may not do what they asked.
struct AuditedRefusals: RouterMiddleware {
    let desk: AuditDesk

    @concurrent
    func handle(
        _ request: Request,
        context: PeerContext,
        next: @concurrent (Request, PeerContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as Problem where problem.status == 403 {
            let what = "\(request.method.rawValue) \(request.uri.path)"
            let unknown = Caller(name: "unknown", way: .socket)
            // Who the system says nothing of is turned away, too.
            let caller = (try? await context.access())?.caller ?? unknown
            self.desk.refuse(caller, action: "forbidden", what: what, why: problem.detail)
            throw problem
        }
    }
}
