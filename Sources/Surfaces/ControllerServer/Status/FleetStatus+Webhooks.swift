package import ControllerAPI
import Deployments
import Foundation

extension FleetStatus {
    /// Adds what is known of the repositories' webhooks.
    package mutating func add(_ ledger: WebhookLedger) {
        for index in self.sources.indices {
            self.sources[index].webhook = ledger.status(of: self.sources[index].repository)
        }
        for index in self.deployments.indices {
            guard let repository = self.deployments[index].desired?.repository,
                let webhook = ledger.status(of: repository)
            else { continue }
            self.deployments[index].sources.append("webhook \(repository): \(self.words(for: webhook))")
        }
    }

    private func words(for webhook: WebhookStatus) -> String {
        let delivered = webhook.lastDelivered.map { "delivered \(self.age(of: $0)) ago" }
        let refused = webhook.lastRefused.map { "refused \(self.age(of: $0)) ago: \(webhook.refusal ?? "")" }
        let words = [delivered, refused].compactMap { $0 }
        return words.isEmpty ? "nothing delivered yet" : words.joined(separator: "; ")
    }

    private func age(of time: Date) -> String {
        Duration.milliseconds(max(0, Int64(self.time.timeIntervalSince(time) * 1000))).short
    }
}
