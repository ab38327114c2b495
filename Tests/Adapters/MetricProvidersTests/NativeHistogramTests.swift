import Deployments
import Foundation
import LoopbackServer
import MetricProviders
import Reconciliation
import Testing
import Transport

/// Native histograms, as https://prometheus.io/docs/prometheus/latest/querying/api/#native-histograms has them.
@Suite("Prometheus, native histograms", .timeLimit(.minutes(5)))
struct NativeHistogramTests {
    private func histogram(_ series: String...) async throws -> HistogramAnswer {
        let list = series.joined(separator: ",")
        let server = try LoopbackServer { _ in
            .text(#"{"status":"success","data":{"resultType":"vector","result":[\#(list)]}}"#)
        }
        let provider = PrometheusProvider(name: "p", baseURL: server.url, client: HTTPClient())
        return await provider.histogram(of: "h", at: CannedAnswerTests.now)
    }

    private static func series(count: String = "9", _ buckets: String, labels: String = "") -> String {
        #"{"metric":{\#(labels)},"histogram":[1700000000.5,{"count":"\#(count)","sum":"4.5","buckets":[\#(buckets)]}]}"#
    }

    private static let time = Timestamp(milliseconds: 1_700_000_000_500)

    @Test
    func `its buckets become cumulative, with the gaps between them`() async throws {
        // Negative ones, the one around zero, a gap, and two that touch.
        let buckets =
            #"[1,"-2","-1","1"],[3,"-0.001","0.001","2"],[0,"0.5","0.7071067811865475","3"],"#
            + #"[0,"0.7071067811865475","1","3"]"#
        #expect(
            try await self.histogram(Self.series(buckets))
                == .sparse(
                    bounds: [-2, -1, -0.001, 0.001, 0.5, 0.7071067811865475, 1],
                    counts: [0, 1, 1, 3, 3, 6, 9, 9],
                    of: Self.time
                )
        )
    }

    @Test
    func `custom buckets may have no end, and what is no number lies in none`() async throws {
        let buckets = #"[0,"-Inf","0.5","4"],[0,"0.5","+Inf","3"]"#
        #expect(
            try await self.histogram(Self.series(count: "9", buckets))
                == .sparse(bounds: [0.5], counts: [4, 9], of: Self.time)
        )
    }

    @Test
    func `one without an observation has a count of zero`() async throws {
        let empty = #"{"metric":{},"histogram":[1700000000.5,{"count":"0","sum":"0"}]}"#
        #expect(try await self.histogram(empty) == .sparse(bounds: [], counts: [0], of: Self.time))
    }

    @Test
    func `sums of floats that end a hair below their parts are no less than these`() async throws {
        let answer = try await self.histogram(Self.series(count: "0.3", #"[0,"1","2","0.1"],[0,"2","4","0.2"]"#))
        #expect(answer == .sparse(bounds: [1, 2, 4], counts: [0, 0.1, 0.1 + 0.2, 0.1 + 0.2], of: Self.time))
    }

    @Test(arguments: [
        (
            [Self.series("", labels: #""pod":"a""#), Self.series("", labels: #""pod":"b""#)],
            "matches 2 native histograms"
        ),
        ([Self.series(""), #"{"metric":{"le":"1"},"value":[1,"1"]}"#], "native histograms and other series"),
        (
            [
                Self.series(
                    (0..<257).map { #"[0,"\#($0)","\#($0 + 1)","1"]"# }.joined(separator: ",")
                )
            ], "257 buckets, more than 256"
        ),
    ])
    func `what is no one native histogram is refused with the reason`(series: [String], reason: String) async throws {
        let list = series.joined(separator: ",")
        guard case .none(.refused(let message)) = try await self.histogram(list) else {
            Issue.record("\(reason)")
            return
        }
        #expect(message.contains(reason), "\(message)")
    }

    @Test(arguments: [
        Self.series(#"[0,"1","0.5","1"]"#), Self.series(#"[0,"1","2","1"],[0,"1.5","3","1"]"#),
        Self.series(#"[0,"1","2"]"#), Self.series(#"[0,"wide","2","1"]"#), Self.series(#"[0,1,2,1]"#),
        Self.series(#"[0,"NaN","2","1"]"#), Self.series(count: "many", ""),
        #"{"metric":{},"histogram":[1700000000.5,{}]}"#, #"{"metric":{},"histogram":{}}"#,
    ])
    func `one that is not in the documented form is no answer`(series: String) async throws {
        guard case .none(.unavailable) = try await self.histogram(series) else {
            Issue.record("\(series)")
            return
        }
    }

    @Test(arguments: [
        Self.series(#"[0,"1","2","-1"]"#), Self.series(#"[0,"1","2","NaN"]"#), Self.series(count: "NaN", ""),
        Self.series(count: "+Inf", ""),
    ])
    func `one whose counts are no counts is not a number`(series: String) async throws {
        #expect(try await self.histogram(series) == .none(.notANumber))
    }

    @Test
    func `a real server's are read as it was told them`() async throws {
        // Bounds are powers of the root of 2. In (0.5, 0.707] 3, in (0.707, 1] 7, around zero 2; later 8 more.
        let first = ExposedHistogram(name: "score", sum: 8, zeros: 2, offset: -1, counts: [3, 7])
        let prometheus = try await RunningPrometheus(
            metrics: first.exposition,
            contentType: ExposedHistogram.contentType,
            features: ["native-histograms"]
        )
        try await prometheus.until("histogram_count(score)", is: .value(12))
        let now = Timestamp.now
        let answer = await prometheus.provider.histogram(of: "sum(score)", at: now)
        #expect(
            answer
                == .sparse(
                    bounds: [-0.001, 0.001, 0.5, 0.7071067811865475, 1],
                    counts: [0, 2, 2, 5, 12, 12],
                    of: now
                )
        )
        guard case .refused(let message) = await prometheus.provider.reading(of: "score", at: now).answer else {
            Issue.record()
            return
        }
        #expect(message.contains("histogram_quantile()"))

        let second = ExposedHistogram(name: "score", sum: 20, zeros: 2, offset: -1, counts: [3, 7, 8])
        prometheus.serve(second.exposition)
        try await prometheus.until("histogram_count(score)", is: .value(20))
        guard case .sparse(let bounds, let counts, _) = await prometheus.provider.histogram(of: "score", at: .now)
        else {
            Issue.record()
            return
        }
        #expect(bounds.last == 1.414213562373095)
        #expect(counts.suffix(2) == [20, 20])
    }
}

/// A native histogram as an exporter gives it to a scrape: only the protobuf format has them.
///
/// Format: https://github.com/prometheus/client_model, `metrics.proto`, each family after its length.
private struct ExposedHistogram {
    static let contentType =
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

    var name: String
    var sum: Double
    var zeros: UInt64
    /// Of the first bucket: 0 is the one that ends at 1.
    var offset: Int64
    var counts: [Int64]

    var exposition: [UInt8] {
        var span = Message()
        span.add(1, signed: self.offset)
        span.add(2, number: UInt64(self.counts.count))
        var histogram = Message()
        histogram.add(1, number: UInt64(self.counts.reduce(0, +)) + self.zeros)
        histogram.add(2, double: self.sum)
        histogram.add(5, signed: 1)
        histogram.add(6, double: 0.001)
        histogram.add(7, number: self.zeros)
        histogram.add(12, bytes: span.bytes)
        var before: Int64 = 0
        for count in self.counts {
            histogram.add(13, signed: count - before)
            before = count
        }
        var metric = Message()
        metric.add(7, bytes: histogram.bytes)
        var family = Message()
        family.add(1, bytes: Array(self.name.utf8))
        family.add(3, number: 4)
        family.add(4, bytes: metric.bytes)
        return Message.varint(UInt64(family.bytes.count)) + family.bytes
    }

    /// Fields of a protobuf message.
    private struct Message {
        private(set) var bytes: [UInt8] = []

        static func varint(_ value: UInt64) -> [UInt8] {
            var (bytes, rest): ([UInt8], UInt64) = ([], value)
            while rest >= 0x80 {
                bytes.append(UInt8(rest & 0x7f) | 0x80)
                rest >>= 7
            }
            return bytes + [UInt8(rest)]
        }

        mutating func add(_ field: UInt64, number value: UInt64) {
            self.bytes += Self.varint(field << 3) + Self.varint(value)
        }

        mutating func add(_ field: UInt64, signed value: Int64) {
            self.add(field, number: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
        }

        mutating func add(_ field: UInt64, double value: Double) {
            self.bytes += Self.varint(field << 3 | 1)
            self.bytes += withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
        }

        mutating func add(_ field: UInt64, bytes value: [UInt8]) {
            self.bytes += Self.varint(field << 3 | 2) + Self.varint(UInt64(value.count)) + value
        }
    }
}
