import Foundation
import Glibc
import Testing

/// wrk, as the users: about `rate` requests a second, each answer written down.
final class Load {
    struct Answer {
        /// Unix seconds of its end.
        var time: Double
        var status: Int
        /// What `x-controller-revision` says.
        var revision: String
    }

    struct Report {
        var answers: [Answer]
        var failed: Int
        /// Connect, read, write and timeout errors together.
        var socketErrors: Int
        var seconds: Double
        var rate: Double { Double(self.answers.count) / self.seconds }
    }

    private let process: Process
    private let records: String
    private let output: String
    private let began = Date()
    /// How much of the records was handed out, in bytes.
    private var handedOut: UInt64 = 0

    /// Begins, and waits for the first answers. It ends by itself after `seconds`.
    init(rate: Int = 260, seconds: Int = 600, on sandbox: Sandbox) async throws {
        let name = "\(sandbox.folder)/load-\(UUID().uuidString.prefix(8))"
        (self.records, self.output) = ("\(name).txt", "\(name).out")
        // Long pauses on many connections: what an answer takes hardly changes the rate.
        let pause = 250
        self.process = try sandbox.start(
            try Machine.program("wrk"),
            [
                "-t1", "-c\(rate * pause / 1000)", "-d\(seconds)s", "--timeout", "10s", "-s",
                "\(Machine.fixtures)/load.lua", sandbox.url, "--", self.records, "\(pause)",
            ],
            output: self.output
        )
        let records = self.records
        try await sandbox.until("the load begins") {
            // Not there yet is what this waits for.
            ((try? FileManager.default.attributesOfItem(atPath: records)[.size] as? Int) ?? 0) > 0
        }
    }

    /// The answers until now.
    func answers() throws -> [Answer] {
        Self.answers(in: try String(contentsOfFile: self.records, encoding: .utf8))
    }

    /// The answers since the last call.
    func newAnswers() throws -> [Answer] {
        let file = try FileHandle(forReadingFrom: URL(filePath: self.records))
        defer { try? file.close() }  // it was only read
        try file.seek(toOffset: self.handedOut)
        let data = try file.readToEnd() ?? Data()
        // The last line may be in the making.
        guard let end = data.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        let whole = data[...end]
        self.handedOut += UInt64(whole.count)
        return Self.answers(in: String(decoding: whole, as: UTF8.self))
    }

    private static func answers(in text: String) -> [Answer] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            // The last line may be in the making.
            guard fields.count == 3, let time = Double(fields[0]), let status = Int(fields[1]) else { return nil }
            return Answer(time: time, status: status, revision: String(fields[2]))
        }
    }

    /// Ends the load, of which no request may have failed.
    @discardableResult
    func endUnharmed(sourceLocation: SourceLocation = #_sourceLocation) async throws -> Report {
        let report = try await self.end()
        #expect(report.failed == 0, sourceLocation: sourceLocation)
        #expect(report.socketErrors == 0, sourceLocation: sourceLocation)
        return report
    }

    func end() async throws -> Report {
        kill(self.process.processIdentifier, SIGINT)
        let seconds = -self.began.timeIntervalSinceNow
        let deadline = ContinuousClock.now + .seconds(30)
        while self.process.isRunning, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
        let text = try String(contentsOfFile: self.output, encoding: .utf8)
        let match = try #require(
            text.firstMatch(
                of: /summary .*connect=(\d+) read=(\d+) write=(\d+) timeout=(\d+)/
            ),
            "wrk did not end: \(text)"
        )
        let numbers = [match.1, match.2, match.3, match.4].compactMap { Int($0) }
        let answers = try self.answers()
        return Report(
            answers: answers,
            failed: answers.count { !(200..<300).contains($0.status) },
            socketErrors: numbers.reduce(0, +),
            seconds: seconds
        )
    }
}
