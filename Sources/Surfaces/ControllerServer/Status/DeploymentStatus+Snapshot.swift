import Analysis
package import ControllerAPI
package import Deployments
import Foundation
package import Reconciliation
import Rollouts

extension DeploymentStatus {
    /// One of the fleet, without working out the others.
    ///
    /// - Returns: Nothing when there is no such deployment.
    package init?(_ id: DeploymentID, in fleet: FleetSnapshot) {
        guard let snapshot = fleet.deployments[id] else { return nil }
        self.init(snapshot, in: fleet)
    }

    init(_ snapshot: DeploymentSnapshot, in fleet: FleetSnapshot) {
        let rollout = snapshot.rollout
        self.init(
            namespace: rollout.id.namespace,
            name: rollout.id.name,
            phase: rollout.phaseName,
            health: Self.health(of: snapshot, in: fleet),
            message: Self.message(of: snapshot),
            since: Date(rollout.since)
        )
        self.holds = rollout.holds.map { HoldStatus($0, of: rollout) }
        if let problem = fleet.journalProblem, Self.isHeldByJournal(rollout, in: fleet) {
            self.holds.insert(HoldStatus(kind: HoldStatus.journal, why: problem), at: 0)
        }
        self.stable = rollout.stable.map { RevisionStatus($0, in: snapshot) }
        self.canary = rollout.canary.map { RevisionStatus($0, in: snapshot) }
        self.previous = rollout.previous.map { RevisionStatus($0, in: snapshot) }
        self.autoscaling = AutoscalingStatus(snapshot)
        self.steps = Self.steps(of: rollout)
        self.gates = snapshot.assessments(at: fleet.time).map { GateStatus($0) }
        self.signOffs = rollout.signOffs?.map { SignOffStatus($0, of: rollout, at: fleet.time) }
        self.waitingFor = snapshot.waitingFor
        self.quarantined = rollout.quarantine.sorted { $0.value.since < $1.value.since }.map { revision, record in
            QuarantineStatus(
                revision: revision.digest,
                modelVersion: record.spec.model.version,
                commit: CommitStatus(record.spec.origin),
                reason: record.reason.description,
                since: Date(record.since)
            )
        }
        self.desired = rollout.desired.map { CommitStatus($0.origin) }
        self.desiredRevision = rollout.desired?.revision.digest
        self.pin = rollout.pin.map { PinStatus(revision: $0.revision.digest, by: $0.by) }
        self.diagnostics = snapshot.notes
        self.modelUpdate = snapshot.modelUpdate.map {
            ModelUpdateStatus(message: $0.text, since: Date($0.since), isProblem: $0.isProblem)
        }
        self.events = snapshot.transitions.map { EventStatus($0, of: rollout.id) }
        if rollout.phase == .baking, let stable = rollout.stable {
            self.bakeEnds = Date(rollout.since + stable.rollout.bakeTime)
        }
        let outlook = Outlook(snapshot, in: fleet)
        self.next = outlook.next
        self.rollsBackIf = outlook.rollsBackIf
        self.sources = Self.sources(of: snapshot, in: fleet)
    }

    /// Of others than those in motion it is not known whether it lasts: they have nothing to write.
    static func isHeldByJournal(_ rollout: Rollout, in fleet: FleetSnapshot) -> Bool {
        fleet.journalProblem != nil && (rollout.isInFlight || rollout.phase == .baking)
    }

    /// With what holds the whole fleet.
    static func health(of snapshot: DeploymentSnapshot, in fleet: FleetSnapshot) -> Health {
        let health = Self.health(of: snapshot, at: fleet.time)
        guard Self.isHeldByJournal(snapshot.rollout, in: fleet) else { return health }
        return health == .progressing || health == .healthy ? .held : health
    }

    static func health(of snapshot: DeploymentSnapshot, at now: Timestamp) -> Health {
        let rollout = snapshot.rollout
        // Old sights say nothing about health.
        guard let isLacking = snapshot.lacksReplicas(at: now) else { return .unknown }
        if isLacking { return .degraded }
        if case .rollingBack = rollout.phase { return .degraded }
        if rollout.phase == .removing { return .progressing }
        if !rollout.holds.isEmpty { return .held }
        return rollout.isInFlight ? .progressing : .healthy
    }

    static func message(of snapshot: DeploymentSnapshot) -> String {
        let rollout = snapshot.rollout
        let wait = snapshot.waitingFor.first.map { "; waits for \($0)" } ?? ""
        let what =
            switch rollout.phase {
            case .settled:
                rollout.stable.map { "\($0.label) serves" } ?? "nothing serves yet"
            case .preparing: "preparing \(rollout.canary?.label ?? "")"
            case .replacing: "\(rollout.canary?.label ?? "") takes the place of \(rollout.stable?.label ?? "")"
            case .stepping(let step, _):
                "\(rollout.canary?.label ?? "") gets \(rollout.share(ofStep: step)) in step \(step + 1) of "
                    + "\(rollout.canary?.rollout.steps.count ?? 0)"
            case .promoting: "promoting \(rollout.canary?.label ?? "")"
            case .baking:
                "\(rollout.stable?.label ?? "") has "
                    + (rollout.holdback == .none ? "all traffic" : "\(rollout.holdback.complement) of the traffic")
                    + " and bakes"
            case .rollingBack(let reason): "rolling back: \(reason)"
            case .removing: "being removed: its manifest is gone from git"
            }
        if rollout.phase == .settled, let desired = rollout.desired, desired.revision != rollout.stable?.revision,
            let record = rollout.quarantine[desired.revision]
        {
            return "\(what); \(desired.label) is quarantined: \(record.reason)"
        }
        return what + wait
    }

    private static func steps(of rollout: Rollout) -> [StepStatus] {
        guard let canary = rollout.canary, rollout.isInFlight, !rollout.isRestoring else { return [] }
        return canary.rollout.steps.enumerated().map { index, step in
            let title = step.action.description
            // An approval waits as long as it takes.
            let isTimed = step.action != .approval
            switch rollout.phase {
            case .stepping(let current, let served) where index == current:
                return StepStatus(
                    title: title,
                    state: .current,
                    since: served.map(Date.init),
                    atLeastEnds: isTimed ? served.map { Date($0 + step.atLeast) } : nil,
                    atMostEnds: isTimed ? served.map { Date(max($0, rollout.blindUntil ?? $0) + step.atMost) } : nil
                )
            case .stepping(let current, _):
                return StepStatus(title: title, state: index < current ? .done : .pending)
            case .promoting:
                return StepStatus(title: title, state: .done)
            case .settled, .preparing, .replacing, .baking, .rollingBack, .removing:
                return StepStatus(title: title, state: .pending)
            }
        }
    }

    private static func sources(of snapshot: DeploymentSnapshot, in fleet: FleetSnapshot) -> [String] {
        var words = [
            Self.age("platform", snapshot.observation.replicas, fleet.time, fleet.platformProblem),
            Self.age("router", snapshot.observation.router, fleet.time, fleet.routerProblem),
        ]
        let repository = snapshot.rollout.desired?.origin.repository
        if let source = fleet.sources.first(where: { $0.repository == repository }) {
            let age = source.lastPolled.map { "read \((fleet.time - $0).short) ago" } ?? "not read yet"
            words.append("git \(source.repository): " + (source.problem.map { "\($0); last \(age)" } ?? age))
        }
        if let problem = fleet.journalProblem { words.append("journal: \(problem)") }
        words += ReceiverStatus.troubles(in: fleet)
        return words
    }

    private static func age<Value>(_ name: String, _ reading: Reading<Value>, _ now: Timestamp, _ problem: String?)
        -> String
    {
        let suffix = problem.map { "; now: \($0)" } ?? ""
        return switch reading {
        case .known(_, let time): "\(name): seen \((now - time).short) ago\(suffix)"
        case .unknown(let why): "\(name): unknown, \(problem ?? why)"
        }
    }
}

extension RevisionStatus {
    init(_ spec: DeploymentSpec, in snapshot: DeploymentSnapshot) {
        let artifact = snapshot.observation.artifacts[spec.revision] ?? .absent
        let replicas = (snapshot.observation.replicas.last ?? []).filter { $0.id.revision == spec.revision }
        self.init(
            revision: spec.revision.digest,
            modelName: spec.model.name,
            modelVersion: spec.model.version,
            commit: CommitStatus(spec.origin),
            weight: snapshot.observation.router.last.map { $0.traffic[spec.revision].percent },
            replicas: replicas.map { ReplicaStatus($0) },
            wantedReplicas: snapshot.rollout.target.replicas[spec.revision] ?? 0,
            artifact: artifact.words,
            resolved: artifact.resolved.map { "\(spec.model.uri) is \($0)" }
        )
    }
}

extension GateStatus {
    init(_ assessment: GateAssessment) {
        self.init(
            name: assessment.gate.name,
            outcome: assessment.outcome.rawValue,
            value: assessment.value,
            limit: assessment.limit,
            breachEvidence: assessment.comparison?.breachShare,
            safeEvidence: assessment.comparison?.safeShare,
            prediction: assessment.prediction,
            detail: assessment.detail
        )
    }
}

extension HoldStatus {
    /// The kind of a journal that cannot be written.
    static let journal = "journal"

    init(_ hold: Hold, of rollout: Rollout) {
        let id = rollout.id
        switch hold {
        case .paused(let by, let why, let until):
            self.init(kind: "paused", by: by, why: why, until: until.map(Date.init), remedy: "controller resume \(id)")
            self.since = rollout.pause.map { Date($0.since) }
        case .awaitingApproval(let step):
            self.init(kind: "approval", why: "step \(step + 1) waits for a person", remedy: "controller promote \(id)")
        case .awaitingSignOff(let place, let needsApproval, let gates):
            self.init(
                kind: "sign-off",
                why: "\(place) it takes \(SignOff.words(needsApproval: needsApproval, gates: gates))",
                remedy: needsApproval ? "controller promote \(id)" : nil
            )
        case .inconclusive(let step):
            self.init(
                kind: "inconclusive",
                why: "step \(step + 1) passed its `atMost` without a verdict; it goes on when the evidence suffices",
                remedy: "controller promote \(id)"
            )
        case .gateHolds(let gate, let evidence):
            self.init(
                kind: "gate",
                why: "gate \(gate) failed, and its manifest says to hold: \(evidence)",
                remedy: "controller abort \(id)"
            )
        case .noEvidence(let gate, let why):
            self.init(kind: "no-evidence", why: "gate \(gate): \(why)")
        case .sharedIncident:
            self.init(
                kind: "shared-incident",
                why: "both revisions break the objective, so the canary is not to blame; nothing is promoted meanwhile"
            )
        case .staleObservation(let why):
            self.init(kind: "stale", why: why)
        case .dependencies(let ids):
            let names = ids.map(\.description).joined(separator: ", ")
            self.init(
                kind: "dependencies",
                why: "waits for \(names) to serve a ready revision",
                remedy: ids.first.map { "controller explain \($0)" }
            )
        case .frozen(let window, let until):
            self.init(
                kind: "frozen",
                why: "the freeze \(window) lasts until \(until.utc); what is new is taken up when it ends",
                until: Date(until),
                remedy: OperatorFreeze.number(ofWindow: window).map { "controller unfreeze \($0)" }
            )
        case .noRoom(let why):
            // In flight, `replicas` changed since it began.
            if rollout.isInFlight {
                self.init(kind: "no-room", why: why, remedy: "controller abort \(id)")
                return
            }
            self.init(kind: "no-room", why: "\(rollout.waiting?.label ?? "the revision") has not started: \(why)")
        case .noRoomToScale(let needed, let fits, let why):
            self.init(
                kind: "no-room-to-scale",
                why: "needs \(needed) replicas, room for \(fits): \(why); it grows when other deployments leave room"
            )
        }
    }
}
