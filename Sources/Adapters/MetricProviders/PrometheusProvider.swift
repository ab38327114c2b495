package import Deployments
import FoundationEssentials
package import Reconciliation
package import Transport

/// Asks a Prometheus server, or one that speaks its HTTP API (Thanos, Mimir, VictoriaMetrics).
///
/// API: https://prometheus.io/docs/prometheus/latest/querying/api/
package struct PrometheusProvider: MetricProvider {
    package let name: String
    private let baseURL: String
    private let timeout: Duration
    private let tokenFile: String?
    private let caFile: String?
    private let client: HTTPClient
    private let warn: @Sendable (String) -> Void

    /// One number has some 200 bytes; what is larger is a query without an aggregation.
    private static let maxInstantBytes = 1 << 20
    private static let maxRangeBytes = 8 << 20
    private static let maxQueryBytes = 64 << 10
    /// What Prometheus itself allows in one range query.
    private static let maxPoints = 11_000

    /// Makes a provider; asks nothing yet.
    ///
    /// - Parameters:
    ///   - name: As manifests refer to it.
    ///   - baseURL: Without `/api/v1`; may have a path, and a user and password for basic authentication.
    ///   - timeout: For one query, everything included.
    ///   - tokenFile: A file with a bearer token, read for every query, so that it may be rotated.
    ///   - caFile: A PEM file of the authorities to trust, instead of the system's.
    ///   - client: Shared.
    ///   - warn: Gets what Prometheus says beside a good answer, such as that it is only part of the data.
    package init(
        name: String,
        baseURL: String,
        timeout: Duration = .seconds(10),
        tokenFile: String? = nil,
        caFile: String? = nil,
        client: HTTPClient,
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.name = name
        self.baseURL = String(baseURL.reversed().drop { $0 == "/" }.reversed())
        self.timeout = timeout
        self.tokenFile = tokenFile
        self.caFile = caFile
        self.client = client
        self.warn = warn
    }

    package func reading(of query: String, at time: Timestamp) async -> MetricReading {
        do throws(PrometheusFailure) {
            let answer = try await self.ask(
                "query",
                ["query": query, "time": Self.seconds(time)],
                maxResponseBytes: Self.maxInstantBytes
            )
            return try answer.singleValue(at: time)
        } catch {
            return MetricReading(error.answer(from: self.name), of: time)
        }
    }

    package func histogram(of query: String, at time: Timestamp) async -> HistogramAnswer {
        do throws(PrometheusFailure) {
            let answer = try await self.ask(
                "query",
                ["query": query, "time": Self.seconds(time)],
                maxResponseBytes: Self.maxInstantBytes
            )
            return try answer.buckets()
        } catch {
            return .none(error.answer(from: self.name))
        }
    }

    /// The values of a query that yields one series, from one time to another.
    package func range(
        _ query: String,
        from start: Timestamp,
        to end: Timestamp,
        step: Duration
    ) async -> RangeAnswer {
        do throws(PrometheusFailure) {
            guard step.wholeMilliseconds >= 1, end >= start else {
                throw .refused("the range ends before it starts, or its step is below 1ms")
            }
            let points = (end - start).wholeMilliseconds / step.wholeMilliseconds + 1
            guard points <= Self.maxPoints else {
                throw .refused("the range has \(points) points, more than \(Self.maxPoints); use a longer step")
            }
            let parameters = [
                "query": query, "start": Self.seconds(start), "end": Self.seconds(end),
                "step": Self.seconds(Timestamp(milliseconds: step.wholeMilliseconds)),
            ]
            let answer = try await self.ask("query_range", parameters, maxResponseBytes: Self.maxRangeBytes)
            return try answer.singleSeries()
        } catch {
            return error.rangeAnswer(from: self.name)
        }
    }

    // MARK: - HTTP

    private func ask(
        _ endpoint: String,
        _ parameters: [String: String],
        maxResponseBytes: Int
    ) async throws(PrometheusFailure) -> PrometheusAnswer {
        guard parameters["query"]?.utf8.count ?? 0 <= Self.maxQueryBytes else {
            throw .refused("the query is longer than \(Self.maxQueryBytes) bytes")
        }
        var parameters = parameters
        // The server gives up as well, instead of working on for nobody.
        parameters["timeout"] = Self.seconds(Timestamp(milliseconds: max(1, self.timeout.wholeMilliseconds)))
        var request = HTTPRequest(
            method: "POST",
            url: "\(self.baseURL)/api/v1/\(endpoint)",
            headers: ["Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"],
            body: Self.form(parameters),
            timeout: self.timeout,
            connectTimeout: min(self.timeout, .seconds(5)),
            maxResponseBytes: maxResponseBytes,
            caFile: self.caFile
        )
        try request.authorize(by: self.tokenFile)
        let response: HTTPResponse
        do throws(TransportError) {
            response = try await self.client.send(request)
        } catch {
            throw PrometheusFailure(error)
        }
        let answer = try PrometheusAnswer(response, url: WebAddress.redacted(request.url))
        for warning in answer.warnings {
            self.warn("\(self.name): \(warning)")
        }
        return answer
    }

    /// `application/x-www-form-urlencoded`, everything but unreserved characters escaped.
    private static func form(_ parameters: [String: String]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
            if !bytes.isEmpty { bytes.append(UInt8(ascii: "&")) }
            bytes += Array("\(name)=".utf8)
            for byte in value.utf8 {
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                    bytes.append(byte)
                default:
                    bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
                }
            }
        }
        return bytes
    }

    /// Seconds with three decimals.
    private static func seconds(_ time: Timestamp) -> String {
        let (whole, rest) = time.milliseconds.quotientAndRemainder(dividingBy: 1000)
        let digits = String(abs(rest))
        return "\(whole).\(String(repeating: "0", count: 3 - digits.count))\(digits)"
    }
}
