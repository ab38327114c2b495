import ControllerAPI
import Deployments
import Reconciliation
import Rollouts
import Simulation
import Testing

@testable import ControllerServer

/// What the API says of the plan, at every moment of a scripted rollout.
@Suite("A deployment's plan")
struct PlanStatusTests {
    private static func plans() async throws -> [(Rollout, PlanStatus)] {
        try await OutlookTests.snapshots().map { rollout, fleet in
            (rollout, try #require(FleetView(fleet).plan(Scenario.id)))
        }
    }

    @Test
    func `wants what the phase wants, and every revision once`() async throws {
        for (rollout, plan) in try await Self.plans() {
            #expect(plan.deployment == "default/model")
            #expect(Set(plan.revisions.map(\.revision)).count == plan.revisions.count)
            for planned in plan.revisions {
                let revision = Revision(digest: planned.revision)
                #expect(planned.wantedReplicas == rollout.target.replicas[revision] ?? 0)
                #expect(planned.wantedWeight == rollout.target.traffic[revision].percent)
                #expect(planned.readyReplicas <= planned.replicas)
            }
            if rollout.stable != nil { #expect(plan.revisions.reduce(0) { $0 + $1.wantedWeight } == 100) }
        }
    }

    @Test
    func `starts, routes, drains and stops, in words, and says what it waits for`() async throws {
        let plans = try await Self.plans().map(\.1)
        let effects = plans.flatMap(\.effects)
        #expect(Set(effects.map(\.kind)).isSuperset(of: [.route, .start, .drain, .stop]))
        for effect in effects {
            #expect(!effect.what.isEmpty)
            #expect((effect.subject == nil) == (effect.kind == .route))
        }
        let starting = try #require(plans.first { plan in plan.effects.contains { $0.kind == .start } })
        #expect(starting.effects.first { $0.kind == .start }?.what.hasSuffix(" starts") == true)
        #expect(plans.contains { $0.waitingFor.contains { $0.hasSuffix("replicas of 1000000000 ready") } })
        let last = try #require(plans.last)
        #expect(last.effects.isEmpty)
        #expect(last.waitingFor.isEmpty)
        #expect(last.revisions.map(\.weight) == [100])
    }

    @Test
    func `is nobody's when there is no such deployment`() async throws {
        let fleet = try #require(await OutlookTests.snapshots().last).1
        #expect(FleetView(fleet).plan(Scenario.id(7)) == nil)
    }
}
