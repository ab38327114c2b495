import Audits
import ControllerServer
import Deployments
import Foundation
import Logging
import Reconciliation
import Rollouts
import ServiceLifecycle
import Simulation
import Synchronization
import Testing
import Transport

@Suite("Metrics")
struct MetricsTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func file(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    /// Of a rollout that is promoted, with a canary that is judged on the way and a pause.
    private static func texts() async -> [String] {
        let snapshots = await OutlookTests.snapshots { scenario in
            scenario.commands[60] = [Command(.pause(until: nil), by: "alice", why: "lunch")]
            scenario.commands[70] = [Command(.resume, by: "alice")]
        }
        return snapshots.map { rollout, snapshot in
            var snapshot = snapshot
            snapshot.sources = [
                SourceState(repository: "models", branch: "main", diagnostics: ["a.yaml:1:1: error: no"])
            ]
            var receiver = ReceiverState(name: "chat")
            (receiver.waiting, receiver.leftOut, receiver.problem) = (7, 2, "no answer")
            snapshot.receivers = [receiver]
            snapshot.activity.transitions["default"] = [.rolledBack: 2, .paused: 1]
            snapshot.activity.note(turn: .milliseconds(30))
            snapshot.activity.note(turn: .seconds(20))
            return FleetMetrics.text(of: snapshot) + AuditMetrics.text(AuditTrail.Account())
        }
    }

    private static func names(in text: String, _ pattern: Regex<(Substring, Substring)>) -> Set<String> {
        Set(text.matches(of: pattern).map { String($0.output.1) })
    }

    @Test
    func `the reference describes every metric that is written, and no other`() async throws {
        let refusals = AccessLedger(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }).metrics
        let written = await (Self.texts() + [refusals]).reduce(into: Set<String>()) {
            $0.formUnion(Self.names(in: $1, #/TYPE (controller_[a-z_]+) /#))
        }
        let described = Self.names(in: try Self.file("docs/reference/metrics.md"), /\| `(controller_[a-z_]+)` \|/)
        #expect(written == described)
    }

    @Test
    func `a rollout's phase, weights, evidence and holds are told`() async throws {
        let texts = await Self.texts()
        let labels = "{namespace=\"default\",name=\"model\""
        for sample in [
            "controller_deployment_traffic_ratio\(labels),role=\"canary\"} 0.05\n",
            "controller_deployment_traffic_ratio\(labels),role=\"stable\"} 0.95\n",
            "controller_deployment_traffic_ratio\(labels),role=\"canary\"} 0.5\n",
            "controller_deployment_hold\(labels),kind=\"approval\"} 1\n",
            "controller_deployment_hold\(labels),kind=\"paused\"} 1\n",
            "controller_deployment_info\(labels),phase=\"stepping\",health=\"progressing\",model=\"model\",version=\"0\"",
            "controller_deployment_info\(labels),phase=\"settled\",health=\"healthy\",model=\"model\",version=\"1\"",
            "controller_deployment_synced\(labels)} 0\n", "controller_deployment_synced\(labels)} 1\n",
            "controller_gate_outcome\(labels),gate=\"errors\",outcome=\"passed\"} 1\n",
            "controller_gate_safe_evidence_ratio\(labels),gate=\"errors\"} 1\n",
            "controller_git_diagnostics{repository=\"models\"} 1\n",
            "controller_notifications_waiting{receiver=\"chat\"} 7\n",
            "controller_notifications_problem{receiver=\"chat\"} 1\n",
            "controller_notifications_total{receiver=\"chat\",outcome=\"left-out\"} 2\n",
            "controller_git_last_poll_timestamp_seconds{repository=\"models\"} 0\n",
            "controller_transitions_total{namespace=\"default\",kind=\"rolled-back\"} 2\n",
            // Begun with 0, so that Prometheus sees the first one as an increase.
            "controller_transitions_total{namespace=\"default\",kind=\"promoted\"} 0\n",
            "controller_loop_duration_seconds_bucket{le=\"0.025\"} 0\n",
            "controller_loop_duration_seconds_bucket{le=\"0.05\"} 1\n",
            "controller_loop_duration_seconds_bucket{le=\"+Inf\"} 2\n",
            "controller_loop_duration_seconds_sum 20.03\n",
        ] {
            #expect(texts.contains { $0.contains(sample) }, "\(sample)")
        }
        let settled = try #require(texts.last)
        #expect(!settled.contains("controller_gate_outcome{"), "nothing is judged any more")
    }

    @Test
    func `what a version may hold ends no label`() throws {
        var fleet = FleetSnapshot(time: Timestamp(milliseconds: 0))
        let id = DeploymentID(namespace: "a", name: "b")
        var rollout = Rollout(id: id, at: Timestamp(milliseconds: 0))
        rollout.stable = Scenario.spec(0, policy: OutlookTests.policy)
        rollout.stable?.model.version = "1\"} 7\nup{x=\"\\"
        fleet.deployments[id] = DeploymentSnapshot(member: Member(rollout: rollout), observation: Observation())
        let text = FleetMetrics.text(of: fleet)
        #expect(text.contains(#"version="1\"} 7\nup{x=\"\\",revision"#), "\(text)")
        #expect(!text.contains("\nup{"))
    }

    // MARK: - Prometheus' own opinion

    /// - Returns: The exit status and what was said.
    private static func promtool(_ arguments: String..., input: String? = nil, in folder: URL) async throws -> (
        Int32, String
    ) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["promtool"] + arguments
        process.currentDirectoryURL = folder
        let output = folder.appending(path: "output")
        try Data().write(to: output)
        let handle = try FileHandle(forWritingTo: output)
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        if let input {
            try Data(input.utf8).write(to: folder.appending(path: "input"))
            process.standardInput = try FileHandle(forReadingFrom: folder.appending(path: "input"))
        }
        let status = try await withCheckedThrowingContinuation { (done: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { done.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { done.resume(throwing: error) }
        }
        return (status, try String(contentsOf: output, encoding: .utf8))
    }

    private static func inFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "metrics-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    @Test
    func `promtool finds nothing wrong with what is served`() async throws {
        let texts = await Self.texts()
        let judged = try #require(texts.first { $0.contains("controller_gate_safe_evidence_ratio{") })
        try await MetricsFixture.serving(FleetSnapshot(time: Timestamp(milliseconds: 0))) { fixture in
            let process = try await fixture.get("/metrics").text.split(separator: "# HELP process_", maxSplits: 1)[1]
            try await Self.inFolder { folder in
                let text = judged + "# HELP process_" + process
                let (status, said) = try await Self.promtool("check", "metrics", input: text, in: folder)
                #expect(status == 0, "\(said)")
            }
        }
    }

    @Test
    func `alerts fire when they should, and name metrics and runbooks that there are`() async throws {
        let rules = try Self.file("manifests/prometheus/controller.rules.yaml")
        let described = Self.names(in: try Self.file("docs/reference/metrics.md"), /`((?:controller|process)_[a-z_]+)`/)
        #expect(Self.names(in: rules, /\b((?:controller|process)_[a-z_]+)\b/).subtracting(described).isEmpty)
        for runbook in Self.names(in: rules, /runbook: (\S+)/) {
            #expect(FileManager.default.fileExists(atPath: Self.root.appending(path: runbook).path), "\(runbook)")
        }
        let operating = try Self.file("docs/operating/README.md")
        for alert in Self.names(in: rules, /alert: (\w+)/) { #expect(operating.contains("`\(alert)`"), "\(alert)") }
        try await Self.inFolder { folder in
            let alerts = "Tests/Surfaces/ControllerServerTests/Metrics/Alerts/alerts.test.yaml"
            for path in ["manifests/prometheus/controller.rules.yaml", alerts] {
                let name = URL(filePath: path).lastPathComponent
                try FileManager.default.copyItem(at: Self.root.appending(path: path), to: folder.appending(path: name))
            }
            let (status, said) = try await Self.promtool("test", "rules", "alerts.test.yaml", in: folder)
            #expect(status == 0, "\(said)")
        }
    }

    @Test
    func `the dashboard asks what Prometheus understands, of metrics that there are`() async throws {
        struct Dashboard: Decodable {
            struct Panel: Decodable {
                struct Target: Decodable { var expr: String }
                var title: String
                var targets: [Target]
            }
            var panels: [Panel]
        }
        let text = try Self.file("manifests/grafana/controller.json")
        let dashboard = try JSONDecoder().decode(Dashboard.self, from: Data(text.utf8))
        let described = Self.names(in: try Self.file("docs/reference/metrics.md"), /`((?:controller|process)_[a-z_]+)`/)
        let queries = dashboard.panels.flatMap { $0.targets.map(\.expr) }
        #expect(queries.count > 10)
        for query in queries {
            let names = Self.names(in: query, /\b((?:controller|process)_[a-z_]+?)(?:_bucket|_sum)?\b/)
            #expect(!names.isEmpty && names.isSubset(of: described), "\(query)")
        }
        try await Self.inFolder { folder in
            let rules = queries.enumerated().map { "  - {record: \"q:\($0)\", expr: '\($1)'}\n" }.joined()
            try Data("groups:\n- name: panels\n  rules:\n\(rules)".utf8)
                .write(to: folder.appending(path: "panels.yaml"))
            let (status, said) = try await Self.promtool("check", "rules", "panels.yaml", in: folder)
            #expect(status == 0, "\(said)")
        }
    }

    // MARK: - The server

    @Test
    func `metrics are read with GET at one path, and nothing else is there`() async throws {
        var fleet = FleetSnapshot(time: Timestamp(milliseconds: 1_795_000_000_250))
        fleet.journalProblem = "full"
        try await MetricsFixture.serving(fleet) { fixture in
            let answer = try await fixture.get("/metrics")
            #expect(answer.status == 200)
            #expect(answer.type == "text/plain; version=0.0.4; charset=utf-8")
            #expect(answer.text.contains("\ncontroller_snapshot_timestamp_seconds 1795000000.25\n"))
            #expect(answer.text.contains("\ncontroller_journal_problem 1\n"))
            #expect(answer.text.contains("\ncontroller_router_problem 0\n"))
            for name in ["cpu_seconds_total", "start_time_seconds", "resident_memory_bytes", "open_fds", "max_fds"] {
                let line = answer.text.split(separator: "\n").first { $0.hasPrefix("process_\(name) ") }
                #expect(try #require(line.flatMap { Double($0.split(separator: " ")[1]) }) > 0, "\(name)")
            }
            #expect(try await fixture.get("/api/v1/fleet").status == 404)
            #expect(try await fixture.get("/metrics/..").status == 404)
            let refused = try await fixture.get("/metrics", method: "POST")
            #expect(refused.status == 405)
            #expect(refused.text == "metrics are read with GET\n")
        }
    }
}
