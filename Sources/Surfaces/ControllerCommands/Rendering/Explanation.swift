package import ControllerAPI
package import Foundation

/// `controller explain`: the state of a deployment in sentences, for somebody who was just woken up.
package enum Explanation {
    package static func lines(_ status: DeploymentStatus, now: Date, width: Int) -> [StyledText] {
        let paragraphs: [(title: String, sentences: [String])] = [
            ("Where it is", Self.place(status, now: now)),
            ("What holds it", status.holds.map { Self.sentence($0, now: now) }),
            ("What it waits for", status.waitingFor.map { "• " + $0 }),
            ("What the gates say", status.gates.map { Self.sentence($0) }),
            ("What is quarantined", status.quarantined.map { Self.sentence($0, now: now) }),
            ("What is wrong in git", Self.problems(status)),
            ("What happens next", Self.next(status, now: now)),
            ("What the controller sees", status.sources.map { "• " + $0 }),
        ]
        var lines: [StyledText] = []
        for (title, sentences) in paragraphs where !sentences.isEmpty {
            lines += [StyledText(title, .bold)]
            for sentence in sentences {
                let wrapped = TerminalText.wrapped(TerminalText.escaped(sentence), columns: max(20, width - 2))
                lines += wrapped.map { StyledText("  " + $0) }
            }
            lines.append("")
        }
        lines.append(StyledText("What you can do", .bold))
        lines += TextTable.aligned(
            AvailableCommands.list(status).map { [StyledText("  " + $0.command, .cyan), StyledText($0.effect)] }
        )
        return lines
    }

    private static func place(_ status: DeploymentStatus, now: Date) -> [String] {
        let since = "since \(TimeText.clock(status.since, now: now)) (\(TimeText.age(of: status.since, now: now)))"
        var sentences = ["\(status.id) \(Self.phase(status)), \(since). Its health is \(status.health.rawValue)."]
        if !status.message.isEmpty { sentences.append(Self.closed("In short: \(status.message)")) }
        if let canary = status.canary {
            sentences.append(Self.origin(of: canary, called: "new revision"))
        } else if let stable = status.stable {
            sentences.append(Self.origin(of: stable, called: "revision that is served"))
        }
        sentences += Self.traffic(status)
        if let (_, step) = status.currentStep {
            sentences.append("The current step has lasted \(StepClock.text(step, now: now)).")
        }
        let failures = [status.canary, status.stable].compactMap { $0 }.flatMap(\.replicas).compactMap { replica in
            replica.state == "ready"
                ? nil : replica.lastFailure.map { "Replica \(replica.name) is \(replica.state): \(Self.closed($0))" }
        }
        return sentences + failures
    }

    private static func phase(_ status: DeploymentStatus) -> String {
        let model = status.newest?.model ?? "its model"
        switch status.phase {
        case "settled": return "serves \(model) and no rollout is in flight"
        case "pending": return "has not served anything yet"
        case "preparing": return "prepares \(model): its artifact is verified and its replicas start"
        case "stepping":
            guard let (number, step) = status.currentStep else { return "shifts traffic to \(model)" }
            return "is at step \(number) of \(status.steps.count), \(step.title), of the rollout of "
                + status.modelChange
        case "promoting": return "promotes \(model): all traffic goes to it"
        case "baking": return "has promoted \(model) and watches it while the previous revision stays warm"
        case "rolling-back": return "takes the traffic back from the canary"
        default: return "is in phase \(status.phase)"
        }
    }

    private static func origin(of revision: RevisionStatus, called name: String) -> String {
        let story = revision.commit.story.isEmpty ? "" : " (\(revision.commit.story))"
        return "The \(name), \(revision.model) (\(revision.short)), came with \(revision.commit.short) of "
            + "\(revision.commit.repository)\(story). "
            + "\(revision.ready) of \(revision.wantedReplicas) replicas are ready."
    }

    private static func traffic(_ status: DeploymentStatus) -> [String] {
        guard let canary = status.canary else { return [] }
        guard let weight = canary.weight else {
            return ["How much traffic the canary gets is not known, so nothing moves."]
        }
        let stable = status.stable.map { ", and stable, \($0.model), gets \($0.weightText)" } ?? ""
        return ["The router gives the canary \(weight) % of the requests\(stable)."]
    }

    private static func sentence(_ hold: HoldStatus, now: Date) -> String {
        let what =
            switch hold.kind {
            case "paused": "It is paused"
            case "approval": "It waits for an approval"
            case "no-evidence": "There is no evidence to decide on"
            case "inconclusive": "The evidence of this step was not conclusive"
            case "stale": "What the controller knows is too old to act on"
            default: "It is held (\(hold.kind))"
            }
        let by = hold.by.map { " by \($0)" } ?? ""
        let why = hold.why.isEmpty ? "" : ": \(hold.why)"
        let until = hold.until.map { " It ends by itself \(TimeText.until($0, now: now))." } ?? ""
        let remedy = hold.remedy.map { " To end it: \($0)" } ?? ""
        return Self.closed(what + by + why) + until + remedy
    }

    private static func sentence(_ gate: GateStatus) -> String {
        let outcome =
            switch gate.outcome {
            case "no-data": "has no data, which is neither good nor bad"
            case "provider-down": "cannot be measured, as its provider does not answer"
            case "inconclusive": "has not decided yet"
            default: "has \(gate.outcome)"
            }
        var text = "\(gate.name) \(outcome)"
        if !gate.value.isEmpty { text += ": \(gate.value)" }
        if !gate.limit.isEmpty { text += "; it must be \(gate.limit)" }
        text = Self.closed(text)
        let evidence = [
            gate.breachEvidence.map { "that the canary is worse: \(Self.percent($0))" },
            gate.safeEvidence.map { "that the next weight is safe: \(Self.percent($0))" },
        ].compactMap { $0 }
        if !evidence.isEmpty { text += " Evidence " + evidence.joined(separator: ", ") + "." }
        if let prediction = gate.prediction { text += " " + Self.closed("A decision is expected: \(prediction)") }
        if let detail = gate.detail { text += " " + Self.closed(detail) }
        return text
    }

    private static func percent(_ evidence: Double) -> String {
        guard evidence.isFinite else { return "unknown" }
        if evidence >= 1 { return "decided" }
        return "\(min(99, Int((max(0, evidence) * 100).rounded()))) % of what a decision needs"
    }

    private static func sentence(_ entry: QuarantineStatus, now: Date) -> String {
        let story = entry.commit.story.isEmpty ? "" : " (\(entry.commit.story))"
        return "Model \(entry.modelVersion) (\(entry.revision.prefix(10))) of \(entry.commit.short)\(story) gets no "
            + "traffic since \(TimeText.clock(entry.since, now: now)): \(Self.closed(entry.reason)) It stays so until "
            + "a commit brings another revision or somebody says retry."
    }

    private static func problems(_ status: DeploymentStatus) -> [String] {
        guard !status.diagnostics.isEmpty else { return [] }
        return ["The newest manifest has problems; the last good one stands."] + status.diagnostics.map { "• " + $0 }
    }

    private static func next(_ status: DeploymentStatus, now: Date) -> [String] {
        var sentences = status.next.map { "• " + $0 }
        if let end = status.bakeEnds { sentences.append("• the bake ends \(TimeText.until(end, now: now))") }
        return sentences
    }

    /// The text with a full stop. Its first letter stays small, as the first word may be a name.
    private static func closed(_ text: String) -> String {
        guard let last = text.last else { return text }
        return ".!?".contains(last) ? text : text + "."
    }
}
