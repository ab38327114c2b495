import Decisions
import Deployments
import Foundation
import Persistence
import Reconciliation
import Rollouts
import Simulation
import Testing

@Suite("Decisions in the journal")
struct DecisionJournalTests {
    let folder = FileManager.default.temporaryDirectory.appending(path: "decisions-\(UUID().uuidString)").path
    var path: String { "\(self.folder)/journal.sqlite" }

    let decisions: [Decision]

    init() async throws {
        self.decisions = await Self.decided()
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
    }

    /// Those of a rollout in a simulated world, from its merge to the end of its bake.
    static func decided() async -> [Decision] {
        let policy = RolloutPolicy(
            steps: [5, 25, 50].map {
                Step(action: .weight(TrafficWeight(percent: $0)), atLeast: .seconds(30), atMost: .seconds(300))
            },
            gates: [.errors, .clientErrors, .latency(below: .milliseconds(250))],
            bakeTime: .seconds(120)
        )
        var scenario = Scenario(traffic: 500, ticks: 400)
        scenario.commits[0] = .spec(Scenario.spec(0, policy: policy))
        scenario.commits[20] = .spec(Scenario.spec(1, policy: policy))
        var world = World(scenario: scenario, seed: 1, isRecording: true)
        _ = await world.run()
        return world.records.compactMap(\.decision).filter {
            $0.after != $0.before || !$0.outcome.transitions.isEmpty
        }
    }

    static let start = Timestamp(milliseconds: 1_700_000_000_000)

    static func record(_ decision: Decision, gone: Bool = false) -> JournalRecord {
        JournalRecord(
            deployment: decision.deployment,
            time: decision.time,
            member: gone ? nil : Member(rollout: decision.after),
            transitions: decision.outcome.transitions,
            outbox: [],
            decision: decision
        )
    }

    /// All chapters as an export holds them.
    static func export(
        of deployment: DeploymentID? = nil,
        _ chapter: (Int64, DeploymentID?) async throws -> DecisionChapter?
    ) async throws -> [[UInt8]] {
        var bytes = try DecisionLine.bytes(of: DecisionLine.Header(exported: Self.start, deployment: nil))
        var (last, count): (Int64, Int) = (0, 0)
        while let next = try await chapter(last, deployment) {
            (last, count) = (next.number, count + next.decisions)
            bytes += next.lines
        }
        bytes += try DecisionLine.bytes(of: DecisionLine.End(decisions: count))
        return bytes.split(separator: UInt8(ascii: "\n")).map(Array.init)
    }

    static func replay(_ lines: [[UInt8]]) throws -> [Replay.Step] {
        var replay = Replay()
        let steps = try lines.compactMap { try replay.take($0) }
        #expect(replay.isComplete)
        return steps
    }

    @Test
    func `what was appended is replayed, also after a restart in the middle`() async throws {
        let half = self.decisions.count / 2
        do {
            let journal = try SQLiteJournal(path: self.path)
            for decision in self.decisions[..<half] { try await journal.append(Self.record(decision)) }
        }
        let journal = try SQLiteJournal(path: self.path)
        for decision in self.decisions[half...] { try await journal.append(Self.record(decision)) }
        let lines = try await Self.export { try await journal.chapter(after: $0, of: $1) }
        let steps = try Self.replay(lines)
        #expect(steps.map(\.decision) == self.decisions)
        #expect(steps.allSatisfy { $0.difference == nil && !$0.followsGap })
        #expect(steps.map(\.record.number) == Array(1...Int64(self.decisions.count)))
        #expect(steps[half].record.before != nil)

        // What is kept beside the decisions is what it would be without them.
        let member = Member(rollout: try #require(self.decisions.last).after)
        #expect(try await journal.load().members == [member.rollout.id: member])

        // A copy of the file says the same, without a controller.
        let file = try JournalFile(path: self.path)
        #expect(try await Self.export { try await file.chapter(after: $0, of: $1) } == lines)
    }

    @Test
    func `a decision takes a few hundred bytes`() async throws {
        let journal = try SQLiteJournal(path: self.path)
        for decision in self.decisions { try await journal.append(Self.record(decision)) }
        let lines = try await Self.export { try await journal.chapter(after: $0, of: $1) }
        let plain = lines.reduce(0) { $0 + $1.count } / self.decisions.count
        let file = try FileManager.default.attributesOfItem(atPath: self.path)[.size] as? Int ?? 0
        let log = try FileManager.default.attributesOfItem(atPath: self.path + "-wal")[.size] as? Int ?? 0
        let size = try await self.size(of: journal) / self.decisions.count
        print("decisions: \(self.decisions.count), \(plain) bytes each as lines, \(size) as kept; \(file), log \(log)")
        #expect(size < 1500)
    }

    /// Bytes of all decisions, read from the file itself.
    private func size(of journal: SQLiteJournal) async throws -> Int {
        let text = try self.python("print(c.execute('SELECT SUM(LENGTH(deflated)) FROM decision').fetchone()[0])")
        return try #require(Int(text))
    }

    /// Runs Python on an open connection `c`.
    @discardableResult
    private func python(_ script: String) throws -> String {
        let tool = Process()
        let output = Pipe()
        tool.executableURL = URL(filePath: "/usr/bin/env")
        tool.arguments = [
            "python3", "-c", "import sqlite3; c = sqlite3.connect('\(self.path)'); \(script); c.commit()",
        ]
        tool.standardOutput = output
        try tool.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        tool.waitUntilExit()
        #expect(tool.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self).split(separator: "\n").joined()
    }

    @Test
    func `old chapters go, the newest stays, and what is left is replayed`() async throws {
        let retention = DecisionRetention(keep: .seconds(60), maxSize: 1 << 30)
        for part in 0..<4 {
            // Each start of a controller begins a chapter.
            let journal = try SQLiteJournal(path: self.path, retention: retention)
            let size = self.decisions.count / 4
            for decision in self.decisions[(part * size)..<((part + 1) * size)] {
                try await journal.append(Self.record(decision))
            }
        }
        let journal = try SQLiteJournal(path: self.path, retention: retention)
        let steps = try Self.replay(try await Self.export { try await journal.chapter(after: $0, of: $1) })
        #expect(steps.count < self.decisions.count)
        #expect(steps.count >= self.decisions.count / 4)
        #expect(steps.allSatisfy { $0.difference == nil })
        #expect(steps[0].record.before != nil)
        // Its manifest went with the first chapter's, or stands where a later one needs it.
        #expect(try self.python("print(c.execute('SELECT COUNT(*) FROM spec').fetchone()[0])") == "1")
    }

    @Test
    func `too much room is made again by the oldest, never by what is in use`() async throws {
        let retention = DecisionRetention(keep: .hours(9), maxSize: 1)
        for _ in 0..<3 {
            let journal = try SQLiteJournal(path: self.path, retention: retention)
            for decision in self.decisions.prefix(5) { try await journal.append(Self.record(decision)) }
        }
        let journal = try SQLiteJournal(path: self.path, retention: retention)
        let steps = try Self.replay(try await Self.export { try await journal.chapter(after: $0, of: $1) })
        #expect((5...10).contains(steps.count))
        // Numbers are never given again.
        #expect(steps.last?.record.number == 15)
    }

    @Test
    func `a write that fails leaves no decision, and the next begins a chapter`() async throws {
        let journal = try SQLiteJournal(path: self.path)
        try await journal.append(Self.record(self.decisions[0]))
        try self.python("c.execute('ALTER TABLE decision RENAME TO elsewhere')")
        await #expect(throws: JournalError.self) { try await journal.append(Self.record(self.decisions[1])) }
        try self.python("c.execute('ALTER TABLE elsewhere RENAME TO decision')")
        try await journal.append(Self.record(self.decisions[2]))
        let steps = try Self.replay(try await Self.export { try await journal.chapter(after: $0, of: $1) })
        #expect(steps.map(\.decision) == [self.decisions[0], self.decisions[2]])
        #expect(steps.map(\.followsGap) == [false, true])
    }

    @Test
    func `a damaged decision is said to be that`() async throws {
        let journal = try SQLiteJournal(path: self.path)
        for decision in self.decisions.prefix(3) { try await journal.append(Self.record(decision)) }
        try self.python("c.execute(\"UPDATE decision SET deflated = x'0102' WHERE number = 2\")")
        let error = await #expect(throws: JournalError.self) { try await journal.chapter(after: 0, of: nil) }
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains("decision 2") == true)
    }

    @Test
    func `a file that is no journal, or has no decisions, says so`() throws {
        let missing = #expect(throws: JournalError.self) { try JournalFile(path: self.path) }
        #expect(missing?.message.contains("there is no file") == true)
        try self.python("c.execute('CREATE TABLE other (a)')")
        let other = #expect(throws: JournalError.self) { try JournalFile(path: self.path) }
        #expect(other?.message.contains("holds no decisions") == true)
    }
}
