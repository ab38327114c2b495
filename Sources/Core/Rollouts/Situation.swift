package import Analysis
package import Deployments

/// All that one decision depends on, besides the rollout and the time.
package struct Situation: Hashable, Codable, Sendable {
    package var desired: Desired
    package var observation: Observation
    /// Nothing before the router was asked for anything.
    package var asked: AskedTraffic?
    /// Counters from the router, taken with `observation.router`; oldest first.
    package var samples: [Sample]
    package var measurements: [Measurement]
    package var commands: [Command]
    package var baseline: Baseline
    /// Those of `dependsOn` that do not serve a settled, ready revision.
    package var unhealthyDependencies: [DeploymentID]
    /// Why git has not been read for too long, if so: progress waits until it is.
    package var lostGit: String?
    /// Those that select the deployment; nothing when git was not read yet: then the last that were known stand.
    package var freezes: [FreezeWindow]?
    /// What the platform has; nothing when that is not known, or nothing more is about to start.
    package var capacity: Capacity?
    /// Nothing when it was not seen for long enough or lately, or the number of replicas is fixed.
    package var load: Load?

    @inlinable package init(
        desired: Desired = .unknown,
        observation: Observation = Observation(),
        asked: AskedTraffic? = nil,
        samples: [Sample] = [],
        measurements: [Measurement] = [],
        commands: [Command] = [],
        baseline: Baseline = Baseline(),
        unhealthyDependencies: [DeploymentID] = [],
        lostGit: String? = nil,
        freezes: [FreezeWindow]? = nil,
        capacity: Capacity? = nil,
        load: Load? = nil
    ) {
        self.desired = desired
        self.observation = observation
        self.asked = asked
        self.samples = samples
        self.measurements = measurements
        self.commands = commands
        self.baseline = baseline
        self.unhealthyDependencies = unhealthyDependencies
        self.lostGit = lostGit
        self.freezes = freezes
        self.capacity = capacity
        self.load = load
    }
}

/// How busy a deployment is.
package struct Load: Hashable, Codable, Sendable {
    /// Requests in flight, whoever answers them: smoothed, in tenths.
    package var requests: Double
    /// Without a gap.
    package var knownSince: Timestamp

    package init(requests: Double, knownSince: Timestamp) {
        self.requests = requests
        self.knownSince = knownSince
    }
}

/// What the router was last asked for, and since when: it may not serve it yet, and what was seen of it before that
/// does not tell.
package struct AskedTraffic: Hashable, Codable, Sendable {
    package var traffic: Traffic
    package var since: Timestamp

    package init(_ traffic: Traffic, since: Timestamp) {
        self.traffic = traffic
        self.since = since
    }
}

/// What git says of a deployment.
package enum Desired: Hashable, Codable, Sendable {
    /// Nothing can be said: git was not read yet, or the manifest has errors. The last good one stands.
    case unknown
    case spec(DeploymentSpec)
    /// Its manifest is gone, and the deletion rules are satisfied.
    case absent
}

/// What is known of the stable revision's traffic before a rollout begins.
package struct Baseline: Hashable, Codable, Sendable {
    /// How strongly each kind of its bad answers clusters; nothing when that was not worked out.
    package var bursts: BurstFactors?
    /// Its answer times of the last half hour.
    package var latency: LatencyHistogram

    package init(latency: LatencyHistogram = LatencyHistogram(), bursts: BurstFactors? = nil) {
        self.bursts = bursts
        self.latency = latency
    }
}

/// An operator's word on one deployment.
package struct Command: Hashable, Codable, Sendable {
    package var verb: Verb
    package var by: String
    package var why: String
    /// `rollback`: how git is put right, when that is asked for.
    package var revert: RevertMode?

    package enum Verb: Hashable, Codable, Sendable {
        case pause(until: Timestamp?)
        case resume
        case promote(full: Bool, force: Bool)
        case abort
        /// To the given revision, or to the one before.
        case rollback(to: Revision?)
        case retry
    }

    package init(_ verb: Verb, by: String, why: String = "", revert: RevertMode? = nil) {
        self.verb = verb
        self.by = by
        self.why = why
        self.revert = revert
    }

    /// Whether the command takes traffic away from a revision: such commands come before all else.
    package var isSafety: Bool {
        switch self.verb {
        case .abort, .rollback: true
        case .pause, .resume, .promote, .retry: false
        }
    }
}

/// What a command changed, or why it was refused and what to do instead.
package struct CommandAnswer: Hashable, Codable, Sendable {
    package var isAccepted: Bool
    package var isChanged: Bool
    package var message: String

    package static func done(_ message: String) -> CommandAnswer {
        CommandAnswer(isAccepted: true, isChanged: true, message: message)
    }

    package static func unchanged(_ message: String) -> CommandAnswer {
        CommandAnswer(isAccepted: true, isChanged: false, message: message)
    }

    package static func refused(_ message: String) -> CommandAnswer {
        CommandAnswer(isAccepted: false, isChanged: false, message: message)
    }
}

/// Why progress waits. Safety never does.
package enum Hold: Hashable, Codable, Sendable {
    case paused(by: String, why: String, until: Timestamp?)
    case awaitingApproval(step: Int)
    /// A place where somebody besides the steps' gates must say yes: a person, or the gates that have not yet.
    case awaitingSignOff(place: SignOff.Place, needsApproval: Bool, gates: [String])
    /// The step's `atMost` passed without a verdict.
    case inconclusive(step: Int)
    /// A gate whose failure holds instead of rolling back.
    case gateHolds(gate: String, evidence: String)
    case noEvidence(gate: String, why: String)
    /// Both tracks break the objective: the canary is not to blame, and not to be promoted now.
    case sharedIncident
    case staleObservation(String)
    case dependencies([DeploymentID])
    /// Until the time at which the window ends.
    case frozen(window: String, until: Timestamp)
    /// The wanted revision does not fit beside what runs; nothing has started.
    case noRoom(String)
    /// An autoscaled deployment has fewer replicas than it needs.
    case noRoomToScale(needed: Int, fits: Int, why: String)
}

/// Something that happened to a rollout; journaled, shown, and told to git where it is an outcome.
package struct Transition: Hashable, Codable, Sendable {
    package var time: Timestamp
    package var kind: Kind
    package var message: String
    /// The operator, or nothing when the controller acted by itself.
    package var by: String?
    package var revision: Revision?
    package var origin: CommitReference?
    /// What puts git right again; only where that is wanted.
    package var revert: ManifestRevert?

    package init(
        time: Timestamp,
        kind: Kind,
        message: String,
        by: String? = nil,
        revision: Revision? = nil,
        origin: CommitReference? = nil,
        revert: ManifestRevert? = nil
    ) {
        self.time = time
        self.kind = kind
        self.message = message
        self.by = by
        self.revision = revision
        self.origin = origin
        self.revert = revert
    }

    package enum Kind: String, Hashable, Codable, Sendable, CaseIterable {
        case rolloutStarted = "rollout-started"
        case stepStarted = "step-started"
        case inconclusive
        case replacing
        case promoting
        case promoted
        case settled
        case rollingBack = "rolling-back"
        case rolledBack = "rolled-back"
        case superseded
        case paused
        case resumed
        case approved
        case signOffAsked = "sign-off-asked"
        case retried
        case frozen
        case thawed
        case changedInPlace = "changed-in-place"
        case scaled
        case removing
    }

    /// Whether the transition ends a rollout and is to be told to git.
    package var isOutcome: Bool {
        switch self.kind {
        case .promoted, .rolledBack, .superseded: true
        default: false
        }
    }
}
