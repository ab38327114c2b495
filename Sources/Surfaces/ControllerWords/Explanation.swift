package import ControllerAPI
package import Foundation

/// `controller explain`: the state of a deployment in sentences, for somebody who was just woken up; and the same for
/// programs.
package struct Explanation: Codable, Hashable, Sendable {
    package var deployment: String
    /// When this was true.
    package var time: Date
    package var phase: String
    package var health: DeploymentStatus.Health
    /// When the phase began.
    package var since: Date
    package var place: [String]
    /// Who and what stops progress.
    package var holds: [Held]
    package var waitsFor: [String]
    package var gates: [String]
    /// Who is asked besides; nothing when nobody is.
    package var signOffs: [String]?
    /// What happens by itself, and when.
    package var next: [NextStatus]
    /// What would take the traffic back by itself.
    package var rollsBackIf: [String]
    package var quarantined: [String]
    /// Of the newest manifest.
    package var problems: [String]
    /// How old what the controller sees is.
    package var sources: [String]
    package var commands: [AvailableCommands.Choice]

    package struct Held: Codable, Hashable, Sendable {
        package var kind: String
        package var text: String
        /// The command that ends it, when one does.
        package var remedy: String?
    }

    package init(_ status: DeploymentStatus, now: Date) {
        self.deployment = status.id
        self.time = now
        self.phase = status.phase
        self.health = status.health
        self.since = status.since
        self.place = Self.place(status, now: now)
        self.holds = status.holds.map { hold in
            Held(kind: hold.kind, text: Self.sentence(hold, now: now), remedy: hold.remedy)
        }
        self.waitsFor = status.waitingFor
        self.gates = status.gates.map { Self.sentence($0) }
        self.signOffs = status.signOffs?.flatMap { signOff in
            [signOff.sentence] + signOff.gates.map { Self.sentence($0) }
        }
        self.next = status.next
        self.rollsBackIf = status.rollsBackIf
        self.quarantined = status.quarantined.map { Self.sentence($0, status, now: now) }
        self.problems =
            status.diagnostics.isEmpty
            ? []
            : ["The newest manifest has problems; the last good one stands."] + status.diagnostics.map { "• " + $0 }
        self.sources = status.sources
        self.commands = AvailableCommands.list(status)
    }

    /// All that is said, by title and in the order in which it is read; what begins with a bullet is an item of a
    /// list.
    package var paragraphs: [Paragraph] {
        [
            Paragraph("Where it is", self.place),
            Paragraph("What holds it", self.holds.map { $0.text + ($0.remedy.map { " To end it: \($0)" } ?? "") }),
            Paragraph("What it waits for", self.waitsFor.map { "• " + $0 }),
            Paragraph("What the gates say", self.gates),
            Paragraph("Who is asked besides", self.signOffs ?? []),
            Paragraph("What happens next", self.next.map { "• " + $0.sentence(now: self.time) }),
            Paragraph("What would take its traffic back", self.rollsBackIf.map { "• " + $0 }),
            Paragraph("What is quarantined", self.quarantined),
            Paragraph("What is wrong in git", self.problems),
            Paragraph("What the controller sees", self.sources.map { "• " + $0 }),
        ].filter { !$0.sentences.isEmpty }
    }

    package struct Paragraph: Hashable, Sendable {
        package var title: String
        package var sentences: [String]

        package init(_ title: String, _ sentences: [String]) {
            self.title = title
            self.sentences = sentences
        }
    }
}

// MARK: - Sentences

extension Explanation {
    private static func place(_ status: DeploymentStatus, now: Date) -> [String] {
        let since = Self.since(status.since, now: now)
        var sentences = ["\(status.id) \(Self.phase(status)), \(since). Its health is \(status.health.rawValue)."]
        if !status.message.isEmpty { sentences.append(Self.closed("In short: \(status.message)")) }
        if let canary = status.canary {
            sentences.append(Self.origin(of: canary, called: "new revision"))
        } else if let stable = status.stable {
            sentences.append(Self.origin(of: stable, called: "revision that is served"))
        }
        sentences += Self.traffic(status)
        sentences += [status.canary, status.stable].compactMap { $0?.resolved }.map {
            "\($0): wherever the alias is moved, only a commit changes what runs."
        }
        if status.canary != nil, let stable = status.stable, stable.ready < stable.wantedReplicas {
            sentences.append("Of stable, \(stable.model), only \(stable.ready) of \(stable.wantedReplicas) are ready.")
        }
        if let autoscaling = status.autoscaling {
            sentences.append(Self.closed("Its number of replicas follows the load: \(autoscaling.words)"))
        }
        if let pin = status.pin {
            sentences.append(
                "\(pin.by) pinned it to \(pin.revision.prefix(10)) with `rollback`: what git names is not rolled out "
                    + "until that changes."
            )
        }
        if let (_, step) = status.currentStep {
            sentences.append("The current step has lasted \(StepClock.text(step, now: now)).")
        }
        let failures = [status.canary, status.stable].compactMap { $0 }.flatMap(\.replicas).compactMap { replica in
            replica.state == "ready"
                ? nil : replica.lastFailure.map { "Replica \(replica.name) is \(replica.state): \(Self.closed($0))" }
        }
        return sentences + failures
    }

    private static func since(_ date: Date, now: Date) -> String {
        "since \(TimeText.clock(date, now: now)) (\(TimeText.age(of: date, now: now)))"
    }

    private static func phase(_ status: DeploymentStatus) -> String {
        let model = status.newest?.model ?? "its model"
        switch status.phase {
        case "settled": return "serves \(model) and no rollout is in flight"
        case "pending": return "has not served anything yet"
        case "preparing": return "prepares \(model): its artifact is verified and its replicas start"
        case "replacing": return "stops the stable revision and starts \(model) in its place"
        case "stepping":
            guard let (number, step) = status.currentStep else { return "shifts traffic to \(model)" }
            return "is at step \(number) of \(status.steps.count), \(step.title), of the rollout of "
                + status.modelChange
        case "promoting": return "promotes \(model): all traffic goes to it"
        case "baking": return "has promoted \(model) and watches it while the previous revision stays warm"
        case "rolling-back":
            return "takes the traffic back from \(model)" + (status.stable.map { " to \($0.model)" } ?? "")
        case "removing": return "is being removed, as its manifest is gone from git"
        default: return "is in phase \(status.phase)"
        }
    }

    private static func origin(of revision: RevisionStatus, called name: String) -> String {
        let story = revision.commit.story.isEmpty ? "" : " (\(revision.commit.story))"
        return "The \(name), \(revision.model) (\(revision.short)), came with \(revision.commit.short) of "
            + "\(revision.commit.repository)\(story). "
            + (revision.wantedReplicas == 0
                ? "\(revision.ready) of its replicas still run; none is to."
                : "\(revision.ready) of \(revision.wantedReplicas) replicas are ready.")
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
        // What is over when: said where no command is.
        let (what, end) =
            switch hold.kind {
            case "journal":
                (
                    "Decisions cannot be written down",
                    "Nothing but taking traffic back is acted upon meanwhile. It goes on by itself once the journal "
                        + "can be written."
                )
            case "paused": ("It is paused", "A breach would still take the traffic back.")
            case "approval": ("It waits for an approval", "It waits as long as it takes.")
            case "sign-off": ("Somebody else has to say yes", "Whatever would take traffic back still does.")
            case "no-evidence": ("There is no evidence to decide on", "It goes on by itself once there is.")
            case "inconclusive": ("The evidence of this step was not conclusive", "It goes on by itself once it is.")
            case "stale":
                (
                    "What the controller knows is too old to go on by",
                    "It goes on by itself with the next look that works. Traffic can still be taken back."
                )
            case "gate": ("A gate failed", "Nothing takes the traffic back by itself for that.")
            case "shared-incident":
                ("Stable and canary both fail", "It goes on by itself once the objective is kept again.")
            case "frozen": ("Frozen", "A gate or a breach still takes traffic back, and so does an operator.")
            case "no-room": ("No room", "It goes on by itself once there is.")
            case "no-room-to-scale":
                ("No room for all replicas", "It grows by itself once there is. A lower `maxReplicas` ends this too.")
            case "dependencies": ("Another deployment is not ready", "It goes on by itself once it is.")
            default: ("It is held (\(hold.kind))", "")
            }
        let by = hold.by.map { " by \($0)" } ?? ""
        let since = hold.since.map { " " + Self.since($0, now: now) } ?? ""
        let why = hold.why.isEmpty ? "" : ": \(hold.why)"
        let until = hold.until.map { " It ends by itself \(TimeText.until($0, now: now))." } ?? ""
        return Self.closed(what + by + since + why) + until + (end.isEmpty ? "" : " " + end)
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

    private static func sentence(_ entry: QuarantineStatus, _ status: DeploymentStatus, now: Date) -> String {
        let story = entry.commit.story.isEmpty ? "" : " (\(entry.commit.story))"
        let end =
            entry.revision == status.desiredRevision
            ? "Git still names it. It stays out until a commit brings another revision or somebody says retry."
            : "Git names another revision now; it stays out if git comes back to it."
        return "Model \(entry.modelVersion) (\(entry.revision.prefix(10))) of \(entry.commit.short)\(story) may get "
            + "no traffic since \(TimeText.clock(entry.since, now: now)): \(Self.closed(entry.reason)) \(end)"
    }

    /// The text with a full stop. Its first letter stays small, as the first word may be a name.
    private static func closed(_ text: String) -> String {
        guard let last = text.last else { return text }
        return ".!?".contains(last) ? text : text + "."
    }
}
