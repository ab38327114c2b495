import Deployments
import Foundation
import LocalPlatform
import Logging
import LoopbackServer
import Reconciliation
import Synchronization
import Testing
import Transport

/// Copies of requests that are answered twice and compared, with the real Envoy.
@Suite("Envoy and the tap", .serialized, .timeLimit(.minutes(5)))
struct EnvoyTapTests {
    typealias Bench = EnvoyBench
    let bench: EnvoyBench

    init() throws {
        self.bench = try EnvoyBench()
    }

    private func table(
        _ stable: LoopbackServer,
        _ canary: LoopbackServer,
        timeout: Duration = .seconds(30)
    ) -> RoutingTable {
        var table = self.bench.table(
            [Bench.first: [Bench.backend(stable)], Bench.second: [Bench.backend(canary)]],
            [Bench.first: 100],
            route: Route(timeout: timeout)
        )
        table.deployments[Bench.deployment]?.traffic.mirror = Traffic.Mirror(
            revision: Bench.second,
            percent: .all,
            comparison: AnswerRule(method: .exact, percent: .all)
        )
        return table
    }

    private static func tap(_ directory: String, _ client: HTTPClient) -> AnswerTap {
        AnswerTap(
            directory: directory,
            client: client,
            logger: Logger(label: "tap", factory: { _ in SwiftLogNoOpLogHandler() }),
            now: { Timestamp(milliseconds: 1) }
        )
    }

    /// Runs router and tap as the daemon does.
    private func withTap(_ body: (EnvoyRouter, AnswerTap) async throws -> Void) async throws {
        let client = HTTPClient()
        defer { client.close() }
        let tap = Self.tap(self.bench.directory, client)
        try await self.bench.withRouter(tap: tap) { router in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await tap.run() }
                defer { group.cancelAll() }
                try await body(router, tap)
            }
        }
    }

    private func counts(
        _ tap: AnswerTap,
        sourceLocation: SourceLocation = #_sourceLocation,
        until condition: (AnswerCounts) -> Bool
    ) async throws -> AnswerCounts {
        let holds = await eventually { tap.answers(of: Bench.deployment, canary: Bench.second).map(condition) ?? false }
        let counts = tap.answers(of: Bench.deployment, canary: Bench.second)
        try #require(holds, "\(counts as Any)", sourceLocation: sourceLocation)
        return try #require(counts)
    }

    @Test
    func `every copy is answered by both and compared, and users get stable's answer`() async throws {
        let stable = try LoopbackServer { .text(#"{"path":"\#($0.target)","body":"\#($0.body.count)"}"#) }
        // Otherwise for every path that ends so.
        let canary = try LoopbackServer { request in
            let path = request.target.hasSuffix("odd") ? "/other" : request.target
            return .text(#"{ "body":"\#(request.body.count)", "path":"\#(path)" }"#)
        }
        try await self.withTap { router, tap in
            try await self.bench.serve(self.table(stable, canary), with: router)
            for number in 0..<40 {
                let path = number.isMultiple(of: 4) ? "/\(number)/odd" : "/\(number)?x=%20y"
                #expect(try await self.bench.text(path, headers: ["x-user": "u"]) == #"{"path":"\#(path)","body":"0"}"#)
            }
            let counts = try await self.counts(tap) { $0.compared + $0.uncompared + $0.dropped == 40 }
            #expect(counts.compared == 40)
            #expect(counts.differing == 10)
            #expect(counts.examples.count == AnswerCounts.exampleLimit)
            #expect(counts.examples.allSatisfy { $0.place == "path" && $0.canary == #""/other""# }, "\(counts)")
            #expect(Set(counts.examples.map(\.stable)).count == AnswerCounts.exampleLimit)
            // What the users' copies did to the canary is counted as before, and what the tap asks is not.
            let copies = try await self.bench.counters(Bench.second, after: 40, from: router)
            #expect(copies.requests == 40)
            let own = try await self.bench.counters(Bench.first, after: 40, from: router)
            #expect(own.requests == 40)
        }
        let marked = stable.requests.filter { $0.headers["x-controller-compare"] == "1" }
        #expect(marked.count == 40)
        #expect(stable.requests.count == 80)
        #expect(canary.requests.count == 80)
        #expect(marked.allSatisfy { $0.headers["x-user"] == "u" && $0.headers["x-controller-tap"] == nil })
        #expect(Set(marked.map { $0.headers["host"] }) == ["127.0.0.1:\(self.bench.configuration.listen.port)"])
    }

    @Test
    func `bodies are copied whole, and ones beyond the limits are not compared`() async throws {
        let sizes = Mutex<[Int]>([])
        let server: @Sendable (LoopbackServer.Request) -> LoopbackServer.Answer = { request in
            if request.headers["x-controller-compare"] != nil { sizes.withLock { $0.append(request.body.count) } }
            if request.target == "/large-answer" {
                return .status(200, body: Array(repeating: 97, count: AnswerTap.bodyLimit + 1))
            }
            return .text("\(request.body.count)")
        }
        let (stable, canary) = (try LoopbackServer(handler: server), try LoopbackServer(handler: server))
        try await self.withTap { router, tap in
            try await self.bench.serve(self.table(stable, canary), with: router)
            let (limit, url) = (AnswerTap.bodyLimit, "http://127.0.0.1:\(self.bench.configuration.listen.port)")
            for size in [1, limit, limit + 1] {
                let request = HTTPRequest(method: "POST", url: url, body: Array(repeating: 98, count: size))
                #expect(try await self.bench.client.send(request).text == "\(size)")
            }
            #expect(try await self.bench.get("/large-answer").body.count == limit + 1)
            let counts = try await self.counts(tap) { $0.compared + $0.uncompared + $0.dropped >= 4 }
            #expect(counts.compared == 2)
            #expect(counts.differing == 0)
            #expect(counts.uncompared == 2)
            #expect(sizes.withLock { $0.filter { $0 > 0 }.sorted() } == [1, 1, limit, limit])
        }
    }

    @Test
    func `a canary that answers late, never or in pieces is not comparable, and users do not wait`() async throws {
        let stable = try LoopbackServer { _ in .text("same") }
        let canary = try LoopbackServer { request in
            switch request.target {
            case "/silence": .silence
            case "/broken": .raw([])
            case "/short": .truncated(200, body: [1], length: 5)
            default: .text("same")
            }
        }
        try await self.withTap { router, tap in
            try await self.bench.serve(self.table(stable, canary, timeout: .seconds(1)), with: router)
            for path in ["/silence", "/broken", "/short", "/fine"] {
                #expect(try await self.bench.text(path) == "same")
            }
            let counts = try await self.counts(tap) { $0.compared + $0.uncompared == 4 }
            #expect(counts.differing == 0)
            #expect(counts.uncompared == 3)
            #expect(counts.problem?.isEmpty == false)
        }
    }

    @Test
    func `more than are compared at a time are dropped and counted, and users are served`() async throws {
        let stable = try Bench.upstream("same")
        let isOpen = Mutex(false)
        let canary = try LoopbackServer { request in
            if request.headers["x-controller-compare"] != nil {
                while !isOpen.withLock({ $0 }) { Thread.sleep(forTimeInterval: 0.005) }
            }
            return .text("same")
        }
        try await self.withTap { router, tap in
            try await self.bench.serve(self.table(stable, canary), with: router)
            for _ in 0..<60 { #expect(try await self.bench.text() == "same") }
            let full = try await self.counts(tap) { $0.dropped == 60 - Int64(AnswerTap.inFlightLimit) }
            #expect(full.compared == 0)
            isOpen.withLock { $0 = true }
            let counts = try await self.counts(tap) { $0.compared == Int64(AnswerTap.inFlightLimit) }
            #expect(counts.differing == 0)
            // There is room again.
            #expect(try await self.bench.text() == "same")
            _ = try await self.counts(tap) { $0.compared == Int64(AnswerTap.inFlightLimit) + 1 }
        }
    }

    @Test
    func `users notice nothing when nobody listens at the tap, and it is used again once somebody does`() async throws {
        let (stable, canary) = (try Bench.upstream("same"), try Bench.upstream("same"))
        let client = HTTPClient()
        defer { client.close() }
        let tap = Self.tap(self.bench.directory, client)
        try await self.bench.withRouter(tap: tap) { router in
            try await self.bench.serve(self.table(stable, canary), with: router)
            for _ in 0..<30 { #expect(try await self.bench.text() == "same") }
            #expect(try await self.bench.counters(Bench.first, after: 30, from: router).serverErrors == 0)
            #expect(tap.answers(of: Bench.deployment, canary: Bench.second)?.compared == 0)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await tap.run() }
                defer { group.cancelAll() }
                let isUsed = await eventually {
                    // Not before it listens.
                    _ = try? await self.bench.get()
                    return tap.answers(of: Bench.deployment, canary: Bench.second)?.compared ?? 0 > 0
                }
                #expect(isUsed)
            }
        }
    }

    @Test
    func `a tap that can't listen says so where people look, and ends with its task`() async throws {
        let client = HTTPClient()
        defer { client.close() }
        let (stable, canary) = (try Bench.upstream("same"), try Bench.upstream("same"))
        let tap = Self.tap("/nowhere/\(UUID().uuidString)", client)
        tap.follow(self.table(stable, canary))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await tap.run() }
            defer { group.cancelAll() }
            let counts = try await self.counts(tap) { $0.problem != nil }
            #expect(counts.problem?.hasPrefix("the controller can't listen on /nowhere/") == true, "\(counts)")
        }
    }

    @Test
    func `counts go on while the canary and the rule stay, and end with the copies`() async throws {
        let (stable, canary) = (try Bench.upstream("same"), try Bench.upstream("same"))
        try await self.withTap { router, tap in
            var table = self.table(stable, canary)
            try await self.bench.serve(table, with: router)
            _ = try await self.bench.text()
            _ = try await self.counts(tap) { $0.compared == 1 }
            table.deployments[Bench.deployment]?.backends[Bench.first]?[0].isDraining = true
            tap.follow(table)
            #expect(tap.answers(of: Bench.deployment, canary: Bench.second)?.compared == 1)
            table.deployments[Bench.deployment]?.traffic.mirror?.comparison?.tolerance = 0.5
            tap.follow(table)
            #expect(tap.answers(of: Bench.deployment, canary: Bench.second)?.compared == 0)
            table.deployments[Bench.deployment]?.traffic.mirror = nil
            tap.follow(table)
            #expect(tap.answers(of: Bench.deployment, canary: Bench.second) == nil)
        }
    }
}
