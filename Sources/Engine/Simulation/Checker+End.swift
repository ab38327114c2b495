import Deployments
import Rollouts

extension Checker {
    /// With faults ended, every rollout comes to an end or says who or what it waits for.
    mutating func checkEnd(of world: borrowing World) {
        let rollout = world.rollout
        let elapsed = world.now - rollout.since
        switch rollout.phase {
        case .rollingBack, .promoting:
            // It may just have begun.
            if elapsed < .seconds(20) { return }
            if rollout.holds.isEmpty { self.report("liveness: stuck", world) }
        case .preparing:
            if elapsed >= .seconds(60), rollout.holds.isEmpty { self.report("liveness: stuck", world) }
        case .stepping:
            if elapsed > .seconds(120), rollout.holds.isEmpty { self.report("liveness: stuck", world) }
        case .settled, .baking, .removing:
            break
        }
        if rollout.phase == .removing {
            if !world.processes.isEmpty { self.report("liveness: replicas are left after a removal", world) }
            return
        }
        guard let stable = rollout.stable else { return }
        let share = rollout.target.traffic[stable.revision]
        if !rollout.isInFlight, world.behaviour(stable.revision).isGood, world.served[stable.revision] < share {
            self.report("liveness: stable does not have its traffic", world)
        }
        // Only what has a part in the phase is left running.
        let parts = Set(rollout.target.replicas.keys)
        if rollout.phase == .settled, elapsed > .seconds(60),
            let stray = world.processes.keys.sorted().first(where: { !parts.contains($0.revision) })
        {
            self.report("liveness: \(stray) still runs", world)
        }
        self.checkLastCommit(world)
        self.checkCalm(world)
    }

    /// What git names in the end is served, quarantined, held, or overruled by an operator.
    private mutating func checkLastCommit(_ world: borrowing World) {
        let rollout = world.rollout
        guard rollout.phase == .settled, let desired = rollout.desired, rollout.pin == nil, rollout.pause == nil else {
            return
        }
        if rollout.stable?.revision != desired.revision, rollout.quarantine[desired.revision] == nil {
            self.report("liveness: the desired revision is neither served nor quarantined", world)
        }
    }

    /// With much traffic and without faults a good last commit is promoted, and a plainly bad one taken back.
    private mutating func checkCalm(_ world: borrowing World) {
        guard world.scenario.isCalm, let desired = world.rollout.desired else { return }
        let behaviour = world.behaviour(desired.revision)
        let isServed = world.rollout.stable?.revision == desired.revision
        let verdict = world.rollout.quarantine[desired.revision]?.reason
        if behaviour.isGood, !isServed {
            // A false alarm has its own budget; the coverage counts them.
            if case .gateFailed = verdict { return }
            self.report("liveness: a good last commit is not served: \(verdict?.description ?? "no verdict")", world)
        }
        if behaviour.isPlainlyBad, isServed || verdict == nil {
            self.report("liveness: a plainly bad last commit is \(isServed ? "served" : "not quarantined")", world)
        }
    }
}

extension Coverage {
    /// What became of good and bad canaries, in the end.
    mutating func judge(_ world: borrowing World) {
        self.end()
        let rollout = world.rollout
        guard let desired = rollout.desired, desired.revision != Scenario.revision(0),
            world.scenario.changes.isEmpty
        else { return }
        let behaviour = world.behaviour(desired.revision)
        let isServed = rollout.stable?.revision == desired.revision
        let verdict = rollout.quarantine[desired.revision]?.reason
        if behaviour.isGood {
            if isServed { self.see(.judged, "good: promoted") }
            if case .gateFailed = verdict { self.see(.judged, "good: rolled back by a gate") }
        }
        if behaviour.isPlainlyBad {
            if isServed { self.see(.judged, "bad: promoted by hand or policy") }
            if verdict != nil { self.see(.judged, "bad: rolled back") }
        }
    }
}
