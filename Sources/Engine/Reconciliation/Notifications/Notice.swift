package import Deployments
package import Rollouts

/// Something that happened to a deployment, as people and pipelines are told of it. It holds what others wrote.
package struct Notice: Hashable, Codable, Sendable {
    package enum Severity: String, Hashable, Codable, Sendable, CaseIterable, Comparable {
        case info, warning, critical

        package static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .info: 0
            case .warning: 1
            case .critical: 2
            }
        }
    }

    /// The model that it is about.
    package struct Model: Hashable, Codable, Sendable {
        package var name: String
        package var version: String
        package var uri: String

        package init(name: String, version: String, uri: String) {
            self.name = name
            self.version = version
            self.uri = uri
        }
    }

    /// Predictions that differ from the stable model's beyond chance and by more than is allowed.
    package struct Drift: Hashable, Codable, Sendable {
        package var gate: String
        /// The population stability index of the window, corrected for the number of answers.
        package var index: Double?
        /// From which index on it matters.
        package var tolerance: Double
        package var evidence: String
        /// Answers in the window.
        package var canaryAnswers: Double
        package var stableAnswers: Double
        /// What was compared came in from then on, until the notice's time.
        package var since: Timestamp
    }

    /// Stays the same however often it is told, also over a restart.
    package var id: String
    /// A ``Rollouts/Transition/Kind``, or one of ``others``.
    package var kind: String
    package var severity: Severity
    package var time: Timestamp
    /// `NAMESPACE/NAME`
    package var deployment: String
    /// The deployment's own.
    package var labels: [String: String]
    package var message: String
    /// The operator; nothing when the controller acted by itself.
    package var by: String?
    /// The whole digest.
    package var revision: String?
    package var model: Model?
    /// What brought the revision.
    package var commit: CommitReference?
    package var drift: Drift?

    package init(
        id: String,
        kind: String,
        severity: Severity,
        time: Timestamp,
        deployment: DeploymentID,
        labels: [String: String] = [:],
        message: String,
        by: String? = nil,
        revision: Revision? = nil,
        model: Model? = nil,
        commit: CommitReference? = nil,
        drift: Drift? = nil
    ) {
        self.id = id
        self.kind = kind
        self.severity = severity
        self.time = time
        self.deployment = deployment.description
        self.labels = labels
        self.message = message
        self.by = by
        self.revision = revision?.digest
        self.model = model
        self.commit = commit
        self.drift = drift
    }

    /// A rollout waits for a person: for an approval, or as a gate failed that holds.
    package static let held = "held"
    /// Drift of the predictions is confirmed.
    package static let retrain = "retrain"
    /// An operator tries a receiver.
    package static let test = "test"
    static let others = [Self.held, Self.retrain]
    /// All that a route can select, as docs/reference/notifications.md lists them.
    package static let kinds = Transition.Kind.allCases.map(\.rawValue) + Self.others

    package var namespace: String { String(self.deployment.prefix { $0 != "/" }) }
}

extension Notice.Severity {
    /// What a person did is no alarm, as somebody knows.
    package init(of kind: Transition.Kind, by name: String? = nil) {
        switch kind {
        case .rollingBack, .rolledBack: self = name == nil ? .critical : .warning
        case .inconclusive, .removing: self = .warning
        case .rolloutStarted, .stepStarted, .replacing, .promoting, .promoted, .settled, .superseded, .paused,
            .resumed, .approved, .signOffAsked, .retried, .frozen, .thawed, .changedInPlace, .scaled:
            self = .info
        }
    }
}
