import Analysis
import ControllerAPI
import Deployments
import Foundation
import Reconciliation
import Rollouts

/// What would happen next to a deployment and when, and what would take its traffic back.
struct Outlook {
    let rollout: Rollout
    let snapshot: DeploymentSnapshot
    let now: Timestamp
    /// Decisions cannot be written down, so none but a rollback is acted upon.
    private let isUnjournaled: Bool

    init(_ snapshot: DeploymentSnapshot, in fleet: FleetSnapshot) {
        self.rollout = snapshot.rollout
        self.snapshot = snapshot
        self.now = fleet.time
        self.isUnjournaled = fleet.journalProblem != nil
    }

    var next: [NextStatus] {
        var next = self.nextOfPhase + self.priceOfRollback
        if self.isBlocked {
            next.insert(NextStatus("nothing goes forward while it is held; what takes traffic back still does"), at: 0)
        }
        if let pause = self.rollout.pause {
            next.insert(
                pause.until.map { NextStatus("the pause ends by itself, and progress goes on", at: $0) }
                    ?? NextStatus("nothing goes forward until `controller resume \(self.rollout.id)`"),
                at: 0
            )
        }
        if let freeze = self.rollout.freeze {
            let end = Date(freeze.until)
            next.insert(NextStatus(what: "the freeze \(freeze.window) ends, and progress goes on", at: end), at: 0)
        }
        return next + self.fewerReplicas + self.restarts
    }

    /// A hold that nobody's word and no evidence ends.
    private var isBlocked: Bool {
        self.isUnjournaled
            || self.rollout.holds.contains { hold in
                switch hold {
                case .staleObservation, .noEvidence, .sharedIncident, .dependencies, .gateHolds: true
                case .paused, .awaitingApproval, .awaitingSignOff, .inconclusive, .frozen, .noRoom, .noRoomToScale:
                    false
                }
            }
    }

    /// What an autoscaled deployment needs no more.
    private var fewerReplicas: [NextStatus] {
        guard let stable = self.rollout.stable, let autoscaling = stable.autoscaling else { return [] }
        return (self.rollout.surplus ?? []).map { surplus in
            NextStatus(
                "it is scaled down to \(surplus.replicas) replicas, unless more are needed until then",
                at: surplus.since + autoscaling.scaleDownAfter
            )
        }
    }

    /// Replicas that ended and will be started again.
    private var restarts: [NextStatus] {
        (self.snapshot.observation.replicas.last ?? []).compactMap { replica in
            guard case .backingOff(let until) = replica.state else { return nil }
            return NextStatus("replica \(replica.id) is started again", at: until)
        }
    }

    private var nextOfPhase: [NextStatus] {
        switch self.rollout.phase {
        case .settled: self.nextWhenSettled
        case .preparing: self.nextWhenPreparing
        case .replacing: self.nextWhenReplacing
        case .stepping(_, nil):
            [NextStatus("once the router is seen serving the step's weight, judging begins and the step's time runs")]
        case .stepping(let step, .some(let served)): self.next(afterStep: step, servedSince: served)
        case .promoting:
            [
                NextStatus(
                    "once the router is seen sending it \(self.rollout.holdback.complement), it is stable and the bake "
                        + "begins"
                )
            ]
        case .baking: self.nextWhenBaking
        case .rollingBack(let reason):
            self.standIn(reason)
                ?? [NextStatus("once the router is seen sending it nothing, its replicas drain and stop")]
        case .removing:
            [NextStatus("its traffic ends, then its replicas do; a manifest that comes back in time stops that")]
        }
    }

    /// What git merely does not want any more serves on until stable can.
    private func standIn(_ reason: Rollout.RollbackReason) -> [NextStatus]? {
        guard reason == .cancelled, let canary = self.rollout.canary, let stable = self.rollout.stable,
            self.snapshot.observation.router.last?.traffic.reaches(canary.revision) == true,
            let replicas = self.snapshot.observation.replicas.last,
            !replicas.contains(where: { $0.id.revision == stable.revision && $0.state == .ready })
        else { return nil }
        return [
            NextStatus(
                "\(canary.label) stands in for \(stable.label), which has no ready replica: git does not want it any "
                    + "more, but it has not failed"
            ),
            NextStatus("once \(stable.label) has a ready replica, it gets all traffic, and the other's replicas stop"),
        ]
    }

    /// What the manifest wants said there, as it is put behind what waits for it; empty when nothing is wanted.
    private func signOff(_ place: SignOff.Place) -> String {
        let spec = place == .beforeRollout ? self.rollout.waiting : self.rollout.canary ?? self.rollout.stable
        guard let wanted = spec?.rollout.signOffs?[place] else { return "" }
        if let pending = self.rollout.signOff(place), pending.revision == spec?.revision {
            return pending.isGiven(at: self.now) ? "" : " once it has \(pending.missing(at: self.now))"
        }
        let words = SignOff.words(needsApproval: wanted.needsApproval, gates: wanted.gates.map(\.name))
        return " once it has \(words)"
    }

    /// With a surge below 100 percent, the way back is narrower than what it leads to.
    private var priceOfRollback: [NextStatus] {
        guard let (spec, kept) = self.rollout.shortfall else { return [] }
        return [
            NextStatus(
                "\(spec.label) has \(kept) of \(spec.replicas) replicas: a rollback now puts all traffic on \(kept), "
                    + "and the missing ones start as the other revision's leave"
            )
        ]
    }

    private var nextWhenSettled: [NextStatus] {
        let rollout = self.rollout
        if let pin = rollout.pin, rollout.desired?.revision != rollout.stable?.revision {
            return [NextStatus("\(pin.by)'s rollback stands until git names another revision than it did then")]
        }
        guard let desired = rollout.desired, desired.revision != rollout.stable?.revision else {
            return [NextStatus("a commit with another revision starts a rollout")]
        }
        if rollout.quarantine[desired.revision] != nil {
            return [
                NextStatus(
                    "nothing, until a commit with another revision or `controller retry \(rollout.id)`: git names "
                        + "\(desired.label), which is quarantined"
                )
            ]
        }
        let isWaiting = rollout.holds.contains { if case .noRoom = $0 { true } else { false } }
        let room = isWaiting ? " as soon as there is room" : ""
        return [NextStatus("the rollout of \(desired.label) starts\(room)\(self.signOff(.beforeRollout))")]
    }

    private var nextWhenPreparing: [NextStatus] {
        guard let canary = self.rollout.canary else { return [] }
        let needed = self.rollout.canaryReplicas
        let replicas = needed < canary.replicas ? "\(needed) of \(canary.replicas) replicas" : "all its replicas"
        let ready =
            if self.rollout.isReplacement {
                "once its artifact is here and verified, it takes the place of "
                    + "\(self.rollout.stable?.label ?? "stable"), which stops first"
            } else if self.rollout.stable == nil || self.rollout.isRestoring || canary.rollout.steps.isEmpty {
                "once \(replicas) are ready, it takes all traffic"
            } else {
                "once \(replicas) are ready and its signature agrees, step 1 sends it "
                    + self.rollout.share(ofStep: 0)
            }
        return [
            NextStatus(ready),
            NextStatus(
                "if that has not come by then, the rollout ends and the revision is quarantined (`progressDeadline`)",
                at: self.rollout.readyBy
            ),
        ]
    }

    private var nextWhenReplacing: [NextStatus] {
        guard let canary = self.rollout.canary else { return [] }
        let stable = self.rollout.stable?.label ?? "the stable revision"
        return [
            NextStatus("\(stable) stops, \(canary.label) starts in its place and takes all traffic once it is ready"),
            NextStatus(
                "if that has not come by then, \(stable) is started again (`progressDeadline`)",
                at: self.rollout.readyBy
            ),
        ]
    }

    private var nextWhenBaking: [NextStatus] {
        guard let stable = self.rollout.stable else { return [] }
        let holdback = self.rollout.holdback
        let rest = holdback == .none ? "" : ", which gives up the \(holdback) that it keeps"
        let previous = self.rollout.previous.map { "\($0.label) stops\(rest)" } ?? "the previous replicas stop"
        return [
            NextStatus(
                "the bake ends\(self.signOff(.afterPromotion)) and \(previous); after that a rollback has to start "
                    + "replicas first",
                at: self.rollout.since + stable.rollout.bakeTime
            )
        ]
    }

    private func next(afterStep step: Int, servedSince served: Timestamp) -> [NextStatus] {
        guard let policy = self.rollout.canary?.rollout, policy.steps.indices.contains(step) else { return [] }
        let (this, following) = (policy.steps[step], self.name(ofStepAfter: step))
        if this.action == .approval {
            return [NextStatus("\(following) follows when somebody says `controller promote \(self.rollout.id)`")]
        }
        var next: [NextStatus] = []
        let earliest = served + this.atLeast
        let isOver = earliest <= self.now
        next.append(
            NextStatus(
                "\(following) follows as soon as every gate has passed" + (isOver ? "" : ", but not before then"),
                at: isOver ? nil : earliest
            )
        )
        next += self.expectations
        let limit = max(served, self.rollout.blindUntil ?? served) + this.atMost
        let otherwise =
            switch policy.onInconclusive {
            case .pause: "it waits for a person"
            case .promote: "it goes on all the same"
            case .rollback: "it is taken back"
            }
        if limit > self.now {
            next.append(NextStatus("without a verdict by then, \(otherwise) (`onInconclusive`)", at: limit))
        }
        return next
    }

    private func name(ofStepAfter step: Int) -> String {
        guard let steps = self.rollout.canary?.rollout.steps, step + 1 < steps.count else {
            return "promotion to all traffic\(self.signOff(.beforePromotion))"
        }
        return "step \(step + 2) of \(steps.count) (\(steps[step + 1].action))"
    }

    /// When gates that have not decided yet are expected to.
    private var expectations: [NextStatus] {
        if self.isBlocked { return [] }
        return self.snapshot.assessments(at: self.now).compactMap { assessment in
            guard assessment.outcome == .inconclusive, let seconds = assessment.comparison?.secondsUntilSafe,
                seconds.isFinite, seconds < 1e7
            else { return nil }
            return NextStatus(
                "gate \(assessment.gate.name) is expected to pass, if the canary is as good as stable",
                at: self.now + .seconds(seconds),
                isEstimate: true
            )
        }
    }

    /// What would take the traffic back by itself, in words.
    var rollsBackIf: [String] { self.reasonsOfPhase + self.noes }

    /// A sign-off that somebody may refuse.
    private var noes: [String] {
        (self.rollout.signOffs ?? []).filter { $0.place != .beforeRollout }.flatMap { pending in
            (pending.run == nil ? [] : pending.wanted.gates).filter { $0.onFailure == .rollback }.map { gate in
                "gate \(gate.name) says no \(pending.place)"
            }
        }
    }

    private var reasonsOfPhase: [String] {
        switch self.rollout.phase {
        case .settled, .rollingBack, .removing: []
        case .preparing, .replacing:
            [
                "its artifact cannot be had or verified, or a replica can never become ready",
                "it is not ready by `progressDeadline`",
            ]
        case .stepping:
            self.gates + ["every replica of it ends while one of stable's is ready"]
        case .promoting:
            self.rollout.stable == nil ? [] : ["every replica of it ends while one of stable's is ready"]
        case .baking:
            self.gates
                + (self.rollout.stable?.objectives ?? []).map { objective in
                    "objective \(objective.name) burns its error budget too fast"
                } + ["every replica of it ends while one of the previous revision is ready"]
        }
    }

    private var gates: [String] {
        self.snapshot.assessments(at: self.now).compactMap { assessment in
            guard assessment.gate.onFailure == .rollback else {
                return assessment.outcome == .failed ? nil : "(gate \(assessment.gate.name) only holds when it fails)"
            }
            switch assessment.gate.kind {
            case .webhook(let query): return "gate \(assessment.gate.name) fails: \(query.provider) says so"
            case .job(let job): return "gate \(assessment.gate.name) fails: \(job.command.first ?? "") exits with 1"
            case .preset(let rule): return "gate \(assessment.gate.name) fails by \(rule.words)"
            case .errors, .clientErrors, .latency, .slowdown, .threshold, .ratio, .mean, .drift, .answers: break
            }
            guard let comparison = assessment.comparison else {
                return "gate \(assessment.gate.name) fails: \(assessment.limit) is broken too often"
            }
            let percent = Int((comparison.breachShare * 100).rounded())
            return "gate \(assessment.gate.name) shows that the canary breaks `\(assessment.limit)`: now at "
                + "\(min(99, percent)) % of the evidence that takes"
        }
    }
}

extension NextStatus {
    fileprivate init(_ what: String, at time: Timestamp? = nil, isEstimate: Bool = false) {
        self.init(what: what, at: time.map(Date.init), isEstimate: isEstimate)
    }
}
