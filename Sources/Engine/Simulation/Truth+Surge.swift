import Deployments
import Reconciliation
import Rollouts

/// What a `surge` below 100 percent promises, by what runs and what the router really does.
extension Truth {
    /// A deployment's replicas when all of its traffic is on one revision, and the most that may run.
    private struct Room {
        let limit: Int

        /// Nothing when a full second set may run.
        init?(_ rollout: Rollout) {
            guard let stable = rollout.stable, rollout.phase != .removing else { return nil }
            let policy = (rollout.canary ?? stable).rollout
            guard policy.strategy == .canary, policy.surge < 100 else { return nil }
            let most = [stable, rollout.canary, rollout.previous].compactMap { $0?.replicas }.max() ?? 0
            let share = Double(most) * Double(policy.surge) / 100
            self.limit = most + max(1, Int(share.rounded(.up)))
        }
    }

    /// A weight is a whole percent: the fraction of a replica that its rounding asks for is none.
    private static func isEnough(_ count: Int, of full: Int, for weight: TrafficWeight) -> Bool {
        let share = 100 * Double(count) / Double(full)
        return share.rounded(.up) >= Double(weight.percent)
    }

    mutating func checkRoom(for id: ReplicaID, _ rollout: Rollout) {
        guard let room = Room(rollout), self.machines.processes[id] == nil, !self.hasClockStepped else { return }
        let running = self.machines.running.count { $0.deployment == id.deployment }
        if running + 1 > room.limit {
            self.checker.report("surge: more replicas run than may", "\(id) is number \(running + 1) of \(room.limit)")
        }
    }

    /// Whether stable has more ready replicas than it needs, by what is seen of them: all of them, or those that its
    /// traffic takes when the canary's replicas need the room.
    func canSpare(_ ready: Int, of stable: DeploymentSpec, _ rollout: Rollout) -> Bool {
        if ready > stable.replicas { return true }
        guard Room(rollout) != nil else { return false }
        // What forgets its table goes back to one that nobody reckoned with.
        if self.time - self.router.forgotAt <= 10 || self.hasClockStepped { return true }
        let served = self.router.weight(stable.revision, of: rollout.id)
        let told = self.router.told?.deployments[rollout.id]?.traffic[stable.revision] ?? .none
        return Self.isEnough(ready - 1, of: stable.replicas, for: max(served, told))
    }

    /// What the router is about to be told, whether or not the call works: a rise must be right when it is first asked
    /// for. When it is asked for again, as the call failed or the router refused, a replica may be gone.
    mutating func attempt(_ table: RoutingTable) {
        for (id, entry) in table.deployments where self.attempted[id] != entry.traffic {
            self.attempted[id] = entry.traffic
            guard let member = self.journal.member(id), !self.journal.failing.contains(id) else { continue }
            self.checkRise(entry.traffic, member.rollout)
        }
    }

    /// More traffic for the canary, while stable could keep it, comes after the replicas that take it.
    private mutating func checkRise(_ traffic: Traffic, _ rollout: Rollout) {
        guard let room = Room(rollout), let canary = rollout.canary, let stable = rollout.stable,
            !rollout.isRestoring, self.sight.count(stable.revision, of: rollout.id) > 0
        else { return }
        let served = self.router.served.deployments[rollout.id]?.traffic ?? Traffic()
        guard traffic[canary.revision] > served[canary.revision], served[stable.revision] > traffic[stable.revision],
            traffic != self.router.told?.deployments[rollout.id]?.traffic
        else { return }
        let ready = self.sight.count(canary.revision, of: rollout.id)
        let isFull = !Self.isEnough(room.limit - ready - 1, of: stable.replicas, for: served[stable.revision])
        if !isFull, !Self.isEnough(ready, of: canary.replicas, for: traffic[canary.revision]) {
            self.checker.report("surge: the canary rises without its replicas", "\(rollout.id) \(traffic)")
        }
    }

    /// In the bake, as many of the previous revision's replicas stay warm as there is room for.
    static func warmReplicas(in rollout: Rollout) -> Int {
        guard let previous = rollout.previous, let stable = rollout.stable else { return 0 }
        return min(previous.replicas, Room(rollout).map { $0.limit - stable.replicas } ?? previous.replicas)
    }
}
