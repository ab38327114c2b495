import Deployments
import Reconciliation

/// What to write next so that Envoy comes closer to a table, in an order in which every file may be read at any time.
///
/// A cluster's endpoints are written before the cluster, the cluster has been accepted before a weight names it; on the
/// way back the weights go first, and a cluster goes once Envoy serves routes without it. A change of weights among
/// clusters that already serve waits for nothing.
struct EnvoyPlan: Hashable, Sendable {
    enum Step: Hashable, Sendable {
        /// The file of a cluster's endpoints.
        case endpoints(String)
        case clusters
        case routes
        case remove(String)
    }

    /// What is written once all steps are done.
    private(set) var ledger: EnvoyLedger
    private(set) var steps: [Step] = []
    /// Deployments whose route can't be as they want it, with the reason for people.
    private(set) var refusals: [DeploymentID: String] = [:]

    private let table: RoutingTable
    private let now: Timestamp
    /// Clusters that Envoy has accepted and that have a healthy endpoint.
    private let warm: Set<String>
    /// The version of the clusters that Envoy has accepted; nothing when that is not known.
    private let clustersVersion: Int64?

    init(
        to table: RoutingTable,
        from ledger: EnvoyLedger,
        warm: Set<String>,
        clustersVersion: Int64?,
        at now: Timestamp
    ) {
        self.table = table
        self.ledger = ledger
        self.warm = warm
        self.clustersVersion = clustersVersion
        self.now = now
        self.planAll(from: ledger)
    }

    private mutating func planAll(from old: EnvoyLedger) {
        let wanted = self.wantedClusters()
        self.planRoutes()
        let serving = Set(
            self.ledger.routes.flatMap { deployment, route in
                route.traffic.revisions.map { EnvoyCluster.name(deployment, $0) }
            }
        )
        let changed = old.clusters.keys.sorted().filter { name in
            wanted[name].map { $0.backends != old.clusters[name]?.backends } ?? false
        }
        // An endpoint that comes back into service must be there before its weight.
        for name in changed where serving.contains(name) { self.write(name, wanted[name]) }
        if self.ledger.routes != old.routes || self.ledger.claims != old.claims {
            self.ledger.publish(at: self.now)
            self.steps.append(.routes)
        }
        for name in changed where !serving.contains(name) { self.write(name, wanted[name]) }
        self.planClusters(wanted)
        self.planRemovals()
    }

    private mutating func write(_ name: String, _ cluster: EnvoyLedger.Cluster?) {
        guard var cluster else { return }
        cluster.version = self.ledger.nextVersion(at: self.now)
        cluster.since = self.ledger.clusters[name]?.since ?? cluster.since
        self.ledger.clusters[name] = cluster
        self.steps.append(.endpoints(name))
    }

    private func wantedClusters() -> [String: EnvoyLedger.Cluster] {
        var clusters: [String: EnvoyLedger.Cluster] = [:]
        for (deployment, entry) in self.table.deployments {
            for (revision, backends) in entry.backends where !backends.isEmpty {
                clusters[EnvoyCluster.name(deployment, revision)] = EnvoyLedger.Cluster(
                    deployment: deployment,
                    revision: revision,
                    backends: backends.sorted {
                        ($0.endpoint.host, $0.endpoint.port) < ($1.endpoint.host, $1.endpoint.port)
                    },
                    version: 0,
                    since: 0
                )
            }
        }
        return clusters
    }

    private mutating func planRoutes() {
        var routes: [DeploymentID: EnvoyLedger.PublishedRoute] = [:]
        for (deployment, entry) in self.table.deployments {
            let current = self.ledger.routes[deployment]
            var published = EnvoyLedger.PublishedRoute(
                route: entry.route,
                traffic: entry.traffic.filter { _ in true },
                canary: entry.canary
            )
            if let problem = RouteClaims.problem(in: entry.route) {
                self.refusals[deployment] = problem
                guard let current else { continue }
                published.route = current.route
            }
            let newcomers = published.traffic.revisions.subtracting(current?.traffic.revisions ?? [])
            if !newcomers.allSatisfy({ self.warm.contains(EnvoyCluster.name(deployment, $0)) }) {
                published.traffic = current?.traffic ?? [:]
                published.canary = current?.canary
            }
            routes[deployment] = published
        }
        self.ledger.routes = routes
        self.ledger.claims = RouteClaims(routes.mapValues(\.route), previous: self.ledger.claims)
        self.refusals.merge(self.ledger.claims.refusals) { first, _ in first }
    }

    private mutating func planClusters(_ wanted: [String: EnvoyLedger.Cluster]) {
        let referenced = self.ledger.referenced
        let added = wanted.keys.sorted().filter { self.ledger.clusters[$0] == nil }
        let removed = self.ledger.clusters.keys.sorted().filter { wanted[$0] == nil && !referenced.contains($0) }
        guard !added.isEmpty || !removed.isEmpty else { return }
        for name in added {
            self.ledger.leaving[name] = nil
            self.write(name, wanted[name])
        }
        let version = self.ledger.nextVersion(at: self.now)
        for name in added { self.ledger.clusters[name]?.since = version }
        for name in removed {
            self.ledger.clusters[name] = nil
            self.ledger.leaving[name] = version
        }
        self.ledger.clustersVersion = version
        self.steps.append(.clusters)
    }

    private mutating func planRemovals() {
        guard let accepted = self.clustersVersion else { return }
        for (name, version) in self.ledger.leaving.sorted(by: { $0.key < $1.key }) where version <= accepted {
            self.ledger.leaving[name] = nil
            self.steps.append(.remove(name))
        }
    }
}
