import ControllerAPI
import Deployments
import Foundation
import Testing
import Transport

extension IntegrationTests {
    /// Users ask, keep what the answer calls itself, and find out later whether it was right.
    @Test
    func `a canary with more wrong labels is rolled back, and a right one passes`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            let gate = """
                apiVersion: controller/v1
                kind: AnalysisTemplate
                metadata: {name: wrong-labels}
                spec:
                  ratio: {provider: feedback, maxDifference: 0.05, interval: 1s}

                """
            try await sandbox.merge(Release(version: "1"), also: ["wrong-labels.yaml": gate])
            try await sandbox.serves("1")

            // Answers 200, quickly, and wrong: nothing that the router counts.
            var release = Release(version: "2", faults: "other=0.4", gates: ["wrong-labels"])
            release.steps = [.init(20, atLeast: "1s", atMost: "1h"), .init(50, atLeast: "1s", atMost: "1h")]
            try await sandbox.merge(release)
            try await sandbox.canary("2", at: 20)
            try await sandbox.wait(for: "the gate to ask") { $0.gates.contains { $0.name == "wrong-labels" } }
            var users = Users(of: sandbox)
            try await users.ask(50)
            let first = users
            let early = try await users.tell()
            #expect(early.counted == 50)
            // The whole file again, after a crash: each request counts once.
            sandbox.killController()
            try await sandbox.startController()
            // Before it has read its journal, it knows no deployment.
            try await sandbox.wait(for: "the deployment") { $0.phase == "stepping" }
            let again = try await users.tell()
            #expect(again == FeedbackAnswer(repeated: 50))

            let status = try await users.until("settled", "the rollback") { !$0.quarantined.isEmpty }
            #expect(status.stable?.modelVersion == "1")
            let reason = try #require(status.quarantined.first?.reason)
            #expect(reason.contains("gate wrong-labels failed: canary "), "\(reason)")
            let tooLate = try await first.tell()
            #expect(tooLate.counted == 0 && tooLate.unknown > 0)
            #expect(tooLate.unknownRevisions == [String(try #require(status.quarantined.first?.revision.prefix(10)))])

            release.faults = "none"
            release.version = "3"
            try await sandbox.merge(release)
            try await sandbox.canary("3", at: 20)
            let promoted = try await users.until("settled", "the promotion") { $0.stable?.modelVersion == "3" }
            #expect(promoted.quarantined.map(\.modelVersion) == ["2"])

            // Right in every step; only later do people find that much of it was wrong.
            release.version = "4"
            (release.bakeTime, release.holdback) = ("1h", 25)
            try await sandbox.merge(release)
            try await sandbox.canary("4", at: 20)
            let baking = try await users.until("baking", "the bake") { $0.stable?.modelVersion == "4" }
            users.distrusted = String(try #require(baking.stable?.revision.prefix(10)))
            let last = try await users.until("settled", "the rollback in the bake") { $0.quarantined.count == 2 }
            #expect(last.stable?.modelVersion == "3")
            let late = try #require(last.quarantined.first { $0.modelVersion == "4" }?.reason)
            #expect(late.contains("gate wrong-labels failed: canary "), "\(late)")
            try await sandbox.expectReplay()
            print("feedback: \(users.asked) requests; \(reason)")
        }
    }
}

/// People who know what the right answer is.
private struct Users {
    private let sandbox: Sandbox
    private let http = HTTPClient()
    /// What was not told for the last time yet, as lines of a file.
    private var labels: [String] = []
    private(set) var asked = 0
    /// They find two in five of this revision's answers wrong, whatever those are.
    var distrusted: String?

    init(of sandbox: Sandbox) { self.sandbox = sandbox }

    mutating func ask(_ count: Int) async throws {
        self.labels = []
        let question = #"{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":[1]}]}"#
        for number in 0..<count {
            let answer = try await self.http.send(
                HTTPRequest(
                    method: "POST",
                    url: self.sandbox.url,
                    headers: ["Content-Type": "application/json"],
                    body: Array(question.utf8),
                    timeout: .seconds(30)
                )
            )
            #expect(answer.status == 200)
            let id = try #require(answer.headers[FeedbackID.header])
            let isDistrusted = self.distrusted.map { id.hasPrefix($0) } ?? false
            let isRight = answer.text.replacing(" ", with: "").contains("\"data\":[1")
            let isCorrect = isRight && !(isDistrusted && number % 5 < 2)
            self.labels.append("{\"id\": \"\(id)\", \"correct\": \(isCorrect)}")
        }
        self.asked += count
    }

    func tell() async throws -> FeedbackAnswer {
        let file = "\(self.sandbox.folder)/labels.jsonl"
        try self.sandbox.write(file, self.labels.joined(separator: "\n"))
        let ended = try await self.sandbox.command("feedback", Sandbox.name, file, "--output", "json")
        try #require(ended.status == 0, "\(ended.error)")
        return try APICoding.decoder().decode(FeedbackAnswer.self, from: Data(ended.output.utf8))
    }

    /// Goes on asking and telling until the rollout is there.
    mutating func until(
        _ phase: String,
        _ what: String,
        _ condition: (DeploymentStatus) -> Bool
    ) async throws -> DeploymentStatus {
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            if let status = await self.sandbox.status(), status.phase == phase, condition(status) { return status }
            try await self.ask(200)
            _ = try await self.tell()
        }
        let seen = await self.sandbox.status()
        return try #require(nil, "\(what): \(seen.map { "\($0.phase) \($0.gates)" } ?? "no status")")
    }
}
