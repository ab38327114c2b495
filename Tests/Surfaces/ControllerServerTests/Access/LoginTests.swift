import ControllerAPI
import ControllerServer
import Foundation
import Testing
import Transport

@Suite("Logging in on the page")
struct LoginTests {
    private static let page = ["Accept": "text/html,application/xhtml+xml"]

    /// What a form's hidden field holds.
    private static func field(_ name: String, in page: String) throws -> String {
        let parts = page.components(separatedBy: "name=\"\(name)\" value=\"")
        return try #require(parts.dropFirst().first?.components(separatedBy: "\"").first)
    }

    private static func form(_ fields: [String: String]) -> String {
        let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))
        return fields.map { "\($0.key)=\($0.value.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")" }
            .joined(separator: "&")
    }

    private static func post(
        _ served: AccessFixture.Served,
        _ path: String,
        _ fields: [String: String],
        cookie: String? = nil
    ) async throws -> HTTPResponse {
        var headers: HTTPHeaders = ["Content-Type": "application/x-www-form-urlencoded"]
        if let cookie { headers["Cookie"] = cookie }
        return try await served.send("POST", path, form: Self.form(fields), headers: headers)
    }

    @Test
    func `who has not logged in is led to where they can, and then to where they wanted`() async throws {
        let fixture = try AccessFixture()
        let token = try fixture.token(Grant(role: .operator))
        try await fixture.serving { served in
            let path = "/deployments/search/file-type?answer=x"
            let first = try await served.send("GET", path, headers: ["Accept": "text/html"])
            #expect(first.status == 303)
            let login = try #require(first.headers["Location"])
            #expect(login == "/login?next=/deployments/search/file-type%3Fanswer%3Dx")
            let page = try await served.send("GET", login)
            #expect(page.status == 200)
            #expect(page.headers["Content-Security-Policy"]?.contains("default-src 'none'") == true)
            let csrf = try Self.field("csrf", in: page.text)
            let next = try Self.field("next", in: page.text)

            let wrong = try await Self.post(served, "/login", ["csrf": csrf, "next": next, "token": "ctl_0_0"])
            #expect(wrong.status == 401)
            #expect(wrong.text.contains("This is no token of this controller, or it has ended."))
            #expect(wrong.headers["Set-Cookie"] == nil)

            let done = try await Self.post(served, "/login", ["csrf": csrf, "next": next, "token": " \(token) "])
            #expect(done.status == 303)
            #expect(done.headers["Location"] == path)
            let set = try #require(done.headers["Set-Cookie"])
            for word in ["__Host-controller=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
                #expect(set.contains(word), "\(set)")
            }
            #expect(!set.contains(token))
            let cookie = String(try #require(set.split(separator: ";").first))
            let fleet = try await served.send("GET", "/", headers: ["Cookie": cookie])
            #expect(fleet.status == 200)
            #expect(fleet.text.contains("token:tester"))

            // A command of the page needs its own field, which no other site can read.
            let own = try await served.send("GET", path, headers: ["Cookie": cookie])
            let hidden = try Self.field("csrf", in: own.text)
            let commands = "/deployments/search/file-type/commands"
            let forged = try await Self.post(
                served,
                commands,
                ["csrf": csrf, "verb": "pause", "why": "x"],
                cookie: cookie
            )
            #expect(forged.status == 403)
            #expect(fixture.base.recorded.isEmpty)
            let paused = try await Self.post(
                served,
                commands,
                ["csrf": hidden, "verb": "pause", "why": "x"],
                cookie: cookie
            )
            #expect(paused.status == 303, "\(paused.text)")
            #expect(fixture.base.recorded.map(\.1.by) == ["token:tester"])

            let left = try await Self.post(served, "/logout", ["csrf": hidden], cookie: cookie)
            #expect(left.status == 303)
            #expect(left.headers["Set-Cookie"]?.contains("Max-Age=0") == true)
        }
    }

    @Test(arguments: ["//evil.example/", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
    func `a login leads nowhere else`(next: String) async throws {
        let fixture = try AccessFixture()
        let token = try fixture.token(Grant(role: .viewer))
        try await fixture.serving { served in
            let csrf = try Self.field("csrf", in: try await served.send("GET", "/login").text)
            let done = try await Self.post(served, "/login", ["csrf": csrf, "next": next, "token": token])
            #expect(done.headers["Location"] == "/")
        }
    }

    @Test
    func `a login that another site's form sends is none, and programs get no pages`() async throws {
        let fixture = try AccessFixture()
        let token = try fixture.token(Grant(role: .viewer))
        try await fixture.serving { served in
            let none = try await Self.post(served, "/login", ["token": token])
            #expect(none.status == 403)
            #expect(none.headers["Set-Cookie"] == nil)
            let program = try await served.send("GET", "/", headers: ["Accept": "application/json"])
            #expect(program.status == 401)
            #expect(program.headers["Content-Type"] == Problem.mediaType)
            // What the login page itself needs.
            let page = try await served.send("GET", "/login").text
            let asset = try #require(page.firstMatch(of: /href="(\/assets\/[^"]+)"/)).output.1
            let style = try await served.send("GET", String(asset))
            #expect(style.status == 200)
            let guesses = try await served.send("GET", "/api/v1/fleet", headers: ["Accept": "text/html"])
            #expect(guesses.status == 401)
        }
    }
}
