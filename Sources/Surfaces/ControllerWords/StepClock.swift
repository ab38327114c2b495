package import ControllerAPI
package import Foundation

/// How long the current step has lasted and may still last.
package enum StepClock {
    /// `for 4m12s; at least 48s more, at most 25m48s more`
    package static func text(_ step: StepStatus, now: Date) -> String {
        guard let since = step.since else { return "not yet served by the router" }
        var limits: [String] = []
        if let end = step.atLeastEnds {
            let left = end.timeIntervalSince(now)
            limits.append(left > 0 ? "at least \(TimeText.span(left)) more" : "the least time is over")
        }
        if let end = step.atMostEnds {
            let left = end.timeIntervalSince(now)
            limits.append(left > 0 ? "at most \(TimeText.span(left)) more" : "the most time is over")
        }
        let lasted = "for \(TimeText.span(now.timeIntervalSince(since)))"
        return limits.isEmpty ? lasted : "\(lasted); \(limits.joined(separator: ", "))"
    }
}
