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

            let status = try await users.untilSettled("the rollback") { !$0.quarantined.isEmpty }
            #expect(status.stable?.modelVersion == "1")
            let reason = try #require(status.quarantined.first?.reason)
            #expect(reason.contains("gate wrong-labels failed: canary "), "\(reason)")
            let late = try await first.tell()
            #expect(late.counted == 0 && late.unknown > 0)
            #expect(late.unknownRevisions == [String(try #require(status.quarantined.first?.revision.prefix(10)))])

            release.faults = "none"
            release.version = "3"
            try await sandbox.merge(release)
            try await sandbox.canary("3", at: 20)
            let promoted = try await users.untilSettled("the promotion") { $0.stable?.modelVersion == "3" }
            #expect(promoted.quarantined.map(\.modelVersion) == ["2"])
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

    init(of sandbox: Sandbox) { self.sandbox = sandbox }

    mutating func ask(_ count: Int) async throws {
        self.labels = []
        let question = #"{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":[1]}]}"#
        for _ in 0..<count {
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
            let isCorrect = answer.text.replacing(" ", with: "").contains("\"data\":[1")
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

    /// Goes on asking and telling until the rollout has its end.
    mutating func untilSettled(
        _ what: String,
        _ condition: (DeploymentStatus) -> Bool
    ) async throws -> DeploymentStatus {
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            if let status = await self.sandbox.status(), status.phase == "settled", condition(status) { return status }
            try await self.ask(200)
            _ = try await self.tell()
        }
        let seen = await self.sandbox.status()
        return try #require(nil, "\(what): \(seen.map { "\($0.phase) \($0.gates)" } ?? "no status")")
    }
}
