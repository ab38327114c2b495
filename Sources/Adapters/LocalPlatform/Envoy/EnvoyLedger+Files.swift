import Deployments
import Glibc
import Reconciliation

/// The files that say what the ledger says.
extension EnvoyLedger {
    func endpointsFile(_ name: String) -> [UInt8]? {
        guard let cluster = self.clusters[name] else { return nil }
        let assignment = EnvoyCluster.assignment(name, to: cluster.backends)
        return EnvoyBootstrap.response(version: cluster.version, [assignment]).bytes
    }

    func clustersFile(_ files: EnvoyFiles) -> [UInt8] {
        let definitions =
            self.clusters.keys.sorted().map { EnvoyCluster.definition($0, files: files) }
            + [EnvoyCluster.tapDefinition(files)]
        return EnvoyBootstrap.response(version: self.clustersVersion, definitions).bytes
    }

    func routesFile() -> [UInt8] {
        let configuration = EnvoyRoutes.configuration(self.routes, claims: self.claims)
        return EnvoyBootstrap.response(version: self.routesVersion, [configuration]).bytes
    }

    func listenersFile(_ endpoint: Endpoint, _ files: EnvoyFiles) -> [UInt8] {
        let listener = EnvoyBootstrap.listener(on: endpoint, files: files)
        return EnvoyBootstrap.response(version: self.listenersVersion, [listener]).bytes
    }

    /// The clusters that Envoy has accepted and that have a healthy endpoint. One that was taken out and put in again
    /// counts only once Envoy has seen it in again.
    func warm(in sight: EnvoySight) -> Set<String> {
        guard let accepted = sight.statistics.clusterSource.version else { return [] }
        return Set(
            self.clusters.keys.filter { name in
                guard let cluster = self.clusters[name], cluster.since <= accepted else { return false }
                return sight.hosts.clusters[name]?.contains(where: \.isHealthy) ?? false
            }
        )
    }
}

extension Endpoint {
    /// Envoy resolves no names in endpoints; one name would make it refuse the whole cluster.
    var isAddress: Bool {
        var address = in6_addr()
        guard (1...65535).contains(self.port) else { return false }
        return inet_pton(AF_INET, self.host, &address) == 1 || inet_pton(AF_INET6, self.host, &address) == 1
    }
}
