import Deployments
import Reconciliation

/// A native histogram of an instant query:
/// `[1435781460.781, {"count": "18", "sum": "18.4", "buckets": [[3, "-0.001", "0.001", "2"], [0, "0.7", "1", "16"]]}]`.
///
/// Buckets that hold nothing are left out. Format:
/// https://prometheus.io/docs/prometheus/latest/querying/api/#native-histograms
struct NativeHistogram: Decodable {
    var seconds: Double
    var count: String?
    var buckets: [Bucket]

    /// Which of its edges belong to it (0: the right one, 1: the left one, 2: none, 3: both), the edges, the count.
    struct Bucket: Decodable {
        var left: String
        var right: String
        var count: String

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            _ = try container.decode(Int.self)
            self.left = try container.decode(String.self)
            self.right = try container.decode(String.self)
            self.count = try container.decode(String.self)
        }
    }

    private struct Content: Decodable {
        var count: String?
        var buckets: [Bucket]?
    }

    init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        self.seconds = try container.decode(Double.self)
        let content = try container.decode(Content.self)
        self.count = content.count
        self.buckets = content.buckets ?? []
    }
}

extension PrometheusAnswer {
    /// Client libraries keep 160 by default.
    private static var maxNativeBuckets: Int { 256 }

    /// The native histogram of an answer that has one.
    ///
    /// A bound is the edge of a bucket, and whether what lies right on it belongs below or above does not matter: it is
    /// the same for the histograms that are compared.
    static func native(_ series: [Series]) throws(PrometheusFailure) -> HistogramAnswer {
        guard series.count == 1, let histogram = series[0].histogram else {
            guard series.allSatisfy({ $0.histogram != nil }) else {
                throw .refused("the query matches native histograms and other series; select one kind by its labels")
            }
            throw .refused("the query matches \(series.count) native histograms; aggregate them with sum()")
        }
        guard histogram.buckets.count <= Self.maxNativeBuckets else {
            throw .refused("the histogram has \(histogram.buckets.count) buckets, more than \(Self.maxNativeBuckets)")
        }
        let time = Point(seconds: histogram.seconds, text: "").timestamp
        guard let text = histogram.count else { throw .unavailable("a native histogram came without its count") }
        let total = try Self.number(text)
        var (bounds, counts): ([Double], [Double]) = ([], [])
        var sum = 0.0
        for bucket in histogram.buckets {
            let (left, right) = (try Self.number(bucket.left), try Self.number(bucket.right))
            let count = try Self.number(bucket.count)
            guard left < right, left >= bounds.last ?? -.infinity else {
                throw .unavailable("the buckets of a native histogram came out of order")
            }
            guard count >= 0, count.isFinite else { return .none(.notANumber) }
            // What lies between this bucket and the last one is empty.
            if left.isFinite, left > bounds.last ?? -.infinity {
                bounds.append(left)
                counts.append(sum)
            }
            sum += count
            if right.isFinite {
                bounds.append(right)
                counts.append(sum)
            }
        }
        guard total.isFinite, total >= 0 else { return .none(.notANumber) }
        // Observations that are no number are in no bucket.
        return .sparse(bounds: bounds, counts: counts + [max(total, sum)], of: time)
    }

    private static func number(_ text: String) throws(PrometheusFailure) -> Double {
        try Self.number(Point(seconds: 0, text: text))
    }
}
