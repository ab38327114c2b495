import ControllerAPI
import Foundation
import LoopbackServer
import Synchronization
import Testing

extension IntegrationTests {
    /// Envoy's histograms of every answer, which say 200.
    @Test
    func `a canary with slower answers is rolled back by its pairs, and one as quick passes`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            let gate = """
                apiVersion: controller/v1
                kind: AnalysisTemplate
                metadata: {name: slower}
                spec: {slowdown: {maxSlowerPairs: 60%}}

                """
            try await sandbox.merge(Release(version: "1"), also: ["slower.yaml": gate])
            try await sandbox.serves("1")
            let load = try await Load(on: sandbox)

            var release = Release(version: "2", faults: "ms=40", gates: ["slower"], onInconclusive: "pause")
            release.steps = [.init(20, atLeast: "1s", atMost: "1h"), .init(50, atLeast: "1s", atMost: "1h")]
            try await sandbox.merge(release)
            let status = try await sandbox.wait(for: "the rollback") {
                $0.phase == "settled" && !$0.quarantined.isEmpty
            }
            #expect(status.stable?.modelVersion == "1")
            let reason = try #require(status.quarantined.first?.reason)
            #expect(reason.contains("gate slower failed: canary slower than stable in"), "\(reason)")

            release.faults = "none"
            release.version = "3"
            try await sandbox.merge(release)
            try await sandbox.serves("3")
            try await load.endUnharmed()
            try await sandbox.expectReplay()
            print("slowdown: \(reason)")
        }
    }

    /// Two revisions with exporters of their own, which Prometheus scrapes at different moments.
    @Test
    func `a canary whose scores are distributed otherwise is held, and one as stable's passes`() async throws {
        let (stable, canary) = (Scores(), Scores())
        let exporters = try [stable, canary].map { scores in try Sandbox.exporter { scores.scrape() } }
        defer { exporters.forEach { $0.stop() } }
        try await Sandbox.run { sandbox in
            try sandbox.configureForPrometheus()
            try await sandbox.startPrometheus(scraping: exporters)
            try await sandbox.startController()
            let gate = """
                apiVersion: controller/v1
                kind: AnalysisTemplate
                metadata: {name: scores}
                spec:
                  drift: {query: 'sum by (le) (score_bucket{revision="${revision}"})', interval: 1s}

                """
            try await sandbox.merge(Release(version: "1"), also: ["scores.yaml": gate])
            try await sandbox.serves("1")
            stable.count(for: try #require(await sandbox.status()?.stable?.revision))

            var release = Release(version: "2", gates: ["scores"], onInconclusive: "pause")
            release.steps = [.init(50, atLeast: "1s", atMost: "1h")]
            try await sandbox.merge(release)
            canary.count(for: try #require(try await sandbox.canary("2", at: 50).canary?.revision))
            try await sandbox.serves("2")

            stable.count(for: try #require(await sandbox.status()?.stable?.revision))
            release.version = "3"
            try await sandbox.merge(release)
            let other = try #require(try await sandbox.canary("3", at: 50).canary?.revision)
            canary.count(for: other, shares: [10, 30, 60])
            let status = try await sandbox.wait(for: "the hold") { status in
                status.holds.contains { $0.kind == "gate" }
            }
            // Other inputs drift as well: it is for people to say what that was.
            #expect(status.phase == "stepping")
            #expect(status.quarantined.isEmpty)
            #expect(status.gates.contains { $0.name == "scores" && $0.outcome == "failed" }, "\(status.gates)")
            let abort = try await sandbox.command("abort", Sandbox.name, "--why", "other scores")
            #expect(abort.status == 0, "\(abort.error)")
            let after = try await sandbox.wait(for: "the way back") { $0.phase == "settled" }
            #expect(after.stable?.modelVersion == "2")
            try await sandbox.expectReplay()
        }
    }
}

/// A revision's scores in three buckets, a hundred more whenever they are scraped.
private final class Scores: Sendable {
    private struct State {
        var revision = "none"
        var shares = [60, 30, 10]
        var scrapes = 0
    }

    private let state = Mutex(State())

    func count(for revision: String, shares: [Int] = [60, 30, 10]) {
        self.state.withLock { $0 = State(revision: String(revision.prefix(10)), shares: shares) }
    }

    func scrape() -> String {
        self.state.withLock { state in
            state.scrapes += 1
            var sum = 0
            return zip(["0.3", "0.6", "+Inf"], state.shares).map { bound, share in
                sum += share * state.scrapes
                return "score_bucket{revision=\"\(state.revision)\",le=\"\(bound)\"} \(sum)\n"
            }
            .joined()
        }
    }
}
