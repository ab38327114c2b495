import Deployments
import Foundation
import LoopbackServer
import Reconciliation
import Testing

@testable import Notifications

/// An incoming webhook as Slack's documentation describes it.
///
/// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
private struct FakeSlack {
    static let path = "/services/T000/B000/abcdefghijkl"

    static func answer(_ request: LoopbackServer.Request) -> LoopbackServer.Answer {
        guard request.target == Self.path else { return .text("no_service", status: 404) }
        guard request.headers["content-type"] == "application/json",
            let body = try? JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any],
            let text = body["text"] as? String, let blocks = body["blocks"] as? [[String: Any]]
        else { return .text("invalid_payload", status: 400) }
        guard !text.isEmpty else { return .text("no_text", status: 400) }
        // https://docs.slack.dev/reference/block-kit/blocks/section-block
        let isValid =
            blocks.count <= 50
            && blocks.allSatisfy { block in
                let inner = block["text"] as? [String: Any]
                let words = inner?["text"] as? String ?? ""
                return block["type"] as? String == "section" && inner?["type"] as? String == "mrkdwn"
                    && (1...3000).contains(words.count)
            }
        return isValid ? .text("ok") : .text("invalid_blocks", status: 400)
    }
}

@Suite("Slack", .timeLimit(.minutes(5)))
struct SlackTests {
    private static func send(_ message: NoticeMessage) async throws -> (text: String, blocks: [String]) {
        let server = try LoopbackServer { FakeSlack.answer($0) }
        defer { server.stop() }
        let notifier = Fixtures.receivers(.slack(.url(server.url + FakeSlack.path))).notifiers[0]
        #expect(notifier.wantsGroups)
        #expect(try await notifier.send(message) == "200 ok")
        let body = try Fixtures.object(try #require(server.requests.first).body)
        let blocks = try #require(body["blocks"] as? [[String: Any]])
        let texts = blocks.compactMap { $0["text"] as? [String: Any] }
        #expect(texts.allSatisfy { $0["verbatim"] as? Bool == true })
        return (try #require(body["text"] as? String), texts.compactMap { $0["text"] as? String })
    }

    @Test
    func `an incident is one message that says what, where and why`() async throws {
        let started = Fixtures.notice("rolling-back")
        let (text, blocks) = try await Self.send(NoticeMessage(notices: [started, Fixtures.notice()]))
        #expect(text == ":rotating_light: search/file-type: rolled back (magika 3.4)")
        #expect(blocks.count == 3)
        #expect(blocks[0] == ":rotating_light: *search/file-type: rolled back (magika 3.4)*")
        #expect(blocks[2] == "rolled back\n`gate errors failed: canary 2.1 % [Serve magika 3.4]`")
    }

    @Test
    func `many deployments by one commit are a summary with counts and the first few`() async throws {
        let notices = (0..<12).flatMap { number in
            ["rolling-back", "rolled-back"].map { Fixtures.notice($0, of: "model-\(number)") }
        }
        let (text, blocks) = try await Self.send(NoticeMessage(notices: notices, leftOut: 4))
        #expect(text.hasPrefix(":rotating_light: search: 12 deployments by main@sha1:1eabc9a4"))
        #expect(text.hasSuffix(": 12 rolled back"))
        #expect(blocks.count == 7)
        #expect(blocks.last?.contains("19 more events") == true)
        #expect(blocks.last?.contains("4 earlier events were left out") == true)
    }

    @Test(arguments: [
        "<!channel> <@U123> <https://evil.example|click>", "a & b <c>", "`code` *bold* ~no~ _it_",
        "first\nsecond \u{202E}txt\u{0007}", String(repeating: "<", count: 2000),
    ])
    func `what others wrote mentions nobody, links nowhere and ends no message`(words: String) async throws {
        let notice = Fixtures.notice(message: words, subject: words, by: words)
        let (text, blocks) = try await Self.send(NoticeMessage(notices: [notice]))
        for shown in [text] + blocks {
            #expect(!shown.contains("<") && !shown.contains(">"))
            #expect(shown.matches(of: /&(?!amp;|lt;|gt;)/).isEmpty)
            #expect(!shown.contains("\u{202E}") && !shown.contains("\u{0007}"))
        }
        // One span of code, that nothing in it ends.
        #expect(blocks[1].split(separator: "\n").count == 2)
        #expect(blocks[1].split(separator: "\n")[1].count { $0 == "`" } == 2)
    }

    @Test
    func `a webhook's address is told to nobody, wherever it is configured`() async throws {
        let port = try FreePort.take()
        let url = "http://127.0.0.1:\(port)/services/T000/B000/abcdefghijkl"
        let notifier = Fixtures.receivers(.slack(.url(url))).notifiers[0]
        let down = try #require(await Fixtures.failure(of: notifier, NoticeMessage(notices: [Fixtures.notice()])))
        #expect(down.code == .unreachable && down.message.contains("127.0.0.1"))
        #expect(!down.message.contains("abcdefghijkl") && !down.message.contains("B000"))
    }

    @Test
    func `a webhook that is gone is given up, and its address told to nobody`() async throws {
        try await Fixtures.inFolder { folder in
            let server = try LoopbackServer { FakeSlack.answer($0) }
            defer { server.stop() }
            let file = "\(folder)/url"
            try Fixtures.write("\(server.url)/services/T000/B000/othersecretpath\n", to: file)
            let notifier = Fixtures.receivers(.slack(.file(file))).notifiers[0]
            let message = NoticeMessage(notices: [Fixtures.notice()])
            let gone = try #require(await Fixtures.failure(of: notifier, message))
            #expect(gone.code == .refused && gone.message.contains("404 no_service"))
            // Read anew: no restart is needed.
            try Fixtures.write(server.url + FakeSlack.path, to: file)
            #expect(try await notifier.send(message) == "200 ok")
            server.stop()
            let down = try #require(await Fixtures.failure(of: notifier, message))
            #expect(down.code == .unreachable)
            #expect(!"\(gone)\(down)".contains("othersecretpath") && !"\(gone)\(down)".contains("abcdefghijkl"))
            try Fixtures.write("not a url", to: file)
            let wrong = try #require(await Fixtures.failure(of: notifier, message))
            #expect(wrong.code == .notConfigured)
        }
    }
}
