import Deployments

/// What Envoy is told at its start, and the one listener. All else changes while it runs.
enum EnvoyBootstrap {
    /// Upper bounds of the latency histogram in milliseconds. A latency objective is exact only at one of them.
    static let latencyBounds: [Double] = [
        0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000,
    ]

    static func bootstrap(_ files: EnvoyFiles) -> EnvoyValue {
        [
            "node": ["id": "controller", "cluster": "controller"],
            // Mode 0600: whoever reaches the admin socket can end Envoy.
            "admin": ["address": ["pipe": ["path": .string(files.adminSocket), "mode": 0o600]]],
            "dynamic_resources": [
                "lds_config": Self.source(files.listeners),
                "cds_config": Self.source(files.clusters),
            ],
            // Histograms are merged from the workers at this interval; the default of 5 s would make a canary's
            // latency older than its counters.
            "stats_flush_interval": "1s",
            "stats_config": [
                "histogram_bucket_settings": [
                    [
                        "match": ["prefix": "cluster."],
                        "buckets": .array(Self.latencyBounds.map { .number($0) }),
                    ]
                ],
                // The same counters again, split by who asked: never read, and half of the memory.
                "stats_matcher": [
                    "exclusion_list": [
                        "patterns": [["safe_regex": ["regex": #"cluster\..*\.(external|internal)\..*"#]]]
                    ]
                ],
            ],
        ]
    }

    static let routeConfiguration = "main"
    static let listener = "ingress"

    static func listener(on endpoint: Endpoint, files: EnvoyFiles) -> EnvoyValue {
        .message(
            "envoy.config.listener.v3.Listener",
            [
                "name": .string(Self.listener),
                "address": Self.address(endpoint),
                // With port reuse a second Envoy on the same port would silently take half of the connections.
                "enable_reuse_port": false,
                "filter_chains": [["filters": [Self.connectionManager(files)]]],
            ]
        )
    }

    private static func connectionManager(_ files: EnvoyFiles) -> EnvoyValue {
        [
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": .message(
                "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                [
                    "stat_prefix": .string(Self.listener),
                    "codec_type": "HTTP1",
                    "rds": [
                        "route_config_name": .string(Self.routeConfiguration),
                        "config_source": Self.source(files.routes),
                    ],
                    // Nobody is internal: x-envoy-* fields of clients, which could change timeouts and retries, are
                    // dropped.
                    "use_remote_address": true,
                    "internal_address_config": ["unix_sockets": false],
                    "preserve_external_request_id": true,
                    "always_set_request_id_in_response": true,
                    "normalize_path": true,
                    "server_header_transformation": "PASS_THROUGH",
                    // A client may take ten seconds for its header, and then as long as its route allows.
                    "request_headers_timeout": "10s",
                    "common_http_protocol_options": ["idle_timeout": "300s"],
                    "http_filters": [
                        [
                            "name": "envoy.filters.http.router",
                            "typed_config": .message(
                                "envoy.extensions.filters.http.router.v3.Router",
                                ["suppress_envoy_headers": true]
                            ),
                        ]
                    ],
                ]
            ),
        ]
    }

    /// A file that Envoy reads again when another is renamed over it. Never `watched_directory`: that reads every file
    /// of the folder again at every rename.
    static func source(_ path: String) -> EnvoyValue {
        ["resource_api_version": "V3", "path_config_source": ["path": .string(path)]]
    }

    static func address(_ endpoint: Endpoint) -> EnvoyValue {
        ["socket_address": ["address": .string(endpoint.host), "port_value": .integer(endpoint.port)]]
    }

    /// The content of a file that Envoy reads.
    static func response(version: Int64, _ resources: [EnvoyValue]) -> EnvoyValue {
        ["version_info": .string(String(version)), "resources": .array(resources)]
    }
}
