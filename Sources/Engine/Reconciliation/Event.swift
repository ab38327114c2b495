package import Analysis
package import Deployments
package import Manifests
package import Rollouts

/// What the reconcile loop is told. Sources only yield events; the loop alone acts on them.
package enum Event: Sendable {
    /// A repository was looked at: with a new commit's manifests, without, or in vain.
    case polled(String, Result<DesiredCommit?, SourceError>)
    case platform(Result<[Replica], PlatformError>, at: Timestamp)
    case router(Result<RouterObservation, PlatformError>, at: Timestamp)
    case measured(DeploymentID, Measurement)
    case delivered(OutboxItem)
    /// A manifest was put back, or need not be: what was done.
    case reverted(OutboxItem, String)
    /// A model was proposed, or need not be: what was done.
    case promoted(OutboxItem, PromotionOutcome)
    /// An alias of a model registry was looked at.
    case modelSeen(ModelSighting)
    /// Git cannot be told for now; it is tried again.
    case undelivered(OutboxItem, SourceError)
}

/// A commit, and what it wants served. Its manifests were read before the loop hears of it: what takes time for a
/// commit of thousands must not delay a rollback.
package struct DesiredCommit: Hashable, Sendable {
    /// Without the path of a manifest.
    package var origin: CommitReference
    package var state: DesiredState
    /// See ``SourceSnapshot/rewroteHistory``.
    package var rewroteHistory: Bool

    package init(origin: CommitReference, state: DesiredState, rewroteHistory: Bool = false) {
        self.origin = origin
        self.state = state
        self.rewroteHistory = rewroteHistory
    }
}

/// What follows from an event besides the effects, and may take its time: whoever drives the fleet sees to it, and
/// answers with a later event.
package struct Errands: Hashable, Sendable {
    /// What git is to be told, in this order. Each is answered with ``Event/delivered(_:)``, and a revert with
    /// ``Event/reverted(_:_:)``.
    package var notes: [OutboxItem] = []
    /// What is to be asked for gates that are due. Each is answered with ``Event/measured(_:_:)``.
    package var queries: [MetricJob] = []

    package init() {}
}

/// Everything that readers may know, at one moment. Immutable.
package struct FleetSnapshot: Sendable {
    package var time: Timestamp
    /// Whether the platform was looked at since the start, with whatever result.
    package var hasLooked = false
    /// Rises with each snapshot that readers see, from 0 on at each start of the loop.
    package var version: UInt64 = 0
    package var deployments: [DeploymentID: DeploymentSnapshot] = [:]
    /// Those of all deployments, sorted; nothing where nobody has sorted them.
    package var names: [DeploymentID]?
    package var sources: [SourceState] = []
    /// Served, and unknown since the journal was lost. No route changes until git says what they are.
    package var strangers: [DeploymentID] = []
    package var journalProblem: String?
    /// Why the last look at the platform, or the router, failed.
    package var platformProblem: String?
    package var routerProblem: String?
    package var activity = FleetActivity()
    /// Those who are told of what happens; by name.
    package var receivers: [ReceiverState] = []
    /// Those of operators that stand.
    package var freezes: [OperatorFreeze] = []

    package init(time: Timestamp) { self.time = time }
}

/// What the loop has done since it began.
package struct FleetActivity: Sendable {
    /// By namespace and kind.
    package var transitions: [String: [Transition.Kind: Int]] = [:]
    /// How many events and commands took no longer than each of ``bounds``, and than the one before took; the last
    /// counts those that took longer than all.
    package private(set) var turns = [Int](repeating: 0, count: Self.bounds.count + 1)
    /// All that they took together.
    package private(set) var busy = Duration.zero

    /// Seconds.
    package static let bounds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    package init() {}

    package mutating func note(turn duration: Duration) {
        self.busy += duration
        let seconds = duration / .seconds(1)
        self.turns[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
    }
}

package struct SourceState: Sendable {
    package var repository: String
    package var branch: String
    package var commit: String?
    package var lastPolled: Timestamp?
    package var problem: String?
    package var diagnostics: [String]
    /// What git could not be told yet, and why; by what was to be told, oldest first.
    package var undelivered: [Undelivered] = []
    /// The newest revert, in words.
    package var lastRevert: String?

    package init(
        repository: String,
        branch: String,
        commit: String? = nil,
        lastPolled: Timestamp? = nil,
        problem: String? = nil,
        diagnostics: [String] = []
    ) {
        self.repository = repository
        self.branch = branch
        self.commit = commit
        self.lastPolled = lastPolled
        self.problem = problem
        self.diagnostics = diagnostics
    }

    package struct Undelivered: Hashable, Sendable {
        package var item: String
        package var problem: String
        package var since: Timestamp
    }
}
