import Deployments
import FoundationEssentials
import Reconciliation
import Transport

/// Shows alerts to a Prometheus Alertmanager, by its API, version 2.
///
/// It knows an alert by its labels, so these hold what an alert is and nothing that changes while it lasts.
struct AlertmanagerReceiver: AlertReceiver {
    let connection: ReceiverConnection
    let tokenFile: String?

    var name: String { self.connection.name }

    /// So many make some hundred kilobytes.
    private static let limit = 500

    func show(_ alerts: [ShownAlert]) async throws(NotificationError) -> String {
        let headers = try self.connection.bearer(self.tokenFile)
        var answer = ""
        for start in stride(from: 0, to: alerts.count, by: Self.limit) {
            let some = alerts[start..<min(start + Self.limit, alerts.count)]
            let body: [UInt8]
            do {
                body = Array(try JSONEncoder().encode(some.map { Posted($0, from: self.connection.configuration) }))
            } catch {
                throw self.connection.failure(.refused, "the alerts cannot be written as JSON")
            }
            answer = try await self.connection.post(
                body,
                as: "application/json",
                headers: headers,
                hiding: headers.map { String($0.value.dropFirst(7)) }
            )
        }
        return answer
    }

    struct Posted: Encodable {
        var labels: [String: String]
        var annotations: [String: String]
        var startsAt: String
        var endsAt: String

        init(_ shown: ShownAlert, from configuration: ReceiverConfiguration) {
            let alert = shown.alert
            self.labels = [
                "alertname": "Controller\(Self.name(of: alert.condition))",
                "condition": alert.condition.rawValue,
                "severity": alert.severity.rawValue,
                "source": configuration.source,
            ]
            self.labels["namespace"] = alert.deployment?.namespace
            self.labels["deployment"] = alert.deployment?.name
            self.labels["repository"] = alert.repository
            self.annotations = ["summary": NoticeText.line(alert.summary, limit: 1000)]
            // It must not begin after its end.
            self.startsAt = min(alert.since, shown.ends).rfc3339
            self.endsAt = shown.ends.rfc3339
        }

        private static func name(of condition: Alert.Condition) -> String {
            switch condition {
            case .rolledBack: "RolledBack"
            case .held: "Held"
            case .degraded: "Degraded"
            case .gitStale: "GitStale"
            case .journal: "JournalUnwritable"
            case .platform: "PlatformUnseen"
            case .router: "RouterUnseen"
            case .test: "Test"
            }
        }
    }
}
