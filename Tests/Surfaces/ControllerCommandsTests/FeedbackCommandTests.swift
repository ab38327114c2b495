import ControllerAPI
import Deployments
import Foundation
import Synchronization
import Testing

@Suite("controller feedback")
struct FeedbackCommandTests {
    let fixture: CommandFixture

    init() throws {
        self.fixture = try CommandFixture()
    }

    private func file(_ lines: [String]) throws -> String {
        let path = self.fixture.folder.appending(path: "labels.jsonl").path
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: path))
        return path
    }

    private static func line(_ number: Int, _ rest: String = "\"correct\": false") -> String {
        "{\"id\": \"3f2a91c0de.5d01e8b7.\(String(number, radix: 16))\", \(rest)}"
    }

    @Test
    func `labels are sent a thousand at a time, and their fates are added up`() async throws {
        let file = try self.file((0..<2500).map { Self.line($0) })
        try await self.fixture.serving {
            let run = await self.fixture.run("feedback", "search/file-type", file, "--output", "json")
            #expect(run.status == 0, "\(run.remarks)")
            let answer = try APICoding.decoder().decode(FeedbackAnswer.self, from: Data(run.output.utf8))
            // The fixture knows nobody of the last of each batch.
            #expect(answer == FeedbackAnswer(counted: 2497, unknown: 3, unknownRevisions: ["3f2a91c0de"]))
            let batches = self.fixture.feedback.withLock { $0 }
            #expect(batches.map(\.count) == [1000, 1000, 500])
            #expect(batches.joined().map(\.id.unique) == (0..<2500).map { String($0, radix: 16) })
            let text = await self.fixture.run("feedback", "search/file-type", file)
            #expect(
                text.output
                    == "2497 labels counted, 3 of revisions that have no part in search/file-type: 3f2a91c0de\n"
            )
        }
    }

    @Test
    func `a long file says how far it is`() async throws {
        let file = try self.file((0..<50_500).map { Self.line($0) })
        try await self.fixture.serving {
            let run = await self.fixture.run("feedback", "search/file-type", file)
            #expect(run.status == 0)
            #expect(run.remarks.contains("50000 labels of \(file) were sent"), "\(run.remarks)")
            #expect(run.output.hasPrefix("50449 labels counted"))
        }
    }

    @Test(arguments: [
        ("{\"id\": \"mine\", \"correct\": true}", "`id` is not what x-feedback-id says: give the whole header"),
        (Self.line(7, "\"corect\": true"), "unknown field \"corect\"; did you mean correct?"),
        ("nonsense", "not a label"),
    ])
    func `a line that is no label is named, with what was counted before it`(line: String, message: String) async throws
    {
        let file = try self.file((0..<1000).map { Self.line($0) } + [line])
        try await self.fixture.serving {
            let run = await self.fixture.run("feedback", "search/file-type", file)
            #expect(run.status == 2)
            #expect(run.output.isEmpty)
            #expect(run.remarks.contains("labels.jsonl:1001: \(message)"), "\(run.remarks)")
            #expect(run.remarks.contains("(999 labels were counted before; mend it and send the whole file again"))
        }
    }

    @Test
    func `without a file or a controller it says which is missing`() async throws {
        let missing = await self.fixture.run("feedback", "search/file-type", "/nowhere/labels.jsonl")
        #expect(missing.status == 2)
        let file = try self.file([Self.line(1)])
        let alone = await self.fixture.run("feedback", "search/file-type", file)
        #expect(alone.status == 3)
    }
}
