import Deployments
import Foundation
import Glibc
import LocalPlatform
import LoopbackServer
import Reconciliation
import Testing
import Transport

/// With the real Envoy: its life, the controller's ends, and load.
@Suite("Envoy supervision", .serialized, .timeLimit(.minutes(5)))
struct EnvoySupervisionTests {
    typealias Bench = EnvoyBench
    let bench: EnvoyBench

    init() throws {
        self.bench = try EnvoyBench()
    }

    @Test
    func `another controller takes Envoy over without a failed request`() async throws {
        let (one, two) = (try Bench.upstream("one"), try Bench.upstream("two"))
        let backends = [Bench.first: [Bench.backend(one)], Bench.second: [Bench.backend(two)]]
        let earlier = self.bench.router()
        try await self.bench.running(earlier) {
            try await self.bench.serve(self.bench.table(backends, [Bench.first: 60, Bench.second: 40]), with: earlier)
        }
        let pid = try Self.pid(in: self.bench)
        async let load = Self.load(self.bench, seconds: 3)
        let later = self.bench.router()
        try await self.bench.running(later) {
            // Known before anything is applied.
            let observation = try await self.bench.until(later) { !$0.states.isEmpty }
            let state = try #require(observation.states[Bench.deployment])
            #expect(state.weights.mapValues(\.percent) == [Bench.first: 60, Bench.second: 40])
            #expect(state.warm == [Bench.first, Bench.second])
            try await self.bench.serve(self.bench.table(backends, [Bench.second: 100]), with: later)
        }
        let report = try await load
        #expect(report.failures.isEmpty, "\(report.output)")
        #expect(report.requests > 100)
        #expect(try Self.pid(in: self.bench) == pid)
        try await later.stop()
        #expect(kill(pid, 0) != 0)
        try FileManager.default.removeItem(atPath: self.bench.directory)
    }

    @Test
    func `Envoy does not end with the thread that started it`() async throws {
        let one = try Bench.upstream("one")
        try await self.bench.withRouter { router in
            let table = self.bench.table([Bench.first: [Bench.backend(one)]], [Bench.first: 100])
            try await self.bench.serve(table, with: router)
            // The signal that Envoy would ask for cannot be seen from outside, so look at what it was told.
            let pid = try Self.pid(in: self.bench)
            let arguments = try Data(contentsOf: URL(filePath: "/proc/\(pid)/cmdline")).split(separator: 0)
            #expect(arguments.contains { $0.elementsEqual("--disable-hot-restart".utf8) })
        }
    }

    @Test
    func `an Envoy that was killed serves the same again`() async throws {
        let one = try Bench.upstream("one")
        try await self.bench.withRouter { router in
            let table = self.bench.table([Bench.first: [Bench.backend(one)]], [Bench.first: 100])
            try await self.bench.serve(table, with: router)
            let pid = try Self.pid(in: self.bench)
            #expect(kill(pid, SIGKILL) == 0)
            #expect(
                await eventually {
                    // Nothing is served for a moment.
                    (try? await self.bench.get().text) == "one" && (try? Self.pid(in: self.bench)) != pid
                }
            )
            let observation = try await self.bench.until(router) { $0.states[Bench.deployment] != nil }
            #expect(observation.states[Bench.deployment]?.weights == [Bench.first: .all])
        }
    }

    @Test
    func `an Envoy that is not there is an error, not an empty observation`() async throws {
        let router = self.bench.router()
        await #expect {
            try await router.observe()
        } throws: {
            ($0 as? PlatformError)?.code == .routerUnreachable
        }
        try FileManager.default.removeItem(atPath: self.bench.directory)
    }

    @Test
    func `an address that is taken is reported`() async throws {
        let other = try LoopbackServer { _ in .silence }
        var configuration = self.bench.configuration
        configuration.listen.port = other.port
        let bench = try EnvoyBench(configuration: configuration)
        try await bench.withRouter { router in
            var last: PlatformError?
            #expect(
                await eventually(within: .seconds(20)) {
                    do throws(PlatformError) { _ = try await router.observe() } catch { last = error }
                    // The reason is in Envoy's log a moment later.
                    return last?.code == .routerRejected && last?.message.contains("\(other.port)") == true
                },
                "\(String(describing: last))"
            )
        }
    }

    @Test
    func `routes that Envoy refuses are reported with its reason, and the old ones served on`() async throws {
        let one = try Bench.upstream("one")
        let table = self.bench.table([Bench.first: [Bench.backend(one)]], [Bench.first: 100])
        let earlier = self.bench.router()
        try await self.bench.running(earlier) { try await self.bench.serve(table, with: earlier) }
        // Envoy knows rules that are not known here; so would a ledger of another release contain what it refuses.
        let path = self.bench.directory + "/ledger.json"
        let ledger = try String(contentsOfFile: path, encoding: .utf8)
        let spoiled = ledger.replacingOccurrences(
            of: #""pathPrefix""#,
            with: #""affinityHeader":"no\nname","pathPrefix""#
        )
        try #require(spoiled != ledger)
        try spoiled.write(toFile: path, atomically: true, encoding: .utf8)
        let later = self.bench.router()
        try await self.bench.running(later) {
            // The reason is in Envoy's log a moment after its counter rose.
            let refused = try await self.bench.until(later) {
                $0.states[Bench.deployment]?.rejection?.contains("HeaderName") == true
            }
            #expect(refused.states[Bench.deployment]?.weights == [Bench.first: .all])
            #expect(try await self.bench.text() == "one")
            try await later.apply(table)
            try await self.bench.until(later) { $0.states[Bench.deployment]?.rejection == nil }
        }
        try await later.stop()
        try FileManager.default.removeItem(atPath: self.bench.directory)
    }

    @Test
    func `fifty changes of weights under load fail no request`() async throws {
        let (one, two) = (try Bench.upstream("one"), try Bench.upstream("two"))
        let backends = [Bench.first: [Bench.backend(one)], Bench.second: [Bench.backend(two)]]
        try await self.bench.withRouter { router in
            try await self.bench.serve(self.bench.table(backends, [Bench.first: 100]), with: router)
            async let load = Self.load(self.bench, seconds: 8)
            for change in 1...50 {
                let weights = [Bench.first: change * 2, Bench.second: 100 - change * 2]
                try await self.bench.serve(
                    self.bench.table(backends, weights, canary: Bench.second),
                    with: router
                )
                try await Task.sleep(for: .milliseconds(100))
            }
            let report = try await load
            #expect(report.failures.isEmpty, "\(report.output)")
            #expect(report.requests > 1000)
            #expect(one.requests.count > 100 && two.requests.count > 100)
        }
    }

    // MARK: - Load

    struct Report: Sendable {
        var output: String
        var requests: Int
        /// wrk names only failures that occurred.
        var failures: [Substring]
    }

    static func load(_ bench: EnvoyBench, seconds: Int) async throws -> Report {
        // Says what went wrong, which wrk alone does not.
        let script = bench.directory + "/load.lua"
        try """
        function response(status, headers, body)
            if status ~= 200 then io.write("failed: " .. status .. " " .. body .. "\\n") end
        end
        """.write(toFile: script, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "wrk", "-t1", "-c16", "-d\(seconds)s", "-s", script, "http://127.0.0.1:\(bench.configuration.listen.port)/",
        ]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        #expect(await eventually { !process.isRunning }, "wrk does not end: run `make setup`")
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let lines = output.split(separator: "\n")
        let requests = lines.lazy.compactMap { $0.firstMatch(of: #/(\d+) requests in/#)?.output.1 }.first
        return Report(
            output: output,
            requests: requests.flatMap { Int($0) } ?? 0,
            failures: lines.filter { $0.contains("Non-2xx") || $0.contains("Socket errors") }
        )
    }

    static func pid(in bench: EnvoyBench) throws -> Int32 {
        let data = try Data(contentsOf: URL(filePath: bench.directory + "/process.json"))
        return try JSONDecoder().decode(ProcessIdentity.self, from: data).pid
    }
}
