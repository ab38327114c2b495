import Deployments
import Rollouts

/// The table of routes as it should be, kept up to date one deployment at a time, and what the router was told of it.
struct Routing: Sendable {
    private(set) var table = RoutingTable()
    private(set) var isBuilt = false
    /// When the router was last told without an error, if it was told the present table.
    private var told: Timestamp?

    /// The first table holds every deployment: a part of them would take the others' traffic away.
    mutating func build(for members: [DeploymentID: Member], replicas: [DeploymentID: [Replica]]) {
        self.table.deployments = [:]
        for (id, member) in members {
            self.table.deployments[id] = RoutingTable.Entry(wantedBy: member, replicas: replicas[id] ?? [])
        }
        self.isBuilt = true
        self.told = nil
    }

    mutating func update(_ member: Member, replicas: [Replica]) {
        let entry = RoutingTable.Entry(wantedBy: member, replicas: replicas)
        guard self.table.deployments[member.rollout.id] != entry else { return }
        self.table.deployments[member.rollout.id] = entry
        self.told = nil
    }

    mutating func remove(_ id: DeploymentID) {
        guard self.table.deployments.removeValue(forKey: id) != nil else { return }
        self.told = nil
    }

    /// Whether the router is to be told now: of another table, or once more when it had time enough to take the last
    /// one and the planner still sees it serve something else.
    func isDue(isPlanned: Bool, at now: Timestamp) -> Bool {
        guard let told = self.told else { return true }
        return isPlanned && now - told >= Rollout.freshness
    }

    /// - Parameter time: Nothing when the router could not be told.
    mutating func note(toldAt time: Timestamp?) {
        self.told = time
    }
}
