import ControllerAPI
import ControllerServer
import Foundation
import Testing
import Transport

/// Every route, asked by everybody.
@Suite("Who may what")
struct AuthorisationTests {
    /// What a route needs, written down here and nowhere derived: the verb, and whether it is about a namespace.
    struct Route: Sendable {
        var path: String
        var method = "GET"
        var verb: AccessVerb?
        /// About `search/file-type`; else about everything.
        var isLocal = false
        /// Whoever may do it anywhere gets an answer, which leaves out what they may not see.
        var isFiltered = false
        var body: String?
        /// When it is allowed.
        var status = 200
        /// Says what is wrong as a page.
        var isPage = false
    }

    private static let own = "/api/v1/deployments/search/file-type"

    private static let page = "/deployments/search/file-type"

    private static func form(_ verb: String, _ access: AccessVerb) -> Route {
        Route(
            path: "\(Self.page)/commands",
            method: "POST",
            verb: access,
            isLocal: true,
            body: "verb=\(verb)&why=x",
            status: 303,
            isPage: true
        )
    }

    private static func command(_ verb: String, _ access: AccessVerb, _ more: String = "") -> Route {
        Route(
            path: "\(Self.own)/commands",
            method: "POST",
            verb: access,
            isLocal: true,
            body: "{\"verb\": \"\(verb)\"\(more)}"
        )
    }

    static let routes: [Route] = [
        Route(path: "/healthz"),
        Route(path: "/", isFiltered: true, isPage: true),
        Route(path: "/events", isFiltered: true, isPage: true),
        Route(path: "/events?namespace=search", verb: .view, isLocal: true, isPage: true),
        Route(path: Self.page, verb: .view, isLocal: true, isPage: true),
        Self.form("pause", .pause), Self.form("resume", .resume), Self.form("promote", .promote),
        Self.form("abort", .abort), Self.form("rollback", .rollback), Self.form("retry", .retry),
        Route(path: "/assets/none", status: 404),
        Route(path: "/api/v1/whoami", isFiltered: true),
        Route(path: "/api/v1/fleet", isFiltered: true),
        Route(path: "/api/v1/openapi.json", isFiltered: true),
        Route(path: "/api/v1/deployments", isFiltered: true),
        // Refused for its place, or the stream would not end.
        Route(path: "/api/v1/watch?after=none", isFiltered: true, status: 400),
        Route(path: "/api/v1/watch?namespace=search&after=none", verb: .view, isLocal: true, status: 400),
        Route(path: "/api/v1/events", isFiltered: true),
        Route(path: "/api/v1/events?namespace=search", verb: .view, isLocal: true),
        Route(path: "/api/v1/decisions", verb: .view),
        Route(path: "/api/v1/decisions?deployment=search/file-type", verb: .view, isLocal: true),
        Route(path: Self.own, verb: .view, isLocal: true),
        Route(path: "\(Self.own)/history", verb: .view, isLocal: true),
        Route(path: "\(Self.own)/logs", verb: .view, isLocal: true),
        Route(path: "\(Self.own)/logs/3f2a91c0de-1", verb: .view, isLocal: true, status: 404),
        Route(path: "\(Self.own)/traffic", verb: .view, isLocal: true, status: 404),
        Route(path: "\(Self.own)/series", verb: .view, isLocal: true, status: 404),
        Route(path: "\(Self.own)/plan", verb: .view, isLocal: true, status: 404),
        Route(path: "\(Self.own)/spec", verb: .view, isLocal: true, status: 404),
        Route(path: "/api/v1/audit", verb: .audit, status: 404),
        Route(path: "/api/v1/audit/check", verb: .audit, status: 404),
        Route(path: "/api/v1/audit/head", verb: .audit, status: 404),
        Route(path: "/api/v1/freezes", isFiltered: true),
        Route(
            path: "/api/v1/freezes",
            method: "POST",
            verb: .freeze,
            body: #"{"why": "w", "until": "2026-12-02T00:00:00.000Z", "selection": {"all": true}}"#
        ),
        Route(
            path: "/api/v1/freezes",
            method: "POST",
            verb: .freeze,
            isLocal: true,
            body: #"{"why": "w", "until": "2026-12-02T00:00:00.000Z", "selection": {"namespace": "search"}}"#
        ),
        Route(path: "/api/v1/freezes/3", method: "DELETE", verb: .freeze),
        Self.command("pause", .pause), Self.command("resume", .resume), Self.command("promote", .promote),
        Self.command("abort", .abort), Self.command("rollback", .rollback), Self.command("retry", .retry),
        Self.command("prune", .prune), Self.command("promote", .force, ", \"force\": true"),
        Route(
            path: "/api/v1/commands",
            method: "POST",
            verb: .pause,
            isLocal: true,
            body: #"{"verb": "pause", "selection": {"namespace": "search"}}"#
        ),
        Route(
            path: "/api/v1/commands",
            method: "POST",
            verb: .resume,
            isLocal: true,
            isFiltered: true,
            body: #"{"verb": "resume", "selection": {"names": ["search/file-type"]}}"#
        ),
        Route(path: "\(Self.own)/model", method: "POST", verb: .promoteModel, isLocal: true, body: #"{"to": "8"}"#),
        Route(
            path: "\(Self.own)/feedback",
            method: "POST",
            verb: .feedback,
            isLocal: true,
            body: #"{"id": "3f2a91c0de.5d01e8b7.6a1f0c52-77ab-4d2e-9f31-0c2d5e7b8a90", "value": 1}"#
        ),
        Route(path: "/api/v1/receivers/chat/test", method: "POST", verb: .notify, body: "{}"),
        Route(path: "/api/v1/tokens", verb: .tokens),
        Route(
            path: "/api/v1/tokens",
            method: "POST",
            verb: .tokens,
            body: #"{"name": "ci", "lifetime": 3600, "grants": [{"role": "viewer"}]}"#,
            status: 201
        ),
        Route(path: "/api/v1/tokens/0123456789", method: "DELETE", verb: .tokens, status: 404),
    ]

    struct Person: Sendable, CustomTestStringConvertible {
        var name: String
        var grants: [Grant]
        /// Written down here: what they may in `search`, and everywhere.
        var here: Set<AccessVerb>
        var everywhere: Set<AccessVerb> = []
        /// What they may in `ranking`, where these say nothing.
        var elsewhere: Set<AccessVerb> = []

        var testDescription: String { self.name }
    }

    private static let operating: Set<AccessVerb> = [
        .view, .pause, .resume, .promote, .abort, .rollback, .retry, .prune, .promoteModel, .feedback, .freeze,
        .notify,
    ]
    private static let all = Set(AccessVerb.allCases)

    static let people = [
        Person(name: "viewer", grants: [Grant(role: .viewer)], here: [.view], everywhere: [.view]),
        Person(name: "viewer there", grants: [Grant(role: .viewer, namespaces: ["search"])], here: [.view]),
        Person(name: "viewer elsewhere", grants: [Grant(role: .viewer, namespaces: ["ranking"])], here: []),
        Person(
            name: "operator",
            grants: [Grant(role: .operator)],
            here: Self.operating,
            everywhere: Self.operating
        ),
        Person(
            name: "operator there",
            grants: [Grant(role: .operator, namespaces: ["ranking", "search"])],
            here: Self.operating
        ),
        Person(
            name: "operator elsewhere",
            grants: [Grant(role: .operator, namespaces: ["ranking"])],
            here: [],
            elsewhere: Self.operating
        ),
        Person(name: "admin", grants: [Grant(role: .admin)], here: Self.all, everywhere: Self.all),
        Person(name: "admin there", grants: [Grant(role: .admin, namespaces: ["search"])], here: Self.all),
        Person(
            name: "on call",
            grants: [Grant(verbs: [.pause, .rollback])],
            here: [.view, .pause, .rollback],
            everywhere: [.view, .pause, .rollback]
        ),
        Person(name: "labeller", grants: [Grant(verbs: [.feedback], namespaces: ["search"])], here: [.feedback]),
        Person(
            name: "viewer who brakes there",
            grants: [Grant(role: .viewer), Grant(verbs: [.rollback], namespaces: ["search"])],
            here: [.view, .rollback],
            everywhere: [.view]
        ),
    ]

    @Test(arguments: Self.people)
    func `everybody may exactly what their grants give`(person: Person) async throws {
        let fixture = try AccessFixture()
        let token = try fixture.tokens.create(
            TokenRequest(name: "p", grants: person.grants, lifetime: 3600),
            by: "root"
        ).token
        try await fixture.serving { served in
            for route in Self.routes {
                let response = try await served.send(route.method, route.path, token: token, body: route.body)
                let expected = Self.status(of: route, for: person)
                #expect(
                    response.status == expected,
                    "\(person.name): \(route.method) \(route.path) \(route.body ?? ""): \(response.text)"
                )
                if response.status >= 400 {
                    let type = route.isPage ? "text/html; charset=utf-8" : Problem.mediaType
                    #expect(response.headers["Content-Type"] == type, "\(route.path)")
                }
            }
        }
    }

    private static func status(of route: Route, for person: Person) -> Int {
        guard let verb = route.verb else { return route.status }
        let isAllowed = (route.isLocal ? person.here : person.everywhere).contains(verb)
        if isAllowed { return route.status }
        if route.isFiltered, !person.here.contains(.view), person.elsewhere.contains(verb) { return route.status }
        // What somebody may not see does not exist for them; what names no deployment is refused.
        let namesOne = route.path.hasPrefix(Self.own) || route.path.hasPrefix(Self.page)
        return route.isLocal && !person.here.contains(.view) && namesOne ? 404 : 403
    }

    @Test
    func `nobody gets in without a token`() async throws {
        try await AccessFixture().serving { served in
            for route in Self.routes where !["/healthz", "/assets/none"].contains(route.path) {
                let response = try await served.send(route.method, route.path, body: route.body)
                #expect(response.status == 401, "\(route.path)")
                #expect(response.headers["WWW-Authenticate"] == "Bearer realm=\"controller\"")
            }
        }
    }

    @Test
    func `the table here has every route that there is`() throws {
        let fixture = try AccessFixture()
        defer { fixture.base.remove() }
        let names = fixture.base.server(tokens: fixture.tokens).routeNames
        let known = Set(
            Self.routes.map { route in
                let path = route.path.prefix { $0 != "?" }
                    .replacing("/deployments/search/file-type", with: "/deployments/{namespace}/{name}")
                    .replacing("/logs/3f2a91c0de-1", with: "/logs/{replica}")
                    .replacing("/freezes/3", with: "/freezes/{id}")
                    .replacing("/tokens/0123456789", with: "/tokens/{id}")
                    .replacing("/receivers/chat/test", with: "/receivers/{receiver}/test")
                    .replacing("/assets/none", with: "/assets/{name}")
                return "\(route.method) \(path)"
            }
        )
        #expect(Set(names) == known)
    }

    @Test
    func `lists leave out what somebody may not see`() async throws {
        let fixture = try AccessFixture()
        let token = try fixture.token(Grant(role: .operator, namespaces: ["search"]))
        try await fixture.serving { served in
            let fleet = try await served.client(token).fleet()
            #expect(fleet.deployments.map(\.name) == ["file-type"])
            let page = try await served.send("GET", "/api/v1/deployments", token: token)
            #expect(page.text.contains("file-type") && !page.text.contains("embedder"), "\(page.text)")
            // The other one is named in no answer, not even as what somebody may have meant.
            let response = try await served.send("GET", "/api/v1/deployments/default/embeder", token: token)
            #expect(response.status == 404)
            #expect(!response.text.contains("embedder"), "\(response.text)")
        }
    }

    @Test
    func `a command for all reaches only where somebody may give it`() async throws {
        let fixture = try AccessFixture()
        let token = try fixture.token(
            Grant(role: .viewer),
            Grant(verbs: [.pause], namespaces: ["search", "ranking"])
        )
        try await fixture.serving { served in
            let all = DeploymentSelection(all: true)
            let answer = try await served.client(token).command(BatchRequest(verb: .pause, selection: all))
            #expect(answer.within == ["ranking", "search"])
            let asked = try #require(fixture.base.batches.last)
            #expect(asked.selection.within == ["ranking", "search"])
            #expect(asked.by == "token:tester")
            let other = DeploymentSelection(names: ["search/file-type", "default/embedder"])
            let error = await #expect(throws: ControllerClientError.self) {
                try await served.client(token).command(BatchRequest(verb: .pause, selection: other))
            }
            #expect(error?.message.contains("may not pause in the namespace default") == true)
            #expect(fixture.base.batches.count == 1)
        }
    }

    @Test
    func `over the network nobody is taken at their word`() async throws {
        let fixture = try AccessFixture()
        let token = try fixture.token(Grant(role: .operator))
        try await fixture.serving { served in
            let body = #"{"verb": "pause", "by": "root"}"#
            _ = try await served.send("POST", "\(Self.own)/commands", token: token, body: body)
            #expect(fixture.base.recorded.map(\.1.by) == ["token:tester"])
        }
    }
}
