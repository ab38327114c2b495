package import ControllerAPI
package import Foundation

/// Short texts about a deployment that several views share.
extension DeploymentStatus {
    package var id: String { "\(self.namespace)/\(self.name)" }

    /// What a user of `controller` types for it.
    package var argument: String { self.namespace == "default" ? self.name : self.id }

    /// `magika 3.3 → 3.4` while a rollout is in flight.
    package var modelChange: String {
        guard let stable = self.stable else { return self.canary?.model ?? "-" }
        guard let canary = self.canary else { return stable.model }
        return stable.modelName == canary.modelName
            ? "\(stable.model) → \(canary.modelVersion)" : "\(stable.model) → \(canary.model)"
    }

    /// The revision that the deployment is on its way to, or on.
    package var newest: RevisionStatus? { self.canary ?? self.stable }

    package var currentStep: (number: Int, step: StepStatus)? {
        self.steps.firstIndex { $0.state == .current }.map { ($0 + 1, self.steps[$0]) }
    }
}

extension NextStatus {
    /// `in about 7m (14:48:06Z): gate latency is expected to pass`
    package func sentence(now: Date) -> String {
        guard let at = self.at else { return self.what }
        let left = at.timeIntervalSince(now)
        let until = TimeText.until(at, now: now)
        let when = self.isEstimate && left > 0 ? until.replacing("in ", with: "in about ", maxReplacements: 1) : until
        return "\(when): \(self.what)"
    }
}

extension RevisionStatus {
    /// `magika 3.4`
    package var model: String { "\(self.modelName) \(self.modelVersion)" }
    package var ready: Int { self.replicas.count { $0.state == "ready" } }
    package var weightText: String { self.weight.map { "\($0) %" } ?? "? %" }
    package var short: String { String(self.revision.prefix(10)) }
}

extension CommitStatus {
    /// `“Retrain on November's files”, Ada Lovelace`; empty parts are left out.
    package var story: String {
        [self.subject.isEmpty ? "" : "“\(self.subject)”", self.author].filter { !$0.isEmpty }.joined(separator: ", ")
    }
}
