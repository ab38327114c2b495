import Deployments
import Reconciliation
import Testing

@testable import LocalPlatform

@Suite("Envoy report")
struct EnvoyReportTests {
    typealias Plan = EnvoyPlanTests
    static let endpoint = "127.0.0.1:1"

    static func ledger() -> EnvoyLedger {
        Plan.settled(Plan.table([Plan.first: [Plan.backend(1)]], [Plan.first: 100]))
    }

    static func sight(_ ledger: EnvoyLedger, draining: Bool = false, ejected: Bool = false) -> EnvoySight {
        var statistics = EnvoyStatistics(prometheus: "")
        statistics.routes.version = ledger.routesVersion
        statistics.clusterSource.version = ledger.clustersVersion
        let host = EnvoyHosts.Host(
            endpoint: Self.endpoint,
            isDraining: draining,
            isEjected: ejected,
            activeRequests: 2
        )
        return EnvoySight(
            time: Plan.now,
            statistics: statistics,
            hosts: EnvoyHosts(clusters: [Plan.firstName: [host]])
        )
    }

    static func report(
        _ ledger: EnvoyLedger,
        _ sight: EnvoySight,
        rejections: EnvoyRejections = EnvoyRejections(),
        stillServing: Set<String> = []
    ) -> EnvoyReport {
        EnvoyReport(
            sight: sight,
            ledger: ledger,
            refusals: [:],
            rejections: rejections,
            stillServing: stillServing,
            rejectionText: { "because" }
        )
    }

    @Test
    func `weights are those of the version that Envoy names`() throws {
        var ledger = Self.ledger()
        let sight = Self.sight(ledger)
        ledger.routes[Plan.deployment]?.traffic = [Plan.second: .all]
        ledger.publish(at: Plan.now)
        let state = try Self.report(ledger, sight).observation().states[Plan.deployment]
        #expect(state?.traffic == [Plan.first: .all])
        #expect(state?.warm == [Plan.first])
        #expect(state?.activeRequests == [Self.endpoint: 2])
    }

    @Test
    func `a version that nobody here wrote is not known, not empty`() {
        let ledger = Self.ledger()
        var sight = Self.sight(ledger)
        sight.statistics.routes.version = 7
        #expect {
            try Self.report(ledger, sight).observation()
        } throws: {
            ($0 as? PlatformError)?.code == .notObservable
        }
    }

    @Test
    func `a cluster without a request has counters, one that Envoy has not has none`() throws {
        let ledger = Self.ledger()
        var sight = Self.sight(ledger)
        let sample = try Self.report(ledger, sight).observation().samples[Plan.deployment]
        #expect(sample?.tracks[Plan.first]?.requests == 0)
        #expect(sample?.tracks[Plan.first]?.latency.bounds.count == 15)
        sight.hosts.clusters = [:]
        let missing = try Self.report(ledger, sight).observation().samples[Plan.deployment]
        #expect(missing?.tracks == [:])
    }

    @Test
    func `an endpoint that just began to drain still serves, an ejected one is not warm`() throws {
        let ledger = Self.ledger()
        let draining = Self.sight(ledger, draining: true)
        let early = try Self.report(ledger, draining, stillServing: [Self.endpoint]).observation()
        #expect(early.states[Plan.deployment]?.serving == [Self.endpoint])
        #expect(early.states[Plan.deployment]?.warm == [])
        let late = try Self.report(ledger, draining).observation()
        #expect(late.states[Plan.deployment]?.serving == [])
        let ejected = try Self.report(ledger, Self.sight(ledger, ejected: true)).observation()
        #expect(ejected.states[Plan.deployment]?.serving == [Self.endpoint])
        #expect(ejected.states[Plan.deployment]?.warm == [])
    }

    @Test
    func `draining is timed from the first sight of it`() {
        var endpoints = DrainingEndpoints()
        let hosts = Self.sight(Self.ledger(), draining: true).hosts
        endpoints.note(hosts, at: Timestamp(milliseconds: 0))
        endpoints.note(hosts, at: Timestamp(milliseconds: 150))
        #expect(endpoints.within(.milliseconds(200), at: Timestamp(milliseconds: 150)) == [Self.endpoint])
        #expect(endpoints.within(.milliseconds(200), at: Timestamp(milliseconds: 200)) == [])
        endpoints.note(EnvoyHosts(), at: Timestamp(milliseconds: 200))
        endpoints.note(hosts, at: Timestamp(milliseconds: 300))
        #expect(endpoints.within(.milliseconds(200), at: Timestamp(milliseconds: 300)) == [Self.endpoint])
    }

    @Test
    func `a refusal counts only while what was written is not served`() throws {
        let ledger = Self.ledger()
        var sight = Self.sight(ledger)
        sight.statistics.listeners.version = ledger.listenersVersion
        var rejections = EnvoyRejections()
        // An old refusal, made good since.
        sight.statistics.routes.rejected = 3
        rejections.note(sight.statistics, ledger: ledger)
        #expect(!rejections.routes)
        var next = ledger
        next.publish(at: Plan.now)
        // On its way.
        rejections.note(sight.statistics, ledger: next)
        #expect(!rejections.routes)
        sight.statistics.routes.rejected = 4
        rejections.note(sight.statistics, ledger: next)
        #expect(rejections.routes)
        let state = try Self.report(next, sight, rejections: rejections).observation().states[Plan.deployment]
        #expect(state?.rejection == "because")
        sight.statistics.routes.version = next.routesVersion
        rejections.note(sight.statistics, ledger: next)
        #expect(!rejections.routes)
    }

    @Test
    func `the reason of the last refusal is found in the log`() {
        let short = """
            [2026-11-23 14:48:35.846][1][warning][config] [f.cc:81] Filesystem config update rejected: old
            [2026-11-23 14:48:35.846][1][warning][config] [f.cc:81] Filesystem config update rejected: Sum of weights.
            [2026-11-23 14:48:36.000][1][warning][main] other
            """
        #expect(EnvoyFiles.lastRejection(in: short) == "Sum of weights.")
        let long =
            short + """

                [2026-11-23 15:29:02.536][1][warning][config] [f.cc:81] Filesystem config update rejected: goo.gle/debug
                name: "main"
                : Proto constraint validation failed (HeaderName: value does not match regex pattern)
                [2026-11-23 15:30:10.996][1][warning][main] caught ENVOY_SIGTERM
                """
        #expect(
            EnvoyFiles.lastRejection(in: long)
                == "Proto constraint validation failed (HeaderName: value does not match regex pattern)"
        )
        #expect(EnvoyFiles.lastRejection(in: "[x] nothing") == nil)
    }

    @Test
    func `a limit that Envoy would die of keeps newcomers out, and delays nothing among those that serve`() {
        let id = DeploymentID(namespace: "default", name: "model")
        let (old, new) = (Revision(digest: "aaaa"), Revision(digest: "bbbb"))
        let backend = [RoutingTable.Backend(endpoint: Endpoint(host: "127.0.0.1", port: 1))]
        var table = RoutingTable()
        table.deployments[id] = RoutingTable.Entry(
            route: Route(),
            backends: [old: backend, new: backend],
            traffic: [old: .all]
        )
        let known: Set<String> = [EnvoyCluster.name(id, old)]
        let (all, none) = InotifyLimit(instances: 18).admit(table, known: known)
        #expect(all == table)
        #expect(none == nil)
        let (some, error) = InotifyLimit(instances: 17).admit(table, known: known)
        #expect(some.deployments[id]?.backends.keys.sorted() == [old])
        #expect(some.deployments[id]?.traffic == [old: .all])
        #expect(error?.code == .limitReached)
        #expect(error?.message.contains("sysctl fs.inotify.max_user_instances=1024") == true)
    }
}
