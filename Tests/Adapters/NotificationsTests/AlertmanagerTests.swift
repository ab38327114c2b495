import Deployments
import Foundation
import LoopbackServer
import Notifications
import Reconciliation
import Testing
import Transport

/// With the real Alertmanager of Debian, on loopback.
@Suite("Alertmanager", .timeLimit(.minutes(5)))
struct AlertmanagerTests {
    private static let client = HTTPClient()

    private static func now() -> Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }

    private static func alert(_ name: String, since: Timestamp) -> Alert {
        Alert(
            .rolledBack,
            .critical,
            of: DeploymentID(namespace: "search", name: name),
            summary: "magika 3.4 was taken back: gate errors failed\nsecond line",
            since: since
        )
    }

    private static func get(_ url: String) async throws -> [[String: Any]] {
        let response = try await Self.client.send(HTTPRequest(url: url, timeout: .seconds(60)))
        return try #require(try JSONSerialization.jsonObject(with: Data(response.body)) as? [[String: Any]])
    }

    /// Runs an Alertmanager that tells `hook`.
    private static func running(_ hook: LoopbackServer, _ body: (String) async throws -> Void) async throws {
        try await Fixtures.inFolder { folder in
            try Fixtures.write(
                """
                route: {receiver: hook, group_by: [namespace], group_wait: 300ms, group_interval: 1s,
                  repeat_interval: 1h}
                receivers: [{name: hook, webhook_configs: [{url: "\(hook.url)/"}]}]
                """,
                to: "\(folder)/alertmanager.yaml"
            )
            let port = try FreePort.take()
            let arguments = [
                "prometheus-alertmanager", "--config.file=\(folder)/alertmanager.yaml", "--storage.path=\(folder)/data",
                "--web.listen-address=127.0.0.1:\(port)", "--cluster.listen-address=",
            ]
            try await Fixtures.running(arguments, output: "\(folder)/log") { process in
                let url = "http://127.0.0.1:\(port)"
                try await Fixtures.until("the Alertmanager is ready") {
                    let log = try String(contentsOfFile: "\(folder)/log.errors", encoding: .utf8)
                    try #require(process.isRunning, "\(log)")
                    // Not yet is what is waited out.
                    return (try? await Self.client.send(HTTPRequest(url: "\(url)/-/ready")))?.isSuccess ?? false
                }
                try await body(url)
            }
        }
    }

    private static func statuses(_ hook: LoopbackServer) throws -> [(status: String, names: [String])] {
        try hook.requests.map { request in
            let body = try Fixtures.object(request.body)
            let alerts = try #require(body["alerts"] as? [[String: Any]])
            let names = alerts.compactMap { ($0["labels"] as? [String: String])?["deployment"] }
            return (try #require(body["status"] as? String), names.sorted())
        }
    }

    @Test
    func `an alert fires once, is grouped, lasts while it is shown, and resolves`() async throws {
        let hook = try LoopbackServer { _ in .text("") }
        defer { hook.stop() }
        try await Self.running(hook) { url in
            let receiver = Fixtures.receivers(.alertmanager(.url(url), tokenFile: nil)).alerts[0]
            let since = Self.now()
            let alerts = ["file-type", "embedder"].map { Self.alert($0, since: since) }
            // Shown again and again, as long as they last; after a restart with a later beginning.
            for _ in 0..<3 {
                let shown = alerts.map { alert in
                    var alert = alert
                    alert.since = Self.now()
                    return ShownAlert(alert: alert, ends: Self.now() + .minutes(4))
                }
                #expect(try await receiver.show(shown) == "200")
            }
            let seen = try await Self.get("\(url)/api/v2/alerts")
            #expect(seen.count == 2)
            for alert in seen {
                let labels = try #require(alert["labels"] as? [String: String])
                #expect(labels["alertname"] == "ControllerRolledBack" && labels["severity"] == "critical")
                #expect(labels["namespace"] == "search" && labels["source"] == "/controller/prod")
                let summary = (alert["annotations"] as? [String: String])?["summary"]
                #expect(summary == "magika 3.4 was taken back: gate errors failed second line")
                #expect((alert["status"] as? [String: Any])?["state"] as? String == "active")
            }
            try await Fixtures.until("the incident is told") { try !Self.statuses(hook).isEmpty }
            #expect(try Self.statuses(hook).map(\.status) == ["firing"])
            #expect(try Self.statuses(hook).first?.names == ["embedder", "file-type"])

            _ = try await receiver.show(alerts.map { ShownAlert(alert: $0, ends: Self.now()) })
            try await Fixtures.until("its end is told") { try Self.statuses(hook).last?.status == "resolved" }
            #expect(try Self.statuses(hook).count { $0.status == "firing" } == 1)
            try await Fixtures.until("nothing fires") {
                try await Self.get("\(url)/api/v2/alerts?active=true").isEmpty
            }
        }
    }

    @Test
    func `what nobody shows any more ends by itself`() async throws {
        let hook = try LoopbackServer { _ in .text("") }
        defer { hook.stop() }
        try await Self.running(hook) { url in
            let receiver = Fixtures.receivers(.alertmanager(.url(url), tokenFile: nil)).alerts[0]
            let alert = Self.alert("file-type", since: Self.now())
            _ = try await receiver.show([ShownAlert(alert: alert, ends: Self.now() + .seconds(2))])
            try await Fixtures.until("it is told") { try !Self.statuses(hook).isEmpty }
            try await Fixtures.until("its end is told") { try Self.statuses(hook).last?.status == "resolved" }
        }
    }

    @Test
    func `what it does not take is a refusal with its words`() async throws {
        let hook = try LoopbackServer { _ in .text("") }
        defer { hook.stop() }
        try await Self.running(hook) { url in
            let receiver = Fixtures.receivers(.alertmanager(.url("\(url)/nowhere"), tokenFile: nil)).alerts[0]
            do throws(NotificationError) {
                let shown = ShownAlert(alert: Self.alert("a", since: Self.now()), ends: Self.now() + .minutes(1))
                _ = try await receiver.show([shown])
                Issue.record("there is nothing")
            } catch {
                #expect(error.code == .refused)
                #expect(error.message.contains("404"))
            }
        }
    }
}
