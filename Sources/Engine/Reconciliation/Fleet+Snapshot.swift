import Analysis
import Deployments
import Planning
import Rollouts

extension Fleet {
    /// Everything that readers may know.
    package var snapshot: FleetSnapshot {
        let now = self.now
        var snapshot = FleetSnapshot(time: now)
        snapshot.deployments.reserveCapacity(self.members.count)
        for (id, member) in self.members { snapshot.deployments[id] = self.show(member, at: now) }
        snapshot.names = self.names
        self.showFrame(in: &snapshot, at: now)
        return snapshot
    }

    /// Shows some deployments, and what is not of deployments, as they are now. The others stay as they were shown: to
    /// look at ten thousand for each command would be most of what the loop does.
    func show(_ ids: [DeploymentID], in snapshot: inout FleetSnapshot) {
        let now = self.now
        for id in ids {
            snapshot.deployments[id] = self.members[id].map { self.show($0, at: now) }
            snapshot.names?.keepSorted(id, isThere: self.members[id] != nil)
        }
        self.showFrame(in: &snapshot, at: now)
    }

    private func show(_ member: Member, at now: Timestamp) -> DeploymentSnapshot {
        let id = member.rollout.id
        return DeploymentSnapshot(
            member: member,
            observation: self.observations[id] ?? Observation(),
            waitingFor: self.waitingTexts(of: id),
            notes: self.tracker.notes(on: id),
            transitions: self.recent[id] ?? [],
            requestsInFlight: self.load(of: member.rollout, at: now)?.requests,
            history: self.baselines[id],
            modelUpdate: self.modelUpdate(of: member)
        )
    }

    private func showFrame(in snapshot: inout FleetSnapshot, at now: Timestamp) {
        snapshot.time = now
        snapshot.sources = self.sources.values.sorted { $0.repository < $1.repository }
        snapshot.strangers = self.routing.isBuilt ? [] : self.findStrangers()
        snapshot.hasLooked = self.replicas.last != nil || self.platformProblem != nil
        snapshot.journalProblem = self.journalProblem
        snapshot.platformProblem = self.platformProblem
        snapshot.routerProblem = self.routerProblem
        snapshot.activity = self.activity
        snapshot.freezes = self.standingFreezes(at: now).freezes
    }

    private func waitingTexts(of id: DeploymentID) -> [String] {
        let rejection = self.observations[id]?.router.last?.rejection
        return self.waits[id, default: []].map(\.description)
            + (rejection.map { ["the router to accept its configuration: \($0)"] } ?? [])
            + self.strangers.map { "git to say what \($0) is: it is served, and the journal knows nothing of it" }
    }
}
