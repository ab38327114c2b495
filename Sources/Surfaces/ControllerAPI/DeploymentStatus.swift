package import Foundation

/// One deployment as the API shows it: all that `controller get`, `status` and `explain` print.
package struct DeploymentStatus: Codable, Hashable, Sendable {
    package var namespace: String
    package var name: String
    /// `settled`, `preparing`, `replacing`, `stepping`, `promoting`, `baking`, `rolling-back` or `pending` (never
    /// served yet).
    package var phase: String
    package var health: Health
    /// One sentence: what is going on and what it waits for.
    package var message: String
    package var holds: [HoldStatus]
    package var stable: RevisionStatus?
    package var canary: RevisionStatus?
    /// The revision before the stable one, while it is kept warm.
    package var previous: RevisionStatus?
    /// Nothing when the number of replicas is fixed.
    package var autoscaling: AutoscalingStatus?
    package var steps: [StepStatus]
    package var gates: [GateStatus]
    /// Those that were asked for; nothing when there are none.
    package var signOffs: [SignOffStatus]?
    package var waitingFor: [String]
    package var quarantined: [QuarantineStatus]
    /// The commit whose manifest is the desired state now.
    package var desired: CommitStatus?
    /// Problems with the newest manifest; the last good one stands.
    package var diagnostics: [String]
    /// Newest last, bounded.
    package var events: [EventStatus]
    /// When the phase began.
    package var since: Date
    /// When the bake ends, while baking.
    package var bakeEnds: Date?
    /// What would happen next and when.
    package var next: [NextStatus]
    /// What would take the traffic back by itself, in words.
    package var rollsBackIf: [String]
    /// An operator's `rollback --to`, while it overrules git.
    package var pin: PinStatus?
    /// The digest of what git names now.
    package var desiredRevision: String?
    /// The state of what is read: `router: 0.4 s ago`, `git: unreachable since …`.
    package var sources: [String]
    /// Of those that follow an alias of the model registry: what is proposed to git, or why nothing is.
    package var modelUpdate: ModelUpdateStatus?

    /// All that ``phase`` may be.
    package static let phases = [
        "pending", "settled", "preparing", "replacing", "stepping", "promoting", "baking", "rolling-back", "removing",
    ]

    package enum Health: String, Codable, Hashable, Sendable, CaseIterable {
        case healthy, progressing, held, degraded, unknown
    }

    package init(namespace: String, name: String, phase: String, health: Health, message: String, since: Date) {
        self.namespace = namespace
        self.name = name
        self.phase = phase
        self.health = health
        self.message = message
        self.since = since
        self.holds = []
        self.steps = []
        self.gates = []
        self.waitingFor = []
        self.quarantined = []
        self.diagnostics = []
        self.events = []
        self.next = []
        self.rollsBackIf = []
        self.sources = []
    }
}

package struct ModelUpdateStatus: Codable, Hashable, Sendable {
    package var message: String
    package var since: Date
    /// Somebody should look.
    package var isProblem: Bool

    package init(message: String, since: Date, isProblem: Bool) {
        self.message = message
        self.since = since
        self.isProblem = isProblem
    }
}

package struct RevisionStatus: Codable, Hashable, Sendable {
    /// The whole digest.
    package var revision: String
    package var modelName: String
    package var modelVersion: String
    package var commit: CommitStatus
    /// Percent of traffic that the router serves it; nothing when that is not known.
    package var weight: Int?
    package var replicas: [ReplicaStatus]
    package var wantedReplicas: Int
    package var artifact: String
    /// What an alias in its manifest was resolved to: `models:/magika@champion is version 7, pinned since …`.
    package var resolved: String?

    package init(
        revision: String,
        modelName: String,
        modelVersion: String,
        commit: CommitStatus,
        weight: Int?,
        replicas: [ReplicaStatus],
        wantedReplicas: Int,
        artifact: String,
        resolved: String? = nil
    ) {
        self.revision = revision
        self.modelName = modelName
        self.modelVersion = modelVersion
        self.commit = commit
        self.weight = weight
        self.replicas = replicas
        self.wantedReplicas = wantedReplicas
        self.artifact = artifact
        self.resolved = resolved
    }
}

package struct ReplicaStatus: Codable, Hashable, Sendable {
    package var name: String
    /// `starting`, `ready`, `draining`, `stopping`, `backing-off`, `failed`.
    package var state: String
    package var endpoint: String?
    package var restarts: Int
    package var lastFailure: String?

    package init(name: String, state: String, endpoint: String?, restarts: Int, lastFailure: String?) {
        self.name = name
        self.state = state
        self.endpoint = endpoint
        self.restarts = restarts
        self.lastFailure = lastFailure
    }
}

package struct CommitStatus: Codable, Hashable, Sendable {
    package var repository: String
    package var branch: String
    package var commit: String
    package var subject: String
    package var author: String

    package init(repository: String, branch: String, commit: String, subject: String, author: String) {
        self.repository = repository
        self.branch = branch
        self.commit = commit
        self.subject = subject
        self.author = author
    }

    /// `main@sha1:1eabc9a4`
    package var short: String {
        "\(self.branch)@\(self.commit.count == 64 ? "sha256" : "sha1"):\(self.commit.prefix(8))"
    }
}

package struct StepStatus: Codable, Hashable, Sendable {
    /// `weight 25 %` or `approval`.
    package var title: String
    package var state: State
    /// For the current step: since when the router serves its weight.
    package var since: Date?
    package var atLeastEnds: Date?
    package var atMostEnds: Date?

    package enum State: String, Codable, Hashable, Sendable { case done, current, pending }

    package init(title: String, state: State, since: Date? = nil, atLeastEnds: Date? = nil, atMostEnds: Date? = nil) {
        self.title = title
        self.state = state
        self.since = since
        self.atLeastEnds = atLeastEnds
        self.atMostEnds = atMostEnds
    }
}

package struct GateStatus: Codable, Hashable, Sendable {
    package var name: String
    /// `passed`, `failed`, `inconclusive`, `no-data` or `provider-down`.
    package var outcome: String
    /// `canary 2.1 % (1.0 to 4.3), stable 0.1 % (0.0 to 0.3)`.
    package var value: String
    /// What the canary must keep: `at most 1.1 times stable's`.
    package var limit: String
    /// Evidence for a breach, from 0 (none) to 1 (decided); nothing for gates without statistics.
    package var breachEvidence: Double?
    /// Evidence that the next weight is safe, from 0 (none) to 1 (decided).
    package var safeEvidence: Double?
    /// `about 7 min at 40 requests/s`.
    package var prediction: String?
    /// What to know beyond that, in words.
    package var detail: String?

    package init(
        name: String,
        outcome: String,
        value: String,
        limit: String,
        breachEvidence: Double? = nil,
        safeEvidence: Double? = nil,
        prediction: String? = nil,
        detail: String? = nil
    ) {
        self.name = name
        self.outcome = outcome
        self.value = value
        self.limit = limit
        self.breachEvidence = breachEvidence
        self.safeEvidence = safeEvidence
        self.prediction = prediction
        self.detail = detail
    }
}

/// Something that would happen by itself.
package struct NextStatus: Codable, Hashable, Sendable {
    package var what: String
    /// When, if a time decides or can be foreseen.
    package var at: Date?
    /// The time is worked out from the traffic of now.
    package var isEstimate: Bool

    package init(what: String, at: Date? = nil, isEstimate: Bool = false) {
        self.what = what
        self.at = at
        self.isEstimate = isEstimate
    }
}

package struct PinStatus: Codable, Hashable, Sendable {
    package var revision: String
    package var by: String

    package init(revision: String, by: String) {
        self.revision = revision
        self.by = by
    }
}

package struct HoldStatus: Codable, Hashable, Sendable {
    /// `paused`, `approval`, `no-evidence`, `inconclusive`, `stale`.
    package var kind: String
    package var by: String?
    package var why: String
    /// Since when, where that is known.
    package var since: Date?
    package var until: Date?
    /// The command that ends it, when one does.
    package var remedy: String?

    package init(kind: String, by: String? = nil, why: String, until: Date? = nil, remedy: String? = nil) {
        self.kind = kind
        self.by = by
        self.why = why
        self.until = until
        self.remedy = remedy
    }
}

package struct QuarantineStatus: Codable, Hashable, Sendable {
    package var revision: String
    package var modelVersion: String
    package var commit: CommitStatus
    package var reason: String
    package var since: Date

    package init(revision: String, modelVersion: String, commit: CommitStatus, reason: String, since: Date) {
        self.revision = revision
        self.modelVersion = modelVersion
        self.commit = commit
        self.reason = reason
        self.since = since
    }
}

package struct EventStatus: Codable, Hashable, Sendable {
    package var time: Date
    package var deployment: String
    /// `rollout-started`, `step-started`, `promoted`, `rolled-back`, `paused`, … (see docs/reference/events.md).
    package var kind: String
    package var message: String
    /// The operator, or nothing when the controller acted by itself.
    package var by: String?
    package var commit: CommitStatus?
    /// Its place among the events of all deployments, where they are listed together.
    package var id: Int64?

    package init(time: Date, deployment: String, kind: String, message: String, by: String?, commit: CommitStatus?) {
        self.time = time
        self.deployment = deployment
        self.kind = kind
        self.message = message
        self.by = by
        self.commit = commit
    }
}
