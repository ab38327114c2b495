import ControllerAPI
import ControllerServer
import Foundation
import Testing
import Transport

/// What git servers send, and what becomes of it.
@Suite("Deliveries", .timeLimit(.minutes(5)))
struct DeliveryTests {
    @Test(arguments: Delivery.all)
    func `a signed delivery wakes its repository, unless nothing was pushed`(delivery: Delivery) async throws {
        try await WebhookFixture().serving { webhooks in
            let answer = try await webhooks.deliver(
                to: "/webhooks/\(delivery.kind)",
                delivery.signed(),
                delivery.bytes
            )
            #expect(answer.status == (delivery.wakes ? 202 : 204), "\(answer.text)")
            #expect(webhooks.wakes == (delivery.wakes ? [delivery.kind] : []))
            let status = try #require(webhooks.ledger.status(of: delivery.kind))
            #expect(status.lastDelivered != nil)
            #expect(status.lastRefused == nil)
        }
    }

    /// Documented by GitHub, by Bitbucket and by the Standard Webhooks that GitLab keeps to.
    static let vectors: [(kind: String, headers: HTTPHeaders, body: String)] = [
        (
            "github",
            [
                "X-Hub-Signature-256":
                    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
            ],
            "Hello, World!"
        ),
        (
            "bitbucket",
            ["X-Hub-Signature": "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"],
            "Hello World!"
        ),
        (
            "gitlab",
            [
                "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
                "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ],
            #"{"test": 2432232314}"#
        ),
    ]

    @Test(arguments: Self.vectors)
    func `what is documented as rightly signed is`(kind: String, headers: HTTPHeaders, body: String) async throws {
        try await WebhookFixture().serving { webhooks in
            if kind == "gitlab" { try webhooks.keep(WebhookFixture.signingToken, of: kind) }
            let right = try await webhooks.deliver(to: "/webhooks/\(kind)", headers, Array(body.utf8))
            #expect(right.status == 202)
            let other = try await webhooks.deliver(to: "/webhooks/\(kind)", headers, Array("\(body) ".utf8))
            #expect(other.status == 401)
            #expect(webhooks.wakes == [kind])
        }
    }

    @Test
    func `a signing token of GitLab's signs the id and the time too, and is not taken as a password`() async throws {
        try await WebhookFixture().serving { webhooks in
            try webhooks.keep(WebhookFixture.signingToken, of: "gitlab")
            let (_, headers, body) = Self.vectors[2]
            for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
                var other = headers
                other[name] = name == "webhook-timestamp" ? "1614265331" : "v1,AAAA"
                let refused = try await webhooks.deliver(to: "/webhooks/gitlab", other, Array(body.utf8))
                #expect(refused.status == 401, "\(name)")
            }
            let token: HTTPHeaders = ["X-Gitlab-Token": WebhookFixture.signingToken]
            let password = try await webhooks.deliver(to: "/webhooks/gitlab", token, Array(body.utf8))
            #expect(password.status == 401)
            #expect(webhooks.wakes.isEmpty)

            var several = headers
            several["webhook-signature"] = "v2,unknown v1,AAAA \(headers["webhook-signature"] ?? "")"
            let right = try await webhooks.deliver(to: "/webhooks/gitlab", several, Array(body.utf8))
            #expect(right.status == 202)
        }
    }

    @Test
    func `a rotated secret counts at once, and beside it the one before while the file has both`() async throws {
        try await WebhookFixture().serving { webhooks in
            let delivery = Delivery.all[0]
            let (old, new) = (WebhookFixture.secret, "a new secret, as long as it needs to be")
            func status(_ secret: String) async throws -> Int {
                let headers = delivery.signed(by: secret)
                return try await webhooks.deliver(to: "/webhooks/github", headers, delivery.bytes).status
            }
            #expect(try await status(old) == 202)
            #expect(try await status(new) == 401)
            try webhooks.keep("\(new)\r\n\(old)\r\n", of: "github")
            #expect(try await status(old) == 202)
            #expect(try await status(new) == 202)
            try webhooks.keep(new, of: "github")
            #expect(try await status(old) == 401)
            #expect(try await status(new) == 202)
        }
    }

    @Test
    func `a body as large as servers send is taken, a larger one is not, and the next one is`() async throws {
        var limits = WebhookServer.Limits()
        // A busy machine, and a build for debugging, take their time to hash so much.
        limits.exchange = .seconds(600)
        try await WebhookFixture().serving(limits: limits) { webhooks in
            var delivery = Delivery.all[0]
            delivery.body = String(repeating: "x", count: 25 << 20)
            let large = try await webhooks.deliver(to: "/webhooks/github", delivery.signed(), delivery.bytes)
            #expect(large.status == 202)
        }
        limits.body = 1 << 20
        try await WebhookFixture().serving(limits: limits) { webhooks in
            var delivery = Delivery.all[0]
            delivery.body = String(repeating: "x", count: (1 << 20) + 1)
            let larger = try await webhooks.deliver(to: "/webhooks/github", delivery.signed(), delivery.bytes)
            #expect(larger.status == 413)
            #expect(larger.text.contains("1 MiB"), "\(larger.text)")
            #expect(webhooks.wakes.isEmpty)
            delivery.body.removeLast()
            let next = try await webhooks.deliver(to: "/webhooks/github", delivery.signed(), delivery.bytes)
            #expect(next.status == 202)
        }
    }

    @Test
    func `what was delivered and refused shows in the repository's status`() async throws {
        try await WebhookFixture().serving { webhooks in
            let delivery = Delivery.all[0]
            #expect(webhooks.ledger.status(of: "github")?.lastDelivered == nil)
            #expect(webhooks.ledger.status(of: "elsewhere") == nil)
            let headers = delivery.signed(by: "a secret of somebody else's")
            _ = try await webhooks.deliver(to: "/webhooks/github", headers, delivery.bytes)
            let status = try #require(webhooks.ledger.status(of: "github"))
            #expect(status.lastRefused != nil)
            #expect(status.lastDelivered == nil)
            #expect(status.refusal == "its signature is wrong: compare the secrets on both sides")
        }
    }
}
