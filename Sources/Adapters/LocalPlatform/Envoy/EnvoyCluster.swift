import Deployments
import Reconciliation

/// One immutable cluster per revision.
///
/// Envoy sets a cluster's counters back when its definition changes; so only its endpoints ever do.
enum EnvoyCluster {
    /// `search__file-type__0123456789`: letters, digits and hyphens stay, any other byte becomes `_` and two
    /// hexadecimal digits. So two underscores only ever separate, and no dot disturbs the names of statistics.
    static func name(_ deployment: DeploymentID, _ revision: Revision) -> String {
        [deployment.namespace, deployment.name, revision.short].map(Self.escaped).joined(separator: "__")
    }

    private static func escaped(_ text: String) -> String {
        guard !text.utf8.allSatisfy(Self.isPlain) else { return text }
        return text.utf8.reduce(into: "") { result, byte in
            if Self.isPlain(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += byte < 16 ? "_0" : "_"
                result += String(byte, radix: 16)
            }
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    static func definition(_ name: String, files: EnvoyFiles) -> EnvoyValue {
        .message(
            "envoy.config.cluster.v3.Cluster",
            [
                "name": .string(name),
                "type": "EDS",
                "eds_cluster_config": ["eds_config": EnvoyBootstrap.source(files.endpoints(of: name))],
                "connect_timeout": "1s",
                "lb_policy": "LEAST_REQUEST",
                "common_lb_config": [
                    // In panic (less than half of the endpoints healthy) Envoy sends to draining ones too.
                    "healthy_panic_threshold": ["value": 0],
                    // Envoy holds changes of health back for a second otherwise; an ejected endpoint then goes on
                    // failing requests.
                    "update_merge_window": "0s",
                ],
                "outlier_detection": Self.outlierDetection,
                // The default of three concurrent retries gives up on most requests when an endpoint dies.
                "circuit_breakers": [
                    "thresholds": [
                        [
                            "max_connections": 4096, "max_pending_requests": 4096, "max_requests": 4096,
                            "max_retries": 1024,
                        ]
                    ]
                ],
                "typed_extension_protocol_options": [
                    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": .message(
                        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                        [
                            // Below the keep-alive time of every model server (gunicorn 2 s, uvicorn 5 s), or a
                            // request meets a connection that the server is just closing.
                            "common_http_protocol_options": ["idle_timeout": "1s"],
                            "explicit_http_config": ["http_protocol_options": [:]],
                        ]
                    )
                ],
            ]
        )
    }

    /// Endpoints that refuse connections are left out for some seconds. Their answers play no part: to judge those is
    /// the analysis' work.
    private static let outlierDetection: EnvoyValue = [
        "split_external_local_origin_errors": true,
        "consecutive_local_origin_failure": 3,
        "enforcing_consecutive_local_origin_failure": 100,
        "enforcing_consecutive_5xx": 0,
        "enforcing_consecutive_gateway_failure": 0,
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
        "interval": "1s",
        "base_ejection_time": "1s",
        "max_ejection_time": "5s",
        "max_ejection_percent": 100,
    ]

    /// The controller itself, as who compares answers. No revision's cluster has a name of two parts.
    static let tap = "controller__tap"

    /// Always there and never changed, so that a route may name it at once. While no controller runs, or it has no
    /// time, copies fail and nobody waits for them.
    static func tapDefinition(_ files: EnvoyFiles) -> EnvoyValue {
        .message(
            "envoy.config.cluster.v3.Cluster",
            [
                "name": .string(Self.tap),
                "type": "STATIC",
                "connect_timeout": "1s",
                "circuit_breakers": [
                    "thresholds": [
                        // More than are ever compared at once; what waits here is only memory.
                        ["max_connections": 64, "max_pending_requests": 64, "max_requests": 64, "max_retries": 0]
                    ]
                ],
                "load_assignment": [
                    "cluster_name": .string(Self.tap),
                    "endpoints": [
                        [
                            "lb_endpoints": [
                                ["endpoint": ["address": ["pipe": ["path": .string(files.tapSocket)]]]]
                            ]
                        ]
                    ],
                ],
            ]
        )
    }

    static func assignment(_ name: String, to backends: [RoutingTable.Backend]) -> EnvoyValue {
        .message(
            "envoy.config.endpoint.v3.ClusterLoadAssignment",
            [
                "cluster_name": .string(name),
                "endpoints": [
                    [
                        "lb_endpoints": .array(
                            backends.map { backend in
                                [
                                    "endpoint": ["address": EnvoyBootstrap.address(backend.endpoint)],
                                    "health_status": backend.isDraining ? "DRAINING" : "HEALTHY",
                                ]
                            }
                        )
                    ]
                ],
            ]
        )
    }
}
