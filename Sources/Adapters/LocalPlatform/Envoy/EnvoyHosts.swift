import Foundation
import Reconciliation

/// The endpoints of each cluster that Envoy has accepted, from `/clusters?format=json`. Clusters that are still being
/// prepared are not in it.
struct EnvoyHosts: Hashable, Sendable {
    struct Host: Hashable, Sendable {
        /// `127.0.0.1:19001`
        var endpoint: String
        var isDraining: Bool
        /// Left out for a while because it refused connections.
        var isEjected: Bool
        var activeRequests: Int

        var isHealthy: Bool { !self.isDraining && !self.isEjected }
    }

    static let path = "/clusters?format=json"

    var clusters: [String: [Host]]

    init(clusters: [String: [Host]] = [:]) {
        self.clusters = clusters
    }

    init(json: [UInt8]) throws(PlatformError) {
        let document: Document
        do {
            document = try JSONDecoder().decode(Document.self, from: Data(json))
        } catch {
            throw PlatformError(
                code: .notObservable,
                message: "Envoy's answer to \(Self.path) is not understood (\(error)): install Envoy 1.40",
                recovery: .needsOperator
            )
        }
        self.clusters = [:]
        for cluster in document.cluster_statuses ?? [] {
            self.clusters[cluster.name] = (cluster.host_statuses ?? []).compactMap { status in
                guard let address = status.address.socket_address else { return nil }
                let active = status.stats?.first { $0.name == "rq_active" }?.value
                return Host(
                    endpoint: "\(address.address):\(address.port_value)",
                    isDraining: status.health_status?.eds_health_status == "DRAINING",
                    isEjected: status.health_status?.failed_outlier_check ?? false,
                    activeRequests: active.flatMap { Int($0) } ?? 0
                )
            }
        }
    }

    // Protobuf's JSON leaves out whatever is zero, false or empty.
    private struct Document: Decodable {
        var cluster_statuses: [Cluster]?

        struct Cluster: Decodable {
            var name: String
            var host_statuses: [Host]?
        }

        struct Host: Decodable {
            var address: Address
            var stats: [Statistic]?
            var health_status: Health?
        }

        struct Address: Decodable {
            var socket_address: Socket?

            struct Socket: Decodable {
                var address: String
                var port_value: Int
            }
        }

        struct Statistic: Decodable {
            var name: String
            /// Protobuf writes 64-bit numbers as text.
            var value: String?
        }

        struct Health: Decodable {
            var eds_health_status: String?
            var failed_outlier_check: Bool?
        }
    }
}
