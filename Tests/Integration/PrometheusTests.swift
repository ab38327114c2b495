import ControllerAPI
import Foundation
import LoopbackServer
import Synchronization
import Testing

extension IntegrationTests {
    @Test
    func `a threshold on Prometheus passes and fails as its value says, and an outage holds`() async throws {
        let score = Score("0.97")
        let exporter = try Sandbox.exporter { "score \(score.text)\n" }
        defer { exporter.stop() }
        try await Sandbox.run { sandbox in
            try sandbox.configureForPrometheus()
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

            try await sandbox.startPrometheus(scraping: [exporter])
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

extension IntegrationTests {
    private static let ratio = """
        apiVersion: controller/v1
        kind: AnalysisTemplate
        metadata: {name: wrong}
        spec:
          ratio:
            bad: 'sum(wrong_total{revision="${revision}"})'
            total: 'sum(answers_total{revision="${revision}"})'
            interval: 1s

        """

    /// Two revisions with exporters of their own, which Prometheus scrapes at different moments.
    @Test
    func `wrong answers of the canary alone roll it back, and those of both do not`() async throws {
        let (stable, canary) = (Tally(), Tally())
        let exporters = try [stable, canary].map { tally in try Sandbox.exporter { tally.scrape() } }
        defer { exporters.forEach { $0.stop() } }
        try await Sandbox.run { sandbox in
            try sandbox.configureForPrometheus()
            try await sandbox.startPrometheus(scraping: exporters)
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"), also: ["wrong.yaml": Self.ratio])
            try await sandbox.serves("1")
            stable.count(for: try #require(await sandbox.status()?.stable?.revision))

            var release = Release(version: "2", gates: ["wrong"], onInconclusive: "pause")
            release.steps = [.init(50, atLeast: "1s", atMost: "1h")]
            // As many on either side: nobody but the model of both, or who asks it, can be to blame.
            for tally in [stable, canary] { tally.set(wrong: 0.4) }
            try await sandbox.merge(release)
            canary.count(for: try #require(try await sandbox.canary("2", at: 50).canary?.revision))
            try await sandbox.serves("2")

            for tally in [stable, canary] { tally.set(wrong: 0.05) }
            stable.count(for: try #require(await sandbox.status()?.stable?.revision))
            release.version = "3"
            try await sandbox.merge(release)
            let bad = try #require(try await sandbox.canary("3", at: 50).canary?.revision)
            canary.count(for: bad)
            canary.set(wrong: 0.4)
            let status = try await sandbox.wait(for: "the rollback") {
                $0.phase == "settled" && !$0.quarantined.isEmpty
            }
            #expect(status.stable?.modelVersion == "2")
            #expect(status.quarantined.first?.reason.contains("gate wrong failed: canary 4") == true)
            try await sandbox.expectReplay()
        }
    }
}

extension IntegrationTests {
    @Test
    func `a step waits for a webhook's word, and fails by it`() async throws {
        let word = Score("wait")
        let service = try LoopbackServer { request in
            let body = String(decoding: request.body, as: UTF8.self)
            let isAsked = body.contains("\"gate\":\"sign-off\"") && body.contains("\"step\":1")
            return .text(isAsked ? "{\"outcome\": \"\(word.text)\", \"message\": \"said so\"}" : "{}")
        }
        defer { service.stop() }
        try await Sandbox.run { sandbox in
            let url = "\(service.url)/gates"
            try sandbox.configure(providers: ["{name: approvals, kind: webhook, url: \"\(url)\"}"])
            try await sandbox.startController()
            let gate = """
                apiVersion: controller/v1
                kind: AnalysisTemplate
                metadata: {name: sign-off}
                spec: {webhook: {provider: approvals, interval: 1s}}

                """
            try await sandbox.merge(Release(version: "1"), also: ["sign-off.yaml": gate])
            try await sandbox.serves("1")

            var release = Release(version: "2", gates: ["sign-off"], onInconclusive: "pause")
            release.steps = [.init(50, atLeast: "1s", atMost: "1h")]
            try await sandbox.merge(release)
            try await sandbox.wait(for: "the question") { $0.gates.first?.value == "approvals says wait: said so" }
            #expect(await sandbox.status()?.phase == "stepping")
            word.set("pass")
            try await sandbox.serves("2")

            word.set("fail")
            release.version = "3"
            try await sandbox.merge(release)
            let status = try await sandbox.wait(for: "the rollback") {
                $0.phase == "settled" && !$0.quarantined.isEmpty
            }
            #expect(status.stable?.modelVersion == "2")
            #expect(status.quarantined.first?.reason.contains("gate sign-off failed: approvals says fail") == true)
            try await sandbox.expectReplay()
        }
    }
}

extension IntegrationTests {
    @Test
    func `a program judges each step, when an operator allows programs`() async throws {
        try await Sandbox.run { sandbox in
            let programs = "\(sandbox.folder)/programs"
            try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: false)
            let script =
                "#!/bin/sh\ncase $1 in http://127.0.0.1:*) ;; *) exit 7;; esac\n"
                + "echo version $2; [ $2 != 3 ]\n"
            try sandbox.write("\(programs)/evaluate", script)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(programs)/evaluate")
            try await sandbox.startController()
            let gate = """
                apiVersion: controller/v1
                kind: AnalysisTemplate
                metadata: {name: evaluation}
                spec: {job: {command: [evaluate, "${endpoint}", "${model.version}"]}}

                """
            try await sandbox.merge(Release(version: "1"), also: ["evaluation.yaml": gate])
            try await sandbox.serves("1")
            var release = Release(version: "2", gates: ["evaluation"], onInconclusive: "pause")
            release.steps = [.init(50, atLeast: "1s", atMost: "1h")]
            try await sandbox.merge(release)
            try await sandbox.wait(for: "the refusal") { status in
                status.gates.contains { $0.outcome == "provider-down" && $0.detail?.contains("`jobs`") == true }
            }
            _ = try await sandbox.command("abort", Sandbox.name, "--why", "no programs yet")
            try await sandbox.wait(for: "the way back") { $0.phase == "settled" }

            try sandbox.configure(programs: programs)
            sandbox.killController()
            try await sandbox.startController()
            release.version = "4"
            try await sandbox.merge(release)
            try await sandbox.serves("4")
            release.version = "3"
            try await sandbox.merge(release)
            let status = try await sandbox.wait(for: "the rollback") { status in
                status.phase == "settled" && status.quarantined.contains { $0.modelVersion == "3" }
            }
            let reason = status.quarantined.first { $0.modelVersion == "3" }?.reason ?? ""
            #expect(reason.contains("gate evaluation failed: the job says fail: evaluate: version 3"), "\(reason)")
            #expect(status.stable?.modelVersion == "4")
        }
    }
}

/// A revision's counters, which grow by a hundred answers whenever they are scraped.
private final class Tally: Sendable {
    private struct State {
        var revision = "none"
        var share = 0.0
        var wrong = 0.0
        var total = 0.0
    }

    private let state = Mutex(State())

    func count(for revision: String) {
        self.state.withLock { $0 = State(revision: String(revision.prefix(10)), share: $0.share) }
    }

    func set(wrong share: Double) { self.state.withLock { $0.share = share } }

    func scrape() -> String {
        self.state.withLock { state in
            state.total += 100
            state.wrong += 100 * state.share
            let label = "{revision=\"\(state.revision)\"}"
            return "wrong_total\(label) \(state.wrong)\nanswers_total\(label) \(state.total)\n"
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
    /// What Prometheus scrapes.
    static func exporter(_ text: @escaping @Sendable () -> String) throws -> LoopbackServer {
        try LoopbackServer { _ in .text(text(), headers: ["Content-Type": "text/plain"]) }
    }

    /// The controller will ask the sandbox's Prometheus, which need not run yet.
    func configureForPrometheus() throws {
        let url = "http://127.0.0.1:\(self.sparePort)"
        try self.configure(providers: ["{name: prometheus, kind: prometheus, url: \"\(url)\"}"])
    }

    /// Debian's Prometheus, which ends with the sandbox.
    func startPrometheus(scraping exporters: [LoopbackServer]) async throws {
        let targets = exporters.map { "\"127.0.0.1:\($0.port)\"" }.joined(separator: ", ")
        try self.write(
            "\(self.folder)/prometheus.yml",
            """
            global: {scrape_interval: 200ms, scrape_timeout: 200ms}
            scrape_configs: [{job_name: model, static_configs: [{targets: [\(targets)]}]}]

            """
        )
        _ = try self.start(
            try Machine.program("prometheus"),
            [
                "--config.file=\(self.folder)/prometheus.yml", "--storage.tsdb.path=\(self.folder)/prometheus",
                "--web.listen-address=127.0.0.1:\(self.sparePort)", "--log.level=error",
            ],
            output: "\(self.folder)/prometheus.log"
        )
    }
}
