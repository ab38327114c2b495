import ControllerAPI
import ControllerPage
import Foundation
import SampleStatuses
import Synchronization
import Testing
import Transport

@Suite("The page over HTTP")
struct PageServerTests {
    private func token(_ page: String) throws -> String {
        String(try #require(page.firstMatch(of: /name="csrf" value="([^"]+)"/)).1)
    }

    private func seen(_ page: String) throws -> String {
        String(try #require(page.firstMatch(of: /name="seen" value="([^"]+)"/)).1)
    }

    private let path = "/deployments/search/mid-canary"

    private func form(_ fields: [(String, String)]) -> [UInt8] {
        Array(fields.map { "\($0.0)=\(URLText.encoded($0.1))" }.joined(separator: "&").utf8)
    }

    @Test
    func `pages forbid all that is not theirs, and are not kept`() async throws {
        try await PageFixture.serving { fixture in
            for path in ["/", "/events", self.path, "/deployments/search/gone"] {
                let answer = try await fixture.get(path)
                #expect(answer.status == (path.hasSuffix("gone") ? 404 : 200))
                #expect(answer.headers["Content-Type"] == "text/html; charset=utf-8")
                #expect(answer.headers["Content-Security-Policy"] == PageAssets.contentSecurityPolicy)
                #expect(answer.headers["X-Content-Type-Options"] == "nosniff")
                #expect(answer.headers["Cache-Control"] == "no-store")
                // Nothing that the policy would stop.
                #expect(answer.text.firstMatch(of: /\sstyle="|<style|<script>/) == nil)
            }
            for asset in PageAssets.all {
                let answer = try await fixture.get(asset.path)
                #expect(answer.text == asset.text)
                #expect(answer.headers["Cache-Control"]?.contains("immutable") == true)
            }
            #expect(try await fixture.get("/assets/page-0.js").status == 404)
            let gone = try await fixture.get("/deployments/search/gone")
            #expect(gone.text.contains("there is no deployment search/gone"))
        }
    }

    @Test
    func `a page is valid HTML, also with hostile texts`() async throws {
        try await PageFixture.serving { fixture in
            let kinds = Statuses.all.map { "/deployments/search/\($0.name)" }
            let paths = ["/", "/?q=%22%3E&state=held", "/events"] + kinds
            var pages: [String] = []
            for path in paths { pages.append(try await fixture.get(path).text) }
            try fixture.replace(with: Statuses.attack)
            for path in ["/", "/events", "/deployments/search/file-type"] {
                pages.append(try await fixture.get(path).text)
            }
            pages.append(LoginPage.render(problem: "no", next: "/", csrf: "x", now: Statuses.now))
            for page in pages {
                let program = "import html5lib, sys; html5lib.HTMLParser(strict=True).parse(sys.stdin.read())"
                let (status, said) = try await Tool.run("python3", ["-c", program], input: page)
                #expect(status == 0, "\(said.suffix(400))")
                let ids = page.matches(of: /\sid="([^"]+)"/).map { String($0.1) }
                #expect(Set(ids).count == ids.count, "an id twice")
            }
        }
    }

    @Test
    func `a form carries out a command in the name of the socket's peer, and the next page says what came of it`()
        async throws
    {
        try await PageFixture.serving { fixture in
            let page = try await fixture.get(self.path).text
            let body = self.form([
                ("csrf", try self.token(page)), ("seen", try self.seen(page)), ("verb", "abort"), ("why", "too slow"),
            ])
            let answer = try await fixture.get(self.path + "/commands", method: "POST", body: body)
            #expect(answer.status == 303)
            let request = try #require(fixture.recorded.first).1
            #expect(request.verb == .abort && request.why == "too slow")
            #expect(page.contains("You are <b>\(request.by)</b>"))
            let next = try await fixture.get(try #require(answer.headers["Location"])).text
            #expect(next.contains("<b>Done:</b> abort is done"))
            // A link cannot make a page say something.
            let forged = try await fixture.get(self.path + "?answer=abort+is+done")
            #expect(!forged.text.contains("id=\"answer\""))
        }
    }

    @Test
    func `what a page of ours did not send, or did before the rollout went on, does nothing`() async throws {
        try await PageFixture.serving { fixture in
            let page = try await fixture.get(self.path).text
            let (token, seen) = (try self.token(page), try self.seen(page))
            let honest = [("csrf", token), ("seen", seen), ("verb", "abort"), ("why", "x")]
            func post(_ fields: [(String, String)], _ headers: [(name: String, value: String)] = []) async throws
                -> HTTPResponse
            {
                try await fixture.get(
                    self.path + "/commands",
                    method: "POST",
                    headers: headers,
                    body: self.form(fields)
                )
            }
            #expect(try await post([("verb", "abort"), ("why", "x")]).status == 403)
            let other = [("csrf", "AAAA")] + honest.dropFirst()
            #expect(try await post(other).status == 403)
            let endless = [("csrf", String(repeating: "A", count: 5000))]
            #expect(try await post(endless).status == 403)
            #expect(try await post(honest, [("Origin", "http://evil.example")]).status == 403)
            #expect(try await post(honest, [("Origin", "null")]).status == 403)
            #expect(try await post(honest, [("Sec-Fetch-Site", "cross-site")]).status == 403)
            #expect(try await post(honest, [("Sec-Fetch-Site", "same-site")]).status == 403)
            #expect(try await post(honest, [("Host", "evil.example")]).status == 421)
            let large = honest + [("x", String(repeating: "y", count: 20_000))]
            #expect(try await post(large).status == 413)
            let unreasoned = Array(honest.dropLast())
            #expect(try await post(unreasoned).status == 400)
            #expect(fixture.recorded.isEmpty)
            fixture.change("mid-canary") { $0.phase = "promoting" }
            #expect(try await post(honest).status == 303)
            #expect(fixture.recorded.isEmpty)
            fixture.change("mid-canary") { $0.phase = "stepping" }
            #expect(try await post(honest, [("Origin", "http://controller")]).status == 303)
            #expect(fixture.recorded.count == 1)
        }
    }

    @Test(arguments: ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "192.168.1.7"])
    func `a name that somebody else may point here gets nothing, of the API neither`(host: String) async throws {
        try await PageFixture.serving { fixture in
            for path in ["/", self.path, "/api/v1/fleet"] {
                let refused = try await fixture.get(path, headers: [("Host", host)])
                #expect(refused.status == 421)
            }
            for own in ["localhost:8080", "127.0.0.1:8080", "[::1]:80", "controller"] {
                let served = try await fixture.get("/", headers: [("Host", own)])
                #expect(served.status == 200)
            }
        }
    }

    @Test
    func `a page of another site cannot command through the API of a forwarded socket`() async throws {
        try await PageFixture.serving { fixture in
            let answer = try await fixture.get(
                "/api/v1/deployments/search/mid-canary/commands",
                method: "POST",
                headers: [("Origin", "http://evil.example"), ("Content-Type", "text/plain")],
                body: Array(#"{"verb":"abort"}"#.utf8)
            )
            #expect(answer.status == 403)
            #expect(fixture.recorded.isEmpty)
        }
    }

    @Test
    func `the series of a rollout is answered as JSON, and its absence as a problem`() async throws {
        try await PageFixture.serving { fixture in
            let answer = try await fixture.get("/api/v1\(self.path)/series")
            let series = try APICoding.decoder().decode(SeriesStatus.self, from: Data(answer.body))
            #expect(series == fixture.series.withLock { $0 })
            let none = try await fixture.get("/api/v1/deployments/search/settled/series")
            #expect(none.status == 404)
            #expect(none.text.contains("has had no rollout since the controller started"))
        }
    }

    // MARK: - The forwarder

    @Test
    func `the forwarder's address works once, and nobody else gets in`() async throws {
        try await PageFixture.serving { fixture in
            let door = try fixture.door
            let address = /^(http:\/\/127\.0\.0\.1:[0-9]+)\/open\/[0-9a-f]{64}$/
            let base = String(try #require(door.firstMatch(of: address)).1)
            func get(_ url: String, _ headers: HTTPHeaders = [:]) async throws -> HTTPResponse {
                try await fixture.send(HTTPRequest(url: url, headers: headers, timeout: .seconds(120)))
            }
            #expect(try await get(base + "/").status == 403)
            #expect(try await get(base + "/open/" + String(repeating: "0", count: 64)).status == 403)
            #expect(try await get(door, ["Host": "evil.example"]).status == 421)
            let opened = try await get(door)
            #expect(opened.status == 303)
            let cookie = try #require(opened.headers["Set-Cookie"])
            #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"))
            #expect(try await get(door).status == 403)
            let pair = String(cookie.prefix { $0 != ";" })
            let page = try await get(base + "/", ["Cookie": pair])
            #expect(page.status == 200 && page.text.contains("<h1>Fleet</h1>"))
            #expect(page.headers["Content-Security-Policy"] == PageAssets.contentSecurityPolicy)
            #expect(try await get(base + "/", ["Cookie": pair + "0"]).status == 403)
            #expect(try await get(base + "/", ["Cookie": pair, "Host": "evil.example"]).status == 421)
        }
    }
}
