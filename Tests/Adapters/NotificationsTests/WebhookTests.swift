import Crypto
import Deployments
import Foundation
import LoopbackServer
import Reconciliation
import Testing

@testable import Notifications

@Suite("Webhooks with CloudEvents", .timeLimit(.minutes(5)))
struct WebhookTests {
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    private static func notifier(
        _ url: String,
        _ signing: ReceiverConfiguration.Signing = .init(),
        timeout: Duration = .seconds(60)
    ) -> any Notifier {
        Fixtures.receivers(.webhook(.url(url), signing), timeout: timeout).notifiers[0]
    }

    @Test
    func `an event is one request with what happened, to what and by which commit`() async throws {
        let server = try LoopbackServer { _ in .text("ok") }
        defer { server.stop() }
        let notifier = Self.notifier("\(server.url)/hook")
        #expect(!notifier.wantsGroups)
        #expect(try await notifier.send(NoticeMessage(notices: [Fixtures.notice()], leftOut: 3)) == "200 ok")
        let request = try #require(server.requests.first)
        #expect(request.method == "POST" && request.target == "/hook")
        #expect(request.headers["content-type"] == "application/cloudevents+json; charset=utf-8")
        #expect(request.headers["webhook-signature"] == nil)
        let event = try Fixtures.object(request.body)
        #expect(event["specversion"] as? String == "1.0")
        #expect(event["type"] as? String == "dev.controller.rollout.rolled-back")
        #expect(event["source"] as? String == "/controller/prod")
        #expect(event["subject"] as? String == "search/file-type")
        #expect(event["time"] as? String == Fixtures.time.rfc3339)
        #expect(event["datacontenttype"] as? String == "application/json")
        #expect(event["leftout"] as? Int == 3)
        #expect(event["id"] as? String == request.headers["webhook-id"])
        // Names of attributes are lower-case letters and digits.
        for name in event.keys { #expect(name.allSatisfy { $0.isLowercase || $0.isNumber }, "\(name)") }
        let data = try #require(event["data"] as? [String: Any])
        #expect(data["event"] as? String == "rolled-back" && data["severity"] as? String == "critical")
        #expect((data["model"] as? [String: String])?["version"] == "3.4")
        #expect((data["commit"] as? [String: String])?["subject"] == "Serve magika 3.4")
        #expect(data["drift"] == nil && data["by"] == nil)
    }

    @Test
    func `drift is an event for pipelines, with model, gate, index and window`() throws {
        var notice = Fixtures.notice(Notice.retrain, severity: .warning)
        notice.drift = try JSONDecoder().decode(
            Notice.Drift.self,
            from: Data(
                """
                {"gate": "score", "index": 0.31, "tolerance": 0.1, "evidence": "stability index 0.31",
                 "canaryAnswers": 800, "stableAnswers": 7200, "since": 1779999400000}
                """.utf8
            )
        )
        let event = try Fixtures.object(try CloudEvent(notice, source: "/c").encoded())
        #expect(event["type"] as? String == "dev.controller.model.retrain")
        let drift = try #require((event["data"] as? [String: Any])?["drift"] as? [String: Any])
        #expect(drift["psi"] as? Double == 0.31 && drift["gate"] as? String == "score")
        let window = try #require(drift["window"] as? [String: Any])
        #expect(window["start"] as? String == Timestamp(milliseconds: 1_779_999_400_000).rfc3339)
        #expect(window["end"] as? String == Fixtures.time.rfc3339)
        #expect(window["canaryAnswers"] as? Double == 800)
    }

    @Test
    func `an id stays the same for one event, and is another for another`() {
        let id = CloudEvent.id(of: Fixtures.notice())
        #expect(id == CloudEvent.id(of: Fixtures.notice()))
        #expect(id != CloudEvent.id(of: Fixtures.notice(message: "another")))
        #expect(id.wholeMatch(of: /msg_[0-9a-f]{32}/) != nil)
    }

    /// The specification's own example.
    @Test
    func `the signature is that of Standard Webhooks`() throws {
        let key = try #require(WebhookNotifier.key(Self.secret))
        let signature = WebhookNotifier.signature(
            of: Array(#"{"test": 2432232314}"#.utf8),
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at: 1_614_265_330,
            by: key
        )
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test
    func `what is signed is what arrives, by the key that the file holds at that time`() async throws {
        try await Fixtures.inFolder { folder in
            let server = try LoopbackServer { _ in .status(202) }
            defer { server.stop() }
            let file = "\(folder)/key"
            let notifier = Self.notifier(server.url, .init(secretFile: file))
            for byte in [UInt8(1), 2] {
                let key = Data(repeating: byte, count: 32)
                try Fixtures.write("whsec_\(key.base64EncodedString())\n", to: file)
                _ = try await notifier.send(NoticeMessage(notices: [Fixtures.notice()]))
                let request = try #require(server.requests.last)
                let (id, time) = (request.headers["webhook-id"] ?? "", request.headers["webhook-timestamp"] ?? "")
                #expect(time == "1780000000")
                let code = try #require(request.headers["webhook-signature"]?.dropFirst(3))
                #expect(request.headers["webhook-signature"]?.hasPrefix("v1,") == true)
                let isValid = HMAC<SHA256>.isValidAuthenticationCode(
                    try #require(Data(base64Encoded: String(code))),
                    authenticating: Data("\(id).\(time).".utf8) + Data(request.body),
                    using: SymmetricKey(data: key)
                )
                #expect(isValid)
            }
        }
    }

    @Test(arguments: ["", "whsec_", "whsec_c2hvcnQ=", "secret", "whsec_%%%"])
    func `a file that holds no key is told, and the message kept`(text: String) async throws {
        try await Fixtures.inFolder { folder in
            let file = "\(folder)/key"
            try Fixtures.write(text, to: file)
            let notifier = Self.notifier("http://127.0.0.1:9", .init(secretFile: file))
            let error = try #require(
                await Fixtures.failure(of: notifier, NoticeMessage(notices: [Fixtures.notice()]))
            )
            #expect(error.code == .notConfigured)
            #expect(error.message.contains(file))
        }
    }

    @Test(arguments: [
        (400, NotificationError.Code.refused, Recovery.needsOperator), (401, .refused, .needsOperator),
        (404, .refused, .needsOperator), (410, .refused, .needsOperator), (413, .refused, .needsOperator),
        (302, .refused, .needsOperator), (408, .unreachable, .retry), (429, .unreachable, .retry),
        (500, .unreachable, .retry), (503, .unreachable, .retry),
    ])
    func `what speaks of the message is given up, and what speaks of the receiver tried again`(
        status: Int,
        code: NotificationError.Code,
        recovery: Recovery
    ) async throws {
        let server = try LoopbackServer { _ in
            .text("why\u{1B}[2J not", status: status, headers: ["Location": "http://127.0.0.1:9/"])
        }
        defer { server.stop() }
        let error = try #require(
            await Fixtures.failure(of: Self.notifier(server.url), NoticeMessage(notices: [Fixtures.notice()]))
        )
        #expect(error.code == code && error.recovery == recovery)
        #expect(error.message.hasPrefix("the receiver \"chat\": it answered \(status) why [2J not"))
        #expect(server.requests.count == 1)
    }

    @Test
    func `Retry-After is honoured in seconds and as a date, and not beyond a day`() async throws {
        let soon = Date().addingTimeInterval(3600)
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        for (text, range) in [
            ("30", 30...30), ("99999999", 86_400...86_400), (format.string(from: soon), 3000...3600),
        ] as [(String, ClosedRange<Int64>)] {
            let server = try LoopbackServer { _ in .text("", status: 429, headers: ["Retry-After": text]) }
            defer { server.stop() }
            let error = await Fixtures.failure(
                of: Self.notifier(server.url),
                NoticeMessage(notices: [Fixtures.notice()])
            )
            guard case .wait(let wait) = error?.recovery else {
                Issue.record("\(text): \(String(describing: error))")
                continue
            }
            #expect(range.contains(wait.components.seconds), "\(text)")
        }
    }

    @Test
    func `who is silent, absent, endless or broken is tried again or refused within the time`() async throws {
        let silent = try LoopbackServer { _ in .silence }
        defer { silent.stop() }
        let message = NoticeMessage(notices: [Fixtures.notice()])
        let timedOut = await Fixtures.failure(of: Self.notifier(silent.url, timeout: .milliseconds(300)), message)
        #expect(timedOut?.code == .timedOut)
        let broken = try LoopbackServer { _ in .raw([]) }
        defer { broken.stop() }
        #expect(await Fixtures.failure(of: Self.notifier(broken.url), message)?.code == .unreachable)
        let port = try FreePort.take()
        let absent = await Fixtures.failure(of: Self.notifier("http://127.0.0.1:\(port)"), message)
        #expect(absent?.code == .unreachable && absent?.recovery == .retry)
        let endless = try LoopbackServer { _ in .status(200, body: Array(repeating: 0x61, count: 1 << 20)) }
        defer { endless.stop() }
        #expect(await Fixtures.failure(of: Self.notifier(endless.url), message)?.code == .refused)
    }

    @Test
    func `a token goes with each request, and comes back in no error`() async throws {
        try await Fixtures.inFolder { folder in
            let server = try LoopbackServer { request in
                .text("bad token \(request.headers["authorization"] ?? "")", status: 403)
            }
            defer { server.stop() }
            try Fixtures.write("the-very-secret\n", to: "\(folder)/token")
            let notifier = Self.notifier(server.url, .init(tokenFile: "\(folder)/token"))
            let error = try #require(
                await Fixtures.failure(of: notifier, NoticeMessage(notices: [Fixtures.notice()]))
            )
            #expect(server.requests.first?.headers["authorization"] == "Bearer the-very-secret")
            #expect(!error.message.contains("the-very-secret") && error.message.contains("bad token Bearer …"))
        }
    }
}
