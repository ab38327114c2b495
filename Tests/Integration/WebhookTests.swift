import ControllerAPI
import Foundation
import LoopbackServer
import Testing
import Transport

/// What a git server tells of.
extension IntegrationTests {
    @Test
    func `a push that a server tells of is rolled out at once, though polls are an hour apart`() async throws {
        try await Sandbox.run { sandbox in
            try sandbox.configure(interval: "1h", webhook: "generic")
            let hook = try sandbox.installHook()
            try await sandbox.startController()
            try await sandbox.until("the empty repository is polled") {
                await sandbox.fleet()?.sources.first?.problem != nil
            }
            try await sandbox.merge(Release(version: "1", gates: []))
            try await sandbox.serves("1")
            let commit = try await sandbox.merge(Release(version: "2", gates: []))
            try await sandbox.serves("2")
            let source = try #require(await sandbox.fleet()?.sources.first)
            #expect(source.commit == commit)
            #expect(source.webhook?.lastDelivered != nil)
            #expect(source.webhook?.lastRefused == nil)
            let shown = try await sandbox.command("status", Sandbox.name)
            #expect(shown.output.contains("webhook models: delivered "), "\(shown.output)")

            // A delivery that comes a hundred times more is looked into, and changes nothing.
            let polled = try #require(source.lastPolled)
            let again = try await Machine.run(
                try Machine.python(),
                ["-c", "import runpy, sys\nfor _ in range(100): runpy.run_path(sys.argv[1])", hook],
                environment: sandbox.environment,
                at: sandbox.folder
            )
            #expect(again.status == 0, "\(again.error)")
            try await sandbox.until("another poll") {
                await sandbox.fleet()?.sources.first?.lastPolled.map { $0 > polled } ?? false
            }
            #expect(try await sandbox.count("rollout-started") == 2)
            #expect(await sandbox.status()?.phase == "settled")
        }
    }

    @Test
    func `a delivery with another secret is refused, and nothing else is behind its address`() async throws {
        try await Sandbox.run { sandbox in
            try sandbox.configure(interval: "1h", webhook: "generic")
            let hook = try sandbox.installHook()
            try await sandbox.startController()
            try sandbox.write(sandbox.webhookSecret, "a secret that the server does not know")
            let signature = try String(contentsOfFile: hook, encoding: .utf8)
            try sandbox.write(hook, signature.replacing("file.readline().strip()", with: "b'the secret from before'"))
            let refused = try await Machine.run(
                try Machine.python(),
                [hook],
                environment: sandbox.environment,
                at: sandbox.folder
            )
            #expect(refused.status != 0)
            #expect(refused.error.contains("401"), "\(refused.error)")
            let webhook = try #require(await sandbox.fleet()?.sources.first?.webhook)
            #expect(webhook.lastDelivered == nil)
            #expect(webhook.refusal == "its signature is wrong: compare the secrets on both sides")

            let client = HTTPClient()
            defer { client.close() }
            let answer = try await client.send(
                HTTPRequest(url: "http://127.0.0.1:\(sandbox.sparePort)/api/v1/fleet")
            )
            #expect(answer.status == 404)
        }
    }

    @Test
    func `an address for webhooks that is taken ends the start, and is named`() async throws {
        try await Sandbox.run { sandbox in
            let other = try LoopbackServer { _ in .text("") }
            defer { other.stop() }
            try sandbox.configure(webhook: "github")
            let path = "\(sandbox.folder)/controller.yaml"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            try sandbox.write(path, text.replacing(":\(sandbox.sparePort)", with: ":\(other.port)"))
            try sandbox.launchController()
            try await sandbox.until("the controller ends") { !sandbox.isControllerRunning }
            let words = sandbox.lastWords
            #expect(
                words.contains("error: cannot listen on 127.0.0.1:\(other.port), which `webhooks.listen` names"),
                "\(words)"
            )
        }
    }
}

extension Sandbox {
    /// Makes the repository tell of pushes with the hook of docs/reference/git.md.
    ///
    /// - Returns: The hook's path.
    fileprivate func installHook() throws -> String {
        try self.write(self.webhookSecret, String(repeating: "0123456789abcdef", count: 4) + "\n")
        let page = try String(contentsOfFile: "\(Machine.root)/docs/reference/git.md", encoding: .utf8)
        let example = try #require(page.firstMatch(of: /```python\n((?:.*\n)*?)```/)?.1)
        let hook = "\(self.remote)/hooks/post-receive"
        try FileManager.default.createDirectory(atPath: "\(self.remote)/hooks", withIntermediateDirectories: true)
        try self.write(
            hook,
            String(example).replacing("/etc/git/webhook-secret", with: self.webhookSecret)
                .replacing("https://controller.example", with: "http://127.0.0.1:\(self.sparePort)")
        )
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: hook)
        return hook
    }
}
