import ControllerCommands
import Foundation
import Testing

@Suite("controller judge")
struct JudgeCommandTests {
    let fixture: CommandFixture
    var file: String { self.fixture.folder.appending(path: "incidents").path }

    init() throws {
        self.fixture = try CommandFixture()
    }

    func write(_ lines: String...) throws {
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: self.file))
    }

    static let broken = #"{"id": "march-3", "polls": [[100, 0, 1900, 2], [100, 50, 1900, 2], [100, 50, 1900, 1]]}"#
    static let healthy = #"{"id": 7, "history": [[1900, 2], [1900, 3]], "polls": [[100, 0, 1900, 2]]}"#

    struct Answer: Decodable {
        enum CodingKeys: String, CodingKey {
            case phi
            case rollbackPoll = "rollback_poll"
            case logE = "log_e"
        }
        var phi: Double?
        var rollbackPoll: Int?
        var logE: Double?
    }

    @Test
    func `every line is answered with a line, in their order`() async throws {
        try self.write(Self.broken, Self.healthy)
        let run = await self.fixture.run("judge", self.file)
        #expect(run.status == 0)
        let lines = run.output.split(separator: "\n")
        try #require(lines.count == 2)
        #expect(lines[0].contains(#""id":"march-3""#))
        #expect(lines[1].contains(#""id":7"#))
        #expect(lines[1].contains(#""rollback_poll":null"#))
        let answers = try lines.map { try JSONDecoder().decode(Answer.self, from: Data($0.utf8)) }
        #expect(answers[0].rollbackPoll == 3)
        #expect(answers[0].phi == 1)
        #expect(try #require(answers[0].logE) > 100)
        #expect(try #require(answers[1].logE) < 0)
    }

    @Test
    func `errors that came in bursts before the rollout weigh less, and phi says how much`() async throws {
        let history = (0..<180).map { $0 % 6 == 0 ? "[1900, 24]" : "[1900, 0]" }.joined(separator: ", ")
        let polls = "[[100, 2, 1900, 2], [100, 2, 1900, 2], [100, 1, 1900, 2]]"
        try self.write(
            #"{"id": "calm", "polls": \#(polls)}"#,
            #"{"id": "bursts", "history": [\#(history)], "polls": \#(polls)}"#
        )
        let run = await self.fixture.run("judge", self.file)
        let answers = try run.output.split(separator: "\n").map {
            try JSONDecoder().decode(Answer.self, from: Data($0.utf8))
        }
        try #require(answers.count == 2)
        #expect(try #require(answers[1].phi) > 2)
        #expect(try #require(answers[1].logE) < (try #require(answers[0].logE)))
    }

    @Test
    func `counters that lag a poll behind are judged so where the line or the option says it`() async throws {
        let polls = "[[100, 1, 1900, 2], [100, 20, 1900, 2], [100, 20, 1900, 380], [100, 20, 1900, 380]]"
        let line = #"{"id": 1, "polls": \#(polls)"#
        try self.write(line + "}", line + #", "lagRobust": true}"#, line + #", "lagRobust": false}"#)
        let plain = await self.fixture.run("judge", self.file)
        #expect(plain.output.split(separator: "\n").map { $0.contains("null") } == [false, true, false])
        let robust = await self.fixture.run("judge", self.file, "--lag-robust")
        #expect(robust.output.split(separator: "\n").map { $0.contains("null") } == [true, true, false])
    }

    @Test
    func `a line that cannot be read is named with what to write, and loses no other`() async throws {
        try self.write(
            #"{"id": "swapped", "polls": [[1, 100, 2, 1900]]}"#,
            #"{"id": "three", "polls": [[1, 2, 3]]}"#,
            #"{"polls": []}"#,
            #"{"id": "half", "polls": [[1.5, 0, 3, 0]]}"#,
            "no json",
            Self.broken
        )
        let run = await self.fixture.run("judge", self.file)
        #expect(run.status == 2)
        #expect(run.output.contains(#""rollback_poll":3"#))
        let remarks = run.remarks.split(separator: "\n").map(String.init)
        try #require(remarks.count == 6, "\(remarks)")
        #expect(
            remarks[0].hasSuffix(
                ":1: error: polls[0], the canary: 100 bad of 1 requests: requests come first, and hold the bad ones"
            )
        )
        #expect(remarks[1].contains(":2: error: polls[0] has 3 numbers: [canaryRequests"))
        #expect(remarks[2].contains(":3: error: `id` is missing"))
        #expect(remarks[3].contains(":4: error: this is not JSON, or a count is no whole number: a line is"))
        #expect(remarks[4].contains(":5: error: this is not JSON, or"))
        #expect(remarks[5] == "error: 5 lines could not be judged; the others were")
    }

    @Test
    func `a field that means nothing is told, not ignored`() async throws {
        try self.write(#"{"id": 1, "polls": [[100, 0, 1900, 2]], "lagrobust": true}"#)
        let run = await self.fixture.run("judge", self.file)
        #expect(run.status == 0)
        #expect(run.remarks.contains("warning: these fields mean nothing here: `lagrobust`"))
    }

    @Test
    func `a CSV file has a poll a row, and history where the canary has no numbers`() async throws {
        try self.write(
            "id,canary_requests,canary_bad,stable_requests,stable_bad",
            "march-3,,,1900,2",
            "march-3,100,0,1900,2",
            "march-3,100,50,1900,2",
            "march-3,100,50,1900,1",
            #""a, b",100,0,1900,2"#,
            "wrong,many,0,1900,2",
            "wrong,100,0,1900,2",
            "last,100,0,1900,2"
        )
        let run = await self.fixture.run("judge", self.file, "--csv")
        #expect(run.status == 2)
        let lines = run.output.split(separator: "\n").map(String.init)
        try #require(lines.count == 4, "\(lines)")
        #expect(lines[0] == "id,phi,rollback_poll,log_e")
        #expect(lines[1].hasPrefix("march-3,1.0,3,"))
        #expect(lines[2].hasPrefix(#""a, b",1.0,,-"#))
        #expect(lines[3].hasPrefix("last,1.0,,-"))
        #expect(run.remarks.contains(":7: error: `canary_requests` and `canary_bad` are whole numbers"))
        try self.write("requests,errors", "1,2")
        let other = await self.fixture.run("judge", self.file)
        #expect(other.status == 2)
        #expect(other.remarks.contains(":1: this is neither JSON lines nor CSV with the column `canary_requests`"))
    }

    @Test
    func `a table shows people what went in and what came out`() async throws {
        try self.write(Self.broken, Self.healthy)
        let run = await self.fixture.run("judge", self.file, "--output", "table")
        #expect(run.output.contains("poll 3, after 30s"))
        #expect(run.output.contains("1 of 2 rolled back"))
    }

    @Test
    func `another tool's rule answers with its rollback alone`() async throws {
        let polls = Array(repeating: "[100, 3, 1900, 57]", count: 60).joined(separator: ", ")
        try self.write(#"{"id": "shared", "polls": [\#(polls)]}"#)
        let ours = await self.fixture.run("judge", self.file)
        #expect(ours.output.contains(#""rollback_poll":null"#))
        let flagger = await self.fixture.run("judge", self.file, "--preset", "flagger")
        #expect(flagger.output == #"{"id":"shared","log_e":null,"phi":null,"rollback_poll":36}"# + "\n")
    }

    @Test(arguments: [["--alpha", "0"], ["--max-ratio", "0.5"], ["--steps", "0"], ["--min-bad-polls", "0"]])
    func `flags out of range are refused`(flag: [String]) async throws {
        try self.write(Self.broken)
        let run = await self.fixture.run(["judge", self.file] + flag)
        #expect(run.status == 2)
        #expect(run.remarks.contains(flag[0]))
    }

    @Test
    func `a smaller alpha asks for more evidence`() async throws {
        try self.write(#"{"id": 1, "polls": [[100, 3, 1900, 2], [100, 3, 1900, 2]]}"#)
        let usual = await self.fixture.run("judge", self.file)
        #expect(usual.output.contains(#""rollback_poll":2"#))
        let strict = await self.fixture.run("judge", self.file, "--alpha", "0.00001")
        #expect(strict.output.contains(#""rollback_poll":null"#))
    }
}
