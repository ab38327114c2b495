import Deployments
import Planning
import Rollouts

extension Decision {
    /// From which phase to which: `step 2 of 4, judged → rolling back`, or the one that stays.
    package var course: String {
        let (from, to) = (self.before.phaseText, self.after.phaseText)
        return from == to ? to : "\(from) → \(to)"
    }

    /// What was new in the situation, what changed, and what was done, a line for each.
    package var changes: [String] {
        var lines: [String] = []
        for (command, answer) in zip(self.situation.commands, self.outcome.answers) {
            let why = command.why.isEmpty ? "" : " (\(command.why))"
            lines.append("\(command.by) said \(command.verb.text)\(why): \(answer.message)")
        }
        let evidence = [
            Self.count(self.situation.samples.count, "sample"),
            Self.count(self.situation.measurements.count, "measurement"),
        ].compactMap(\.self)
        if !evidence.isEmpty { lines.append("took \(evidence.joined(separator: " and "))") }
        lines += self.outcome.transitions.map { transition in
            "\(transition.kind.rawValue): \(transition.message)" + (transition.by.map { " (by \($0))" } ?? "")
        }
        if self.before.holds != self.after.holds {
            lines.append(
                self.after.holds.isEmpty
                    ? "nothing holds any more" : "held: \(self.after.holds.map { "\($0)" }.joined(separator: "; "))"
            )
        }
        lines += self.plan.effects.map { "does: \($0.text)" }
        return lines
    }

    private static func count(_ number: Int, _ what: String) -> String? {
        number == 0 ? nil : "\(number) \(what)\(number == 1 ? "" : "s")"
    }
}

extension Rollout {
    /// The phase, with the step's number.
    package var phaseText: String {
        switch self.phase {
        case .settled: self.stable == nil ? "pending" : "settled"
        case .preparing: "preparing"
        case .replacing: "replacing"
        case .stepping(let step, let served):
            "step \(step + 1) of \(self.canary?.rollout.steps.count ?? 0)" + (served == nil ? "" : ", judged")
        case .promoting: "promoting"
        case .baking: "baking"
        case .rollingBack: "rolling back"
        case .removing: "removing"
        }
    }
}

extension Command.Verb {
    var text: String {
        switch self {
        case .pause: "pause"
        case .resume: "resume"
        case .promote(let full, let force): "promote" + (full ? " --full" : "") + (force ? " --force" : "")
        case .abort: "abort"
        case .rollback(let revision): "rollback" + (revision.map { " --to \($0)" } ?? "")
        case .retry: "retry"
        }
    }
}

extension Effect {
    var text: String {
        switch self {
        case .route(let traffic): "route \(traffic)"
        case .fetch(let revision): "fetch \(revision)"
        case .start(let replica): "start \(replica)"
        case .undrain(let replica): "undrain \(replica)"
        case .drain(let replica): "drain \(replica)"
        case .stop(let replica): "stop \(replica)"
        }
    }
}
