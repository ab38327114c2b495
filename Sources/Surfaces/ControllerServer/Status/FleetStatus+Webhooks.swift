package import ControllerAPI
import Deployments
package import Foundation

extension FleetStatus {
    /// Adds what is known of the repositories' webhooks.
    package mutating func add(_ ledger: WebhookLedger) {
        for index in self.sources.indices {
            self.sources[index].webhook = ledger.status(of: self.sources[index].repository)
        }
        for index in self.deployments.indices { self.deployments[index].add(ledger, at: self.time) }
    }
}

extension DeploymentStatus {
    /// Adds what is known of its repository's webhook.
    package mutating func add(_ ledger: WebhookLedger, at time: Date) {
        guard let repository = self.desired?.repository, let webhook = ledger.status(of: repository) else { return }
        self.sources.append("webhook \(repository): \(Self.words(for: webhook, at: time))")
    }

    private static func words(for webhook: WebhookStatus, at time: Date) -> String {
        let delivered = webhook.lastDelivered.map { "delivered \(Self.age(of: $0, at: time)) ago" }
        let refused = webhook.lastRefused.map {
            "refused \(Self.age(of: $0, at: time)) ago: \(webhook.refusal ?? "")"
        }
        let words = [delivered, refused].compactMap { $0 }
        return words.isEmpty ? "nothing delivered yet" : words.joined(separator: "; ")
    }

    private static func age(of event: Date, at time: Date) -> String {
        Duration.milliseconds(max(0, Int64(time.timeIntervalSince(event) * 1000))).short
    }
}
