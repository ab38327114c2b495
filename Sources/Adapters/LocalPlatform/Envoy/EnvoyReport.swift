import Deployments
import Reconciliation

/// Tells in the engine's words what was seen of Envoy.
struct EnvoyReport {
    var sight: EnvoySight
    var ledger: EnvoyLedger
    var refusals: [DeploymentID: String]
    var rejections: EnvoyRejections
    /// Endpoints that are draining, but so briefly that a worker may not know yet.
    var stillServing: Set<String>
    var rejectionText: () -> String?

    /// - Throws: When it is not known how Envoy splits the requests.
    func observation() throws(PlatformError) -> RouterObservation {
        let served = try self.served()
        var states: [DeploymentID: RouterState] = [:]
        var samples: [DeploymentID: Sample] = [:]
        for deployment in Set(self.ledger.routes.keys).union(served.keys) {
            states[deployment] = RouterState(traffic: served[deployment] ?? [:])
            samples[deployment] = Sample(time: self.sight.time, tracks: [:])
        }
        let warm = self.ledger.warm(in: self.sight)
        for (name, cluster) in self.ledger.clusters {
            var state = states[cluster.deployment] ?? RouterState()
            if warm.contains(name) { state.warm.insert(cluster.revision) }
            for host in self.sight.hosts.clusters[name] ?? [] {
                state.activeRequests[host.endpoint, default: 0] += host.activeRequests
                if !host.isDraining || self.stillServing.contains(host.endpoint) {
                    state.serving.insert(host.endpoint)
                }
            }
            states[cluster.deployment] = state
            guard self.sight.hosts.clusters[name] != nil else { continue }
            // A cluster without a request has no counters: that is zero, for Envoy has the cluster.
            let counters = (self.sight.statistics.clusters[name] ?? EnvoyStatistics.Cluster()).counters
            samples[cluster.deployment, default: Sample(time: self.sight.time, tracks: [:])]
                .tracks[cluster.revision] = counters
        }
        self.addRejections(to: &states)
        return RouterObservation(time: self.sight.time, states: states, samples: samples)
    }

    private func served() throws(PlatformError) -> [DeploymentID: Traffic] {
        guard let version = self.sight.statistics.routes.version else {
            if self.rejections.listeners {
                throw PlatformError(
                    code: .routerRejected,
                    message: "Envoy refuses its listener (\(self.text)): free its address, or configure another one",
                    recovery: .wait(.seconds(10))
                )
            }
            throw PlatformError(
                code: .routerUnreachable,
                message: "Envoy is still loading its configuration",
                recovery: .retry
            )
        }
        guard let published = self.ledger.history.first(where: { $0.version == version }) else {
            throw PlatformError(
                code: .notObservable,
                message: """
                    Envoy serves version \(version) of its routes, which this controller did not write: let only one \
                    controller use this folder
                    """,
                recovery: .retry
            )
        }
        return published.traffic
    }

    private func addRejections(to states: inout [DeploymentID: RouterState]) {
        for (deployment, refusal) in self.refusals { states[deployment]?.rejection = refusal }
        if self.rejections.routes || self.rejections.clusters || self.rejections.listeners {
            for deployment in states.keys { states[deployment]?.rejection = self.text }
        }
        for name in self.rejections.endpoints {
            guard let deployment = self.ledger.clusters[name]?.deployment else { continue }
            states[deployment]?.rejection = self.text
        }
    }

    private var text: String { self.rejectionText() ?? "Envoy's log tells why" }
}

/// Which of the last files Envoy has refused.
///
/// It counts refusals over its whole life, so that a count means something only against the one that was there when
/// Envoy last took what was written.
struct EnvoyRejections: Hashable, Sendable {
    private(set) var routes = false
    private(set) var clusters = false
    private(set) var listeners = false
    private(set) var endpoints: Set<String> = []
    private var baselines: [String: Int64] = [:]

    mutating func note(_ statistics: EnvoyStatistics, ledger: EnvoyLedger) {
        self.routes = self.isRejected("routes", statistics.routes, written: ledger.routesVersion)
        self.clusters = self.isRejected("clusters", statistics.clusterSource, written: ledger.clustersVersion)
        self.listeners = self.isRejected("listeners", statistics.listeners, written: ledger.listenersVersion)
        self.endpoints = []
        for (name, cluster) in ledger.clusters {
            guard let source = statistics.clusters[name]?.endpoints else { continue }
            if self.isRejected("endpoints \(name)", source, written: cluster.version) { self.endpoints.insert(name) }
        }
    }

    private mutating func isRejected(_ name: String, _ source: EnvoyStatistics.Source, written: Int64) -> Bool {
        if source.version == written {
            self.baselines[name] = source.rejected
            return false
        }
        return source.rejected > self.baselines[name] ?? 0
    }
}

/// Since when which endpoints have been seen draining.
struct DrainingEndpoints: Hashable, Sendable {
    private var since: [String: Timestamp] = [:]

    mutating func note(_ hosts: EnvoyHosts, at now: Timestamp) {
        var seen: [String: Timestamp] = [:]
        for host in hosts.clusters.values.joined() where host.isDraining {
            seen[host.endpoint] = self.since[host.endpoint] ?? now
        }
        self.since = seen
    }

    /// Those that have been draining for less than a time.
    func within(_ time: Duration, at now: Timestamp) -> Set<String> {
        Set(self.since.filter { now - $0.value < time }.keys)
    }
}
