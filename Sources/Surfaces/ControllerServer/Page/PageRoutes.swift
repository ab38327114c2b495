import ControllerAPI
import ControllerPage
import Deployments
import Foundation
import Hummingbird
import Logging
import NIOCore

/// The page for people, from the same values as the API.
struct PageRoutes: Sendable {
    static let mediaType = "text/html; charset=utf-8"

    let routes: APIRoutes
    let access: PageAccess
    private let answers = PageAnswers()

    init(routes: APIRoutes, access: PageAccess) {
        self.routes = routes
        self.access = access
    }

    func add(to router: Router<PeerContext>) {
        router.get("/") { request, context in
            await self.page(context) { try await self.fleet(request, context, $0) }
        }
        router.get("events") { request, context in
            await self.page(context) { try await self.events(request, context, $0) }
        }
        router.get("deployments/:namespace/:name") { request, context in
            await self.page(context) { try await self.deployment(request, context, $0) }
        }
        router.post("deployments/:namespace/:name/commands") { request, context in
            await self.page(context) { _ in try await self.command(request, context) }
        }
        router.get("assets/:name") { request, _ in try Self.asset(request) }
    }

    // MARK: Pages

    private func fleet(_ request: Request, _ context: PeerContext, _ viewer: Access) async throws -> Response {
        let query = request.uri.queryParameters
        let filter = FleetFilter(
            namespace: query.get("namespace").flatMap { $0.isEmpty ? nil : $0 },
            standing: query.get("state").flatMap { Standing(rawValue: $0) },
            text: query.get("q") ?? "",
            page: query.get("page").flatMap { Int($0) } ?? 1
        )
        let fleet = await self.routes.fleet(for: context)
        return Self.html(FleetPage(fleet, filter: filter, now: Date()).render(Self.shell(viewer, fleet.time)))
    }

    private func events(_ request: Request, _ context: PeerContext, _ viewer: Access) async throws -> Response {
        let namespace = request.uri.queryParameters.get("namespace").flatMap { $0.isEmpty ? nil : String($0) }
        let events = try await self.routes.events(after: nil, in: namespace, limit: EventsPage.limit, context)
        let namespaces = Set(await self.routes.fleet(for: context).deployments.map(\.namespace)).sorted()
        let now = Date()
        return Self.html(
            EventsPage.render(
                events,
                namespace: namespace,
                namespaces: namespaces,
                now: now,
                Self.shell(viewer, now)
            )
        )
    }

    private func deployment(_ request: Request, _ context: PeerContext, _ viewer: Access) async throws
        -> Response
    {
        let id = try await self.routes.visible(context)
        let status = try await self.routes.status(id, context)
        let may = OperatorRequest.Verb.allCases.filter { viewer.may($0.access, in: id.namespace) }
        let forms =
            may.isEmpty ? nil : CommandForms(status, may: Set(may), token: try await self.access.token(context))
        let now = Date()
        let page = DeploymentPage(
            status,
            series: await self.routes.series(id),
            spec: await self.routes.spec(id),
            forms: forms,
            answer: request.uri.queryParameters.get("answer").flatMap { self.answers.named($0) },
            now: now
        )
        return Self.html(page.render(Self.shell(viewer, now)))
    }

    // MARK: Commands

    private func command(_ request: Request, _ context: PeerContext) async throws
        -> Response
    {
        let id = try await self.routes.visible(context)
        let fields = URLText.fields(
            try await APIRoutes.body(
                of: request,
                limit: PageCommand.bodyLimit,
                tooLarge: "a form may have at most \(PageCommand.bodyLimit / 1024) KiB: shorten the reason"
            )
        )
        guard try await self.access.isValid(fields["csrf"] ?? "", context) else { throw PageAccess.stale }
        let command = try PageCommand.request(fields, now: Date())
        let status = try await self.routes.status(id, context)
        let answer: OperatorAnswer
        if let seen = fields["seen"], seen != Sight.of(status) {
            answer = OperatorAnswer(
                accepted: false,
                changed: false,
                message: "nothing was done, as the rollout has gone on since you saw it: look again, then decide"
            )
        } else {
            answer = try await self.routes.carryOut(command, on: id, context)
        }
        let page = URLText.page(id.namespace, id.name) + "?answer=" + self.answers.keep(answer)
        var response = Response(status: .seeOther)
        response.headers[.location] = page
        return Self.guarded(response)
    }

    // MARK: Answers

    /// What goes wrong is a page, too.
    private func page(
        _ context: PeerContext,
        _ body: (Access) async throws -> Response
    ) async -> Response {
        var name: String?
        do {
            let viewer = try await context.access()
            name = viewer.caller.attribution
            return try await body(viewer)
        } catch let problem as Problem {
            return Self.html(
                ProblemPage.render(problem, viewer: name, now: Date()),
                HTTPResponse.Status(code: problem.status)
            )
        } catch {
            self.routes.logger.error("page cannot be shown", metadata: ["error": "\(error)"])
            let problem = Problem(
                status: 500,
                title: "The page cannot be shown",
                detail: "The controller's log says why; `controller get` may still answer."
            )
            return Self.html(ProblemPage.render(problem, viewer: name, now: Date()), .internalServerError)
        }
    }

    private static func shell(_ viewer: Access, _ time: Date) -> PageShell {
        PageShell(viewer: viewer.caller.attribution, time: time)
    }

    static func html(_ page: String, _ status: HTTPResponse.Status = .ok) -> Response {
        Self.guarded(
            Response(
                status: status,
                headers: [.contentType: Self.mediaType],
                body: ResponseBody(byteBuffer: ByteBuffer(string: page))
            )
        )
    }

    static func guarded(_ response: Response) -> Response {
        var response = response
        response.headers[.cacheControl] = "no-store"
        Self.addGuards(to: &response)
        return response
    }

    private static func addGuards(to response: inout Response) {
        response.headers[.contentSecurityPolicy] = PageAssets.contentSecurityPolicy
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.crossOriginResourcePolicy] = "same-origin"
    }

    private static func asset(_ request: Request) throws -> Response {
        guard let asset = PageAssets.named(request.uri.path) else {
            throw Problem(
                status: 404,
                title: "No such part of a page",
                detail: "this controller's pages have no \(request.uri.path): load the page again"
            )
        }
        var response = Response(
            status: .ok,
            headers: [.contentType: asset.type, .cacheControl: "public, max-age=31536000, immutable"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: asset.text))
        )
        Self.addGuards(to: &response)
        return response
    }
}
