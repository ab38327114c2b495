import ControllerAPI
import ControllerCommands
import Foundation
import Synchronization
import Testing

@Suite("controller calibrate")
struct CalibrateCommandTests {
    let fixture: CommandFixture
    var file: String { self.fixture.folder.appending(path: "night.csv").path }
    var plot: String { self.fixture.folder.appending(path: "plot.svg").path }

    init() throws {
        self.fixture = try CommandFixture()
    }

    /// Half an hour at 200 requests/s, of which one in 500 fails.
    func write(_ line: (Int) -> String = { "2000,\(3 + $0 % 3)" }, count: Int = 180) throws {
        let lines = ["requests,bad"] + (0..<count).map(line)
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: self.file))
    }

    func report(_ arguments: String...) async throws -> CalibrationReport {
        let run = await self.fixture.run(
            ["calibrate", "--traffic", self.file, "--runs", "60", "--output", "json"] + arguments
        )
        try #require(run.status == 0, "\(run.remarks)")
        return try APICoding.decoder().decode(CalibrationReport.self, from: Data(run.output.utf8))
    }

    @Test
    func `an identical model stays, and the worse a canary is the sooner it is found`() async throws {
        try self.write()
        let report = try await self.report()
        let identical = try #require(report.canaries.first)
        #expect(identical.factor == 1)
        // At most 1 percent is promised; 3 of 60 would be far more.
        #expect(identical.rolledBack < 3)
        let medians = report.canaries.filter { $0.factor >= 3 }.map(\.medianSeconds)
        #expect(medians.allSatisfy { $0 != nil })
        #expect(medians.compactMap(\.self) == medians.compactMap(\.self).sorted(by: >))
        #expect(report.requestsPerSecond == 200)
        #expect(report.burst == 1)
    }

    @Test
    func `the same seed finds the same`() async throws {
        try self.write()
        #expect(try await self.report("--seed", "4") == (try await self.report("--seed", "4")))
    }

    @Test(arguments: [["--max-ratio", "3"], ["--max-difference", "0.3%"], ["--lag-robust"]])
    func `what a ratio gate allows, and counters that are not read in one instant, make it find later`(
        options: [String]
    ) async throws {
        try self.write()
        let arguments = ["calibrate", "--traffic", self.file, "--runs", "60", "--output", "json"]
        let run = await self.fixture.run(arguments + options)
        try #require(run.status == 0, "\(run.remarks)")
        let tolerant = try APICoding.decoder().decode(CalibrationReport.self, from: Data(run.output.utf8))
        let usual = try await self.report()
        let pairs = zip(usual.canaries, tolerant.canaries).filter { (2...5).contains($0.0.factor) }
        #expect(pairs.allSatisfy { $0.medianSeconds ?? .infinity <= $1.medianSeconds ?? .infinity })
        #expect(pairs.contains { $0.medianSeconds ?? .infinity < $1.medianSeconds ?? .infinity })
    }

    @Test(arguments: [["--max-ratio", "3"], ["--max-difference", "1%"], ["--lag-robust"]])
    func `what is a ratio gate's is refused for built-in gates, which have no such limits`(options: [String]) async {
        let run = await self.fixture.run(["calibrate", "search/file-type"] + options)
        #expect(run.status == 2)
        #expect(run.remarks.contains("are a ratio gate's: give what its counters grew by with --traffic"))
    }

    @Test
    func `more gates share the budget, so that each finds later`() async throws {
        try self.write()
        let one = try await self.report("--gates", "1").canaries.filter { $0.factor >= 5 }
        let many = try await self.report("--gates", "50").canaries.filter { $0.factor >= 5 }
        #expect(zip(one, many).allSatisfy { $0.medianSeconds ?? .infinity <= $1.medianSeconds ?? .infinity })
        #expect(one != many)
    }

    @Test
    func `failures in bursts weigh less and are said`() async throws {
        try self.write { "2000,\($0 % 8 == 0 ? 32 : 0)" }
        let report = try await self.report()
        #expect(report.burst > 2)
        #expect(report.canaries[0].rolledBack < 3)
        let run = await self.fixture.run("calibrate", "--traffic", self.file, "--runs", "10")
        #expect(run.output.contains("failures come in bursts: evidence weighs"))
    }

    @Test
    func `people get a table and a conclusion`() async throws {
        try self.write()
        let run = await self.fixture.run("calibrate", "--traffic", self.file, "--runs", "60")
        #expect(run.output.contains("is identical"))
        #expect(
            run.output.contains("Within 30m, 9 of 10 rollouts find a canary with 3 times as many errors as stable.")
        )
    }

    @Test
    func `the plot is one SVG file without anything from elsewhere`() async throws {
        try self.write()
        _ = try await self.report("--plot", self.plot)
        let svg = try String(contentsOfFile: self.plot, encoding: .utf8)
        #expect(svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\""))
        #expect(svg.contains("<title id=\"t\">Time until a regression is found</title>"))
        #expect(!svg.replacing("http://www.w3.org/2000/svg", with: "").contains("http"))
        _ = try XMLParsing.elements(of: svg)
        let nowhere = await self.fixture.run(
            "calibrate",
            "--traffic",
            self.file,
            "--runs",
            "10",
            "--plot",
            "/nowhere/plot.svg"
        )
        #expect(nowhere.status == 2)
        #expect(nowhere.remarks.contains("/nowhere/plot.svg cannot be written"))
    }

    @Test
    func `the name of a file is text in the plot, not markup`() async throws {
        let path = self.fixture.folder.appending(path: "a<script>&b.csv").path
        try self.write()
        try FileManager.default.copyItem(atPath: self.file, toPath: path)
        let run = await self.fixture.run("calibrate", "--traffic", path, "--runs", "10", "--plot", self.plot)
        #expect(run.status == 0)
        let svg = try String(contentsOfFile: self.plot, encoding: .utf8)
        #expect(!svg.contains("<script>"))
        #expect(svg.contains("a&lt;script&gt;&amp;b.csv"))
    }

    @Test
    func `a wrong line is named, and so are swapped columns`() async throws {
        try self.write { $0 == 3 ? "many,1" : "2000,4" }
        let wrong = await self.fixture.run("calibrate", "--traffic", self.file)
        #expect(wrong.status == 2)
        #expect(wrong.remarks.contains("night.csv:5: a line is `requests,bad`"))
        try Data("2000;4\n2000,4\n".utf8).write(to: URL(filePath: self.file))
        let first = await self.fixture.run("calibrate", "--traffic", self.file)
        #expect(first.status == 2, "a first line that is no header is not skipped")
        #expect(first.remarks.contains("night.csv:1: a line is `requests,bad`"))
        try self.write { _ in "4,2000" }
        let swapped = await self.fixture.run("calibrate", "--traffic", self.file)
        #expect(swapped.remarks.contains("night.csv:2: 2000 bad of 4 requests: requests come first"))
        try self.write({ _ in "0,0" }, count: 40)
        let empty = await self.fixture.run("calibrate", "--traffic", self.file)
        #expect(empty.status == 1)
        #expect(empty.remarks.contains("holds no requests"))
    }

    @Test(arguments: [["--weight", "0%"], ["--step", "1s"], ["--gates", "0"], ["--runs", "1"], ["--steps", "0"]])
    func `flags out of range are refused`(flag: [String]) async throws {
        try self.write()
        let run = await self.fixture.run(["calibrate", "--traffic", self.file] + flag)
        #expect(run.status == 2)
        #expect(run.remarks.contains(flag[0]))
    }

    @Test
    func `a name or a file, not both and not neither`() async throws {
        #expect(await self.fixture.run("calibrate").status == 2)
        #expect(await self.fixture.run("calibrate", "search/file-type", "--traffic", self.file).status == 2)
    }

    @Test
    func `a running controller gives what it counted, and says when that is nothing yet`() async throws {
        try await self.fixture.serving {
            let none = await self.fixture.run("calibrate", "search/file-type", "--runs", "10")
            #expect(none.status == 1)
            #expect(none.remarks.contains("has had the traffic for itself"))
            self.fixture.traffic.withLock {
                $0 = TrafficStatus(
                    deployment: "search/file-type",
                    revision: "5f2c81aa90",
                    pieceSeconds: 10,
                    errors: (0..<180).map { .init(requests: 2000, bad: Int64(3 + $0 % 3)) }
                )
            }
            let run = await self.fixture.run("calibrate", "search/file-type", "--runs", "10")
            #expect(run.status == 0, "\(run.remarks)")
            #expect(run.output.contains("search/file-type  200 requests/s"))
        }
    }

    @Test
    func `each built-in gate is calibrated on what it calls bad`() async throws {
        try await self.fixture.serving {
            let (name, runs) = ("search/file-type", ["--runs", "10"])
            let pieces = { (bad: Int64) in (0..<180).map { _ in TrafficStatus.Piece(requests: 2000, bad: bad) } }
            self.fixture.traffic.withLock {
                $0 = TrafficStatus(
                    deployment: "search/file-type",
                    revision: "5f2c81aa90",
                    pieceSeconds: 10,
                    errors: pieces(2),
                    clientErrors: pieces(40)
                )
            }
            let refused = await self.fixture.run(["calibrate", name, "--gate", "client-errors"] + runs)
            #expect(refused.output.contains("2 % of 360000 refused (4xx)"), "\(refused.output)\(refused.remarks)")
            #expect(refused.output.contains("twice as many 4xx"))
            let unbounded = await self.fixture.run(["calibrate", name, "--gate", "latency"] + runs)
            #expect(unbounded.status == 1)
            #expect(unbounded.remarks.contains("search/file-type has no bound above which an answer is slow: add"))

            self.fixture.traffic.withLock {
                $0?.latency = TrafficStatus.Latency(boundMilliseconds: 250, pieces: pieces(20))
            }
            let slow = await self.fixture.run(["calibrate", name, "--gate", "latency", "--plot", self.plot] + runs)
            #expect(slow.output.contains("1 % of 360000 slower than 250 ms"), "\(slow.output)\(slow.remarks)")
            #expect(slow.output.contains("slow answers do not come in bursts"))
            // Not there is as wrong as any other text.
            let svg = try? String(contentsOfFile: self.plot, encoding: .utf8)
            #expect(svg?.contains(">slow answers, as a multiple") == true)
            let unknown = await self.fixture.run(["calibrate", name, "--gate", "drift"] + runs)
            #expect(unknown.status == 2)
        }
    }
}

/// Whether a text is well-formed, and what elements it has.
private enum XMLParsing {
    struct Malformed: Error { var text: String }

    /// Tags opened and closed in their order: enough for what is written without CDATA or comments.
    static func elements(of text: String) throws -> [String] {
        var open: [String] = []
        var elements: [String] = []
        for match in text.matches(of: /<(\/?)([a-z]+)([^<>]*?)(\/?)>/) {
            let name = String(match.2)
            if !match.1.isEmpty {
                guard open.popLast() == name else { throw Malformed(text: name) }
            } else {
                elements.append(name)
                if match.4.isEmpty { open.append(name) }
            }
        }
        guard open.isEmpty else { throw Malformed(text: open.joined(separator: " ")) }
        return elements
    }
}
