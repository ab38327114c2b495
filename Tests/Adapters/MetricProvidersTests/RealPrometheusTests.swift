import Deployments
import Foundation
import LoopbackServer
import MetricProviders
import Reconciliation
import Synchronization
import Testing
import Transport

/// Against Debian's Prometheus, scraping an exporter that the test serves.
@Suite("Prometheus, real", .timeLimit(.minutes(5)))
struct RealPrometheusTests {
    @Test
    func `answers of a real server are told apart`() async throws {
        let prometheus = try await RunningPrometheus(
            metrics: """
                requests_total{track="canary",code="200"} 95
                requests_total{track="canary",code="500"} 5
                zero 0
                not_a_number NaN
                infinite +Inf

                """
        )
        let provider = prometheus.provider
        try await prometheus.untilScraped()

        #expect(await provider.value(of: "sum(requests_total)", at: .now) == .value(100))
        let ratio = #"sum(requests_total{code="500"}) / sum(requests_total)"#
        #expect(await provider.value(of: ratio, at: .now) == .value(0.05))
        #expect(await provider.value(of: "zero", at: .now) == .value(0))
        #expect(await provider.value(of: "infinite", at: .now) == .value(.infinity))
        #expect(await provider.value(of: "not_a_number", at: .now) == .notANumber)
        #expect(await provider.value(of: "zero / zero", at: .now) == .notANumber)
        #expect(await provider.value(of: "no_such_metric", at: .now) == .noData)
        #expect(await provider.value(of: "40 + 2", at: .now) == .value(42))
        #expect(await provider.value(of: "zero", at: Timestamp(milliseconds: 1_000_000)) == .noData)

        guard case .refused(let several) = await provider.value(of: "requests_total", at: .now) else {
            Issue.record()
            return
        }
        #expect(several.contains("matches 2 series, which differ in code;"))
        guard case .refused(let syntax) = await provider.value(of: "sum(", at: .now) else {
            Issue.record()
            return
        }
        #expect(syntax.contains("parse error"))
        guard case .refused(let range) = await provider.value(of: "zero[5m]", at: .now) else {
            Issue.record()
            return
        }
        #expect(range.contains("avg_over_time"))
        guard case .refused = await provider.value(of: "zero + on() requests_total", at: .now) else {
            Issue.record()
            return
        }
    }

    @Test
    func `a histogram of a real server has its buckets`() async throws {
        let prometheus = try await RunningPrometheus(
            metrics: """
                # TYPE score histogram
                score_bucket{pod="a",le="0.5"} 3
                score_bucket{pod="a",le="+Inf"} 4
                score_bucket{pod="b",le="0.5"} 10
                score_bucket{pod="b",le="+Inf"} 20

                """
        )
        try await prometheus.untilScraped()
        let now = Timestamp.now
        let answer = await prometheus.provider.histogram(of: "sum by (le) (score_bucket)", at: now)
        #expect(answer == .buckets(bounds: [0.5], counts: [13, 24], of: now))
        guard case .none(.refused(let message)) = await prometheus.provider.histogram(of: "score_bucket", at: now)
        else {
            Issue.record()
            return
        }
        #expect(message.contains("differ in pod"))
    }

    @Test
    func `a series that its exporter drops has no data`() async throws {
        let prometheus = try await RunningPrometheus(metrics: "score 0.5\n")
        try await prometheus.untilScraped()
        #expect(await prometheus.provider.value(of: "score", at: .now) == .value(0.5))
        prometheus.serve("other 1\n")
        try await prometheus.until("score", is: .noData)
    }

    @Test
    func `a range query follows a series`() async throws {
        let prometheus = try await RunningPrometheus(metrics: "score 0.5\n")
        try await prometheus.untilScraped()
        let end = Timestamp.now
        let answer = await prometheus.provider.range("score", from: end + .seconds(-60), to: end, step: .seconds(1))
        guard case .points(let points) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(points.last == RangePoint(time: end, value: 0.5))
        #expect(await prometheus.provider.range("none", from: end, to: end, step: .seconds(1)) == .noData)
    }

    @Test
    func `a server that ends is an outage`() async throws {
        let prometheus = try await RunningPrometheus(metrics: "score 0.5\n")
        prometheus.stop()
        guard case .unavailable = await prometheus.provider.value(of: "score", at: .now) else {
            Issue.record()
            return
        }
    }
}

extension Timestamp {
    static var now: Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
}

/// A Prometheus of the test's own, ended with it.
final class RunningPrometheus: Sendable {
    let provider: PrometheusProvider
    private let exporter: LoopbackServer
    private let served: Served
    private let process: Mutex<Process>
    private let folder: String

    convenience init(metrics: String) async throws {
        try await self.init(metrics: Array(metrics.utf8), contentType: "text/plain")
    }

    /// - Parameters:
    ///   - metrics: What the exporter says.
    ///   - contentType: The format that it is in.
    ///   - features: Of Prometheus, to be switched on.
    /// - Throws: When there is no Prometheus, or it does not start.
    init(metrics: [UInt8], contentType: String, features: [String] = []) async throws {
        let served = Served(metrics)
        self.served = served
        self.exporter = try LoopbackServer { _ in
            .status(200, headers: ["Content-Type": contentType], body: served.current)
        }
        self.folder = NSTemporaryDirectory() + "prometheus-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        let configuration = """
            global: {scrape_interval: 100ms, scrape_timeout: 100ms}
            scrape_configs: [{job_name: model, static_configs: [{targets: ["127.0.0.1:\(self.exporter.port)"]}]}]
            """
        try Data(configuration.utf8).write(to: URL(filePath: self.folder + "/prometheus.yml"))
        // Free a moment ago; a clash would show as a start that fails.
        let reserved = try LoopbackServer { _ in .silence }
        let port = reserved.port
        reserved.stop()

        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/prometheus")
        process.arguments =
            [
                "--config.file=\(self.folder)/prometheus.yml", "--storage.tsdb.path=\(self.folder)/data",
                "--web.listen-address=127.0.0.1:\(port)", "--log.level=error",
            ] + features.map { "--enable-feature=\($0)" }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let isInstalled = FileManager.default.isExecutableFile(atPath: "/usr/bin/prometheus")
        try #require(isInstalled, "/usr/bin/prometheus is missing; run make setup")
        try process.run()
        self.process = Mutex(process)
        self.provider = PrometheusProvider(
            name: "prometheus",
            baseURL: "http://127.0.0.1:\(port)",
            client: HTTPClient()
        )
        try await self.until("vector(1)", is: .value(1))
    }

    private final class Served: Sendable {
        private let body: Mutex<[UInt8]>
        init(_ body: [UInt8]) { self.body = Mutex(body) }
        var current: [UInt8] { self.body.withLock { $0 } }
        func change(_ next: [UInt8]) { self.body.withLock { $0 = next } }
    }

    deinit {
        self.stop()
        // Left-overs in the temporary folder harm nobody.
        try? FileManager.default.removeItem(atPath: self.folder)
    }

    func serve(_ metrics: String) { self.serve(Array(metrics.utf8)) }

    func serve(_ metrics: [UInt8]) { self.served.change(metrics) }

    func untilScraped() async throws {
        try await self.until("sum(up)", is: .value(1))
    }

    func until(_ query: String, is wanted: MetricAnswer) async throws {
        let deadline = ContinuousClock.now + .seconds(240)
        while true {
            let answer = await self.provider.value(of: query, at: .now)
            if answer == wanted { return }
            try #require(ContinuousClock.now < deadline, "\(query) is still \(answer)")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func stop() {
        self.process.withLock { process in
            guard process.isRunning else { return }
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }
}
