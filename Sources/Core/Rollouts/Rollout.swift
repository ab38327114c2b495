package import Analysis
package import Deployments

/// One deployment's life: what serves, what is replacing it, and what may not be tried again.
///
/// `Rollout` is a value: it performs no I/O, reads no clock and draws no random numbers. ``handle(_:at:)`` says which
/// phase follows from a situation; ``target`` says what the world should look like in that phase. Making the world
/// look like that is the planner's business, so a crash between the two loses nothing.
package struct Rollout: Hashable, Codable, Sendable {
    package let id: DeploymentID
    /// The last good manifest, whatever became of it.
    package var desired: DeploymentSpec?
    /// What was promoted last and serves; nothing until the first promotion.
    package var stable: DeploymentSpec?
    /// What is to replace the stable revision, or is being taken back.
    package var canary: DeploymentSpec?
    /// The stable revision before the present one, warm while baking.
    package var previous: DeploymentSpec?
    package var phase: Phase
    /// When the phase (or its step) began.
    package var since: Timestamp
    package var pause: Pause?
    package var pin: Pin?
    package var quarantine: [Revision: Quarantine]
    /// The windows that select this deployment, kept for when git cannot be asked.
    package var freezes: [FreezeWindow]
    /// The window that is open.
    package var freeze: Freeze?
    /// Earlier stable revisions, newest last, at most ``historyLimit``.
    package var history: [DeploymentSpec]
    /// The canary's judge, from its first step until it is rolled back, or until its bake ends when the revision before
    /// keeps some traffic to compare with.
    package var analysis: AnalysisRun?
    /// The stable revision's judge, while baking.
    package var watch: ObjectiveWatch?
    /// How bad answers of the stable revisions were seen to cluster: what a judge goes by until a controller that was
    /// started, or a revision that was promoted, has seen half an hour. Nothing when they came one by one.
    package var learnt: BurstFactors?
    /// The stable model's own account of its inputs and outputs, remembered while its replicas restart.
    package var stableSignature: String?
    /// How the router split the requests when the last sample was taken.
    package var sampledTraffic: Traffic
    /// What the revision before keeps of the traffic: fixed when a promotion begins, kept through the bake, and while a
    /// return to that revision prepares.
    package var holdback: TrafficWeight
    /// The canary returns to an earlier revision: straight to all traffic once it is ready, without steps.
    package var isRestoring: Bool
    /// The current step passed its `atMost` without a verdict.
    package var isInconclusive: Bool
    /// When a gate of the current step was last without evidence: `atMost` counts from there. While the canary
    /// prepares, when platform or router were last out of sight: `progressDeadline` counts from there.
    package var blindUntil: Timestamp?
    /// Since when an autoscaled deployment needs fewer replicas than it has: the more of them first.
    package var surplus: [Surplus]?
    /// Since when the canary lacks replicas that the step before it needs to go on.
    package var lackingSince: Timestamp?
    /// The sign-offs that were asked for; nothing when there are none.
    package var signOffs: [PendingSignOff]?
    /// Why progress waits, for people; worked out anew at every call of ``handle(_:at:)``.
    package var holds: [Hold]

    package static let historyLimit = 10
    package static let quarantineLimit = 50
    /// Observations older than this are stale: they stop progress. Five times the longest usual interval between two.
    package static let freshness: Duration = .seconds(10)

    package init(id: DeploymentID, at now: Timestamp) {
        self.id = id
        self.phase = .settled
        self.since = now
        self.quarantine = [:]
        self.freezes = []
        self.history = []
        self.sampledTraffic = Traffic()
        self.holdback = .none
        self.isRestoring = false
        self.isInconclusive = false
        self.holds = []
    }
}

extension Rollout {
    package enum Phase: Hashable, Codable, Sendable {
        /// The stable revision has all traffic, or nothing serves yet.
        ///
        /// Leads to `preparing` when another revision is wanted, or to `removing`.
        case settled

        /// The canary's artifact is fetched and its replicas start. All traffic is on the stable revision.
        ///
        /// Leads to `stepping` once the canary is ready (to `promoting` when there is nothing to compare it with, or
        /// when it restores an earlier revision), or to `rollingBack`. With `recreate` no replica starts yet: leads to
        /// `replacing` once the artifact is here and verified.
        case preparing

        /// Only with `recreate`: the stable revision's traffic ends, its replicas drain and stop, and the canary's
        /// start in their place and take the traffic. Nothing holds that up half-way.
        ///
        /// Leads to `baking` (to `settled` without a bake) once the router serves the canary, or to `rollingBack`,
        /// which starts the stable revision again.
        case replacing

        /// The canary serves the weight of `step` while evidence is gathered; `servedSince` is when the router was
        /// first seen serving it.
        ///
        /// Leads to the next step, to `promoting` after the last one, to `preparing` when superseded, or to
        /// `rollingBack`.
        case stepping(step: Int, servedSince: Timestamp?)

        /// The canary is to have all traffic but the holdback.
        ///
        /// Leads to `baking` (to `settled` when there is no previous revision) once the router serves that, or to
        /// `rollingBack`.
        case promoting

        /// The canary became the stable revision; the previous one is still warm, and has the holdback.
        ///
        /// Leads to `settled` after the bake time, to `preparing` when superseded, or to `rollingBack`.
        case baking

        /// The stable revision is to have all traffic again, at once.
        ///
        /// Leads to `settled` once the router serves that.
        case rollingBack(RollbackReason)

        /// The manifest is gone, by the deletion rules: traffic ends, then the replicas do. Final.
        case removing
    }

    package enum RollbackReason: Hashable, Codable, Sendable {
        case gateFailed(gate: String, evidence: String)
        case objectiveBreached(objective: String, evidence: String)
        case inconclusive(step: Int)
        case progressDeadline(waitingFor: String)
        case artifact(String)
        case replicaFailed(String)
        case signatureChanged(String)
        case requested(by: String, why: String)
        case aborted(by: String, why: String)
        /// Git names the stable revision again, a quarantined one, or one that a freeze keeps from starting: no
        /// failure, no quarantine.
        case cancelled
    }

    /// An operator's word that progress stops. Safety goes on.
    package struct Pause: Hashable, Codable, Sendable {
        package var by: String
        package var why: String
        package var since: Timestamp
        package var until: Timestamp?

        package init(by: String, why: String, since: Timestamp, until: Timestamp?) {
            self.by = by
            self.why = why
            self.since = since
            self.until = until
        }
    }

    /// An operator's word that `revision` serves until git names another than `insteadOf`.
    package struct Pin: Hashable, Codable, Sendable {
        package var revision: Revision
        package var insteadOf: Revision?
        package var by: String
    }

    /// A window that is open. Like a pause it stops progress, not safety, but an operator's return to an earlier
    /// revision and git's to the warm one are no progress.
    package struct Freeze: Hashable, Codable, Sendable {
        package var window: String
        package var until: Timestamp
    }

    package struct Quarantine: Hashable, Codable, Sendable {
        package var spec: DeploymentSpec
        package var reason: RollbackReason
        package var since: Timestamp

        package init(spec: DeploymentSpec, reason: RollbackReason, since: Timestamp) {
            self.spec = spec
            self.reason = reason
            self.since = since
        }
    }
}

extension Rollout {
    /// From now until when time alone brings nothing about: only news does, of git, of what is seen, or from an
    /// operator.
    ///
    /// - Returns: Nothing where time may move it at any moment.
    package func rest(at now: Timestamp) -> Range<Timestamp>? {
        guard self.phase == .settled, self.stable != nil, self.canary == nil, self.previous == nil,
            self.analysis == nil, self.watch == nil, self.surplus == nil, self.waiting == nil, self.signOffs == nil,
            self.holds.allSatisfy({ if case .paused = $0 { true } else { false } })
        else { return nil }
        var end = self.pause?.until ?? .endOfTime
        for window in self.freezes { end = min(end, window.change(after: now) ?? .endOfTime) }
        return now < end ? now..<end : nil
    }

    package var isInFlight: Bool {
        switch self.phase {
        case .preparing, .replacing, .stepping, .promoting: true
        case .settled, .baking, .rollingBack, .removing: false
        }
    }

    /// Whether the evidence is weighed that comes in: in a step that the router serves, and in a bake with a holdback.
    package var isJudging: Bool {
        switch self.phase {
        case .stepping(_, .some): true
        case .baking: self.analysis != nil
        case .settled, .preparing, .replacing, .stepping(_, nil), .promoting, .rollingBack, .removing: false
        }
    }

    /// Who is judged and whom it is compared with, while evidence is weighed: in a bake what was promoted, and what was
    /// stable before.
    package var compared: (judged: DeploymentSpec, other: DeploymentSpec?)? {
        guard self.isJudging else { return nil }
        if self.phase == .baking { return self.stable.map { ($0, self.previous) } }
        return self.canary.map { ($0, self.stable) }
    }

    /// Whether the canary takes the stable revision's place, as the two can't run beside each other.
    package var isReplacement: Bool { self.stable != nil && self.canary?.rollout.strategy == .recreate }

    /// Whether somebody or a window stops new rollouts, rises of weight and promotions.
    var isStopped: Bool { self.pause != nil || (self.freeze != nil && !self.isRestoring) }

    /// Until when a canary that prepares must be ready.
    package var readyBy: Timestamp? {
        self.canary.map { max(self.since, self.blindUntil ?? self.since) + $0.rollout.progressDeadline }
    }

    /// Every revision that has a part in the present phase.
    package var specs: [DeploymentSpec] {
        [self.stable, self.canary, self.previous].compactMap(\.self)
    }

    package func spec(of revision: Revision) -> DeploymentSpec? {
        self.specs.first { $0.revision == revision }
            ?? self.history.last { $0.revision == revision }
            ?? self.quarantine[revision]?.spec
    }

    /// The revision that should serve: an operator's pin, or git's.
    package var wanted: DeploymentSpec? {
        if let pin = self.pin, let spec = self.spec(of: pin.revision) { return spec }
        return self.desired
    }

    /// The canary's weight in `step`: an approval waits at the weight of the step before it.
    package func weight(ofStep step: Int) -> TrafficWeight {
        guard let steps = self.canary?.rollout.steps else { return .none }
        for index in stride(from: min(step, steps.count - 1), through: 0, by: -1) {
            if case .weight(let weight) = steps[index].action { return weight }
        }
        return .none
    }

    /// The weight after `step`: that of the next step that has one, or all.
    package func weight(afterStep step: Int) -> TrafficWeight {
        guard let steps = self.canary?.rollout.steps else { return .all }
        for later in steps.dropFirst(step + 1) {
            if case .weight(let weight) = later.action { return weight }
        }
        return .all
    }

    /// What the canary gets in `step`, in words: `5 %`, `copies of 100 % of the requests`.
    package func share(ofStep step: Int) -> String {
        guard let steps = self.canary?.rollout.steps, steps.indices.contains(step) else { return "nothing" }
        return switch steps[step].action {
        case .weight(let weight): "\(weight)"
        case .approval: "\(self.weight(ofStep: step))"
        case .shadow(let percent): "copies of \(percent) of the requests"
        case .match(let headers): "the requests where \(headers)"
        }
    }

    package func gates(ofStep step: Int) -> [Gate] {
        guard let policy = self.canary?.rollout, policy.steps.indices.contains(step) else { return [] }
        return policy.steps[step].gates ?? policy.gates
    }
}
