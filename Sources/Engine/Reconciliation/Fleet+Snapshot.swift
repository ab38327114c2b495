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
        for (id, member) in self.members {
            snapshot.deployments[id] = DeploymentSnapshot(
                rollout: member.rollout,
                observation: self.observations[id] ?? Observation(),
                waitingFor: self.waitingTexts(of: id),
                notes: self.tracker.notes(on: id),
                transitions: self.recent[id] ?? [],
                requestsInFlight: self.load(of: member.rollout, at: now)?.requests,
                history: self.baselines[id]
            )
            snapshot.deployments[id]?.modelUpdate = self.modelUpdate(of: member)
        }
        snapshot.sources = self.sources.values.sorted { $0.repository < $1.repository }
        snapshot.strangers = self.routing.isBuilt ? [] : self.findStrangers()
        snapshot.hasLooked = self.replicas.last != nil || self.platformProblem != nil
        snapshot.journalProblem = self.journalProblem
        snapshot.platformProblem = self.platformProblem
        snapshot.routerProblem = self.routerProblem
        snapshot.activity = self.activity
        snapshot.freezes = self.standingFreezes(at: now).freezes
        return snapshot
    }

    private func waitingTexts(of id: DeploymentID) -> [String] {
        let rejection = self.observations[id]?.router.last?.rejection
        return self.waits[id, default: []].map(\.description)
            + (rejection.map { ["the router to accept its configuration: \($0)"] } ?? [])
            + self.strangers.map { "git to say what \($0) is: it is served, and the journal knows nothing of it" }
    }
}
