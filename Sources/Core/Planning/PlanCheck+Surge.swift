import Deployments
import Rollouts

/// What a `surge` below 100 percent promises, worked out apart from the rollout and the planner.
extension PlanCheck {
    static func brokenRuleOfSurge(
        _ effect: Effect,
        in plan: Plan,
        _ rollout: Rollout,
        _ observed: Observation
    ) -> String? {
        guard let stable = rollout.stable, case let policy = (rollout.canary ?? stable).rollout,
            policy.strategy == .canary, policy.surge < 100, rollout.phase != .removing,
            let replicas = observed.replicas.last
        else { return nil }
        let most = rollout.specs.map(\.replicas).max() ?? 0
        let limit = most + max(1, (most * policy.surge + 99) / 100)
        switch effect {
        case .start(let id):
            let starts = plan.effects.count { if case .start = $0 { true } else { false } }
            guard replicas.count + starts > limit else { return nil }
            return "surge: \(id) starts, and more than \(limit) replicas run"
        case .drain(let id):
            guard let spec = rollout.specs.first(where: { $0.revision == id.revision }),
                let router = observed.router.last
            else { return nil }
            let going = Set(plan.effects.compactMap { if case .drain(let id) = $0 { id } else { nil } })
            let left = Self.readyReplicas(of: id.revision, replicas).filter { !going.contains($0.id) }
            let isCovered = Self.covers(left.count, of: spec.replicas, router.traffic[id.revision])
            return isCovered ? nil : "rule 2: \(id) drains, and its revision's traffic takes it"
        case .route(let traffic):
            return Self.brokenRuleOfRising(traffic, limit: limit, rollout, replicas, observed.router.last)
        case .fetch, .undrain, .stop: return nil
        }
    }

    /// The canary rises only with the replicas that its part takes, or with as many as fit beside stable's.
    private static func brokenRuleOfRising(
        _ traffic: Traffic,
        limit: Int,
        _ rollout: Rollout,
        _ replicas: [Replica],
        _ router: RouterState?
    ) -> String? {
        guard let canary = rollout.canary, let stable = rollout.stable, let served = router?.traffic,
            served[stable.revision] > traffic[stable.revision], traffic[canary.revision] > served[canary.revision],
            !Self.readyReplicas(of: stable.revision, replicas).isEmpty
        else { return nil }
        let ready = Self.readyReplicas(of: canary.revision, replicas).count
        if Self.covers(ready, of: canary.replicas, traffic[canary.revision]) { return nil }
        let couldLeave = Self.covers(limit - ready - 1, of: stable.replicas, served[stable.revision])
        return couldLeave ? "rule 2: the canary rises with \(ready) of \(canary.replicas) replicas" : nil
    }

    /// Whether `count` of `full` replicas take `weight`, but for what the rounding to whole percents makes.
    private static func covers(_ count: Int, of full: Int, _ weight: TrafficWeight) -> Bool {
        count * 100 + min(full, 100) > full * weight.percent
    }

    private static func readyReplicas(of revision: Revision, _ replicas: [Replica]) -> [Replica] {
        replicas.filter { $0.id.revision == revision && $0.state == .ready }
    }
}
