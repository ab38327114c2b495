import ControllerAPI
import Foundation
import LoopbackServer
import Synchronization
import Testing

extension IntegrationTests {
    @Test
    func `a threshold on Prometheus passes and fails as its value says, and an outage holds`() async throws {
        let score = Score("0.97")
        let exporter = try LoopbackServer { _ in
            .text("score \(score.text)\n", headers: ["Content-Type": "text/plain"])
        }
        defer { exporter.stop() }
        try await Sandbox.run { sandbox in
            let port = sandbox.sparePort
            try sandbox.configure(providers: ["{name: prometheus, kind: prometheus, url: \"http://127.0.0.1:\(port)\"}"]
            )
            try await sandbox.startController()
            let gate = """
                apiVersion: controller/v1
                kind: AnalysisTemplate
                metadata: {name: quality}
                spec:
                  threshold: {query: score, min: 0.9, interval: 1s, count: 2, consecutiveErrorLimit: 1}

                """
            try await sandbox.merge(Release(version: "1"), also: ["quality.yaml": gate])
            try await sandbox.serves("1")

            // Nothing listens there yet. Even `onInconclusive: rollback` must not take an outage for a bad model.
            var release = Release(version: "2", gates: ["quality"], onInconclusive: "rollback")
            release.steps = [.init(50, atLeast: "1s", atMost: "2s")]
            try await sandbox.merge(release)
            try await sandbox.wait(for: "the hold") { $0.holds.contains { $0.kind == "no-evidence" } }
            // Longer than the step's `atMost`.
            try await sandbox.polls(4)
            let held = try #require(await sandbox.status())
            #expect(held.phase == "stepping")
            #expect(held.canary?.weight == 50)
            #expect(held.gates.first?.outcome == "provider-down")

            try await sandbox.startPrometheus(port: port, scraping: exporter.port)
            try await sandbox.serves("2")

            score.set("0.5")
            try await sandbox.merge(
                {
                    var next = release; next.version = "3"; return next
                }()
            )
            let status = try await sandbox.wait(for: "the rollback") {
                $0.phase == "settled" && !$0.quarantined.isEmpty
            }
            #expect(status.stable?.modelVersion == "2")
            #expect(status.quarantined.first?.modelVersion == "3")
            #expect(status.quarantined.first?.reason.contains("gate quality failed") == true)
            #expect(status.quarantined.first?.reason.contains("0.5") == true)
        }
    }
}

/// What the exporter says.
private final class Score: Sendable {
    private let value: Mutex<String>
    init(_ text: String) { self.value = Mutex(text) }
    var text: String { self.value.withLock { $0 } }
    func set(_ text: String) { self.value.withLock { $0 = text } }
}

extension Sandbox {
    /// Debian's Prometheus, which ends with the sandbox.
    fileprivate func startPrometheus(port: Int, scraping exporter: Int) async throws {
        try self.write(
            "\(self.folder)/prometheus.yml",
            """
            global: {scrape_interval: 200ms, scrape_timeout: 200ms}
            scrape_configs: [{job_name: model, static_configs: [{targets: ["127.0.0.1:\(exporter)"]}]}]

            """
        )
        _ = try self.start(
            try Machine.program("prometheus"),
            [
                "--config.file=\(self.folder)/prometheus.yml", "--storage.tsdb.path=\(self.folder)/prometheus",
                "--web.listen-address=127.0.0.1:\(port)", "--log.level=error",
            ],
            output: "\(self.folder)/prometheus.log"
        )
    }
}
