import ControllerAPI
import Deployments
import Foundation
import LoopbackServer
import Synchronization
import Testing

/// A receiver of CloudEvents that can be away, and takes what it is sent before it says no.
private final class SmallSink: Sendable {
    struct State {
        /// `id` and kind of each event that was taken, repeats included.
        var taken: [(id: String, kind: String)] = []
        var isDown = false
        /// What is sent is taken, and the answer lost.
        var losesAnswers = false
    }

    let state = Mutex(State())

    func answer(_ request: LoopbackServer.Request) -> LoopbackServer.Answer {
        self.state.withLock { state in
            if state.isDown { return .text("under maintenance", status: 503) }
            // What is not JSON is none of the controller's.
            let body = try? JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any]
            guard let id = body?["id"] as? String, let data = body?["data"] as? [String: Any],
                let kind = data["event"] as? String, request.headers["webhook-id"] == id,
                request.headers["webhook-signature"]?.hasPrefix("v1,") == true
            else { return .text("not an event", status: 400) }
            state.taken.append((id, kind))
            return state.losesAnswers ? .raw([]) : .status(204)
        }
    }

    /// Each event once.
    var kinds: [String] {
        self.state.withLock { state in
            var seen: Set<String> = []
            return state.taken.filter { seen.insert($0.id).inserted }.map(\.kind)
        }
    }
}

extension IntegrationTests {
    private static func doctor(_ sandbox: Sandbox) async throws -> String {
        try await Machine.run(
            try Machine.controller(),
            ["doctor", "--offline", "--config", "\(sandbox.folder)/controller.yaml"],
            environment: sandbox.environment,
            at: sandbox.folder
        ).output
    }

    @Test
    func `a receiver that was away, and lost answers, learns each event of a rollback after crashes`() async throws {
        try await Sandbox.run { sandbox in
            let sink = SmallSink()
            let server = try LoopbackServer { sink.answer($0) }
            defer { server.stop() }
            let key = "\(sandbox.folder)/webhook-key"
            let receivers = "[{name: sink, kind: webhook, url: \"\(server.url)/\", secretFile: \"\(key)\"}]"
            try sandbox.configure(
                settings: "notifications: {receivers: \(receivers), routes: [{receivers: [sink]}]}"
            )
            let unread = try await Self.doctor(sandbox)
            #expect(unread.contains("ERROR    receiver sink: \(key) cannot be read"), "\(unread)")
            try sandbox.write(key, "whsec_\(Data(repeating: 7, count: 32).base64EncodedString())\n")
            let read = try await Self.doctor(sandbox)
            #expect(read.contains("ok       receiver sink: \(key) can be read"), "\(read)")
            try await sandbox.startController()
            _ = try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            try await sandbox.until("the first outcome") { sink.kinds.contains("promoted") }
            let tried = try await sandbox.command("notify", "test", "sink")
            #expect(tried.status == 0 && tried.output == "sink answered: 204\n", "\(tried)")

            sink.state.withLock { $0.isDown = true }
            let load = try await Load(on: sandbox)
            var release = Release(version: "2", faults: "share=0.5,status=503")
            release.steps = [.long(20)]
            let bad = try await sandbox.merge(release)
            try await sandbox.wait(for: "the rollback") { $0.phase == "settled" && !$0.quarantined.isEmpty }
            _ = try await load.end()
            // Nobody waited for the receiver.
            try await sandbox.until("the note") { try await sandbox.told(of: bad).contains("rolled-back") }
            try await sandbox.until("the problem to be shown") {
                await sandbox.fleet()?.receivers?.first?.problem?.contains("503") ?? false
            }
            let shown = try await sandbox.command("get")
            #expect(shown.error.contains("warning: receiver sink is not told: "), "\(shown.error)")
            #expect(!sink.kinds.contains("rolled-back"))

            sandbox.killController()
            let before = sink.state.withLock { $0.taken.count }
            sink.state.withLock { state in
                state.isDown = false
                state.losesAnswers = true
            }
            try await sandbox.startController()
            try await sandbox.until("one to be taken, and its answer lost") {
                sink.state.withLock { $0.taken.count } > before
            }
            sandbox.killController()
            sink.state.withLock { $0.losesAnswers = false }
            try await sandbox.startController()
            try await sandbox.until("nothing to wait") {
                let receiver = await sandbox.fleet()?.receivers?.first
                return receiver?.waiting == 0 && sink.kinds.contains("rolled-back")
            }
            let kinds = sink.kinds
            for kind in ["rolling-back", "rolled-back"] { #expect(kinds.count { $0 == kind } == 1, "\(kinds)") }
            #expect(kinds.count { $0 == "rollout-started" } == 2, "\(kinds)")
            let log = try String(contentsOfFile: sandbox.log, encoding: .utf8)
            #expect(!log.contains("whsec_"))
            try await sandbox.expectReplay()
        }
    }
}
