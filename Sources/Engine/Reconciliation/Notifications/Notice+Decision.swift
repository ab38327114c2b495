import Analysis
import Deployments
import Rollouts

extension Notice {
    /// What is told of a transition.
    init(of transition: Transition, in member: Member) {
        let rollout = member.rollout
        let revision = transition.revision
        self.init(
            // By all that is told: what is decided again, as the journal did not answer, may be told otherwise.
            id: "\(rollout.id)/\(transition.kind.rawValue)/\(transition.time.milliseconds)/\(transition.message)",
            kind: transition.kind.rawValue,
            severity: Severity(of: transition.kind, by: transition.by),
            time: transition.time,
            deployment: rollout.id,
            labels: Self.labels(of: rollout),
            message: transition.message,
            by: transition.by,
            revision: revision,
            model: revision.flatMap(rollout.spec(of:)).map { Model($0) },
            commit: transition.origin
        )
    }

    /// What is told of a decision besides its transitions: that a rollout begins to wait for a person, and that
    /// predictions are found to drift. Each is told once, when it begins.
    static func signs(from before: Rollout, to after: Rollout, at now: Timestamp) -> [Notice] {
        guard after.isInFlight || before.analysis != nil || after.signOffs != nil else { return [] }
        return Self.holds(from: before, to: after, at: now) + Self.drifts(from: before, to: after, at: now)
    }

    private static func holds(from before: Rollout, to after: Rollout, at now: Timestamp) -> [Notice] {
        let asking = after.signOffs?.first.flatMap { after.spec(waitingAt: $0.place) }
        guard let judged = after.canary ?? asking else { return [] }
        var words: [String] = []
        for hold in after.holds {
            switch hold {
            case .awaitingSignOff(let place, needsApproval: true, _):
                let wasAsked = before.holds.contains { hold in
                    if case .awaitingSignOff(place, needsApproval: true, _) = hold { true } else { false }
                }
                if !wasAsked { words.append("\(place) it takes a person: `controller promote \(after.id)`") }
            case .awaitingApproval(let step) where !before.holds.contains(hold):
                words.append("step \(step + 1) waits for a person: `controller promote \(after.id)`")
            case .gateHolds(let gate, let evidence):
                let wasHeld = before.holds.contains { hold in
                    if case .gateHolds(gate, _) = hold { true } else { false }
                }
                if !wasHeld { words.append("gate \(gate) failed, and its manifest says to hold: \(evidence)") }
            case .awaitingApproval, .awaitingSignOff, .paused, .inconclusive, .noEvidence, .sharedIncident,
                .staleObservation,
                .dependencies, .frozen, .noRoom, .noRoomToScale:
                break
            }
        }
        return words.map { words in
            Notice(Self.held, words, on: judged, of: after, at: now, id: "\(now.milliseconds)/\(words)")
        }
    }

    private static func drifts(from before: Rollout, to after: Rollout, at now: Timestamp) -> [Notice] {
        // In a bake it is the revision that was promoted which is judged.
        guard let analysis = after.analysis,
            let judged = before.phase == .baking ? before.stable : after.canary
        else { return [] }
        let drifted = analysis.outcomes(at: now).filter(\.isDrift).map(\.gate)
        guard !drifted.isEmpty else { return [] }
        let known = Set(before.analysis?.outcomes(at: now).filter(\.isDrift).map(\.gate.name) ?? [])
        return drifted.filter { !known.contains($0.name) }.compactMap { gate in
            guard let finding = analysis.drift(of: gate) else { return nil }
            let evidence = analysis.assessment(of: gate, at: now)?.summary ?? ""
            let words = "the predictions of \(judged.label) drifted by gate \(gate.name): \(evidence)"
            // By the revision and the gate: a forced promotion finds the same again in its next step.
            let id = "\(judged.revision.digest)/\(gate.name)"
            var notice = Notice(Self.retrain, words, on: judged, of: after, at: now, id: id)
            notice.drift = Drift(
                gate: gate.name,
                index: finding.index,
                tolerance: finding.tolerance,
                evidence: evidence,
                canaryAnswers: finding.canaryAnswers,
                stableAnswers: finding.stableAnswers,
                since: finding.since
            )
            return notice
        }
    }

    private init(
        _ kind: String,
        _ words: String,
        on spec: DeploymentSpec,
        of rollout: Rollout,
        at now: Timestamp,
        id: String
    ) {
        self.init(
            id: "\(rollout.id)/\(kind)/\(id)",
            kind: kind,
            severity: .warning,
            time: now,
            deployment: rollout.id,
            labels: Self.labels(of: rollout),
            message: words,
            revision: spec.revision,
            model: Model(spec),
            commit: spec.origin
        )
    }

    static func labels(of rollout: Rollout) -> [String: String] {
        (rollout.desired ?? rollout.stable)?.labels ?? [:]
    }
}

extension GateResult {
    /// That predictions drift is confirmed.
    fileprivate var isDrift: Bool {
        guard self.outcome == .failed, case .drift = self.gate.kind else { return false }
        return true
    }
}

extension Notice.Model {
    fileprivate init(_ spec: DeploymentSpec) {
        self.init(name: spec.model.name, version: spec.model.version, uri: spec.model.uri)
    }
}

extension OutboxItem {
    /// What each receiver is told of a notice: an item for each, as each takes it in its own time.
    static func all(of notice: Notice, by routes: NoticeRoutes) -> [OutboxItem] {
        routes.receivers(of: NoticeRoutes.Subject(notice)).map { receiver, _ in
            OutboxItem(
                id: "notice/\(receiver)/\(notice.id)",
                repository: "",
                commit: notice.commit?.commit ?? "",
                key: notice.deployment,
                note: "",
                notice: notice,
                receiver: receiver
            )
        }
    }
}
