import ControllerAPI
import ControllerCommands
import ControllerWords
import Foundation
import SampleStatuses
import Synchronization
import Testing

@Suite("top and get --watch")
struct FleetWatchTests {
    let fixture: CommandFixture

    init() throws { self.fixture = try CommandFixture() }

    @Test(arguments: [["top"], ["get", "--watch"]])
    func `in a pipe there is a line for each change, also over a restart of the daemon`(command: [String]) async throws
    {
        let fixture = self.fixture
        fixture.fleet.withLock { $0.deployments = [Statuses.midCanary, Statuses.embedder] }
        let sleep = CommandFixture.script([
            {},
            { try await fixture.stopDaemon() },
            {},
            {
                fixture.fleet.withLock { $0.deployments = [Statuses.rolledBack] }
                try await fixture.startDaemon()
            },
        ])
        try await fixture.serving {
            let run = await fixture.run(command, sleep: sleep)
            let lines = run.output.split(separator: "\n")
            #expect(lines.count == 3, "\(lines)")
            #expect(lines[0].contains("search/embedder") && lines[1].contains("stepping"), "\(lines)")
            #expect(lines[2].contains("rolled back to magika 3.3"))
            #expect(run.remarks.hasPrefix("trying again: no controller listens on \(fixture.socket)"))
            #expect(run.remarks.hasSuffix("the controller answers again\nsearch/embedder is gone\n"), "\(run.remarks)")
        }
    }

    @Test
    func `on a terminal what moves comes first, cut to its size, and the cursor comes back`() async throws {
        let fixture = self.fixture
        fixture.fleet.withLock { $0.deployments = [Statuses.embedder, Statuses.midCanary] }
        let sleep = CommandFixture.script([
            { try await fixture.stopDaemon() },
            { try await fixture.startDaemon() },
        ])
        try await fixture.serving {
            let run = await fixture.run(
                ["top"],
                environment: ["TERM": "xterm", "NO_COLOR": "1"],
                terminal: Terminal(columns: 70, rows: 5),
                sleep: sleep
            )
            #expect(run.output.hasPrefix("\u{1b}[?25l\u{1b}[2J\u{1b}[H2 deployments, 1 moving"), "\(run.output)")
            #expect(run.output.hasSuffix("\u{1b}[J\u{1b}[?25h"))
            let frames = run.output.components(separatedBy: "\u{1b}[H").dropFirst()
            #expect(frames.count == 3)
            #expect(frames.map { $0.contains("trying again") } == [false, true, false])
            for frame in frames {
                let lines = frame.replacing(/\u{1b}\[[0-9;?]*[A-Za-z]/, with: "").split(separator: "\n")
                #expect(lines.allSatisfy { $0.count <= 70 })
                #expect(lines.count <= 4)
            }
            let first = try #require(frames.first)
            let moving = try #require(first.firstRange(of: "search/file-type"))
            let still = try #require(first.firstRange(of: "search/embedder"))
            #expect(moving.lowerBound < still.lowerBound)
        }
    }

    @Test
    func `programs get one JSON document a line, and only of the namespace`() async throws {
        let fixture = self.fixture
        fixture.fleet.withLock { $0.deployments = [Statuses.midCanary, Statuses.embedder] }
        try await fixture.serving {
            let run = await fixture.run("top", "--namespace", "nobody", "--output", "json")
            #expect(run.output.isEmpty)
            let all = await fixture.run("get", "--watch", "search/file-type", "--output", "json")
            let names = try all.output.split(separator: "\n").map {
                try APICoding.decoder().decode(DeploymentStatus.self, from: Data($0.utf8)).id
            }
            #expect(names == ["search/file-type"])
        }
    }
}

extension Statuses {
    fileprivate static var embedder: DeploymentStatus {
        var status = Self.settled
        status.name = "embedder"
        return status
    }
}
