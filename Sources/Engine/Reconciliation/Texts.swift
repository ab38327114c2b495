import Analysis
import Decisions
package import Deployments
import FoundationEssentials
import Planning
package import Rollouts

extension Wait: CustomStringConvertible {
    package var description: String {
        switch self {
        case .observation(let what): "a fresh look at \(what)"
        case .artifact(let revision, let state): "the artifact of \(revision): \(state)"
        case .replicasReady(let revision, let ready, let wanted): "\(ready) of \(wanted) replicas of \(revision) ready"
        case .routerWarm(let revision): "the router to know a healthy replica of \(revision)"
        case .trafficServed(let traffic): "the router to serve \(traffic)"
        case .trafficMoved(let revision): "the traffic to leave \(revision)"
        case .replicasGone(let revision): "the last replica of \(revision) to be gone"
        case .room(let revision, let limit):
            "a replica to leave before one of \(revision) starts: at most \(limit) may run"
        case .drained(let replica): "\(replica) to finish its requests"
        }
    }
}

extension String {
    /// The text with its variables substituted. Values are names and digests, so nothing in them can be a query.
    package func substituted(for spec: DeploymentSpec, endpoint: Endpoint? = nil) -> String {
        var text = ""
        var rest = self[...]
        // Once through, as it is asked for at every look; a value's own text is none of the text's variables.
        while let start = rest.utf8.firstIndex(of: UInt8(ascii: "$")) {
            text += rest[..<start]
            rest = rest[start...]
            let end = rest.utf8.firstIndex(of: UInt8(ascii: "}"))
            if let end, let value = Self.value(of: rest[...end], for: spec, endpoint) {
                text += value
                rest = rest[rest.utf8.index(after: end)...]
            } else {
                text += "$"
                rest = rest[rest.utf8.index(after: start)...]
            }
        }
        return text + rest
    }

    private static func value(of variable: Substring, for spec: DeploymentSpec, _ endpoint: Endpoint?) -> String? {
        switch variable {
        case "${revision}": spec.revision.short
        case "${deployment}": spec.id.name
        case "${namespace}": spec.id.namespace
        case "${model.version}": spec.model.version
        case "${model.name}": spec.model.name
        case "${endpoint}": endpoint.map { "http://\($0)" }
        default: nil
        }
    }
}

extension OutboxItem {
    /// All that git is told of a transition, and its forge, where that is to be told of `topics`.
    package static func all(of transition: Transition, in member: Member, telling topics: Set<ForgeTopic>)
        -> [OutboxItem]
    {
        let own = [
            OutboxItem(of: transition, in: member),
            transition.revert.map { OutboxItem(of: $0, at: transition.time, for: member.rollout.id) },
        ]
        let news = ForgeTopic.allCases.filter(topics.contains).map { OutboxItem(of: transition, in: member, as: $0) }
        return (own + news).compactMap(\.self)
    }

    /// What a forge is told when a rollout goes on by a later commit, which changed no more than its settings: the
    /// outcome will be that commit's, and the former one is not to wait for it for ever.
    static func all(handedOver decision: Decision, in member: Member, telling topics: Set<ForgeTopic>) -> [OutboxItem] {
        guard decision.after.isInFlight, let old = decision.before.canary, let new = decision.after.canary,
            old.revision == new.revision, old.origin.commit != new.origin.commit
        else { return [] }
        let words = "goes on as commit \(new.origin.commit.prefix(10))"
        let changes = [(Transition.Kind.superseded, words, old), (.rolloutStarted, "rollout of \(new.label)", new)]
        return changes.flatMap { kind, message, spec in
            let transition = Transition(
                time: decision.time,
                kind: kind,
                message: message,
                revision: spec.revision,
                origin: spec.origin
            )
            return ForgeTopic.allCases.filter(topics.contains).compactMap {
                OutboxItem(of: transition, in: member, as: $0)
            }
        }
    }

    /// What a forge shows of the start or the end of a rollout; nothing for other transitions.
    private init?(of transition: Transition, in member: Member, as topic: ForgeTopic) {
        guard let state = RolloutReport.State(transition.kind), let origin = transition.origin,
            let repository = member.repository
        else { return nil }
        let id = member.rollout.id.description
        let spec = transition.revision.flatMap(member.rollout.spec(of:))
        let report = RolloutReport(
            deployment: id,
            commit: origin.commit,
            state: state,
            outcome: transition.kind.rawValue,
            reason: transition.message,
            label: spec?.label ?? transition.revision?.short ?? "",
            time: transition.time.rfc3339
        )
        self.init(
            id: "\(id)/\(origin.commit)/\(topic.rawValue)/\(report.outcome)/\(report.time)/\(report.reason)",
            repository: repository,
            commit: origin.commit,
            key: id,
            note: "",
            news: ForgeNews(topic: topic, report: report)
        )
    }

    private init(of revert: ManifestRevert, at time: Timestamp, for id: DeploymentID) {
        self.init(
            id: "\(id)/\(revert.failed.commit)/revert/\(revert.mode.rawValue)/\(time.milliseconds)/\(revert.reason)",
            repository: revert.failed.repository,
            commit: revert.failed.commit,
            key: id.description,
            note: "",
            revert: revert
        )
    }

    /// What git is told of an outcome; nothing for transitions that are none.
    private init?(of transition: Transition, in member: Member) {
        guard transition.isOutcome, let origin = transition.origin, let repository = member.repository else {
            return nil
        }
        let rollout = member.rollout
        let spec = transition.revision.flatMap(rollout.spec(of:))
        let note = Note(
            outcome: transition.kind.rawValue,
            reason: transition.message,
            revision: transition.revision?.digest,
            modelVersion: spec?.model.version,
            quarantined: transition.revision.flatMap { rollout.quarantine[$0] } != nil,
            by: transition.by ?? "controller",
            time: transition.time.rfc3339
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let bytes = try? encoder.encode(note) else { return nil }  // strings and a Bool always encode
        let text = String(decoding: bytes, as: UTF8.self)
        self.init(
            // By all that is told: what is decided a second time, as the journal did not answer, may be told otherwise,
            // when an operator lifted the quarantine meanwhile.
            id: "\(rollout.id)/\(origin.commit)/\(text)",
            repository: repository,
            commit: origin.commit,
            key: rollout.id.description,
            note: text
        )
    }

    private struct Note: Codable {
        var outcome: String
        var reason: String
        var revision: String?
        var modelVersion: String?
        var quarantined: Bool
        var by: String
        var time: String
    }
}

extension RolloutReport.State {
    /// Nothing for transitions within a rollout.
    fileprivate init?(_ kind: Transition.Kind) {
        switch kind {
        case .rolloutStarted: self = .running
        case .promoted: self = .succeeded
        case .rolledBack: self = .failed
        case .superseded: self = .superseded
        case .stepStarted, .inconclusive, .replacing, .promoting, .settled, .rollingBack, .paused, .resumed, .approved,
            .signOffAsked, .retried, .frozen, .thawed, .changedInPlace, .scaled, .removing:
            return nil
        }
    }
}

extension Timestamp {
    /// `2026-11-23T14:21:28.123Z`
    package var rfc3339: String {
        Date(timeIntervalSince1970: Double(self.milliseconds) / 1000)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
