import Deployments
import Rollouts

extension RoutingTable.Entry {
    /// The entry that a member's traffic and the replicas seen of it ask for; nothing for one that has no manifest yet.
    init?(wantedBy member: Member, replicas: [Replica]) {
        let rollout = member.rollout
        // What serves goes on serving, also when nothing was ever promoted and what was to be is taken back.
        guard let spec = rollout.stable ?? rollout.canary ?? rollout.previous ?? rollout.desired else { return nil }
        var backends: [Revision: [RoutingTable.Backend]] = [:]
        for revision in Set(replicas.map(\.id.revision)) {
            let list = Self.backends(of: replicas.filter { $0.id.revision == revision })
            if !list.isEmpty { backends[revision] = list }
        }
        // Traffic stands until the planner changes it; what has no backend cannot be told to a router.
        var traffic = member.traffic.filter { backends[$0] != nil }
        // A quarantine outlasts the rollback: while stable cannot serve, what was asked for before stays away too.
        traffic = traffic.filter { rollout.quarantine[$0] == nil || $0 == rollout.stable?.revision }
        // What is rolled back keeps nothing that stable can take, not even in the first table after a restart; and it
        // takes nothing over, not even when nothing else is left. One that git merely does not want any more has not
        // failed: until the router knows a replica of stable, or when nothing was promoted yet, it may be all there is.
        if case .rollingBack(let reason) = rollout.phase, let canary = rollout.canary?.revision {
            let canReturn = replicas.contains { $0.id.revision == rollout.stable?.revision && $0.state == .ready }
            let rest = traffic.filter { $0 != canary }
            if reason == .cancelled ? canReturn && !rest.isEmpty : canReturn || traffic.weights.count == 1 {
                traffic = rest
            }
        }
        if traffic.weights.count == 1, let only = traffic.weights.keys.first { traffic.weights[only] = .all }
        self.init(route: spec.route, backends: backends, traffic: traffic, canary: rollout.canary?.revision)
    }

    /// Whether two states of one member ask for the same, as far as their replicas do. Evidence, which comes with every
    /// sample, changes nothing here.
    static func isSame(for before: Member, and after: Member) -> Bool {
        let wasTakenBack = if case .rollingBack = before.rollout.phase { true } else { false }
        let isTakenBack = if case .rollingBack = after.rollout.phase { true } else { false }
        return wasTakenBack == isTakenBack && before.traffic == after.traffic
            && before.rollout.quarantine == after.rollout.quarantine
            && before.rollout.stable == after.rollout.stable && before.rollout.canary == after.rollout.canary
            && before.rollout.previous == after.rollout.previous && before.rollout.desired == after.rollout.desired
    }

    /// The ready ones and those that drain. When none is ready, those that might still answer: a probe that fails
    /// under load must not turn a slow service into none.
    private static func backends(of replicas: [Replica]) -> [RoutingTable.Backend] {
        let hasReady = replicas.contains { $0.state == .ready }
        return replicas.sorted { $0.id < $1.id }.compactMap { replica in
            guard let endpoint = replica.endpoint else { return nil }
            switch replica.state {
            case .ready: return RoutingTable.Backend(endpoint: endpoint)
            case .draining: return RoutingTable.Backend(endpoint: endpoint, isDraining: true)
            case .starting: return hasReady || replica.signature == nil ? nil : RoutingTable.Backend(endpoint: endpoint)
            case .stopping, .backingOff, .failed: return nil
            }
        }
    }
}
