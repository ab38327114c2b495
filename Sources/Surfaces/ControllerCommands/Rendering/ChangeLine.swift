package import ControllerAPI
import ControllerWords
package import Foundation

/// `status --watch` in a pipe: one line whenever something changed that a reader of a log wants to know.
package enum ChangeLine {
    /// What makes a line worth printing; measured values and ages, which change all the time, do not.
    package struct Key: Hashable, Sendable {
        private let parts: [String]

        package init(_ status: DeploymentStatus) {
            self.parts =
                [status.phase, status.health.rawValue, status.message]
                + [status.canary, status.stable].map { revision in
                    revision.map { "\($0.revision) \($0.weightText) \($0.ready)/\($0.wantedReplicas)" } ?? ""
                }
                + status.steps.map(\.state.rawValue)
                + status.holds.map { "\($0.kind) \($0.by ?? "") \($0.why)" }
                + status.gates.map { "\($0.name) \($0.outcome)" }
                + status.quarantined.map(\.revision)
                + status.diagnostics
        }
    }

    package static func line(_ status: DeploymentStatus, now: Date) -> StyledText {
        var parts = [now.formatted(.iso8601), status.id, status.phase, status.health.rawValue]
        if let (number, step) = status.currentStep {
            parts.append("step \(number)/\(status.steps.count) \(step.title)")
        }
        if let canary = status.canary {
            parts.append("canary \(canary.weightText) \(canary.ready)/\(canary.wantedReplicas) ready")
        }
        parts += status.gates.filter { $0.outcome != "passed" }.map { "gate \($0.name) \($0.outcome)" }
        parts += status.holds.map { "held: \($0.kind)" }
        if !status.message.isEmpty { parts.append(status.message) }
        return StyledText(parts.joined(separator: "  "))
    }
}
