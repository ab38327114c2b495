import Deployments
import Rollouts

/// What the replicas of all deployments take at most, summed up.
///
/// Asked for by each rollout that is about to begin, of which a commit may bring thousands, while hundreds of others
/// change in every look: only what changed since it was last asked for is worked out again.
struct Occupancy: Sendable {
    private var peaks: [DeploymentID: Resources] = [:]
    private var total = Resources()
    private var stale: Set<DeploymentID>

    init(of ids: some Sequence<DeploymentID>) {
        self.stale = Set(ids)
    }

    mutating func noteChange(of id: DeploymentID) {
        self.stale.insert(id)
    }

    /// What all but one of `members` take.
    mutating func used(by members: [DeploymentID: Member], but id: DeploymentID) -> Resources {
        for id in self.stale {
            let (before, after) = (self.peaks[id], members[id]?.rollout.peak)
            self.total += (after ?? Resources()) - (before ?? Resources())
            self.peaks[id] = after
        }
        self.stale.removeAll(keepingCapacity: true)
        return self.total - (self.peaks[id] ?? Resources())
    }
}
