import Analysis
import Decisions
import Deployments
import Planning
import Reconciliation
import Rollouts
import Synchronization

/// What was really said about revisions, by people and by the board.
struct SignOffBook: Sendable {
    private var passed: Set<Word> = []
    private var approved: Set<Word> = []

    private struct Word: Hashable, Sendable {
        var deployment: DeploymentID
        var revision: Revision
        var place: SignOff.Place
    }

    mutating func note(pass revision: Revision, of id: DeploymentID, at place: SignOff.Place) {
        self.passed.insert(Word(deployment: id, revision: revision, place: place))
    }

    mutating func note(approval revision: Revision, of id: DeploymentID, at place: SignOff.Place, force: Bool) {
        let word = Word(deployment: id, revision: revision, place: place)
        self.approved.insert(word)
        if force { self.passed.insert(word) }
    }

    func covers(_ signOff: SignOff, of revision: Revision, _ id: DeploymentID, at place: SignOff.Place) -> Bool {
        let word = Word(deployment: id, revision: revision, place: place)
        return (!signOff.needsApproval || self.approved.contains(word))
            && (signOff.gates.isEmpty || self.passed.contains(word))
    }
}

extension Truth {
    /// Whom the board answers, now and then not at once.
    mutating func verdict(on question: VerdictQuestion) -> VerdictAnswer {
        if self.isGoingOn(.providerOutage) { return .unavailable("no answer within 5s") }
        if self.isGoingOn(.providerNonsense) { return .refused("what is that?") }
        guard let place = question.place.flatMap(SignOff.Place.init(rawValue:)),
            let id = DeploymentID(question.deployment)
        else { return .refused("no place") }
        let revision = Revision(digest: question.revision)
        if self.signOffDice.chance(0.3) { return .wait("not yet") }
        if self.behaviour(revision).turnedDown == place { return .fail("turned down") }
        self.signOffs.note(pass: revision, of: id, at: place)
        return .pass("")
    }

    /// Nothing goes past a place where somebody was to be asked and has not said yes; and a no is obeyed.
    mutating func checkSignOffs(_ decision: Decision) {
        let (before, after) = (decision.before, decision.after)
        self.noteApprovals(decision)
        if after.phase != before.phase || after.canary?.revision != before.canary?.revision {
            self.checkPassing(decision)
        }
        for pending in after.signOffs ?? [] {
            self.coverage.see(.signOff, pending.place.rawValue)
            if pending.place == .beforeRollout {
                let isPart = after.specs.contains { $0.revision == pending.revision }
                if !isPart, decision.starts(pending.revision) {
                    self.report("sign-off: what waits for one is started", decision, pending.place)
                }
                continue
            }
            let saysNo = pending.run?.outcomes(at: decision.time).contains { result in
                result.outcome == .failed && result.gate.onFailure == .rollback
            }
            if saysNo == true { self.report("sign-off: a no changes nothing", decision, pending.place) }
        }
    }

    private mutating func noteApprovals(_ decision: Decision) {
        let id = decision.after.id
        for (command, answer) in zip(decision.situation.commands, decision.outcome.answers) where answer.isChanged {
            guard case .promote(let full, let force) = command.verb else { continue }
            for pending in (decision.before.signOffs ?? []) + (decision.after.signOffs ?? [])
            where pending.approvedBy != nil || !pending.wanted.needsApproval || decision.after.isPast(pending) {
                self.signOffs.note(approval: pending.revision, of: id, at: pending.place, force: force)
            }
            if let canary = decision.before.canary, full || decision.after.phase == .promoting {
                self.signOffs.note(approval: canary.revision, of: id, at: .beforePromotion, force: force)
            }
        }
    }

    private mutating func checkPassing(_ decision: Decision) {
        let (before, after) = (decision.before, decision.after)
        let isReturn = after.isRestoring || after.canary?.revision == before.pin?.revision
        switch after.phase {
        case .preparing where !isReturn: self.check(after.canary, at: .beforeRollout, decision)
        case .promoting where !isReturn && before.phase != .promoting && before.stable != nil:
            self.check(after.canary, at: .beforePromotion, decision)
        case .settled where before.phase == .baking && after.stable?.revision == before.stable?.revision:
            self.check(after.stable, at: .afterPromotion, decision)
        default: break
        }
    }

    private mutating func check(_ spec: DeploymentSpec?, at place: SignOff.Place, _ decision: Decision) {
        guard let spec, let wanted = spec.rollout.signOffs?[place] else { return }
        if !self.signOffs.covers(wanted, of: spec.revision, decision.after.id, at: place) {
            self.report("sign-off: passed without it", decision, place)
        }
    }

    private mutating func report(_ rule: String, _ decision: Decision, _ place: SignOff.Place) {
        self.checker.report(rule, "\(decision.after.id) \(place) in phase \(decision.after.phase)")
    }
}

extension Rollout {
    /// It is not asked for any more.
    fileprivate func isPast(_ pending: PendingSignOff) -> Bool {
        self.signOff(pending.place)?.revision != pending.revision
    }
}

extension Decision {
    fileprivate func starts(_ revision: Revision) -> Bool {
        self.plan.effects.contains { effect in
            guard case .start(let id) = effect else { return false }
            return id.revision == revision
        }
    }
}

extension SimulatedPorts: VerdictProvider {
    func verdict(on question: VerdictQuestion, timeout: Duration) async -> VerdictAnswer {
        self.truth.withLock { $0.verdict(on: question) }
    }
}
