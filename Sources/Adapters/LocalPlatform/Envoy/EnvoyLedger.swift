import Deployments
import Reconciliation

/// What was written for Envoy, and how each version of the routes splits the requests.
///
/// Kept in a file, so that a controller that starts again knows what the version that Envoy names as its own means.
struct EnvoyLedger: Hashable, Codable, Sendable {
    /// The boot it is of: after another one every endpoint in it is gone.
    var bootID: String
    /// The last version given out; versions only grow, over restarts too.
    var version: Int64 = 0
    var clusters: [String: Cluster] = [:]
    var clustersVersion: Int64 = 0
    var listenersVersion: Int64 = 0
    /// Clusters taken out of the configuration, with the version without them: once Envoy has that, their file goes.
    var leaving: [String: Int64] = [:]
    var routes: [DeploymentID: PublishedRoute] = [:]
    var claims = RouteClaims()
    /// Versions of the routes that Envoy may be serving, oldest first; the last one is what was written last.
    var history: [PublishedVersion] = []

    init(bootID: String) {
        self.bootID = bootID
    }

    struct Cluster: Hashable, Codable, Sendable {
        var deployment: DeploymentID
        var revision: Revision
        var backends: [RoutingTable.Backend]
        /// The version of its file of endpoints.
        var version: Int64
        /// The first version of the configuration that names it.
        var since: Int64
    }

    struct PublishedRoute: Hashable, Codable, Sendable {
        var route: Route
        /// Only weights above zero.
        var traffic: Traffic
        var canary: Revision?
    }

    struct PublishedVersion: Hashable, Codable, Sendable {
        var version: Int64
        var traffic: [DeploymentID: Traffic]
    }

    var routesVersion: Int64 { self.history.last?.version ?? 0 }

    mutating func nextVersion(at now: Timestamp) -> Int64 {
        self.version = max(self.version + 1, now.milliseconds)
        return self.version
    }

    /// More than Envoy ever lags behind, unless it refuses everything; the oldest, which it serves then, is kept.
    private static let historyLimit = 16

    mutating func publish(at now: Timestamp) {
        let version = PublishedVersion(version: self.nextVersion(at: now), traffic: self.routes.mapValues(\.traffic))
        self.history.append(version)
        if self.history.count > Self.historyLimit { self.history.remove(at: 1) }
    }

    /// Forgets versions before the one that Envoy serves.
    mutating func acknowledge(routes version: Int64) {
        guard let index = self.history.firstIndex(where: { $0.version == version }) else { return }
        self.history.removeFirst(index)
    }

    /// Clusters that some version names which Envoy may be serving.
    var referenced: Set<String> {
        var names: Set<String> = []
        for version in self.history {
            for (deployment, traffic) in version.traffic {
                for revision in traffic.revisions { names.insert(EnvoyCluster.name(deployment, revision)) }
            }
        }
        return names
    }
}
