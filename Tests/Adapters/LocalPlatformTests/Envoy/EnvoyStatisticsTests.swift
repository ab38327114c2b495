import Deployments
import Reconciliation
import Testing

@testable import LocalPlatform

/// What Envoy 1.40 answered, shortened.
@Suite("Envoy statistics")
struct EnvoyStatisticsTests {
    static let text = #"""
        # TYPE envoy_cluster_upstream_rq counter
        envoy_cluster_upstream_rq{envoy_response_code="504",envoy_cluster_name="a__b__1"} 1

        # TYPE envoy_cluster_upstream_rq_completed counter
        envoy_cluster_upstream_rq_completed{envoy_cluster_name="a__b__1"} 8
        # TYPE envoy_cluster_upstream_rq_timeout counter
        envoy_cluster_upstream_rq_timeout{envoy_cluster_name="a__b__1"} 2
        # TYPE envoy_cluster_upstream_rq_xx counter
        envoy_cluster_upstream_rq_xx{envoy_response_code_class="4",envoy_cluster_name="a__b__1"} 1
        envoy_cluster_upstream_rq_xx{envoy_response_code_class="5",envoy_cluster_name="a__b__1"} 4
        # TYPE envoy_cluster_update_rejected counter
        envoy_cluster_update_rejected{envoy_cluster_name="a__b__1"} 1
        # TYPE envoy_cluster_version_text gauge
        envoy_cluster_version_text{envoy_cluster_name="a__b__1",text_value="17"} 0
        # TYPE envoy_cluster_manager_cds_version_text gauge
        envoy_cluster_manager_cds_version_text{text_value="18"} 0
        # TYPE envoy_http_rds_version_text gauge
        envoy_http_rds_version_text{envoy_rds_route_config="main",envoy_http_conn_manager_prefix="ingress",text_value="19"} 0
        # TYPE envoy_http_rds_update_rejected counter
        envoy_http_rds_update_rejected{envoy_rds_route_config="main",envoy_http_conn_manager_prefix="ingress"} 3
        # TYPE envoy_listener_manager_lds_version_text gauge
        envoy_listener_manager_lds_version_text{text_value=""} 0
        # TYPE envoy_cluster_upstream_rq_time histogram
        envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="a__b__1",le="0.5"} 2
        envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="a__b__1",le="1"} 4
        envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="a__b__1",le="30000"} 5
        envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="a__b__1",le="+Inf"} 6
        envoy_cluster_upstream_rq_time_sum{envoy_cluster_name="a__b__1"} 2.09523809523809539
        envoy_cluster_upstream_rq_time_count{envoy_cluster_name="a__b__1"} 6

        """#

    @Test
    func `one answer tells versions, refusals and counters`() throws {
        let statistics = EnvoyStatistics(prometheus: Self.text)
        #expect(statistics.routes == EnvoyStatistics.Source(version: 19, rejected: 3))
        #expect(statistics.clusterSource == EnvoyStatistics.Source(version: 18, rejected: 0))
        #expect(statistics.listeners == EnvoyStatistics.Source(version: nil, rejected: 0))
        let cluster = try #require(statistics.clusters["a__b__1"])
        #expect(cluster.endpoints == EnvoyStatistics.Source(version: 17, rejected: 1))
        #expect(cluster.completed == 8)
        #expect(cluster.clientErrors == 1)
        #expect(cluster.serverErrors == 4)
        #expect(cluster.buckets == [0.5: 2, 1: 4, 30000: 5])
        #expect(cluster.answers == 6)
    }

    @Test
    func `timeouts after the header are server errors, and all timeouts are slow`() throws {
        let counters = try #require(EnvoyStatistics(prometheus: Self.text).clusters["a__b__1"]).counters
        #expect(counters.requests == 8)
        #expect(counters.clientErrors == 1)
        // Four 5xx, one of them the 504 of a timeout; the other timeout came after a header.
        #expect(counters.serverErrors == 5)
        #expect(counters.latency.total == 8)
        #expect(counters.latency.slower(than: 30000) == 3)
        #expect(counters.latency.slower(than: 1) == 4)
    }

    @Test
    func `a server that answers 504 itself lowers nothing`() {
        var cluster = EnvoyStatistics.Cluster()
        (cluster.serverErrors, cluster.gatewayTimeouts, cluster.timeouts) = (5, 5, 2)
        #expect(cluster.counters.serverErrors == 5)
    }

    @Test(arguments: ["", "x", "x{", "name{a=\"b\"", "name{a=} 1", "name{=\"\\", "{} 1", "a b c", "é{\"=\"} 1"])
    func `lines of any form are read or skipped`(line: String) {
        _ = EnvoyStatistics(prometheus: line)
        _ = PrometheusLine(line[...].utf8)
    }

    @Test
    func `labels are unescaped`() throws {
        let line = try #require(PrometheusLine(#"m{a="x\"y\\z",b="\n"} 1e3"#[...].utf8))
        #expect(line.name == "m")
        #expect(line.labels == ["a": #"x"y\z"#, "b": "\n"])
        #expect(line.count == 1000)
    }

    @Test
    func `endpoints are read with their requests in flight and their health`() throws {
        let json = #"""
            {"cluster_statuses":[{"name":"a","added_via_api":true,"host_statuses":[
             {"address":{"socket_address":{"address":"127.0.0.1","port_value":19001}},
              "stats":[{"value":"6","name":"cx_total"},{"value":"3","type":"GAUGE","name":"rq_active"}],
              "health_status":{"eds_health_status":"DRAINING"},"weight":1,"locality":{}},
             {"address":{"socket_address":{"address":"127.0.0.1","port_value":19002}},
              "stats":[{"type":"GAUGE","name":"rq_active"}],
              "health_status":{"failed_outlier_check":true,"eds_health_status":"HEALTHY"}},
             {"address":{"pipe":{"path":"/x"}}}]},{"name":"b"}]}
            """#
        let hosts = try EnvoyHosts(json: Array(json.utf8))
        #expect(
            hosts.clusters == [
                "a": [
                    .init(endpoint: "127.0.0.1:19001", isDraining: true, isEjected: false, activeRequests: 3),
                    .init(endpoint: "127.0.0.1:19002", isDraining: false, isEjected: true, activeRequests: 0),
                ],
                "b": [],
            ]
        )
        #expect(throws: PlatformError.self) { try EnvoyHosts(json: Array("{".utf8)) }
    }
}
