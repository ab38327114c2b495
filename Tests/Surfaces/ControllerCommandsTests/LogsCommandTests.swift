import ControllerAPI
import ControllerCommands
import Foundation
import Synchronization
import Testing

@Suite("controller logs")
struct LogsCommandTests {
    private let fixture: CommandFixture

    init() throws { self.fixture = try CommandFixture() }

    private func write(_ text: String, _ replica: String) {
        self.fixture.logs.withLock { $0[replica, default: ""] += text }
    }

    @Test
    func `what running replicas wrote is shown, or what the named one did`() async throws {
        self.write("loading\nready\n", "1eabc9a4d0-0")
        self.write("loading\nno end", "1eabc9a4d0-1")
        self.write("one\ntwo\nthree\n", "5f2c81aa90-0")
        self.fixture.goneReplicas.withLock { $0 = ["5f2c81aa90-0"] }
        try await self.fixture.serving {
            let running = await self.fixture.run("logs", "search/file-type")
            #expect(running.status == 0, "\(running)")
            #expect(
                running.output == """
                    1eabc9a4d0-0  loading
                    1eabc9a4d0-0  ready
                    1eabc9a4d0-1  loading
                    1eabc9a4d0-1  no end

                    """
            )
            let gone = await self.fixture.run("logs", "search/file-type", "--revision", "5f2c", "--tail", "2")
            #expect(gone.output == "two\nthree\n")
            let whole = String(repeating: "5f2c81aa90", count: 1) + String(repeating: "0", count: 54)
            #expect(await self.fixture.run("logs", "search/file-type", "--revision", whole).output.hasPrefix("one\n"))
            let named = await self.fixture.run("logs", "search/file-type", "--replica", "1eabc9a4d0-1", "--tail", "1")
            #expect(named.output == "no end\n")
            let list = await self.fixture.run("logs", "search/file-type", "--list")
            #expect(list.output.contains("5f2c81aa90-0  14"))
            #expect(list.output.split(separator: "\n").last?.hasSuffix("gone") == true, "\(list.output)")
            let unknown = await self.fixture.run("logs", "search/file-type", "--revision", "77")
            #expect(unknown.status == 1)
            #expect(unknown.remarks.contains("there are 1eabc9a4d0-0, 1eabc9a4d0-1, 5f2c81aa90-0"))
        }
    }

    @Test
    func `without running replicas the last one that ran is shown, and without any it is said`() async throws {
        try await self.fixture.serving {
            let none = await self.fixture.run("logs", "search/file-type")
            #expect(none.status == 1)
            #expect(none.remarks == "error: no replica of search/file-type has written anything that is kept\n")
            let stranger = await self.fixture.run("logs", "search/file-typ")
            #expect(stranger.status == 1)
            #expect(stranger.remarks.contains("file-type"), "\(stranger.remarks)")
            self.write("Traceback\n", "5f2c81aa90-0")
            self.fixture.goneReplicas.withLock { $0 = ["5f2c81aa90-0"] }
            #expect(await self.fixture.run("logs", "search/file-type").output == "Traceback\n")
            for wrong in [["--tail", "-1"], ["--output", "json"], ["--list", "--follow"]] {
                #expect(await self.fixture.run(["logs", "search/file-type"] + wrong).status == 2)
            }
        }
    }

    @Test
    func `following shows whole lines once, of new replicas too, and begins anew where a log was cut`() async throws {
        let fixture = self.fixture
        self.write("old\nhalf a ", "1eabc9a4d0-0")
        let sleep = CommandFixture.script([
            { fixture.logs.withLock { $0["1eabc9a4d0-0"]? += "x\nhalf" } },
            { try await fixture.stopDaemon() },
            {
                fixture.logs.withLock { $0["1eabc9a4d0-0"]? += " b\n" }
                try await fixture.startDaemon()
            },
            { fixture.logs.withLock { $0["1eabc9a4d0-1"] = "first\n" } },
            { fixture.logs.withLock { $0["1eabc9a4d0-0"] = "cut\n" } },
        ])
        try await fixture.serving {
            let run = await fixture.run(
                ["logs", "search/file-type", "--follow", "--tail", "1"],
                sleep: sleep
            )
            #expect(
                run.output == """
                    old
                    half a x
                    half b
                    1eabc9a4d0-1  first
                    1eabc9a4d0-0  cut

                    """
            )
            #expect(run.remarks.split(separator: "\n").count == 2, "\(run.remarks)")
        }
    }

    @Test
    func `nothing that a model server writes is obeyed by a terminal`() async throws {
        self.write("\u{1b}[31mred\u{1b}[0m\tx\u{1b}]0;title\u{7}\n 10%\r100%\n", "1eabc9a4d0-0")
        try await self.fixture.serving {
            let run = await self.fixture.run("logs", "search/file-type", terminal: Terminal(columns: 80, rows: 24))
            #expect(run.output == "red    x\\u{1B}]0;title\\u{7}\n100%\n", "\(run.output)")
        }
    }

    @Test(arguments: [("a", 0), ("ä", 0), ("", 0), ("a\u{20AC}", 0)])
    func `whole characters are finished`(text: String, count: Int) {
        #expect(LogPiece.unfinished(Array(text.utf8)) == count)
    }

    @Test
    func `the beginning of a character is left to who goes on`() {
        for text in ["\u{E4}", "\u{20AC}", "\u{1F600}"] {
            let bytes = Array(text.utf8)
            for length in 1..<bytes.count {
                #expect(LogPiece.unfinished(Array("x".utf8) + bytes[..<length]) == length)
            }
        }
        // What is no UTF-8 at all is not waited for.
        #expect(LogPiece.unfinished([0x80, 0x80, 0x80, 0x80]) == 0)
    }
}
