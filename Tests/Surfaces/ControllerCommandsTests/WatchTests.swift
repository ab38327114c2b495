import ControllerAPI
import ControllerCommands
import Foundation
import SampleStatuses
import Synchronization
import Testing

@Suite("status --watch")
struct WatchTests {
    let fixture: CommandFixture

    init() throws {
        self.fixture = try CommandFixture()
    }

    @Test
    func `in a pipe there is a line for each change, also over a restart of the daemon`() async throws {
        let fixture = self.fixture
        let sleep = CommandFixture.script([
            {},
            { try await fixture.stopDaemon() },
            {},
            {
                fixture.fleet.withLock { $0.deployments[0] = Statuses.rolledBack }
                try await fixture.startDaemon()
            },
        ])
        try await fixture.serving {
            let run = await fixture.run("status", "search/file-type", "--watch", sleep: sleep)
            let lines = run.output.split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines.first?.contains("stepping") == true)
            #expect(lines.last?.contains("rolled back to magika 3.3") == true)
            #expect(
                run.remarks
                    == "trying again: no controller listens on \(fixture.socket): start it with "
                    + "`controller run`, or name its socket with --socket or CONTROLLER_SOCKET\n"
                    + "the controller answers again\n"
            )
        }
    }

    @Test
    func `programs get one JSON document a line`() async throws {
        let fixture = self.fixture
        let sleep = CommandFixture.script([{ fixture.fleet.withLock { $0.deployments[0] = Statuses.settled } }])
        try await fixture.serving {
            let run = await fixture.run("status", "search/file-type", "--watch", "--output", "json", sleep: sleep)
            let statuses = try run.output.split(separator: "\n").map {
                try APICoding.decoder().decode(DeploymentStatus.self, from: Data($0.utf8))
            }
            #expect(statuses == [Statuses.midCanary, Statuses.settled])
        }
    }

    @Test
    func `on a terminal frames are drawn over each other and the cursor comes back`() async throws {
        let fixture = self.fixture
        let sleep = CommandFixture.script([
            { try await fixture.stopDaemon() },
            { try await fixture.startDaemon() },
        ])
        try await fixture.serving {
            let run = await fixture.run(
                "status",
                "search/file-type",
                "--watch",
                environment: ["TERM": "xterm"],
                terminal: Terminal(columns: 60, rows: 12),
                sleep: sleep
            )
            #expect(run.output.hasPrefix("\u{1b}[?25l\u{1b}[2J\u{1b}[H"))
            #expect(run.output.hasSuffix("\u{1b}[J\u{1b}[?25h"))
            let frames = run.output.components(separatedBy: "\u{1b}[H").dropFirst()
            #expect(frames.count == 3)
            for frame in frames {
                let lines = frame.components(separatedBy: "\n").dropLast()
                #expect(lines.count == 11)
                #expect(lines.last?.contains("more lines") == true)
                for line in lines {
                    #expect(line.replacing(/\u{1b}\[[0-9;?]*[A-Za-z]/, with: "").count <= 60)
                    #expect(line.hasSuffix("\u{1b}[K"))
                }
            }
            #expect(frames.map { $0.contains("trying again") } == [false, true, false])
        }
    }

    @Test
    func `a wrong name is said at once`() async throws {
        try await self.fixture.serving {
            let run = await self.fixture.run("status", "file-type", "--watch")
            #expect(run.status == 1)
            #expect(run.remarks.contains("did you mean search/file-type?"))
        }
    }
}
