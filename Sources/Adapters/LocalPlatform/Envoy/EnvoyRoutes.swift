import Deployments
import Reconciliation

/// The one resource that splits the requests: which path goes to which clusters, with which weights.
enum EnvoyRoutes {
    static func configuration(
        _ routes: [DeploymentID: EnvoyLedger.PublishedRoute],
        claims: RouteClaims
    ) -> EnvoyValue {
        let everywhere = Self.routes(of: "*", routes, claims)
        let hosts = Set(claims.places.values.joined().map(\.host)).union(["*"]).sorted()
        return .message(
            "envoy.config.route.v3.RouteConfiguration",
            [
                "name": .string(EnvoyBootstrap.routeConfiguration),
                "ignore_port_in_host_matching": true,
                "virtual_hosts": .array(
                    hosts.map { host in
                        // Envoy looks into one virtual host only: each has the routes of every host too.
                        let named = host == "*" ? [] : Self.routes(of: host, routes, claims)
                        return [
                            "name": .string(host),
                            "domains": [.string(host)],
                            "routes": .array(Self.ordered(named + everywhere).flatMap(\.values) + [Self.notFound]),
                        ]
                    }
                ),
            ]
        )
    }

    private struct Candidate {
        var prefix: String
        var isEverywhere: Bool
        /// In the order in which Envoy tries them.
        var values: [EnvoyValue]
    }

    private static func routes(
        of host: String,
        _ routes: [DeploymentID: EnvoyLedger.PublishedRoute],
        _ claims: RouteClaims
    ) -> [Candidate] {
        routes.keys.sorted().flatMap { deployment -> [Candidate] in
            guard let published = routes[deployment] else { return [] }
            return (claims.places[deployment] ?? []).filter { $0.host == host }.map { place in
                Candidate(
                    prefix: place.prefix,
                    isEverywhere: host == "*",
                    values: Self.routes(deployment, published, prefix: place.prefix)
                )
            }
        }
    }

    /// Envoy takes the first that matches: the longest prefix, and of two equal ones that of the named host.
    private static func ordered(_ candidates: [Candidate]) -> [Candidate] {
        candidates.sorted { left, right in
            if left.prefix.utf8.count != right.prefix.utf8.count {
                return left.prefix.utf8.count > right.prefix.utf8.count
            }
            if left.prefix != right.prefix { return left.prefix < right.prefix }
            return !left.isEverywhere && right.isEverywhere
        }
    }

    /// Requests that go to a revision by their headers come before those that are split by weight.
    private static func routes(
        _ deployment: DeploymentID,
        _ published: EnvoyLedger.PublishedRoute,
        prefix: String
    ) -> [EnvoyValue] {
        // Of all of them together: who is matched is not split by weight, nor the other way round.
        let split = published.traffic.split
        var byWeight = published
        byWeight.traffic.matches = []
        return published.traffic.matches.map { match in
            var matched = published
            matched.traffic = .all(to: match.revision)
            return Self.route(deployment, matched, split, prefix: prefix, where: match.headers)
        } + [Self.route(deployment, byWeight, split, prefix: prefix)]
    }

    private static func route(
        _ deployment: DeploymentID,
        _ published: EnvoyLedger.PublishedRoute,
        _ split: TrafficSplit,
        prefix: String,
        where headers: HeaderMatches? = nil
    ) -> EnvoyValue {
        // `/v2/models/a` is not a prefix of `/v2/models/ab`.
        var match: [String: EnvoyValue] =
            prefix == "/" ? ["prefix": "/"] : ["path_separated_prefix": .string(prefix)]
        if let headers { match["headers"] = .array(headers.conditions.map(Self.matcher)) }
        var fields: [String: EnvoyValue] = [
            "match": .object(match),
            "response_headers_to_add": [Self.header("x-controller-deployment", deployment.description)],
        ]
        let clusters = Self.clusters(deployment, published, split)
        if clusters.isEmpty {
            fields["direct_response"] = Self.response(
                503,
                "No revision of \(deployment) is ready yet; `controller status` tells why."
            )
        } else {
            var action = Self.action(published.route, clusters)
            if let mirror = published.traffic.mirror {
                action["request_mirror_policies"] = .array(Self.copies(deployment, mirror))
            }
            fields["route"] = .object(action)
        }
        return .object(fields)
    }

    private static func matcher(_ condition: HeaderMatches.Condition) -> EnvoyValue {
        switch condition.value {
        case .exact(let text): ["name": .string(condition.name), "string_match": ["exact": .string(text)]]
        case .prefix(let text): ["name": .string(condition.name), "string_match": ["prefix": .string(text)]]
        case .present: ["name": .string(condition.name), "present_match": true]
        }
    }

    /// Those to the canary, whose answers it is judged by here, and those to the tap, which asks both revisions itself.
    private static func copies(_ deployment: DeploymentID, _ mirror: Traffic.Mirror) -> [EnvoyValue] {
        let canary = EnvoyCluster.name(deployment, mirror.revision)
        var policies = [Self.copies(to: canary, mirror.percent)]
        if let rule = mirror.comparison {
            var fields = Self.copies(to: EnvoyCluster.tap, rule.percent)
            fields["request_headers_mutations"] = [["append": Self.header(AnswerTap.header, canary)]]
            policies.append(fields)
        }
        return policies.map { .object($0) }
    }

    private static func copies(to cluster: String, _ percent: TrafficWeight) -> [String: EnvoyValue] {
        [
            "cluster": .string(cluster),
            "runtime_fraction": [
                "default_value": ["numerator": .integer(percent.percent), "denominator": "HUNDRED"]
            ],
            // A model server that looks at the host must see the request as the users' is.
            "disable_shadow_host_suffix_append": true,
        ]
    }

    /// The canary first: then no user leaves it as its weight grows.
    private static func clusters(
        _ deployment: DeploymentID,
        _ published: EnvoyLedger.PublishedRoute,
        _ split: TrafficSplit
    ) -> [EnvoyValue] {
        published.traffic.weights.filter { $0.value > .none }
            .sorted { left, right in
                let (leads, follows) = (left.key == published.canary, right.key == published.canary)
                return leads == follows ? left.key < right.key : leads
            }
            .map { revision, weight in
                [
                    "name": .string(EnvoyCluster.name(deployment, revision)),
                    "weight": .integer(weight.percent),
                    "response_headers_to_add": [
                        Self.header("x-controller-revision", revision.short),
                        // Not the request's own id: a client may choose that.
                        Self.header(FeedbackID.header, FeedbackID.prefix(revision, split), then: "%UNIQUE_ID%"),
                    ],
                ]
            }
    }

    private static func action(_ route: Route, _ clusters: [EnvoyValue]) -> [String: EnvoyValue] {
        var weighted: [String: EnvoyValue] = ["clusters": .array(clusters)]
        var fields: [String: EnvoyValue] = [
            "timeout": .duration(route.timeout),
            // Else a stream without a byte ends after five minutes, whatever the route allows.
            "idle_timeout": .duration(route.timeout),
            "retry_policy": Self.retryPolicy,
        ]
        if let header = route.affinityHeader {
            weighted["use_hash_policy"] = true
            fields["hash_policy"] = [["header": ["header_name": .string(header)], "terminal": true]]
        }
        fields["weighted_clusters"] = .object(weighted)
        return fields
    }

    /// Only requests that no server has begun to work on: inference may cost, and need not be repeatable.
    private static let retryPolicy: EnvoyValue = [
        "retry_on": "connect-failure,refused-stream,reset-before-request",
        "num_retries": 3,
        // Another endpoint is there at once; the default of 25 ms is for servers that are overloaded.
        "retry_back_off": ["base_interval": "0.005s", "max_interval": "0.050s"],
        "host_selection_retry_max_attempts": 5,
        "retry_host_predicate": [
            [
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": .message("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate", [:]),
            ]
        ],
    ]

    private static let notFound: EnvoyValue = [
        "match": ["prefix": "/"],
        "direct_response": Self.response(404, "No deployment serves this host and path."),
    ]

    private static func response(_ status: Int, _ text: String) -> EnvoyValue {
        ["status": .integer(status), "body": ["inline_string": .string(text + "\n")]]
    }

    /// A percent sign would begin a command of Envoy's formatter, as `command` is one.
    private static func header(_ name: String, _ value: String, then command: String = "") -> EnvoyValue {
        let text = value.utf8.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "%"): Array("%%".utf8)
            case 0x21..<0x7f: [byte]
            default: [UInt8(ascii: "?")]
            }
        }
        return [
            "header": ["key": .string(name), "value": .string(String(decoding: text, as: UTF8.self) + command)],
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        ]
    }
}
