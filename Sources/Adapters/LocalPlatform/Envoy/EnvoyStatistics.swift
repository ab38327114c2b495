import Deployments

/// Envoy's statistics, from one answer of `/stats/prometheus`: the only form of them with the histograms' totals.
struct EnvoyStatistics: Hashable, Sendable {
    struct Source: Hashable, Sendable {
        /// What Envoy took last; nothing before the first time.
        var version: Int64?
        /// How often it refused a version since it started.
        var rejected: Int64 = 0
    }

    struct Cluster: Hashable, Sendable {
        var endpoints = Source()
        var completed: Int64 = 0
        var clientErrors: Int64 = 0
        var serverErrors: Int64 = 0
        /// Answers 504, the server's own ones too.
        var gatewayTimeouts: Int64 = 0
        var timeouts: Int64 = 0
        /// Cumulative, by upper bound in milliseconds.
        var buckets: [Double: Int64] = [:]
        var answers: Int64 = 0
    }

    var listeners = Source()
    var clusterSource = Source()
    var routes = Source()
    var clusters: [String: Cluster] = [:]

    /// Selects, by Envoy's own names, what is read here: all else would be megabytes.
    static let filter =
        #"^(cluster\.[^.]+\.(upstream_rq_(completed|4xx|5xx|504|timeout|time)|version_text|update_rejected)"#
        + #"|(http\.ingress\.rds\.main|cluster_manager\.cds|listener_manager\.lds)\.(version_text|update_rejected))$"#

    static let path = "/stats/prometheus?usedonly&text_readouts&filter=" + Self.percentEncoded(Self.filter)

    init(prometheus text: String) {
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
            guard let metric = PrometheusLine(line) else { continue }
            self.add(metric)
        }
    }

    private mutating func add(_ metric: PrometheusLine) {
        switch metric.name {
        case "envoy_listener_manager_lds_version_text": self.listeners.version = metric.version
        case "envoy_listener_manager_lds_update_rejected": self.listeners.rejected = metric.count
        case "envoy_cluster_manager_cds_version_text": self.clusterSource.version = metric.version
        case "envoy_cluster_manager_cds_update_rejected": self.clusterSource.rejected = metric.count
        case "envoy_http_rds_version_text": self.routes.version = metric.version
        case "envoy_http_rds_update_rejected": self.routes.rejected = metric.count
        default:
            guard let name = metric.labels["envoy_cluster_name"] else { return }
            Self.add(metric, to: &self.clusters[name, default: Cluster()])
        }
    }

    private static func add(_ metric: PrometheusLine, to cluster: inout Cluster) {
        switch metric.name {
        case "envoy_cluster_version_text": cluster.endpoints.version = metric.version
        case "envoy_cluster_update_rejected": cluster.endpoints.rejected = metric.count
        case "envoy_cluster_upstream_rq_completed": cluster.completed = metric.count
        case "envoy_cluster_upstream_rq_timeout": cluster.timeouts = metric.count
        case "envoy_cluster_upstream_rq_xx":
            switch metric.labels["envoy_response_code_class"] {
            case "4": cluster.clientErrors = metric.count
            case "5": cluster.serverErrors = metric.count
            default: break
            }
        case "envoy_cluster_upstream_rq":
            if metric.labels["envoy_response_code"] == "504" { cluster.gatewayTimeouts = metric.count }
        case "envoy_cluster_upstream_rq_time_bucket":
            guard let bound = metric.labels["le"].flatMap(Double.init), bound.isFinite else { return }
            cluster.buckets[bound] = metric.count
        case "envoy_cluster_upstream_rq_time_count": cluster.answers = metric.count
        default: break
        }
    }

    private static func percentEncoded(_ text: String) -> String {
        text.utf8.reduce(into: "") { result, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                result += "%" + String(byte, radix: 16, uppercase: true)
            }
        }
    }
}

extension EnvoyStatistics.Cluster {
    /// In the engine's words.
    ///
    /// Envoy counts a request as completed once, with the code that the client got, whoever made it: a reset, no
    /// healthy endpoint and too many requests are its own 503, a timeout its own 504. Retried attempts are counted
    /// elsewhere. Three things are missing there and added here. A timeout after the header was passed on counts as
    /// the code of that header: the timeouts beyond the answers 504 are those. And the histogram has only complete
    /// answers: a timeout was slower than all bounds, and a gate that did not see it would praise a model that hangs.
    var counters: TrackCounters {
        let bounds = EnvoyBootstrap.latencyBounds
        return TrackCounters(
            requests: self.completed,
            serverErrors: self.serverErrors + max(0, self.timeouts - self.gatewayTimeouts),
            clientErrors: self.clientErrors,
            latency: LatencyHistogram(
                bounds: bounds,
                counts: bounds.map { self.buckets[$0] ?? 0 },
                total: self.answers + self.timeouts
            )
        )
    }
}

/// `name{label="value",…} number`
struct PrometheusLine: Hashable, Sendable {
    var name: String
    var labels: [String: String] = [:]
    var value: Double

    var count: Int64 { Int64(exactly: self.value.rounded()) ?? 0 }
    /// A text readout, which is a label.
    var version: Int64? { self.labels["text_value"].flatMap { Int64($0) } }

    /// - Returns: Nothing when it is not such a line.
    init?(_ line: Substring.UTF8View) {
        guard let space = line.lastIndex(of: UInt8(ascii: " ")),
            let value = Double(Substring(line[space...].dropFirst()))
        else { return nil }
        self.value = value
        let head = line[..<space]
        guard let brace = head.firstIndex(of: UInt8(ascii: "{")) else {
            self.name = String(Substring(head))
            return
        }
        self.name = String(Substring(head[..<brace]))
        var rest = head[brace...].dropFirst()
        while let equals = rest.firstIndex(of: UInt8(ascii: "=")) {
            let key = String(Substring(rest[..<equals]))
            rest = rest[equals...].dropFirst(2)
            var text: [UInt8] = []
            while let byte = rest.first, byte != UInt8(ascii: "\"") {
                rest.removeFirst()
                guard byte == UInt8(ascii: "\\"), let escaped = rest.popFirst() else {
                    text.append(byte)
                    continue
                }
                text.append(escaped == UInt8(ascii: "n") ? UInt8(ascii: "\n") : escaped)
            }
            self.labels[key] = String(decoding: text, as: UTF8.self)
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: ",") { rest.removeFirst() }
        }
    }
}
