import Decisions
import Deployments
import Reconciliation
import Rollouts

/// Liveness: with faults ended, all comes to an end, or says who or what it waits for.
extension Truth {
    mutating func judge(_ decision: Decision) {
        self.coverage.see(decision.after, before: decision.before)
        self.checker.check(decision)
        self.checkFreezes(decision)
        self.checkSignOffs(decision)
        let after = decision.after
        if after.phase == .removing {
            self.begunAnew.insert(after.id)
        } else if after.stable != nil {
            self.begunAnew.remove(after.id)
            self.takenBack[after.id] = nil
        } else if !after.quarantine.isEmpty {
            self.takenBack[after.id, default: []].formUnion(after.quarantine.keys)
        }
        self.digest.take(decision)
        if self.scenario.serviceTime > .zero { self.checkScaling(decision) }
    }

    mutating func checkEnd(_ members: [DeploymentID: Member]) {
        self.coverage.end(after: self.scenario.tick * self.time)
        let areRoutesHeld = self.areRoutesHeld
        for (id, member) in members.sorted(by: { $0.key < $1.key }) {
            if !areRoutesHeld {
                self.checkEnd(of: member.rollout)
                self.checkScale(member.rollout)
            }
            self.coverage.judge(member.rollout, self)
            if member != self.journal.member(id) {
                self.checker.report("liveness: the journal lags behind", "\(id)")
            }
        }
        for (id, change) in self.git.flatMap({ $0.files.sorted { $0.key < $1.key } }) {
            guard case .spec(let spec) = change else { continue }
            if members[id]?.rollout.desired?.revision != spec.revision {
                self.checker.report("liveness: what git says was not taken up", "\(id)")
            }
        }
        self.checkNotes()
        // The next throw tells how many there were, and so what became of every request.
        self.digest.take(self.dice.next())
    }

    /// After a lost journal, what is served and broken in git keeps all routes as they are until somebody mends it.
    private var areRoutesHeld: Bool {
        self.router.served.deployments.contains { id, entry in
            !entry.traffic.isEmpty && self.journal.member(id) == nil
                && self.git.contains { repository in
                    if case .broken? = repository.files[id] { return true }
                    if case .unreadable? = repository.files[id] { return true }
                    return false
                }
        }
    }

    private mutating func report(_ rule: String, _ rollout: Rollout) {
        self.checker.report(rule, "\(rollout.id) in phase \(rollout.phase)")
    }

    private mutating func checkEnd(of rollout: Rollout) {
        let elapsed = self.now - rollout.since
        // A step's time begins with its first request: until that it is held.
        let unheld = self.now - max(rollout.since, rollout.blindUntil ?? rollout.since)
        let limit: Duration? =
            switch rollout.phase {
            // It may just have begun.
            case .rollingBack, .promoting: .seconds(30)
            case .preparing, .replacing: .seconds(60)
            case .stepping: .seconds(130)
            case .removing: .seconds(60)
            case .settled, .baking: nil
            }
        if let limit, unheld >= limit, rollout.holds.isEmpty { self.report("liveness: stuck", rollout) }
        guard let stable = rollout.stable else { return }
        // What was replaced has to start first.
        let patience: Duration = .seconds(stable.rollout.strategy == .recreate ? 60 : 20)
        if !rollout.isInFlight, rollout.phase != .removing, elapsed > patience, self.isUp(stable.revision),
            self.router.weight(stable.revision, of: rollout.id) < rollout.target.traffic[stable.revision]
        {
            self.report("liveness: stable does not have its traffic", rollout)
        }
        // Only what has a part in the phase is left running.
        let parts = rollout.target.replicas
        if rollout.phase == .settled, elapsed > .seconds(45), self.isUp(stable.revision),
            let stray = self.machines.running.first(where: {
                $0.deployment == rollout.id && parts[$0.revision] == nil
            })
        {
            self.report(
                "liveness: a stray replica of \(stray.revision == stable.revision ? "stable" : "another")",
                rollout
            )
        }
        self.checkLastCommit(rollout)
        self.checkCalm(rollout)
    }

    /// Whether its replicas, once ready, stay so.
    func isUp(_ revision: Revision) -> Bool {
        let behaviour = self.behaviour(revision)
        return behaviour.startTicks != nil && behaviour.crashes == 0 && behaviour.flaps == 0 && !behaviour.failsGolden
            && behaviour.artifact == Behaviour().artifact
    }

    /// What git names in the end is served, quarantined, held, or overruled by an operator.
    private mutating func checkLastCommit(_ rollout: Rollout) {
        guard rollout.phase == .settled, let desired = rollout.desired, rollout.pin == nil, rollout.pause == nil,
            self.now - rollout.since > .seconds(20)
        else { return }
        if rollout.stable?.revision != desired.revision, rollout.quarantine[desired.revision] == nil {
            self.report("liveness: the desired revision is neither served nor quarantined", rollout)
        }
    }

    /// With much traffic and without faults a good last commit is promoted, and a plainly bad one taken back.
    private mutating func checkCalm(_ rollout: Rollout) {
        guard self.scenario.isCalm, let desired = rollout.desired, rollout.pin == nil, rollout.holds.isEmpty else {
            return
        }
        let behaviour = self.behaviour(desired.revision)
        let isServed = rollout.stable?.revision == desired.revision
        let verdict = rollout.quarantine[desired.revision]?.reason
        if behaviour.isGood, !isServed {
            // A false alarm has its own budget, and so has evidence that does not come within a step's time; the
            // coverage counts them.
            switch verdict {
            case .gateFailed, .inconclusive: return
            default: self.report("liveness: a good last commit is not served", rollout)
            }
        }
        // Without a step nobody compares it with stable while it has traffic.
        var judged = behaviour
        // Another tool's rule, which promises nothing, stands in for the gate on errors; the other gates are there.
        if !desired.rollout.gates.contains(where: { $0.kind == .errors }) { judged.errors = 0 }
        let isPlainlyBad = desired.rollout.steps.isEmpty ? judged.cannotServe : judged.isPlainlyBad
        if isPlainlyBad, isServed || verdict == nil, self.hasOther(rollout, desired.revision) {
            self.report("liveness: a plainly bad last commit is \(isServed ? "served" : "not quarantined")", rollout)
        }
    }

    /// A first revision is served whatever it is: there is nothing to compare it with.
    private func hasOther(_ rollout: Rollout, _ revision: Revision) -> Bool {
        rollout.history.contains { $0.revision != revision } || rollout.stable.map { $0.revision != revision } ?? false
    }

    /// Each outcome is in git once, and of those under one key the last.
    private mutating func checkNotes() {
        var last: [NoteBook.Place: OutboxItem] = [:]
        for item in self.journal.issued {
            if item.revert == nil { last[NoteBook.Place(item)] = item }
            if !self.notes.wasTold(item) { self.checker.report("outbox: git was never told", item.id) }
        }
        for (place, item) in last where self.notes.visible[place] != item.note {
            self.checker.report("outbox: git shows an outcome that is not the last", item.id)
        }
        if !self.journal.contents.outbox.isEmpty {
            self.checker.report("outbox: delivered, but not settled", self.journal.contents.outbox[0].id)
        }
    }
}

extension Coverage {
    /// What became of good and bad canaries, in the end.
    mutating func judge(_ rollout: Rollout, _ truth: Truth) {
        guard let desired = rollout.desired,
            rollout.history.contains(where: { $0.revision != desired.revision }) || !rollout.quarantine.isEmpty
        else { return }
        let behaviour = truth.behaviour(desired.revision)
        let isServed = rollout.stable?.revision == desired.revision
        let verdict = rollout.quarantine[desired.revision]?.reason
        if behaviour.isGood {
            if isServed { self.see(.judged, "good: promoted") }
            if case .gateFailed = verdict { self.see(.judged, "good: rolled back by a gate") }
            if case .inconclusive = verdict { self.see(.judged, "good: rolled back without a verdict") }
        }
        if behaviour.isPlainlyBad {
            if isServed { self.see(.judged, "bad: promoted by hand or policy") }
            if verdict != nil { self.see(.judged, "bad: rolled back") }
        }
    }
}
