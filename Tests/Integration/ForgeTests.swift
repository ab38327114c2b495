import ControllerAPI
import Foundation
import LoopbackServer
import Synchronization
import Testing

/// As much of Gitea's API as a controller uses for statuses and pull requests.
private final class SmallForge: Sendable {
    struct State {
        /// `COMMIT STATE`, each time that one was posted.
        var statuses: [(commit: String, context: String, state: String, description: String)] = []
        var pulls: [[String: String]] = []
        var isDown = false
        /// What is written is done, and its answer lost.
        var losesAnswers = false
        var strangers = 0
    }

    let state = Mutex(State())

    func answer(_ request: LoopbackServer.Request) -> LoopbackServer.Answer {
        self.state.withLock { state in
            guard request.headers["authorization"] == "token the-secret-of-the-forge" else {
                state.strangers += 1
                return .text("{\"message\": \"token is required\"}", status: 401)
            }
            if state.isDown { return .text("{\"message\": \"under maintenance\"}", status: 503) }
            let answer = Self.answer(request, &state)
            return request.method == "POST" && state.losesAnswers ? .raw([]) : answer
        }
    }

    private static func answer(_ request: LoopbackServer.Request, _ state: inout State) -> LoopbackServer.Answer {
        let parts = request.target.prefix { $0 != "?" }.split(separator: "/").dropFirst(5).map(String.init)
        // What is not JSON is none of the controller's.
        let body = (try? JSONDecoder().decode([String: String].self, from: Data(request.body))) ?? [:]
        switch (request.method, parts.first) {
        case ("GET", "commits"):
            let own = state.statuses.reversed().filter { $0.commit == parts[1] }
            return Self.json(own.map { ["status": $0.state, "context": $0.context, "description": $0.description] })
        case ("POST", "statuses"):
            let text = { body[$0] ?? "" }
            state.statuses.append((parts[1], text("context"), text("state"), text("description")))
            return .text("{}", status: 201)
        case ("GET", "pulls"): return Self.json(state.pulls.map(Self.pull))
        case ("POST", "pulls"):
            state.pulls.append(body)
            return Self.json(Self.pull(body), status: 201)
        default: return .text("{\"message\": \"no such thing\"}", status: 404)
        }
    }

    private static func pull(_ body: [String: String]) -> [String: Any] {
        [
            "number": 7, "merged": false, "html_url": "https://forge.example/team/models/pulls/7",
            "base": ["ref": body["base"] ?? ""],
            "head": ["ref": body["head"] ?? "", "repo": ["full_name": "team/models"]] as [String: Any],
        ]
    }

    private static func json(_ value: Any, status: Int = 200) -> LoopbackServer.Answer {
        // Of strings, numbers and lists of them.
        .status(status, body: Array((try? JSONSerialization.data(withJSONObject: value)) ?? Data()))
    }

    func states(of commit: String) -> [String] {
        self.state.withLock { $0.statuses.filter { $0.commit == commit }.map(\.state) }
    }
}

extension IntegrationTests {
    @Test
    func `a forge that was away, and lost answers, shows each outcome and one pull request after a crash`() async throws
    {
        try await Sandbox.run { sandbox in
            let forge = SmallForge()
            let server = try LoopbackServer { forge.answer($0) }
            defer { server.stop() }
            let token = "\(sandbox.folder)/forge-token"
            try sandbox.write(token, "the-secret-of-the-forge\n")
            let address = "kind: gitea, url: \"\(server.url)/api/v1\", project: team/models, tokenFile: \"\(token)\""
            try sandbox.configure(reverts: "pullRequest", forge: "{\(address)}")
            try await sandbox.startController()
            let good = try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            try await sandbox.until("the first outcome") { forge.states(of: good) == ["pending", "success"] }

            forge.state.withLock { $0.isDown = true }
            let load = try await Load(on: sandbox)
            var release = Release(version: "2", faults: "share=0.5,status=503")
            release.steps = [.long(20)]
            release.revert = "pullRequest"
            let bad = try await sandbox.merge(release)
            try await sandbox.wait(for: "the rollback") { $0.phase == "settled" && !$0.quarantined.isEmpty }
            _ = try await load.end()
            // Nobody waited for the forge.
            try await sandbox.until("the note") { try await sandbox.told(of: bad).contains("rolled-back") }
            try await sandbox.until("the problem to be shown") {
                await sandbox.fleet()?.sources.first?.undelivered?.contains { $0.contains("503") } ?? false
            }
            let shown = try await sandbox.command("get")
            #expect(shown.error.contains("under maintenance; since "), "\(shown.error)")

            sandbox.killController()
            forge.state.withLock { state in
                state.isDown = false
                state.losesAnswers = true
            }
            try await sandbox.startController()
            try await sandbox.until("both to be written") {
                forge.states(of: bad) == ["failure"] && forge.state.withLock { $0.pulls.count } == 1
            }
            sandbox.killController()
            forge.state.withLock { $0.losesAnswers = false }
            try await sandbox.startController()
            let url = "https://forge.example/team/models/pulls/7"
            try await sandbox.until("the pull request to be shown") {
                await sandbox.fleet()?.sources.first?.lastRevert?.contains(url) ?? false
            }
            try await sandbox.until("nothing to wait") {
                let source = await sandbox.fleet()?.sources.first
                return source != nil && source?.undelivered == nil
            }
            #expect(forge.states(of: good) == ["pending", "success"])
            #expect(forge.states(of: bad) == ["failure"])
            let pulls = forge.state.withLock { $0.pulls }
            #expect(pulls.count == 1)
            #expect(pulls.first?["head"] == "controller/revert/default/echo/\(bad.prefix(10))")
            #expect(pulls.first?["base"] == "main")
            #expect(pulls.first?["title"]?.hasPrefix("Revert default/echo to echo 1 (main@") == true)
            #expect(forge.state.withLock { $0.strangers } == 0)
            let log = try String(contentsOfFile: sandbox.log, encoding: .utf8)
            #expect(!log.contains("the-secret-of-the-forge"))
            try await sandbox.expectReplay()
        }
    }
}
