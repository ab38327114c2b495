import ControllerAPI
import ControllerCommands
import Decisions
import Deployments
import Foundation
import Rollouts
import Synchronization
import Testing

@Suite("Exports and replays on the command line")
struct ReplayCommandTests {
    let fixture: CommandFixture
    var file: String { self.fixture.folder.appending(path: "night.jsonl").path }

    init() throws {
        self.fixture = try CommandFixture()
    }

    static let id = DeploymentID(namespace: "search", name: "file-type")
    static let start = Timestamp(milliseconds: 1_700_000_000_000)

    /// A first revision that git names, which an operator pauses; a decision a second, from a first number on.
    /// With a message, another core seems to have answered with it.
    static func chapter(
        _ id: DeploymentID,
        from first: Int64,
        renaming message: String? = nil
    ) throws -> (number: Int64, lines: [UInt8]) {
        let spec = DeploymentSpec(
            id: id,
            revision: Revision(digest: "5f2c81aa90"),
            origin: CommitReference(repository: "models", branch: "main", commit: "1eabc9a47d0d"),
            model: Model(name: "magika", version: "3.3", format: "onnx", uri: "file:/m"),
            runtime: ServingRuntime(name: "onnx", command: ["serve"])
        )
        var recorder = DecisionRecorder(after: first - 1)
        var rollout = Rollout(id: id, at: Self.start)
        var lines = try DecisionLine.bytes(of: .init(number: first, deployment: id, decisions: 3))
        let commands: [[Command]] = [[], [Command(.pause(until: nil), by: "alice", why: "lunch")], []]
        for (index, commands) in commands.enumerated() {
            let now = Self.start + .seconds(index)
            let situation = Situation(desired: .spec(spec), commands: commands)
            let decision = Decision(of: rollout, in: situation, at: now) { rollout, situation, now in
                var outcome = rollout.handle(situation, at: now)
                if let message, !outcome.answers.isEmpty { outcome.answers[0].message = message }
                return outcome
            }
            let recording = try recorder.record(decision)
            recorder.keep(recording)
            if let spec = recording.spec { lines += DecisionLine.bytes(ofSpec: spec.bytes, digest: spec.digest) }
            lines += DecisionLine.bytes(ofDecision: recording.bytes, sum: recording.sum)
            rollout = decision.after
        }
        return (first, lines)
    }

    /// Serves two deployments' decisions, and exports them into the file.
    func export() async throws {
        let chapters = [
            try Self.chapter(Self.id, from: 1),
            try Self.chapter(DeploymentID(namespace: "default", name: "b"), from: 4),
        ]
        self.fixture.chapters.withLock { $0 = chapters }
        try await self.fixture.serving {
            let run = await self.fixture.run("history", "--export", self.file)
            #expect(run.status == 0, "\(run)")
            #expect(run.remarks == "6 decisions exported to \(self.file)\n")
        }
    }

    func text() throws -> String { try String(contentsOfFile: self.file, encoding: .utf8) }

    func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: self.file)) }

    @Test
    func `what was exported comes out again, without a daemon`() async throws {
        try await self.export()
        #expect(!FileManager.default.fileExists(atPath: self.file + ".partial"))
        let run = await self.fixture.run("replay", self.file)
        #expect(run.status == 0, "\(run)")
        #expect(
            run.output == """
                search/file-type  3 decisions from 2023-11-14T22:13:20.000Z to 2023-11-14T22:13:22.000Z
                    then preparing; canary magika 3.3 (main@sha1:1eabc9a4)
                default/b  3 decisions from 2023-11-14T22:13:20.000Z to 2023-11-14T22:13:22.000Z
                    then preparing; canary magika 3.3 (main@sha1:1eabc9a4)
                ✔ all 6 decisions come out as recorded

                """
        )
        let json = await self.fixture.run("replay", self.file, "search/file-type", "--output", "json")
        let report = try APICoding.decoder().decode(ReplayReport.self, from: Data(json.output.utf8))
        #expect(report.agrees)
        #expect(report.decisions == 3)
        #expect(report.recordedBy == [CoreVersion.current])
        #expect(report.deployments.map(\.name) == ["search/file-type"])
    }

    @Test
    func `a step is a decision with what changed`() async throws {
        try await self.export()
        let run = await self.fixture.run(
            "replay",
            self.file,
            "search/file-type",
            "--step",
            "--until",
            "2023-11-14T22:13:21Z"
        )
        #expect(run.status == 0)
        #expect(run.output.contains("#1  2023-11-14T22:13:20.000Z  search/file-type  pending → preparing\n"))
        #expect(run.output.contains("    rollout-started: rollout of magika 3.3 (main@sha1:1eabc9a4)\n"))
        #expect(run.output.contains("    alice said pause (lunch): paused: no new rollout"))
        #expect(!run.output.contains("#3"))
        #expect(run.output.hasSuffix("all 2 decisions come out as recorded\n"))
        let json = await self.fixture.run("replay", self.file, "--step", "--output", "json")
        let lines = json.output.split(separator: "\n").map { Data($0.utf8) }
        #expect(lines.count == 7)
        #expect(try APICoding.decoder().decode(ReplayReport.Step.self, from: lines[1]).number == 2)
        #expect(try APICoding.decoder().decode(ReplayReport.self, from: lines[6]).decisions == 6)
    }

    /// The decisions that were shown, in order, and how it ended.
    private func step(_ typed: String..., terminal: Terminal? = Terminal(columns: 80, rows: 24)) async
        -> (numbers: [String], run: Run)
    {
        let run = await self.fixture.run(["replay", self.file, "--step"], terminal: terminal, typed: typed)
        let lines = run.output.split(separator: "\n").filter { $0.hasPrefix("#") }
        return (lines.map { String($0.prefix { $0 != " " }) }, run)
    }

    @Test
    func `on a terminal the decisions come one by one, forwards, backwards and by number`() async throws {
        try await self.export()
        let (all, end) = await self.step("", "", "", "", "", "")
        #expect(all == ["#1", "#2", "#3", "#4", "#5", "#6"])
        #expect(end.status == 0)
        #expect(end.output.hasSuffix("all 6 decisions come out as recorded\n"))

        let (some, left) = await self.step("p", "", "p", "5", "#2", "", "9", "x", "q")
        #expect(some == ["#1", "#2", "#1", "#5", "#2", "#3"])
        #expect(left.status == 0)
        for told in ["this is the first one", "no decision #9 among these", "`x` is none of these", "left after 6"] {
            #expect(left.remarks.contains(told), "\(told)")
        }
        // The terminal is closed.
        #expect(await self.step("").numbers == ["#1", "#2"])
        // In a pipe nobody is asked.
        let (piped, run) = await self.step("q", terminal: nil)
        #expect(piped.count == 6)
        #expect(!run.remarks.contains("q quit"))
    }

    @Test
    func `who steps onto a changed decision and leaves is told of it all the same`() async throws {
        try await self.export()
        let whole = try self.text()
        try self.write(whole.replacing("\"why\":\"lunch\"", with: "\"why\":\"munch\"", maxReplacements: 1))
        let (numbers, run) = await self.step("", "q")
        #expect(numbers == ["#1", "#2"])
        #expect(run.status == 1)
        #expect(run.output.contains("✖ decision 2 of search/file-type"))
    }

    @Test
    func `a changed decision ends with 1 and says which, where, and that it was changed`() async throws {
        try await self.export()
        let whole = try self.text()
        try self.write(whole.replacing("\"why\":\"lunch\"", with: "\"why\":\"munch\"", maxReplacements: 1))
        let run = await self.fixture.run("replay", self.file)
        #expect(run.status == 1)
        #expect(
            run.output.contains("✖ decision 2 of search/file-type at 2023-11-14T22:13:21.000Z was changed after it was")
        )
        #expect(run.output.contains("recorded: "))
        #expect(run.output.contains("again:    "))
        let json = await self.fixture.run("replay", self.file, "-o", "json")
        #expect(json.status == 1)
        let report = try APICoding.decoder().decode(ReplayReport.self, from: Data(json.output.utf8))
        #expect(report.difference?.number == 2)
        #expect(report.difference?.isAltered == true)
        // So is a manifest.
        try self.write(whole.replacing("\"serve\"", with: "\"serf\"", maxReplacements: 1))
        let manifest = await self.fixture.run("replay", self.file)
        #expect(manifest.status == 1)
        #expect(manifest.remarks.contains("night.jsonl:3: the manifest"))
    }

    @Test
    func `another core's decision ends with 1 and names the field`() async throws {
        let chapters = [try Self.chapter(Self.id, from: 1, renaming: "another")]
        self.fixture.chapters.withLock { $0 = chapters }
        try await self.fixture.serving { _ = await self.fixture.run("history", "--export", self.file) }
        let run = await self.fixture.run("replay", self.file)
        #expect(run.status == 1)
        #expect(
            run.output.contains(
                "✖ decision 2 of search/file-type at 2023-11-14T22:13:21.000Z comes out otherwise, first at answers[0].message"
            )
        )
        #expect(run.output.contains("    recorded: \"another\"\n"))
        #expect(run.output.contains("The same core decided otherwise on the same input: please report this"))
    }

    @Test
    func `a file that cannot be read ends with 2, and names line and fix`() async throws {
        try await self.export()
        let whole = try self.text()
        for (text, message) in [
            (String(whole.dropLast(20)), "\(self.file):12: it is not JSON that this program wrote"),
            (whole.split(separator: "\n").dropLast().joined(separator: "\n"), ":11: the export is cut off here"),
            ("", "the export is cut off here"), ("nonsense", ":1: it is not JSON"),
        ] {
            try self.write(text)
            let run = await self.fixture.run("replay", self.file)
            #expect(run.status == 2)
            #expect(run.remarks.contains(message), "\(run.remarks)")
        }
        let missing = await self.fixture.run("replay", "/nonexistent/night.jsonl")
        #expect(missing.status == 2)
        try self.write(whole)
        let nobody = await self.fixture.run("replay", self.file, "other")
        #expect(nobody.status == 2)
        #expect(nobody.remarks.contains("no decision of default/other"))
    }

    @Test
    func `an export goes to stdout, but not to a terminal`() async throws {
        let chapters = [try Self.chapter(Self.id, from: 1)]
        self.fixture.chapters.withLock { $0 = chapters }
        try await self.fixture.serving {
            let pipe = await self.fixture.run("history", "search/file-type", "--export", "-")
            #expect(pipe.status == 0)
            #expect(pipe.output.split(separator: "\n").count == 7)
            let terminal = await self.fixture.run(
                "history",
                "--export",
                "-",
                terminal: Terminal(columns: 80, rows: 24)
            )
            #expect(terminal.status == 2)
            #expect(terminal.output.isEmpty)
            self.fixture.chapters.withLock { $0 = [] }
            let none = await self.fixture.run("history", "--export", self.file)
            #expect(none.status == 1)
        }
    }

    @Test(arguments: [
        ["history"], ["history", "x", "--journal", "j"], ["history", "--export", "/nonexistent/f", "--journal", "j"],
        ["replay"], ["replay", "f", "--until", "yesterday"], ["replay", "f", "--step", "-o", "yaml"],
    ])
    func `a wrong command line ends with 2`(arguments: [String]) async {
        let run = await self.fixture.run(arguments)
        #expect(run.status == 2, "\(run)")
    }
}
