import Deployments
import Planning
import Rollouts
import Simulation
import Testing

@Suite
struct SimulationTests {
    @Test
    func `hostile worlds break no rule`() {
        for failure in Simulator.run(seeds: 1..<60).failures { Issue.record("\(failure)") }
    }

    @Test
    func `a world runs the same way twice`() {
        for seed in UInt64(100)..<110 {
            var first = World(scenario: .hostile(seed: seed), seed: seed)
            var second = World(scenario: .hostile(seed: seed), seed: seed)
            let (one, two) = (first.run(), second.run())
            #expect(one == two)
            let transitions = (first.transitions, second.transitions)
            #expect(transitions.0 == transitions.1)
            let rollouts = (first.rollout, second.rollout)
            #expect(rollouts.0 == rollouts.1)
        }
    }

    /// Planners with one rule broken on purpose: each must be caught within a few worlds.
    enum Defect: String, CaseIterable, Sendable {
        case stopsWithoutDraining, routesToTheUnready, keepsTheCanaryOnRollback, stopsWhatItCannotSee, losesWeight

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
            }
            return plan
        }
    }

    @Test(arguments: Defect.allCases)
    func `a planner with a broken rule is caught`(defect: Defect) {
        let caught = (UInt64(1)..<40).contains { seed in
            var world = World(scenario: .hostile(seed: seed), seed: seed)
            world.planner = { defect.plan($0) }
            return !world.run().isEmpty
        }
        #expect(caught)
    }

    @Test(arguments: RolloutDefect.allCases)
    func `a rollout with a broken rule is caught`(defect: RolloutDefect) {
        let caught = (UInt64(1)..<200).contains { seed in
            var world = World(scenario: .hostile(seed: seed), seed: seed)
            world.handler = { defect.handle(&$0, $1, at: $2) }
            return !world.run().isEmpty
        }
        #expect(caught)
    }
}
