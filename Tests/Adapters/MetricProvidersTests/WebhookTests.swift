import Foundation
import LoopbackServer
import MetricProviders
import Reconciliation
import Testing
import Transport

@Suite("Webhooks", .timeLimit(.minutes(5)))
struct WebhookTests {
    private static let question = VerdictQuestion(
        deployment: "search/file-type",
        gate: "approval",
        revision: "abcdef",
        modelVersion: "3.4",
        step: 2,
        commit: "1eabc9a4"
    )

    private func verdict(
        _ answer: LoopbackServer.Answer,
        timeout: Duration = .seconds(10)
    ) async throws -> VerdictAnswer {
        let server = try LoopbackServer { _ in answer }
        return await WebhookProvider(name: "approvals", url: server.url, client: HTTPClient())
            .verdict(on: Self.question, timeout: timeout)
    }

    @Test
    func `the question is sent as JSON, with the token of the file`() async throws {
        let file = NSTemporaryDirectory() + "token-\(UUID().uuidString)"
        defer { unlink(file) }
        try Data("secret\n".utf8).write(to: URL(filePath: file))
        let server = try LoopbackServer { _ in .text(#"{"outcome": "pass"}"#) }
        let provider = WebhookProvider(
            name: "approvals",
            url: server.url + "/gates",
            tokenFile: file,
            client: HTTPClient()
        )
        #expect(await provider.verdict(on: Self.question, timeout: .seconds(10)) == .pass(""))
        let request = try #require(server.requests.first)
        #expect(request.method == "POST")
        #expect(request.target == "/gates")
        #expect(request.headers["content-type"] == "application/json")
        #expect(request.headers["authorization"] == "Bearer secret")
        #expect(try JSONDecoder().decode(VerdictQuestion.self, from: Data(request.body)) == Self.question)
    }

    @Test(arguments: [
        (#"{"outcome": "pass", "message": "signed"}"#, VerdictAnswer.pass("signed")),
        (#"{"outcome": "fail", "message": "no\u0007!"}"#, .fail("no!")),
        (#"{"outcome": "wait", "more": 1}"#, .wait("")),
    ])
    func `a verdict is taken, its message fit for a terminal`(body: String, expected: VerdictAnswer) async throws {
        #expect(try await self.verdict(.text(body)) == expected)
    }

    @Test(arguments: ["", "pass", #"{"outcome": "yes"}"#, #"{"outcome": null}"#, #"{"message": "pass"}"#, "[]"])
    func `what is no verdict is none`(body: String) async throws {
        guard case .unavailable(let message) = try await self.verdict(.text(body)) else {
            Issue.record("\(body)")
            return
        }
        #expect(message.contains("it must be pass, fail or wait"))
    }

    @Test
    func `silence, failures and floods are no verdict, and a refusal says what to mend`() async throws {
        let flood = [UInt8](repeating: 0x20, count: (64 << 10) + 1)
        for answer in [LoopbackServer.Answer.silence, .text("", status: 503), .status(200, body: flood)] {
            guard case .unavailable = try await self.verdict(answer, timeout: .milliseconds(500)) else {
                Issue.record()
                continue
            }
        }
        for status in [302, 401, 404] {
            guard case .refused(let message) = try await self.verdict(.text("", status: status)) else {
                Issue.record("\(status)")
                continue
            }
            #expect(message.contains("\(status); check the provider's URL and token"))
        }
    }
}
