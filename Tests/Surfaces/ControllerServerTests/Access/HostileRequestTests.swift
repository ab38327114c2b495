import ControllerAPI
import ControllerServer
import Foundation
import Glibc
import Synchronization
import Testing
import Transport

@Suite("What strangers send")
struct HostileRequestTests {
    @Test
    func `a token that is wrong, has ended or was revoked is refused`() async throws {
        let fixture = try AccessFixture()
        let good = try fixture.token(Grant(role: .admin), lifetime: 7200)
        let short = try fixture.token(Grant(role: .admin), lifetime: 60)
        let other = try fixture.token(Grant(role: .admin), lifetime: 7200)
        try await fixture.serving { served in
            let client = served.client(good)
            _ = try await client.fleet()
            _ = try await served.client(short).fleet()
            let id = try #require(try await client.tokens().first { other.contains($0.id) }).id
            _ = try await client.revoke(token: id)
            fixture.advance(61)
            var wrong = [
                short, other, String(good.dropLast()), good + "0", good.uppercased(), "ctl_", "ctl__",
                "ctl_\(good.split(separator: "_")[1])_", "nonsense", "a.b.c",
            ]
            // The right id with another's secret.
            wrong.append("ctl_\(good.split(separator: "_")[1])_\(short.split(separator: "_")[2])")
            for token in wrong {
                let response = try await served.send("GET", "/api/v1/fleet", token: token)
                #expect(response.status == 401, "\(token.prefix(12))")
            }
            _ = try await client.fleet()
            #expect(fixture.ledger.refused[.invalid] == wrong.count)
        }
    }

    @Test
    func `tokens are kept as hashes, for their owner's eyes, over a restart`() async throws {
        let fixture = try AccessFixture()
        let token = try fixture.token(Grant(role: .viewer))
        let path = fixture.base.folder.appending(path: "tokens.json").path
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let secret = try #require(token.split(separator: "_").last)
        #expect(!text.contains(secret))
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let again = try TokenStore(path: path) { Date(timeIntervalSince1970: 1_795_000_100) }
        #expect(again.access(token, from: nil)?.grants == [Grant(role: .viewer)])
        try Data("[{".utf8).write(to: URL(filePath: path))
        let error = #expect(throws: ControllerServerError.self) { try TokenStore(path: path) { Date() } }
        #expect(error?.code == .badTokens)
        fixture.base.remove()
    }

    @Test
    func `who guesses must wait, and who knows need not`() async throws {
        let fixture = try AccessFixture()
        let token = try fixture.token(Grant(role: .viewer))
        try await fixture.serving { served in
            var statuses: [Int] = []
            var wait: String?
            for number in 0..<60 {
                let response = try await served.send("GET", "/api/v1/fleet", token: "ctl_\(number)_00")
                statuses.append(response.status)
                wait = response.headers["Retry-After"] ?? wait
            }
            #expect(statuses.first == 401)
            #expect(statuses.contains(429))
            #expect(wait.flatMap { Int($0) } ?? 0 > 0)
            #expect(try await served.send("GET", "/api/v1/fleet", token: token).status == 200)
            #expect(fixture.ledger.refused[.guessing] ?? 0 > 0)
        }
    }

    @Test
    func `a huge token, two of them, and bodies without end are refused`() async throws {
        let fixture = try AccessFixture()
        let token = try fixture.token(Grant(role: .operator))
        try await fixture.serving { served in
            let huge = try? await served.send("GET", "/api/v1/fleet", token: String(repeating: "a", count: 1 << 20))
            // The server may close while the rest still comes.
            #expect(huge.map { $0.status >= 400 && $0.status < 500 } ?? true)
            let large = try await served.send("GET", "/api/v1/fleet", token: String(repeating: "a", count: 17 << 10))
            #expect(large.status == 401)
            let twice = HTTPHeaders([
                HTTPHeaders.Field(name: "Authorization", value: "Bearer \(token)"),
                HTTPHeaders.Field(name: "Authorization", value: "Bearer \(token)"),
            ])
            #expect(try await served.send("GET", "/api/v1/fleet", headers: twice).status == 401)
            let body = String(repeating: "x", count: 100 << 20)
            let commands = "/api/v1/deployments/search/file-type/commands"
            let endless = try? await served.send("POST", commands, token: token, body: body)
            #expect(endless.map { $0.status == 413 } ?? true)
            let stranger = try? await served.send("POST", commands, body: body)
            #expect(stranger.map { $0.status == 401 } ?? true)
            #expect(try await served.send("GET", "/api/v1/fleet", token: token).status == 200)
            #expect(fixture.base.recorded.isEmpty)
        }
    }

    @Test(arguments: [
        "/api/v1/deployments/search/file-type/../../../tokens", "/api/v1/deployments/search/%2e%2e%2f%2e%2e",
        "/api/v1/deployments/%2fetc/passwd", "//api/v1/tokens", "/api//v1/tokens", "/api/v1/tokens/..%2f..%2fetc",
        "/api/v1/deployments/search/file-type/logs/..%2f..%2f..%2fetc%2fpasswd",
        "/api/v1/deployments/search/file-type/logs/%00", "/api/v1/deployments/search\u{202E}/x", "/%",
        "/api/v1/events?limit=1e9", "/api/v1/events?after=-1", "/api/v1/events?limit=99999999999999999999",
    ])
    func `a path's tricks lead nowhere`(path: String) async throws {
        let fixture = try AccessFixture()
        // Whoever sees `search` must not reach what needs more.
        let token = try fixture.token(Grant(role: .viewer, namespaces: ["search"]))
        try await fixture.serving { served in
            let response = try? await served.send("GET", path, token: token)
            #expect(response.map { (400..<500).contains($0.status) } ?? true, "\(response?.text ?? "")")
            #expect(response?.text.contains("root:") != true)
        }
    }

    @Test
    func `who sends a byte now and then is cut off, and others are answered meanwhile`() async throws {
        var fixture = try AccessFixture()
        fixture.limits.request = .seconds(3)
        fixture.limits.connections = 8
        let token = try fixture.token(Grant(role: .viewer))
        try await fixture.serving { served in
            // Neither the greeting of TLS nor a request ends.
            let slow = try (0..<4).map { _ in try SlowClient(port: served.port, beginning: "\u{16}\u{3}\u{1}") }
            let deadline = ContinuousClock.now + .seconds(120)
            var status: Int?
            repeat {
                status = try? await served.send("GET", "/api/v1/fleet", token: token).status
            } while status != 200 && ContinuousClock.now < deadline
            #expect(status == 200)
            for client in slow { try await client.dripUntilCutOff() }
        }
    }

    @Test
    func `answers tell browsers and caches what they may not do`() async throws {
        let fixture = try AccessFixture()
        let token = try fixture.token(Grant(role: .viewer))
        try await fixture.serving { served in
            for token in [token, nil] {
                let response = try await served.send("GET", "/api/v1/fleet", token: token)
                #expect(response.headers["Strict-Transport-Security"]?.hasPrefix("max-age=") == true)
                #expect(response.headers["X-Content-Type-Options"] == "nosniff")
                let cache = response.headers["Cache-Control"] ?? ""
                #expect(cache.contains("no-store") || cache.contains("private"), "\(cache)")
            }
        }
    }

    @Test
    func `plain HTTP is not answered`() async throws {
        let fixture = try AccessFixture()
        try await fixture.serving { served in
            let plain = HTTPRequest(url: "http://127.0.0.1:\(served.port)/healthz", timeout: .seconds(60))
            await #expect(throws: TransportError.self) { try await HTTPClient().send(plain) }
            let encrypted = try await served.send("GET", "/healthz")
            #expect(encrypted.status == 200)
        }
    }

    @Test(
        arguments: [
            (["Sec-Fetch-Site": "cross-site"], 403), (["Sec-Fetch-Site": "same-site"], 403),
            (["Origin": "https://evil.example"], 403), (["Origin": "null"], 403), ([:], 200),
            (["Sec-Fetch-Site": "same-origin", "Origin": "https://127.0.0.1:PORT"], 200),
        ] as [([String: String], Int)]
    )
    func `another site's page changes nothing`(headers: [String: String], status: Int) async throws {
        let fixture = try AccessFixture()
        let token = try fixture.token(Grant(role: .operator))
        try await fixture.serving { served in
            let fields = headers.map {
                HTTPHeaders.Field(name: $0.key, value: $0.value.replacing("PORT", with: "\(served.port)"))
            }
            let response = try await served.send(
                "POST",
                "/api/v1/deployments/search/file-type/commands",
                token: token,
                body: #"{"verb": "pause"}"#,
                headers: HTTPHeaders(fields)
            )
            #expect(response.status == status, "\(response.text)")
            #expect(fixture.base.recorded.count == (status == 200 ? 1 : 0))
        }
    }

    @Test
    func `a page that was made to point at the forwarded socket reads nothing`() async throws {
        let fixture = try ServerFixture()
        try await fixture.serving { _ in
            for (host, status) in [
                ("evil.example", 421), ("evil.example:8080", 421), ("localhost.evil.example", 421),
                ("localhost:8080", 200), ("127.0.0.1:8080", 200), ("[::1]:8080", 200), ("controller", 200),
            ] {
                let response = try await HTTPClient().send(
                    HTTPRequest(
                        url: "http://controller/api/v1/fleet",
                        headers: ["Host": host],
                        unixSocket: fixture.socket,
                        timeout: .seconds(300)
                    )
                )
                #expect(response.status == status, "\(host): \(response.text)")
            }
        }
    }

    @Test
    func `a session's cookie cannot be forged, and ends with its token`() async throws {
        let fixture = try AccessFixture()
        let sessions = SessionCookie(key: Data(repeating: 7, count: 32))
        let other = SessionCookie(key: Data(repeating: 8, count: 32))
        let token = try fixture.token(Grant(role: .operator), lifetime: 7200)
        try await fixture.serving { served in
            let access = try #require(fixture.tokens.access(token, from: nil))
            let now = Date(timeIntervalSince1970: 1_795_000_000)
            let good = try sessions.value(for: access, at: now)
            let path = "/api/v1/deployments/search/file-type/commands"
            func send(_ cookie: String, _ form: String? = nil) async throws -> Int {
                var headers: HTTPHeaders = ["Cookie": "__Host-controller=\(cookie)"]
                if let form { headers["X-Form-Token"] = form }
                let body = #"{"verb": "pause"}"#
                return form == nil
                    ? try await served.send("GET", "/api/v1/fleet", headers: headers).status
                    : try await served.send("POST", path, body: body, headers: headers).status
            }
            #expect(try await send(good) == 200)
            #expect(try await send(try other.value(for: access, at: now)) == 401)
            #expect(try await send("A" + good.dropFirst()) == 401)
            #expect(try await send(String(good.split(separator: ".")[0])) == 401)
            #expect(try await send(sessions.formToken(for: good)) == 401)
            // The browser sends the cookie by itself; the page's own field shows that it was the page.
            #expect(try await send(good, "") == 403)
            #expect(try await send(good, other.formToken(for: good)) == 403)
            #expect(try await send(good, sessions.formToken(for: good)) == 200)
            #expect(fixture.base.recorded.count == 1)
            let id = try #require(access.caller.credential)
            _ = try fixture.tokens.revoke(id)
            #expect(try await send(good) == 401)
        }
    }

    @Test
    func `a session is short whatever a token may, and one that no browser keeps is refused in words`() throws {
        let sessions = SessionCookie(key: Data(repeating: 7, count: 32))
        let now = Date(timeIntervalSince1970: 1_795_000_000)
        let grants = [Grant(role: .viewer, namespaces: (0..<1000).map { "namespace-\($0)" })]
        let token = Access(caller: Caller(name: "ci", way: .token, credential: "4be1"), grants: grants)
        #expect(try sessions.value(for: token, at: now).utf8.count < 1000)
        let person = Access(caller: Caller(name: "a", way: .oidc, credential: "https://l.example"), grants: grants)
        let problem = #expect(throws: Problem.self) { try sessions.value(for: person, at: now) }
        #expect(problem?.status == 403)
    }

    @Test
    func `a person of the identity provider gets what their groups give`() async throws {
        var fixture = try AccessFixture()
        fixture.bindings = [
            Authenticator.Binding(
                users: [],
                groups: ["ml-search"],
                grant: Grant(role: .operator, namespaces: ["search"])
            ),
            Authenticator.Binding(users: ["boss@example.com"], groups: [], grant: Grant(role: .admin)),
        ]
        fixture.verifier = { token throws(Authenticator.Refusal) in
            if token == "down" { throw .unavailable("nobody answers") }
            guard token != "bad" else { throw .invalid }
            return Authenticator.Person(
                name: token == "boss" ? "boss@example.com" : "alice@example.com",
                groups: token == "alice" ? ["ml-search", "all"] : [],
                issuer: "https://login.example",
                expires: Date(timeIntervalSince1970: 1_795_003_600)
            )
        }
        try await fixture.serving { served in
            let alice = try await served.client("alice").whoami()
            #expect(alice.caller.attribution == "oidc:alice@example.com")
            #expect(alice.grants == [Grant(role: .operator, namespaces: ["search"])])
            #expect(try await served.client("alice").fleet().deployments.map(\.name) == ["file-type"])
            #expect(try await served.client("boss").tokens().isEmpty)
            #expect(try await served.client("nobody").fleet().deployments.isEmpty)
            #expect(try await served.send("GET", "/api/v1/fleet", token: "bad").status == 401)
            #expect(try await served.send("GET", "/api/v1/fleet", token: "down").status == 503)
        }
    }
}
