import Foundation
import Planning
import Reconciliation
import Simulation
import Testing

/// What a run of very many worlds owes to whoever waits for it.
@Suite
struct LongRunTests {
    @Test
    func `the same worlds have the same digest, in whatever order they were run`() async {
        let whole = await Simulator.run(seeds: 1..<7)
        var parts = await Simulator.run(seeds: 4..<7)
        parts += await Simulator.run(seeds: 1..<4)
        #expect(whole.digest == parts.digest)
        #expect(parts.worlds == 6)
        #expect(whole.digest != parts.digest &+ 1)
        #expect(await Simulator.run(seeds: 2..<8).digest != whole.digest)
    }

    /// One replica that is started a tick later, in a world that ends as before.
    @Test
    func `a controller that decides differently has another digest`() async {
        let functions = DecisionFunctions(plan: { planner, _ in
            var plan = planner.plan()
            if plan.effects.count > 1 { plan.effects.removeLast() }
            return plan
        })
        var usual = World(scenario: .hostile(seed: 1), seed: 1)
        var changed = World(scenario: .hostile(seed: 1), seed: 1, functions: functions)
        _ = (await usual.run(), await changed.run())
        #expect(usual.digest != changed.digest)
    }

    @Test
    func `a terminal is told every second how far it is, and a log every minute`() {
        var terminal = Progress(of: 1_000_000, isTerminal: true)
        var log = Progress(of: 1_000_000, isTerminal: false)
        #expect(terminal.text(after: 500, broken: 0, elapsed: .milliseconds(900)) == nil)
        #expect(
            terminal.text(after: 1000, broken: 0, elapsed: .seconds(2))
                == "1000 of 1000000 worlds, 500/s, 33 min 18 s left, broken: 0"
        )
        #expect(terminal.text(after: 1100, broken: 0, elapsed: .milliseconds(2900)) == nil)
        #expect(log.text(after: 1000, broken: 0, elapsed: .seconds(59)) == nil)
        let line = log.text(after: 6000, broken: 2, elapsed: .seconds(60))
        #expect(line == "6000 of 1000000 worlds, 100/s, 2 h 45 min left, broken: 2")
        #expect(log.text(after: 7000, broken: 2, elapsed: .seconds(61)) == nil)
        #expect(log.text(after: 12_000, broken: 2, elapsed: .seconds(121)) != nil)
    }

    @Test
    func `the time left has no more parts than matter, and none when nothing is left`() {
        func left(_ total: UInt64, _ count: UInt64) -> String? {
            var progress = Progress(of: total, isTerminal: true)
            return progress.text(after: count, broken: 0, elapsed: .seconds(10))
        }
        #expect(left(150, 100) == "100 of 150 worlds, 10/s, 5 s left, broken: 0")
        #expect(left(100_000, 100) == "100 of 100000 worlds, 10/s, 2 h 46 min left, broken: 0")
        #expect(left(100, 100) == "100 of 100 worlds, 10/s, 0 s left, broken: 0")
        #expect(left(.max, 1) == "1 of 18446744073709551615 worlds, 0/s, 277777 h 46 min left, broken: 0")
    }

    @Test
    func `Ctrl-C ends a long run with a summary of what was run`() throws {
        let (output, errors) = (Pipe(), Pipe())
        let process = Process()
        process.executableURL = try Self.simulate()
        process.arguments = ["--runs", "1000000", "--seed", "1"]
        (process.standardOutput, process.standardError) = (output, errors)
        try process.run()
        // From its first words on it listens.
        #expect(String(decoding: errors.fileHandleForReading.availableData, as: UTF8.self).contains("Ctrl-C"))
        process.interrupt()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 130)
        #expect(text.contains(" of 1000000 worlds in "))
        #expect(text.contains("broken: 0"))
        #expect(text.contains("all decisions: "))
    }

    /// The program, which lies beside the tests' own.
    private static func simulate() throws -> URL {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let programs = ([own] + CommandLine.arguments).map {
            URL(filePath: $0).deletingLastPathComponent().appending(path: "simulate")
        }
        return try #require(
            programs.first { FileManager.default.isExecutableFile(atPath: $0.path) },
            "no simulator beside \(programs): run `swift build --build-tests`"
        )
    }
}
