import Deployments
import Reconciliation
import Rollouts

/// What a controller may do to the world, checked where it does it: by what the world really is and by what the
/// journal says, never by what the controller thinks.
extension Truth {
    // MARK: - Replicas

    mutating func lookAtPlatform() -> [Replica] {
        let revisions = self.revisions
        return self.machines.look { revisions[$0] ?? Behaviour() }
    }

    /// What the journal lets the controller act upon; nothing when its last write failed.
    private func journaled(_ id: DeploymentID) -> Rollout? {
        if self.journal.failing.contains(id) { return nil }
        return self.journal.member(id)?.rollout
    }

    mutating func start(_ id: ReplicaID) {
        self.checkSight(of: id, "starts")
        if let rollout = self.journaled(id.deployment) {
            if rollout.target.replicas[id.revision, default: 0] == 0 {
                self.checker.report("journal: a replica starts that no journaled decision wants", "\(id)")
            }
            self.checkRoom(for: id, rollout)
        } else if self.journal.member(id.deployment) == nil, !self.journal.failing.contains(id.deployment) {
            self.checker.report("journal: a replica starts of a deployment that the journal does not know", "\(id)")
        }
        self.machines.start(id, at: self.time)
    }

    mutating func drain(_ id: ReplicaID) {
        guard let process = self.machines.processes[id] else { return }
        switch process.state {
        case .ready: self.checkDraining(of: id)
        // Whatever becomes of it now, it is not to serve.
        case .starting, .backingOff, .failed: break
        case .draining, .stopping: return
        }
        self.drainsSinceLook.insert(id)
        let (time, now) = (self.time, self.now)
        self.machines.change(id) {
            $0.drainedFrom = $0.state
            $0.state = .draining(since: now); $0.drainedAt = time
        }
    }

    private mutating func checkDraining(of id: ReplicaID) {
        if let rollout = self.journaled(id.deployment), rollout.isInFlight || rollout.phase == .baking,
            rollout.phase != .replacing, let stable = rollout.stable, stable.revision == id.revision
        {
            let gone = self.drainsSinceLook.count {
                $0.revision == id.revision && $0.deployment == id.deployment && self.sight.isReady($0)
            }
            let ready = self.sight.count(id.revision, of: id.deployment) - gone
            if !self.canSpare(ready, of: stable, rollout) {
                self.checker.report("rule 2: stable's capacity is taken away before the end", "\(id)")
            }
        }
    }

    mutating func undrain(_ id: ReplicaID) {
        guard let process = self.machines.processes[id], case .draining = process.state else { return }
        self.machines.change(id) { $0.state = $0.drainedFrom }
        self.drainsSinceLook.remove(id)
        self.toldSince[id] = (.ready, self.time)
        self.see(self.sight)
    }

    /// What the controller sees. A replica that it had back since is no less ready for a look from before, and one that
    /// it stopped is not ready any more.
    mutating func see(_ sight: Sight) {
        self.sight = sight
        for index in sight.replicas.indices {
            guard let told = self.toldSince[sight.replicas[index].id], told.tick >= sight.platform else { continue }
            switch (told.state, sight.replicas[index].state) {
            case (.stopping, _): self.sight.replicas[index].state = .stopping
            case (_, .draining): self.sight.replicas[index].state = .ready
            default: break
            }
        }
    }

    /// Rule 7: a replica that the router still sends requests to is never stopped.
    mutating func stop(_ id: ReplicaID) {
        guard let process = self.machines.processes[id] else { return }
        self.checkSight(of: id, "stops")
        let isRouted = self.router.lanes.contains {
            $0.deployment == id.deployment && $0.ports.contains(process.endpoint.port)
        }
        switch process.state {
        case .ready where self.sight.isReady(id):
            self.checker.report("rule 7: a replica is stopped without being drained", "\(id)")
        case .draining
        where isRouted && self.time - process.drainedAt < self.ticks(.seconds(4)) && !self.hasClockStepped
            && !self.router.isServingUnseen:
            self.checker.report("rule 7: a replica is stopped while the router sends to it", "\(id)")
        case .starting, .ready, .draining, .stopping, .backingOff, .failed: break
        }
        if let rollout = self.journaled(id.deployment), let stable = rollout.stable, stable.revision == id.revision,
            rollout.phase != .removing, rollout.phase != .replacing
        {
            let others = self.machines.processes.count {
                $0.key.deployment == id.deployment && $0.key.revision == id.revision && $0.key != id
            }
            if !self.canSpare(others + 1, of: stable, rollout), process.state != .failed {
                self.checker.report("rule 2: a stable replica is stopped that is still wanted", "\(id)")
            }
        }
        self.machines.change(id) { $0.state = .stopping }
        self.toldSince[id] = (.stopping, self.time)
        self.see(self.sight)
    }

    /// Rule 6: who does not see moves nothing.
    private mutating func checkSight(of id: ReplicaID, _ what: String) {
        guard !self.hasClockStepped else { return }
        if self.time - self.sight.platform > self.ticks(Rollout.freshness) {
            self.checker.report("rule 6: a replica \(what) although the platform is out of sight", "\(id)")
        }
    }

    private func ticks(_ duration: Duration) -> Int {
        Int(duration.wholeMilliseconds / self.scenario.tick.wholeMilliseconds)
    }

    // MARK: - Routes

    /// What the router is told, entry by entry.
    mutating func checkTelling(_ table: RoutingTable) {
        for (id, entry) in table.deployments {
            let weights = entry.traffic.weights
            let sum = weights.values.reduce(0) { $0 + $1.percent }
            if sum != 100, sum != 0 { self.checker.report("rule 1: weights sum to \(sum)", "\(id)") }
            for revision in entry.traffic.revisions where entry.backends[revision]?.isEmpty ?? true {
                self.checker.report("rule 1: weight for a revision without a replica", "\(id) \(revision)")
            }
            guard let member = self.journal.member(id) else {
                if !weights.isEmpty, self.router.served.deployments[id] == nil {
                    self.checker.report("journal: traffic for a deployment that the journal does not know", "\(id)")
                }
                continue
            }
            self.checkTelling(entry.traffic, member, id)
        }
        for (id, entry) in self.router.served.deployments where table.deployments[id] == nil {
            guard let member = self.journal.member(id) else {
                // The journal was lost; git was not.
                if !entry.traffic.isEmpty, self.git.contains(where: { $0.mayStillWant(id) }) {
                    self.checker.report("rule 6: routes are taken away for a lost journal", "\(id)")
                }
                continue
            }
            // What was rolled back before anything was promoted leaves nothing that could serve.
            if member.rollout.phase != .removing,
                entry.traffic.revisions.contains(where: { member.rollout.quarantine[$0] == nil })
            {
                self.checker.report("rule 6: a deployment's routes are taken away", "\(id)")
            }
        }
    }

    private mutating func checkTelling(
        _ traffic: Traffic,
        _ member: Member,
        _ id: DeploymentID
    ) {
        let (rollout, weights) = (member.rollout, traffic.weights)
        for (revision, weight) in weights where weight > self.router.weight(revision, of: id) {
            // An operator's way back to another revision condemns the stable one, which serves until then.
            if rollout.quarantine[revision] != nil, revision != rollout.stable?.revision {
                self.checker.report("rule 5: more traffic for a quarantined revision", "\(id) \(revision)")
            }
            guard !self.journal.failing.contains(id) else { continue }
            let journaled = member.traffic[revision]
            if weights.count > 1 ? weight > journaled : journaled == .none {
                self.checker.report("journal: the router is told a weight that was not journaled", "\(id) \(revision)")
            }
        }
        if !self.journal.failing.contains(id) {
            let isUnknown = traffic.matches.contains { !member.traffic.matches.contains($0) }
            if isUnknown || traffic.mirror != nil && traffic.mirror != member.traffic.mirror {
                self.checker.report("journal: matches or copies that were not journaled", "\(id) \(traffic)")
            }
        }
        if case .rollingBack(let reason) = rollout.phase, !self.journal.failing.contains(id),
            let canary = rollout.canary, traffic.reaches(canary.revision),
            // One that is only not wanted any more serves on while there is nothing else that could.
            reason != .cancelled || rollout.stable.map({ self.isServing($0.revision, of: id) }) ?? false
        {
            self.checker.report("rule 4: traffic for what is rolled back", "\(id) \(traffic)")
        }
    }

    /// By what the router does and what is seen of the replicas. A table that the router went back to may lead to
    /// replicas that are gone.
    private func isServing(_ revision: Revision, of id: DeploymentID) -> Bool {
        let backends = self.router.served.deployments[id]?.backends[revision] ?? []
        return self.router.weight(revision, of: id) > .none && self.sight.count(revision, of: id) > 0
            && backends.contains { !$0.isDraining && self.machines.isReady(port: $0.endpoint.port) }
    }

    /// What the router begins to serve: traffic ends only with its deployment, or with all that could answer.
    mutating func checkServing(_ table: RoutingTable) {
        // Nor could one whose last word was refused keep an older one from coming into force.
        if self.router.isToldBlindly || self.router.rejection != nil { return }
        for (id, entry) in self.router.served.deployments where !entry.traffic.isEmpty {
            guard table.deployments[id]?.traffic.isEmpty ?? true, let member = self.journal.member(id) else { continue }
            // On a full disk, what was taken back is not journaled as that. Revisions that can't run beside each other
            // leave a gap.
            if member.rollout.phase == .removing || self.journal.failing.contains(id) { continue }
            if member.rollout.stable == nil, self.begunAnew.contains(id) { continue }
            if member.rollout.isReplacement || self.router.gaps.contains(id) { continue }
            let takenBack = member.rollout.stable == nil ? self.takenBack[id] ?? [] : []
            let canAnswer = entry.traffic.weights.keys.contains {
                member.rollout.quarantine[$0] == nil && !takenBack.contains($0) && self.machines.isReady($0, of: id)
                    && self.sight.count($0, of: id) > 0
            }
            if canAnswer { self.checker.report("rule 1: all traffic was taken away", "\(id)") }
        }
    }

    // MARK: - The journal, and git

    /// Every outcome goes to git with the decision that brought it, or never.
    mutating func check(_ record: JournalRecord) {
        self.coverage.see(record.transitions)
        for transition in record.transitions where transition.isOutcome {
            guard let origin = transition.origin, record.member?.repository != nil else { continue }
            let isTold = record.outbox.contains {
                $0.commit == origin.commit && $0.key == record.deployment.description && $0.revert == nil
            }
            if !isTold { self.checker.report("outbox: an outcome that git is not told", transition.kind.rawValue) }
        }
        self.checkReverts(record)
        guard let member = record.member else {
            if self.machines.running.contains(where: { $0.deployment == record.deployment }) {
                self.checker.report("rule 6: forgotten while its replicas run", "\(record.deployment)")
            }
            self.removals[record.deployment] = nil
            self.checker.forget(record.deployment, allBut: nil)
            for index in self.git.indices { self.git[index].known.remove(record.deployment) }
            return
        }
        // What was forgotten without the controller hearing of it is forgotten once more.
        if member.rollout.phase == .removing, let known = self.journal.member(record.deployment),
            known.rollout.phase != .removing, !self.isGone(record.deployment)
        {
            self.checker.report("rule 6: removed although git does not say so", "\(record.deployment)")
        }
    }

    /// What is put back in git is what is in quarantine from then on, or until an operator's `retry` in the same
    /// decision, and never what is put in its place.
    private mutating func checkReverts(_ record: JournalRecord) {
        let retried = record.transitions.filter { $0.kind == .retried }.compactMap(\.origin?.commit)
        for revert in record.transitions.compactMap(\.revert) {
            self.coverage.see(.transition, "revert")
            let condemned = record.member?.rollout.quarantine.values.map(\.spec.origin.commit) ?? []
            if !condemned.contains(revert.failed.commit), !retried.contains(revert.failed.commit) {
                self.checker.report("revert: of what is not in quarantine", "\(record.deployment)")
            }
            if condemned.contains(revert.restored.commit) {
                self.checker.report("revert: to what is in quarantine", "\(record.deployment)")
            }
            if !record.outbox.contains(where: { $0.revert == revert }) {
                self.checker.report("outbox: a revert that git is not told", "\(record.deployment)")
            }
        }
    }

    mutating func annotate(_ place: NoteBook.Place, _ note: String) {
        let isJournaled = self.journal.issued.contains { NoteBook.Place($0) == place && $0.note == note }
        if !isJournaled { self.checker.report("outbox: git is told what the journal does not hold", place.key) }
        self.notes.write(note, at: place)
    }

    /// A revert puts back a revision that is not taken back itself, in place of the one that git names.
    mutating func revert(_ revert: ManifestRevert, of id: DeploymentID) {
        if !self.journal.issued.contains(where: { $0.revert == revert }) {
            self.checker.report("outbox: git is told to revert what the journal does not hold", "\(id)")
        }
        if revert.failed.commit == revert.restored.commit {
            self.checker.report("revert: a commit is put back in its own place", "\(id)")
        }
        self.notes.write(revert)
    }

    func load(of revision: String) -> Double {
        for (known, behaviour) in self.revisions where known.short == revision { return behaviour.load }
        return Behaviour().load
    }
}
