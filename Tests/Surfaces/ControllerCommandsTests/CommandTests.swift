import ControllerAPI
import ControllerCommands
import Deployments
import Foundation
import SampleStatuses
import Synchronization
import Testing

@Suite("The command line against a real daemon's API")
struct CommandTests {
    let fixture: CommandFixture

    init() throws {
        self.fixture = try CommandFixture()
    }

    @Test
    func `get lists what the daemon serves`() async throws {
        try await self.fixture.serving {
            let all = await self.fixture.run("get")
            #expect(all.status == 0)
            #expect(all.output.contains("search/file-type  magika 3.3 → 3.4  stepping"))
            let json = await self.fixture.run("list", "search/file-type", "--output", "json")
            let decoded = try APICoding.decoder().decode(FleetStatus.self, from: Data(json.output.utf8))
            #expect(decoded == self.fixture.fleet.withLock { $0 })
            let other = await self.fixture.run("get", "--namespace", "other")
            #expect(other.status == 0)
            #expect(other.output.isEmpty)
            #expect(other.remarks == "no deployments in namespace other\n")
        }
    }

    @Test
    func `a misspelt name ends with 1 and what was meant`() async throws {
        try await self.fixture.serving {
            for command in ["get", "status", "explain", "history", "resume"] {
                let run = await self.fixture.run(command, "search/file-tyep")
                #expect(run.status == 1)
                #expect(run.output.isEmpty)
                #expect(run.remarks.contains("did you mean search/file-type?"), "\(command): \(run.remarks)")
            }
        }
    }

    @Test
    func `without a daemon every command ends with 3 and says how to start one`() async {
        for command in [
            "get", "status", "explain", "history", "pause", "resume", "promote", "abort", "rollback", "retry", "prune",
        ] {
            let run = await self.fixture.run(command, "search/file-type")
            #expect(await self.fixture.run("events").status == 3)
            #expect(run.status == 3, "\(command)")
            #expect(
                run.remarks
                    == "error: no controller listens on \(self.fixture.socket): start it with `controller run`, or "
                    + "name its socket with --socket or CONTROLLER_SOCKET\n"
            )
        }
        let named = await self.fixture.run("get", "--socket", "/nonexistent/s")
        #expect(named.remarks.contains("no controller listens on /nonexistent/s"))
    }

    @Test(arguments: [
        ["nonsense"], ["get", "--nonsense"], ["status"], ["status", "a/b/c"], ["status", "UPPER"],
        ["pause"], ["pause", "x", "--all"], ["pause", "-n", "search", "--all"], ["resume", "--selector", "team"],
        ["pause", "x", "--for", "0s"], ["pause", "x", "--for", "tomorrow"], ["rollback", "x", "--to", "5f"],
        ["rollback", "x", "--to", "; rm -rf"], ["history", "x", "--limit", "0"], ["get", "--output", "xml"],
        ["validate"], ["validate", "/nonexistent/models"],
    ])
    func `a wrong command line ends with 2`(arguments: [String]) async {
        let run = await self.fixture.run(arguments)
        #expect(run.status == 2, "\(run)")
        #expect(!run.remarks.isEmpty)
        #expect(run.output.isEmpty)
    }

    @Test
    func `operators' words arrive at the daemon`() async throws {
        try await self.fixture.serving {
            let lines: [[String]] = [
                ["pause", "search/file-type", "--for", "1h30m", "--why", "looking at latency"],
                ["resume", "search/file-type"],
                ["promote", "search/file-type", "--full", "--force", "--why", "reviewed"],
                ["abort", "search/file-type"],
                ["rollback", "search/file-type", "--to", "5f2c"],
                ["undo", "search/file-type", "--why", "wrong labels"],
                ["retry", "search/file-type"],
                ["prune", "search/file-type", "--why", "replaced"],
            ]
            for line in lines {
                let run = await self.fixture.run(line)
                #expect(run.status == 0)
                #expect(run.output == "done\n")
            }
            let received = self.fixture.commands.withLock { $0 }.map { request in
                var request = request
                request.by = ""
                return request
            }
            #expect(
                received == [
                    OperatorRequest(
                        verb: .pause,
                        why: "looking at latency",
                        until: Statuses.now.addingTimeInterval(5400)
                    ),
                    OperatorRequest(verb: .resume),
                    OperatorRequest(verb: .promote, why: "reviewed", full: true, force: true),
                    OperatorRequest(verb: .abort),
                    OperatorRequest(verb: .rollback, to: "5f2c"),
                    OperatorRequest(verb: .rollback, why: "wrong labels"),
                    OperatorRequest(verb: .retry),
                    OperatorRequest(verb: .prune, why: "replaced"),
                ]
            )
        }
    }

    @Test
    func `a pause without a reason is done, and a reason is asked for`() async throws {
        try await self.fixture.serving {
            let silent = await self.fixture.run("pause", "search/file-type")
            #expect(silent.status == 0)
            #expect(silent.remarks.contains("--why"))
            let told = await self.fixture.run("pause", "search/file-type", "--why", "incident 4711")
            #expect(told.remarks.isEmpty)
        }
    }

    @Test
    func `a refused command ends with 1 and the daemon's reason`() async throws {
        try await self.fixture.serving {
            self.fixture.answer.withLock {
                $0 = OperatorAnswer(
                    accepted: false,
                    changed: false,
                    message: "gate errors has failed; --force passes it"
                )
            }
            let run = await self.fixture.run("promote", "search/file-type")
            #expect(run.status == 1)
            #expect(run.output.isEmpty)
            #expect(run.remarks == "error: gate errors has failed; --force passes it\n")
        }
    }

    @Test
    func `status and history print for people and for programs`() async throws {
        try await self.fixture.serving {
            let tree = await self.fixture.run("status", "search/file-type")
            #expect(
                tree.output
                    == StatusTree.lines(Statuses.midCanary, now: Statuses.now, width: nil).rendered(colour: false)
            )
            let json = await self.fixture.run("status", "search/file-type", "-o", "json")
            let decoded = try APICoding.decoder().decode(DeploymentStatus.self, from: Data(json.output.utf8))
            #expect(decoded == Statuses.midCanary)
            let history = await self.fixture.run("history", "search/file-type", "--limit", "1")
            #expect(history.output.contains("step 2 of 4"))
            #expect(!history.output.contains("step 1 of 4"))
            let explained = await self.fixture.run("explain", "search/file-type")
            #expect(explained.output.contains("What you can do"))
        }
    }

    @Test
    func `colour comes only on a terminal that wants it`() async throws {
        try await self.fixture.serving {
            let terminal = Terminal(columns: 200, rows: 50)
            let wanted = await self.fixture.run("get", environment: ["TERM": "xterm"], terminal: terminal)
            #expect(wanted.output.contains("\u{1b}["))
            for environment in [["TERM": "xterm", "NO_COLOR": "1"], ["TERM": "dumb"], [:]] {
                let run = await self.fixture.run("get", environment: environment, terminal: terminal)
                #expect(!run.output.contains("\u{1b}["), "\(environment)")
            }
            let pipe = await self.fixture.run("get", environment: ["TERM": "xterm"])
            #expect(!pipe.output.contains("\u{1b}["))
        }
    }
}
