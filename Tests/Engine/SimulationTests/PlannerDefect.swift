import Deployments
import Planning

/// Planners with one rule broken on purpose.
enum PlannerDefect: String, CaseIterable, Sendable {
    case stopsWithoutDraining, routesToTheUnready, keepsTheCanaryOnRollback, stopsWhatItCannotSee, losesWeight
    case drainsUnderTraffic, startsBeyondTheRoom, drainsWhatItsTrafficTakes

    func plan(_ planner: Planner) -> Plan {
        var plan = planner.plan()
        switch self {
        case .stopsWithoutDraining:
            plan.effects = plan.effects.map { if case .drain(let id) = $0 { .stop(id) } else { $0 } }
        case .routesToTheUnready:
            if !planner.target.traffic.isEmpty { plan.effects.insert(.route(planner.target.traffic), at: 0) }
        case .keepsTheCanaryOnRollback:
            plan.effects.removeAll {
                if case .route(let traffic) = $0 { traffic.weights.count == 1 } else { false }
            }
        case .stopsWhatItCannotSee:
            if case .unknown = planner.observed.replicas { break }
            plan.effects += (planner.observed.replicas.last ?? []).filter { $0.id.ordinal > 0 }.map { .stop($0.id) }
        case .losesWeight:
            plan.effects = plan.effects.map {
                guard case .route(var traffic) = $0, traffic.weights.count > 1 else { return $0 }
                traffic.weights = traffic.weights.mapValues { TrafficWeight(percent: max(1, $0.percent - 1)) }
                return .route(traffic)
            }
        case .drainsUnderTraffic:
            plan.effects += (planner.observed.replicas.last ?? []).filter { $0.state == .ready }.prefix(1)
                .map { .drain($0.id) }
        case .startsBeyondTheRoom:
            var planner = planner
            planner.target.sharing?.limit += 1
            return planner.plan()
        case .drainsWhatItsTrafficTakes:
            var planner = planner
            planner.target.sharing?.full = [:]
            if let stable = planner.stable, planner.target.sharing != nil,
                planner.target.replicas[stable, default: 0] > 1
            {
                planner.target.replicas[stable] = 1
            }
            return planner.plan()
        }
        return plan
    }
}
