import Deployments
import FoundationEssentials
import Reconciliation
import Transport

/// A good answer of the query API, not yet looked into.
struct PrometheusAnswer {
    let warnings: [String]
    private let data: Content

    /// - Throws: For every answer that is not a success, in the server's own words where it has any.
    init(_ response: HTTPResponse, url: String) throws(PrometheusFailure) {
        // A body that does not decode is judged by the answer's status, below.
        let body = try? JSONDecoder().decode(Body.self, from: Data(response.body))
        guard response.isSuccess else { throw Self.failure(response, body, url: url) }
        guard let body, body.status == "success", let data = body.data else {
            throw .unavailable("\(url) answered something that is not Prometheus' format; check the provider's URL")
        }
        self.warnings = ((body.warnings ?? []) + (body.infos ?? [])).prefix(10).map { PrometheusFailure.bounded($0) }
        self.data = data
    }

    private static func failure(_ response: HTTPResponse, _ body: Body?, url: String) -> PrometheusFailure {
        let words = body?.error.map { PrometheusFailure.bounded($0) }
        switch response.status {
        case 401, 403:
            return .refused("\(url) answered \(response.status); check the provider's token or password")
        case 408, 425, 429:
            return .unavailable("\(url) answered \(response.status)\(words.map { ": \($0)" } ?? "")")
        case 400..<500:
            guard let words else {
                return .refused("\(url) answered \(response.status); check the provider's URL")
            }
            return .refused("\(PrometheusFailure.bounded(body?.errorType ?? "error", to: 40)): \(words)")
        case 300..<400:
            return .refused("\(url) answered \(response.status), a redirect; use the final URL for the provider")
        default:
            return .unavailable("\(url) answered \(response.status)\(words.map { ": \($0)" } ?? "")")
        }
    }

    // MARK: - Values

    /// The one number of an instant query; what has no value is of the time that was asked for.
    func singleValue(at time: Timestamp) throws(PrometheusFailure) -> MetricReading {
        switch self.data {
        case .scalar(let point):
            return try Self.reading(point)
        case .vector(let series):
            guard let first = series.first else { return MetricReading(.noData, of: time) }
            guard series.count == 1 else { throw Self.several(series.map(\.metric)) }
            guard let point = first.value else {
                throw .refused("the query yields a native histogram; take a number of it with histogram_quantile()")
            }
            return try Self.reading(point)
        case .matrix:
            throw .refused("the query yields a range of values; make one of it, for example with avg_over_time()")
        case .other(let kind):
            throw .refused("the query yields a \(PrometheusFailure.bounded(kind, to: 40)), not a number")
        }
    }

    /// Every series of an instant query.
    func vector() throws(PrometheusFailure) -> [Series] {
        guard case .vector(let series) = self.data else {
            throw .refused("the query yields no instant vector, so no histogram")
        }
        return series
    }

    /// The one series of a range query.
    func singleSeries() throws(PrometheusFailure) -> RangeAnswer {
        guard case .matrix(let series) = self.data else {
            throw .unavailable("the answer to a range query has no range; check the provider's URL")
        }
        guard let first = series.first else { return .noData }
        guard series.count == 1 else { throw Self.several(series.map(\.metric)) }
        guard let values = first.values else {
            throw .refused("the query yields native histograms; take a number of each with histogram_quantile()")
        }
        var points: [RangePoint] = []
        for point in values {
            let value = try Self.number(point)
            points.append(RangePoint(time: point.timestamp, value: value.isNaN ? nil : value))
        }
        return points.isEmpty ? .noData : .points(points)
    }

    private static func reading(_ point: Point) throws(PrometheusFailure) -> MetricReading {
        let value = try self.number(point)
        return MetricReading(value.isNaN ? .notANumber : .value(value), of: point.timestamp)
    }

    static func number(_ point: Point) throws(PrometheusFailure) -> Double {
        guard let value = Double(point.text) else {
            throw .unavailable("\"\(PrometheusFailure.bounded(point.text, to: 40))\" came in the place of a number")
        }
        return value
    }

    /// Taking any one of several series would judge a canary by chance.
    static func several(_ metrics: [[String: String]]) -> PrometheusFailure {
        let names = Set(metrics.flatMap(\.keys))
        let differing = names.filter { name in Set(metrics.map { $0[name] }).count > 1 }.sorted()
        let shown = differing.prefix(5).map { PrometheusFailure.bounded($0, to: 60) }.joined(separator: ", ")
        return .refused(
            "the query matches \(metrics.count) series, which differ in \(shown)\(differing.count > 5 ? ", …" : ""); "
                + "aggregate them with sum(), max() or avg(), or select one by its labels"
        )
    }

    // MARK: - JSON

    private struct Body: Decodable {
        var status: String
        var data: Content?
        var errorType: String?
        var error: String?
        var warnings: [String]?
        var infos: [String]?
    }

    struct Series: Decodable {
        var metric: [String: String]
        /// Absent for a native histogram.
        var value: Point?
        var values: [Point]?
        /// Of an instant query.
        var histogram: NativeHistogram?
    }

    /// `[1435781451.781, "1.5"]`
    struct Point: Decodable {
        var seconds: Double
        var text: String

        init(seconds: Double, text: String) {
            self.seconds = seconds
            self.text = text
        }

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            self.seconds = try container.decode(Double.self)
            self.text = try container.decode(String.self)
        }

        /// What is far out of range becomes the limit, so that one can calculate with it.
        var timestamp: Timestamp {
            let limit = 9_007_199_254_740_992.0
            return Timestamp(milliseconds: Int64(min(limit, max(-limit, (self.seconds * 1000).rounded()))))
        }
    }

    private enum Content: Decodable {
        case scalar(Point)
        case vector([Series])
        case matrix([Series])
        case other(String)

        private enum CodingKeys: String, CodingKey {
            case resultType, result
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self =
                switch try container.decode(String.self, forKey: .resultType) {
                case "scalar": .scalar(try container.decode(Point.self, forKey: .result))
                case "vector": .vector(try container.decode([Series].self, forKey: .result))
                case "matrix": .matrix(try container.decode([Series].self, forKey: .result))
                case let kind: .other(kind)
                }
        }
    }
}
