import Deployments
import Reconciliation
import Testing

@testable import LocalPlatform

/// The order in which files are written.
@Suite("Envoy plan")
struct EnvoyPlanTests {
    static let deployment = DeploymentID(namespace: "search", name: "file-type")
    static let first = Revision(digest: "1111111111aa")
    static let second = Revision(digest: "2222222222bb")
    static let firstName = "search__file-type__1111111111"
    static let secondName = "search__file-type__2222222222"
    static let now = Timestamp(milliseconds: 1000)

    static func backend(_ port: Int, draining: Bool = false) -> RoutingTable.Backend {
        RoutingTable.Backend(endpoint: Endpoint(host: "127.0.0.1", port: port), isDraining: draining)
    }

    static func table(
        _ backends: [Revision: [RoutingTable.Backend]],
        _ weights: [Revision: Int],
        canary: Revision? = nil
    ) -> RoutingTable {
        RoutingTable(deployments: [
            Self.deployment: RoutingTable.Entry(
                route: Route(),
                backends: backends,
                traffic: Traffic(weights: weights.mapValues { TrafficWeight(percent: $0) }),
                canary: canary
            )
        ])
    }

    /// Plans until nothing changes, as if Envoy took everything at once.
    static func settled(_ table: RoutingTable, from start: EnvoyLedger? = nil) -> EnvoyLedger {
        var ledger = start ?? EnvoyLedger(bootID: "boot")
        for _ in 0..<10 {
            ledger.acknowledge(routes: ledger.routesVersion)
            ledger =
                EnvoyPlan(
                    to: table,
                    from: ledger,
                    warm: Set(ledger.clusters.keys),
                    clustersVersion: ledger.clustersVersion,
                    at: Self.now
                ).ledger
        }
        return ledger
    }

    @Test
    func `a first revision is written endpoints first, and served only once it is warm`() {
        let table = Self.table([Self.first: [Self.backend(1)]], [Self.first: 100])
        let cold = EnvoyPlan(
            to: table,
            from: EnvoyLedger(bootID: "boot"),
            warm: [],
            clustersVersion: nil,
            at: Self.now
        )
        #expect(cold.steps == [.routes, .endpoints(Self.firstName), .clusters])
        #expect(cold.ledger.routes[Self.deployment]?.traffic == [:])
        let warm = EnvoyPlan(
            to: table,
            from: cold.ledger,
            warm: [Self.firstName],
            clustersVersion: cold.ledger.clustersVersion,
            at: Self.now
        )
        #expect(warm.steps == [.routes])
        #expect(warm.ledger.routes[Self.deployment]?.traffic == [Self.first: .all])
    }

    @Test
    func `weights of revisions that already serve move at once, though nothing is known of Envoy`() {
        let backends = [Self.first: [Self.backend(1)], Self.second: [Self.backend(2)]]
        let ledger = Self.settled(Self.table(backends, [Self.first: 60, Self.second: 40]))
        let plan = EnvoyPlan(
            to: Self.table(backends, [Self.first: 100]),
            from: ledger,
            warm: [],
            clustersVersion: nil,
            at: Self.now
        )
        #expect(plan.steps == [.routes])
        #expect(plan.ledger.routes[Self.deployment]?.traffic == [Self.first: .all])
        #expect(plan.ledger.routesVersion > ledger.routesVersion)
    }

    @Test
    func `nothing is written twice`() {
        let table = Self.table([Self.first: [Self.backend(1)]], [Self.first: 100])
        let ledger = Self.settled(table)
        let plan = EnvoyPlan(to: table, from: ledger, warm: [], clustersVersion: nil, at: Self.now)
        #expect(plan.steps.isEmpty)
        #expect(plan.ledger == ledger)
    }

    @Test
    func `an endpoint returns to service before its revision gets weight`() {
        let draining = [Self.first: [Self.backend(1, draining: true)], Self.second: [Self.backend(2)]]
        let ledger = Self.settled(Self.table(draining, [Self.second: 100]))
        let back = [Self.first: [Self.backend(1)], Self.second: [Self.backend(2, draining: true)]]
        let plan = EnvoyPlan(
            to: Self.table(back, [Self.first: 100]),
            from: ledger,
            warm: [Self.firstName],
            clustersVersion: ledger.clustersVersion,
            at: Self.now
        )
        #expect(plan.steps == [.endpoints(Self.firstName), .routes, .endpoints(Self.secondName)])
    }

    @Test
    func `a cluster goes when routes without it are served, its file when clusters without it are`() throws {
        let both = [Self.first: [Self.backend(1)], Self.second: [Self.backend(2)]]
        let ledger = Self.settled(Self.table(both, [Self.first: 50, Self.second: 50]))
        let table = Self.table([Self.second: [Self.backend(2)]], [Self.second: 100])
        func next(_ ledger: EnvoyLedger, accepted: Int64) -> EnvoyPlan {
            EnvoyPlan(to: table, from: ledger, warm: [], clustersVersion: accepted, at: Self.now)
        }
        let one = next(ledger, accepted: ledger.clustersVersion)
        #expect(one.steps == [.routes])
        #expect(one.ledger.clusters.keys.contains(Self.firstName))
        #expect(next(one.ledger, accepted: ledger.clustersVersion).steps.isEmpty)
        var served = one.ledger
        served.acknowledge(routes: served.routesVersion)
        let two = next(served, accepted: ledger.clustersVersion)
        #expect(two.steps == [.clusters])
        #expect(next(two.ledger, accepted: ledger.clustersVersion).steps.isEmpty)
        let three = next(two.ledger, accepted: two.ledger.clustersVersion)
        #expect(three.steps == [.remove(Self.firstName)])
        #expect(three.ledger.leaving.isEmpty)
    }

    @Test
    func `a revision without weight keeps its endpoints current`() {
        let ledger = Self.settled(Self.table([Self.first: [Self.backend(1)]], [:]))
        let plan = EnvoyPlan(
            to: Self.table([Self.first: [Self.backend(2), Self.backend(1)]], [:]),
            from: ledger,
            warm: [],
            clustersVersion: nil,
            at: Self.now
        )
        #expect(plan.steps == [.endpoints(Self.firstName)])
        #expect(plan.ledger.clusters[Self.firstName]?.backends == [Self.backend(1), Self.backend(2)])
        #expect(plan.ledger.clusters[Self.firstName]?.since == ledger.clusters[Self.firstName]?.since)
    }

    @Test
    func `a route that Envoy would refuse concerns its deployment alone, which keeps its last good one`() {
        let other = DeploymentID(namespace: "a", name: "b")
        var table = Self.table([Self.first: [Self.backend(1)]], [Self.first: 100])
        let ledger = Self.settled(table)
        table.deployments[Self.deployment]?.route.hosts = ["no good"]
        table.deployments[other] = RoutingTable.Entry(route: Route(pathPrefix: "/b"), backends: [:], traffic: [:])
        let plan = EnvoyPlan(to: table, from: ledger, warm: [], clustersVersion: nil, at: Self.now)
        #expect(plan.ledger.routes[Self.deployment]?.route == Route())
        #expect(plan.ledger.routes[Self.deployment]?.traffic == [Self.first: .all])
        #expect(plan.ledger.routes[other] != nil)
        #expect(plan.refusals[Self.deployment]?.contains("no good") == true)
        #expect(plan.refusals[other] == nil)
    }

    @Test
    func `versions grow though the clock goes back`() {
        var ledger = EnvoyLedger(bootID: "boot")
        #expect(ledger.nextVersion(at: Timestamp(milliseconds: 500)) == 500)
        #expect(ledger.nextVersion(at: Timestamp(milliseconds: 100)) == 501)
        #expect(ledger.nextVersion(at: Timestamp(milliseconds: 700)) == 700)
    }

    @Test
    func `while Envoy takes no routes, what it serves stays known`() {
        var ledger = EnvoyLedger(bootID: "boot")
        ledger.publish(at: Self.now)
        let served = ledger.routesVersion
        for _ in 0..<40 { ledger.publish(at: Self.now) }
        #expect(ledger.history.first?.version == served)
        #expect(ledger.history.count == 16)
        ledger.acknowledge(routes: ledger.routesVersion)
        #expect(ledger.history.count == 1)
    }
}
