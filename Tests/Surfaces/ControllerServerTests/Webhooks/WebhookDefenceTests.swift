import ControllerAPI
import ControllerServer
import Foundation
import Glibc
import Testing
import Transport

/// What somebody may try who has no secret.
@Suite("Strangers at the webhooks", .timeLimit(.minutes(5)))
struct WebhookDefenceTests {
    private static let delivery = Delivery.all[0]
    private static let code = WebhookFixture.hex(Delivery.all[0].bytes)

    static let forgeries: [(title: String, path: String, headers: HTTPHeaders)] = [
        ("no signature", "github", [:]),
        ("an empty one", "github", ["X-Hub-Signature-256": ""]),
        ("a wrong one", "github", ["X-Hub-Signature-256": "sha256=" + String(repeating: "0", count: 64)]),
        ("another secret's", "github", Self.delivery.signed(by: "a secret of somebody else's")),
        ("a part of the right one", "github", ["X-Hub-Signature-256": "sha256=\(Self.code.dropLast(2))"]),
        ("more than the right one", "github", ["X-Hub-Signature-256": "sha256=\(Self.code)00"]),
        ("without its prefix", "github", ["X-Hub-Signature-256": Self.code]),
        ("the right one under another name", "github", ["X-Signature-256": "sha256=\(Self.code)"]),
        ("no digits", "github", ["X-Hub-Signature-256": "sha256=" + String(repeating: "é", count: 64)]),
        ("the secret itself", "github", ["X-Hub-Signature-256": WebhookFixture.secret]),
        ("a part of the token", "gitlab", ["X-Gitlab-Token": String(WebhookFixture.secret.dropLast())]),
        ("more than the token", "gitlab", ["X-Gitlab-Token": WebhookFixture.secret + "x"]),
        ("no token", "gitlab", [:]),
        ("a repository that there is not", "elsewhere", Self.delivery.signed()),
        ("a repository without a name", "", Self.delivery.signed()),
        ("a path beyond the name", "github/x", Self.delivery.signed()),
        ("an encoded name", "%67ithub", Self.delivery.signed()),
    ]

    @Test(arguments: Self.forgeries)
    func `every forgery gets one answer, and wakes nobody`(
        title: String,
        path: String,
        headers: HTTPHeaders
    ) async throws {
        try await WebhookFixture().serving { webhooks in
            let answer = try await webhooks.deliver(to: "/webhooks/\(path)", headers, Self.delivery.bytes)
            #expect(answer.status == 401)
            #expect(
                answer.text == """
                    the signature is missing or wrong, or no repository of this name takes webhooks; the controller's \
                    log says which

                    """
            )
            #expect(webhooks.wakes.isEmpty)
        }
    }

    @Test
    func `nothing but deliveries is answered here`() async throws {
        try await WebhookFixture().serving { webhooks in
            for path in ["/", "/healthz", "/metrics", "/api/v1/fleet", "/api/v1/deployments/default/echo", "/webhooks"]
            {
                let answer = try await webhooks.deliver(to: path, method: "GET", [:], [])
                #expect(answer.status == 404, "\(path)")
            }
            let command = try await webhooks.deliver(
                to: "/api/v1/deployments/default/echo/commands",
                Self.delivery.signed(),
                Array(#"{"verb":"rollback","why":"","by":"mallory"}"#.utf8)
            )
            #expect(command.status == 404)
            for method in ["GET", "PUT", "DELETE"] {
                let answer = try await webhooks.deliver(
                    to: "/webhooks/github",
                    method: method,
                    Self.delivery.signed(),
                    Self.delivery.bytes
                )
                #expect(answer.status == 405, "\(method)")
                #expect(answer.headers["Allow"] == "POST")
            }
            #expect(webhooks.wakes.isEmpty)
        }
    }

    @Test
    func `forgeries in masses leave one line a repository in the log, without a word of theirs`() async throws {
        try await WebhookFixture().serving { webhooks in
            let forged = Self.delivery.signed(by: "a secret of somebody else's")
            for turn in 0..<100 {
                let known = try await webhooks.deliver(to: "/webhooks/github", forged, Self.delivery.bytes)
                let unknown = try await webhooks.deliver(to: "/webhooks/mallory\(turn)", forged, Self.delivery.bytes)
                #expect(known.status == 401 && unknown.status == 401)
            }
            let refusals = webhooks.log.lines.filter { $0.contains("webhook refused") }
            #expect(refusals.count == 2, "\(refusals)")
            #expect(!webhooks.log.lines.joined().contains("mallory"))
            // Nothing that those without a secret used up is missed by who has it.
            let right = try await webhooks.deliver(to: "/webhooks/github", Self.delivery.signed(), Self.delivery.bytes)
            #expect(right.status == 202)
        }
    }

    @Test
    func `no event's name can write a line into the log`() async throws {
        try await WebhookFixture().serving { webhooks in
            var headers = Self.delivery.signed()
            for event in ["push\" operator=\"mallory", String(repeating: "x", count: 1000)] {
                headers["X-GitHub-Event"] = event
                let answer = try await webhooks.deliver(to: "/webhooks/github", headers, Self.delivery.bytes)
                #expect(answer.status == 202)
                #expect(webhooks.log.lines.last?.contains("webhook.event=unknown") == true)
            }
        }
    }

    @Test(arguments: [
        (nil, "cannot be read: make it exist and readable"),
        ("", "is empty: write one into it, as `openssl rand -hex 32`"),
        ("short", "has 5 bytes and needs 16: write one into it, as `openssl rand -hex 32`"),
        ("a secret that would be\nlong enough for it\nif it were the only", "has 3 lines and may have 2"),
        ("whsec_c2hvcnQ=", "is not `whsec_` and a key in base64"),
    ])
    func `a secret that is none takes no delivery, and the log says what to do`(
        secret: String?,
        problem: String
    ) async throws {
        let fixture = try WebhookFixture([("github", .github)])
        if let secret {
            try fixture.keep(secret, of: "github")
        } else {
            try FileManager.default.removeItem(atPath: fixture.secretFile(of: "github"))
        }
        try await fixture.serving { webhooks in
            let headers = Self.delivery.signed(by: secret ?? "")
            let answer = try await webhooks.deliver(to: "/webhooks/github", headers, Self.delivery.bytes)
            #expect(answer.status == 401)
            #expect(webhooks.wakes.isEmpty)
            let told = webhooks.log.lines.filter { $0.contains(problem) }
            // At the start, and for the delivery.
            #expect(told.count == 2, "\(webhooks.log.lines)")
            #expect(webhooks.ledger.status(of: "github")?.refusal?.contains(problem) == true)
            if let secret, !secret.isEmpty { #expect(!webhooks.log.lines.joined().contains(secret)) }
        }
    }

    @Test
    func `who sends a byte now and then is cut off, and makes room for who does not`() async throws {
        var limits = WebhookServer.Limits()
        limits.exchange = .seconds(2)
        limits.connections = 3
        try await WebhookFixture().serving(limits: limits) { webhooks in
            let port = try #require(webhooks.listening)
            let head = "POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
            // One that does not even end its head, and all connections that there are.
            let slow = try (0..<3).map { try SlowClient(port: port, beginning: $0 == 0 ? "POST /webh" : head) }
            // On a busy machine, who does not dawdle may be cut off too, maybe with its answer on the way, and delivers
            // again as a server does.
            let deadline = ContinuousClock.now + .seconds(120)
            var status: Int?
            repeat {
                let headers = Self.delivery.signed()
                status = try? await webhooks.deliver(to: "/webhooks/github", headers, Self.delivery.bytes).status
            } while status == nil && ContinuousClock.now < deadline
            #expect(status == 202)
            #expect(Set(webhooks.wakes) == ["github"])
            for client in slow { try await client.dripUntilCutOff() }
        }
    }

    @Test
    func `an address that somebody listens on is told by the setting's name`() async throws {
        try await WebhookFixture().serving { webhooks in
            let port = try #require(webhooks.listening)
            let second = try WebhookFixture()
            defer { try? FileManager.default.removeItem(at: second.folder) }  // temporary
            let error = await #expect(throws: ControllerServerError.self) {
                try await second.server(port: port).run()
            }
            #expect(error?.code == .cannotListen)
            let message = error?.message ?? ""
            #expect(message.contains("cannot listen on 127.0.0.1:\(port), which `webhooks.listen` names"), "\(message)")
            #expect(message.contains("Address already in use"), "\(message)")
        }
    }
}
