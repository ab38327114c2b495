import Analysis
import Deployments
import Rollouts

/// How busy autoscaled deployments are.
extension Fleet {
    /// Takes the last look at the router, once, for a deployment of which it tells how many requests are in flight.
    ///
    /// All of the deployment's requests count, whoever answers them: in a bake both revisions may, and a replica that
    /// drains still has some. Without anybody ready to answer, requests fail at once: few in flight are no sign of
    /// little load. And while requests are copied, each counts twice.
    mutating func learnConcurrency(of rollout: Rollout) {
        guard rollout.stable?.autoscaling != nil, case .known(let observation, let time) = self.router,
            let state = observation.states[rollout.id], state.traffic.mirror == nil, !state.traffic.isEmpty,
            state.traffic.revisions.isSubset(of: state.warm)
        else { return }
        let requests = state.activeRequests.values.reduce(0, +)
        if self.concurrency[rollout.id] == nil {
            self.concurrency[rollout.id] = ConcurrencyAverage(requests, at: time)
        } else {
            self.concurrency[rollout.id]?.add(requests, at: time, gap: Rollout.freshness)
        }
    }

    /// - Returns: Nothing when it is not known, or does not matter.
    func load(of rollout: Rollout, at now: Timestamp) -> Load? {
        guard rollout.stable?.autoscaling != nil, let average = self.concurrency[rollout.id],
            let requests = average.value(at: now, within: Rollout.freshness)
        else { return nil }
        // While nothing could be journaled, that more were needed could not be noted either.
        let unwritten = self.unwritten[rollout.id]?.time ?? average.knownSince
        return Load(requests: requests, knownSince: max(average.knownSince, unwritten))
    }

    /// Whether as many replicas are needed as at the last decision.
    func isNeedUnchanged(_ rollout: Rollout, at now: Timestamp) -> Bool {
        guard rollout.stable?.autoscaling != nil else { return true }
        return rollout.neededReplicas(for: self.load(of: rollout, at: now)?.requests) == self.needs[rollout.id]
    }

    mutating func noteNeed(of rollout: Rollout, for load: Load?) {
        guard rollout.stable?.autoscaling != nil || self.needs[rollout.id] != nil else { return }
        self.needs[rollout.id] = rollout.neededReplicas(for: load?.requests)
    }

    /// Whether an autoscaled deployment would start replicas that state resources.
    func isGrowing(_ rollout: Rollout, for load: Load?) -> Bool {
        guard rollout.isScalable, let stable = rollout.stable, !stable.resources.isEmpty,
            let needed = rollout.neededReplicas(for: load?.requests)
        else { return false }
        return needed > stable.replicas
    }
}
