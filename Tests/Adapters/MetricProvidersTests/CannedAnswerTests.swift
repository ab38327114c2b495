import Deployments
import Foundation
import LoopbackServer
import MetricProviders
import Reconciliation
import Synchronization
import Testing
import Transport

/// Answers that a real Prometheus gives too rarely to wait for.
@Suite("Prometheus, canned", .timeLimit(.minutes(5)))
struct CannedAnswerTests {
    static let now = Timestamp(milliseconds: 1_700_000_000_250)

    private func answer(
        _ canned: LoopbackServer.Answer,
        timeout: Duration = .seconds(10),
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> MetricAnswer {
        let server = try LoopbackServer { _ in canned }
        let provider = PrometheusProvider(
            name: "prometheus",
            baseURL: server.url,
            timeout: timeout,
            client: HTTPClient(),
            warn: warn
        )
        return await provider.value(of: "up", at: Self.now)
    }

    private static func vector(_ values: String...) -> LoopbackServer.Answer {
        let result = values.enumerated().map { #"{"metric":{"i":"\#($0)","job":"j"},"value":[1.5,"\#($1)"]}"# }
        let list = result.joined(separator: ",")
        return .text(#"{"status":"success","data":{"resultType":"vector","result":[\#(list)]}}"#)
    }

    @Test
    func `the query is sent as a form that keeps every character`() async throws {
        let server = try LoopbackServer { _ in Self.vector("1") }
        let provider = PrometheusProvider(name: "p", baseURL: server.url + "/prefix/", client: HTTPClient())
        let query = #"sum(rate(x{a="b&c=d+e%20 é"}[5m]))"#
        #expect(await provider.value(of: query, at: Self.now) == .value(1))
        let request = try #require(server.requests.first)
        #expect(request.method == "POST")
        #expect(request.target == "/prefix/api/v1/query")
        #expect(request.headers["content-type"] == "application/x-www-form-urlencoded")
        #expect(request.headers["authorization"] == nil)
        var components = URLComponents()
        components.percentEncodedQuery = String(decoding: request.body, as: UTF8.self)
        let fields = Dictionary(
            (components.queryItems ?? []).map { ($0.name, $0.value) },
            uniquingKeysWith: { first, _ in first }
        )
        #expect(fields == ["query": query, "time": "1700000000.250", "timeout": "10.000"])
    }

    @Test(arguments: [("0", 0.0), ("-0.5", -0.5), ("1e+21", 1e21), ("+Inf", .infinity), ("-Inf", -.infinity)])
    func `zero and infinity are values`(text: String, value: Double) async throws {
        #expect(try await self.answer(Self.vector(text)) == .value(value))
    }

    @Test
    func `no series, no number and a wrong number are three things`() async throws {
        #expect(try await self.answer(Self.vector()) == .noData)
        #expect(try await self.answer(Self.vector("NaN")) == .notANumber)
        guard case .unavailable(let message) = try await self.answer(Self.vector("1,5")) else {
            Issue.record()
            return
        }
        #expect(message.contains("1,5"))
    }

    @Test
    func `of several series none is taken`() async throws {
        guard case .refused(let message) = try await self.answer(Self.vector("1", "1", "1")) else {
            Issue.record()
            return
        }
        #expect(message.contains("matches 3 series, which differ in i;"))
        #expect(message.contains("sum()"))
    }

    @Test(arguments: [
        (#"{"status":"success","data":{"resultType":"string","result":[1,"x"]}}"#, "a string"),
        (#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#, "avg_over_time()"),
        (
            #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}}"#,
            "histogram_quantile()"
        ),
    ])
    func `a result that is no number is refused with its remedy`(body: String, words: String) async throws {
        guard case .refused(let message) = try await self.answer(.text(body)) else {
            Issue.record()
            return
        }
        #expect(message.contains(words))
    }

    @Test(arguments: [
        "", "null", "[]", "<html>", #"{"status":"success"}"#, #"{"status":"success","data":{"resultType":"vector"}}"#,
        #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":["1",1]}]}}"#,
        #"{"status":"error"}"#, String(repeating: "[", count: 100_000),
    ])
    func `an answer that makes no sense is no answer`(body: String) async throws {
        guard case .unavailable = try await self.answer(.text(body)) else {
            Issue.record()
            return
        }
    }

    @Test(arguments: [400, 422])
    func `a refused query brings Prometheus' own words, without its control characters`(status: Int) async throws {
        let long = String(repeating: "x", count: 2000)
        let body = #"{"status":"error","errorType":"bad_data","error":"1:3: parse\u001b[31m \u202eerror\n\#(long)"}"#
        guard case .refused(let message) = try await self.answer(.text(body, status: status)) else {
            Issue.record()
            return
        }
        #expect(message.hasPrefix("prometheus: bad_data: 1:3: parse[31m errorx"))
        #expect(message.count < 600)
    }

    @Test(arguments: [401, 403, 404, 302])
    func `what an operator must mend is refused`(status: Int) async throws {
        let canned = LoopbackServer.Answer.text("<html>", status: status, headers: ["Location": "http://127.0.0.1:1/"])
        guard case .refused(let message) = try await self.answer(canned) else {
            Issue.record()
            return
        }
        #expect(message.contains("\(status)"))
        #expect(message.contains("check") || message.contains("use the final URL"))
    }

    @Test(arguments: [500, 502, 503, 429])
    func `an outage is not the query's fault`(status: Int) async throws {
        let body = #"{"status":"error","errorType":"timeout","error":"query timed out"}"#
        guard case .unavailable(let message) = try await self.answer(.text(body, status: status)) else {
            Issue.record()
            return
        }
        #expect(message.contains("\(status): query timed out"))
    }

    @Test
    func `silence, a lost connection and nobody there are outages`() async throws {
        let gone = try LoopbackServer { _ in .silence }
        gone.stop()
        let provider = PrometheusProvider(name: "p", baseURL: gone.url, client: HTTPClient())
        let answers = [
            try await self.answer(.silence, timeout: .milliseconds(200)),
            try await self.answer(.truncated(200, body: [1], length: 2)),
            await provider.value(of: "up", at: Self.now),
        ]
        for answer in answers {
            guard case .unavailable = answer else {
                Issue.record("\(answer)")
                continue
            }
        }
    }

    @Test
    func `too many results are refused with the remedy`() async throws {
        let body = [UInt8](repeating: 0x20, count: (1 << 20) + 1)
        guard case .refused(let message) = try await self.answer(.status(200, body: body)) else {
            Issue.record()
            return
        }
        #expect(message.contains("aggregate"))
    }

    @Test
    func `warnings beside an answer reach the operator`() async throws {
        let seen = Mutex<[String]>([])
        let body =
            #"{"status":"success","warnings":["store x\u0007 is down"],"infos":["not a counter"],"#
            + #""data":{"resultType":"scalar","result":[1,"2"]}}"#
        let answer = try await self.answer(.text(body)) { text in seen.withLock { $0.append(text) } }
        #expect(answer == .value(2))
        #expect(seen.withLock { $0 } == ["prometheus: store x is down", "prometheus: not a counter"])
    }

    @Test
    func `a token is read anew for every query and is in no message`() async throws {
        let file = NSTemporaryDirectory() + "token-\(UUID().uuidString)"
        defer { unlink(file) }
        let server = try LoopbackServer { _ in .text("no", status: 401) }
        let provider = PrometheusProvider(name: "p", baseURL: server.url, tokenFile: file, client: HTTPClient())
        guard case .unavailable(let missing) = await provider.value(of: "up", at: Self.now) else {
            Issue.record()
            return
        }
        #expect(missing.contains(file))
        #expect(server.requests.isEmpty)
        for token in ["first", "second"] {
            try Data("\(token)\n".utf8).write(to: URL(filePath: file))
            guard case .refused(let message) = await provider.value(of: "up", at: Self.now) else {
                Issue.record()
                continue
            }
            #expect(!message.contains(token))
            #expect(server.requests.last?.headers["authorization"] == "Bearer \(token)")
        }
    }

    @Test(arguments: [("1700000000.250", 1_700_000_000_250), ("1699999970", 1_699_999_970_000), ("1e300", 1 << 53)])
    func `a value is of the time that the answer says`(text: String, milliseconds: Int64) async throws {
        let body =
            #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[\#(text),"7"]}]}}"#
        let server = try LoopbackServer { _ in .text(body) }
        let provider = PrometheusProvider(name: "p", baseURL: server.url, client: HTTPClient())
        let expected = MetricReading(.value(7), of: Timestamp(milliseconds: milliseconds))
        #expect(await provider.reading(of: "up", at: Self.now) == expected)
    }

    private func histogram(_ series: [(labels: String, value: String)]) async throws -> HistogramAnswer {
        let result = series.map { #"{"metric":{\#($0.labels)},"value":[1700000000,"\#($0.value)"]}"# }
        let list = result.joined(separator: ",")
        let server = try LoopbackServer { _ in
            .text(#"{"status":"success","data":{"resultType":"vector","result":[\#(list)]}}"#)
        }
        let provider = PrometheusProvider(name: "p", baseURL: server.url, client: HTTPClient())
        return await provider.histogram(of: "h", at: Self.now)
    }

    @Test
    func `a histogram's buckets come in the order of their bounds`() async throws {
        let answer = try await self.histogram([(#""le":"+Inf""#, "9"), (#""le":"0.5""#, "4"), (#""le":"0.25""#, "1")])
        let time = Timestamp(milliseconds: 1_700_000_000_000)
        #expect(answer == .buckets(bounds: [0.25, 0.5], counts: [1, 4, 9], of: time))
        #expect(try await self.histogram([]) == .none(.noData))
        #expect(try await self.histogram([(#""le":"1""#, "NaN"), (#""le":"+Inf""#, "1")]) == .none(.notANumber))
    }

    @Test(arguments: [
        ([(#""pod":"a","le":"1""#, "1"), (#""pod":"b","le":"1""#, "1")], "differ in pod"),
        ([(#""le":"1""#, "1"), (#""le":"1.0""#, "1"), (#""le":"+Inf""#, "1")], "same bound"),
        ([(#""le":"1""#, "1"), (#""le":"2""#, "1")], "no bucket with le=\"+Inf\""),
        ([(#""le":"+Inf""#, "1")], "no bucket with le=\"+Inf\", or no other"),
        ([(#""x":"1""#, "1")], "no bound in its label"), ([(#""le":"wide""#, "1")], "no bound in its label"),
        (Array(repeating: (#""le":"1""#, "1"), count: 129), "129 buckets"),
    ])
    func `what is no one histogram is refused with the reason`(
        series: [(String, String)],
        reason: String
    ) async throws {
        guard case .none(.refused(let message)) = try await self.histogram(series) else {
            Issue.record("\(series)")
            return
        }
        #expect(message.contains(reason), "\(message)")
    }

    @Test
    func `what has no value is of the time that was asked for`() async throws {
        let server = try LoopbackServer { _ in Self.vector() }
        let provider = PrometheusProvider(name: "p", baseURL: server.url, client: HTTPClient())
        #expect(await provider.reading(of: "up", at: Self.now) == MetricReading(.noData, of: Self.now))
    }

    @Test
    func `a range has its gaps and its missing numbers`() async throws {
        let body =
            #"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"#
            + #""values":[[10,"1"],[11,"NaN"],[13.5,"+Inf"]]}]}}"#
        let server = try LoopbackServer { _ in .text(body) }
        let provider = PrometheusProvider(name: "p", baseURL: server.url, client: HTTPClient())
        let (start, end) = (Timestamp(milliseconds: 10_000), Timestamp(milliseconds: 14_000))
        let answer = await provider.range("up", from: start, to: end, step: .milliseconds(500))
        #expect(
            answer
                == .points([
                    RangePoint(time: Timestamp(milliseconds: 10_000), value: 1),
                    RangePoint(time: Timestamp(milliseconds: 11_000), value: nil),
                    RangePoint(time: Timestamp(milliseconds: 13_500), value: .infinity),
                ])
        )
        #expect(server.requests.first?.target == "/api/v1/query_range")
        let form = String(decoding: server.requests.first?.body ?? [], as: UTF8.self)
        #expect(form == "end=14.000&query=up&start=10.000&step=0.500&timeout=10.000")
        for (wrongEnd, step) in [
            (Timestamp(milliseconds: 0), Duration.seconds(1)), (end, .zero), (end, .microseconds(1)),
        ] {
            guard case .refused = await provider.range("up", from: start, to: wrongEnd, step: step) else {
                Issue.record()
                continue
            }
        }
        let far = Timestamp(milliseconds: 10_000 + 11_000_000)
        guard case .refused(let message) = await provider.range("up", from: start, to: far, step: .seconds(1)) else {
            Issue.record()
            return
        }
        #expect(message.contains("11001 points"))
        #expect(server.requests.count == 1)
    }
}

extension PrometheusProvider {
    func value(of query: String, at time: Timestamp) async -> MetricAnswer {
        await self.reading(of: query, at: time).answer
    }
}
