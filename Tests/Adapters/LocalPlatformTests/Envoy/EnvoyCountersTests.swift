import Deployments
import LocalPlatform
import LoopbackServer
import Reconciliation
import Testing
import Transport

/// With the real Envoy: what its statistics count.
@Suite("Envoy counters", .serialized, .timeLimit(.minutes(5)))
struct EnvoyCountersTests {
    typealias Bench = EnvoyBench
    let bench: EnvoyBench

    init() throws {
        self.bench = try EnvoyBench()
    }

    @Test
    func `answers, resets and timeouts are each counted once`() async throws {
        let one = try Bench.upstream("one")
        try await self.bench.withRouter { router in
            let route = Route(timeout: .milliseconds(300))
            let table = self.bench.table([Bench.first: [Bench.backend(one)]], [Bench.first: 100], route: route)
            try await self.bench.serve(table, with: router)
            let none = try await self.bench.counters(Bench.first, after: 0, from: router)
            #expect(none.requests == 0)
            #expect(none.latency.total == 0)
            let cases: [(path: String, status: Int)] = [
                ("/", 200), ("/", 200), ("/status/404", 404), ("/status/429", 429), ("/status/500", 500),
                ("/status/503", 503), ("/reset", 503), ("/silence", 504),
            ]
            for (index, test) in cases.enumerated() {
                let response = try await self.bench.get(test.path)
                #expect(response.status == test.status, "\(test.path): \(response)")
                let counters = try await self.bench.counters(Bench.first, after: Int64(index + 1), from: router)
                #expect(counters.requests == Int64(index + 1))
            }
            // The histogram follows within its interval: six complete answers, and the timeout.
            let observation = try await self.bench.until(router) {
                $0.samples[Bench.deployment]?.tracks[Bench.first]?.latency.total == 7
            }
            let counters = try #require(observation.samples[Bench.deployment]?.tracks[Bench.first])
            #expect(counters.requests == 8)
            #expect(counters.clientErrors == 2)
            #expect(counters.serverErrors == 4)
            #expect(
                counters.latency.bounds == [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000]
            )
            #expect(counters.latency.counts.last == 6)
            #expect(counters.latency.slower(than: 30000) == 1)
        }
    }

    @Test
    func `a retried request is counted once`() async throws {
        let (alive, dead) = (try Bench.upstream("alive"), try Bench.upstream("dead"))
        try await self.bench.withRouter { router in
            let backends = [Bench.first: [Bench.backend(alive), Bench.backend(dead)]]
            try await self.bench.serve(self.bench.table(backends, [Bench.first: 100]), with: router)
            dead.stop()
            for _ in 0..<40 { #expect(try await self.bench.text() == "alive") }
            let counters = try await self.bench.counters(Bench.first, after: 40, from: router)
            #expect(counters.requests == 40)
            #expect(counters.serverErrors == 0)
        }
    }

    @Test
    func `requests without any endpoint that answers count as server errors`() async throws {
        let dead = try Bench.upstream("dead")
        try await self.bench.withRouter { router in
            let backends = [Bench.first: [Bench.backend(dead)]]
            try await self.bench.serve(self.bench.table(backends, [Bench.first: 100]), with: router)
            dead.stop()
            // First refused connections, then, the endpoint being left out, none at all.
            for _ in 0..<10 { #expect(try await self.bench.get().status == 503) }
            let counters = try await self.bench.counters(Bench.first, after: 10, from: router)
            #expect(counters.requests == 10)
            #expect(counters.serverErrors == 10)
        }
    }

    @Test
    func `a change of endpoints and weights sets no counter back`() async throws {
        let (one, two) = (try Bench.upstream("one"), try Bench.upstream("two"))
        try await self.bench.withRouter { router in
            var backends = [Bench.first: [Bench.backend(one)]]
            try await self.bench.serve(self.bench.table(backends, [Bench.first: 100]), with: router)
            for _ in 0..<5 { #expect(try await self.bench.get("/status/404").status == 404) }
            _ = try await self.bench.counters(Bench.first, after: 5, from: router)
            backends = [Bench.first: [Bench.backend(one), Bench.backend(two)], Bench.second: [Bench.backend(two)]]
            try await self.bench.serve(
                self.bench.table(backends, [Bench.first: 90, Bench.second: 10]),
                with: router
            )
            try await self.bench.serve(self.bench.table(backends, [Bench.first: 100]), with: router)
            #expect(try await self.bench.get("/status/404").status == 404)
            let counters = try await self.bench.counters(Bench.first, after: 6, from: router)
            #expect(counters.requests == 6)
            #expect(counters.clientErrors == 6)
        }
    }

    @Test
    func `a header keeps each user on one track, and none leaves the canary as it grows`() async throws {
        let (one, two) = (try Bench.upstream("one"), try Bench.upstream("two"))
        let backends = [Bench.first: [Bench.backend(one)], Bench.second: [Bench.backend(two)]]
        try await self.bench.withRouter { router in
            var before: Set<Int> = []
            for percent in [10, 30, 60] {
                let weights = [Bench.first: 100 - percent, Bench.second: percent]
                let table = self.bench.table(
                    backends,
                    weights,
                    route: Route(affinityHeader: "x-user"),
                    canary: Bench.second
                )
                try await self.bench.serve(table, with: router)
                var now: Set<Int> = []
                for user in 0..<100 {
                    if try await self.bench.text(headers: ["x-user": "user-\(user)"]) == "two" { now.insert(user) }
                }
                #expect(now.isSuperset(of: before))
                #expect(now.count > before.count)
                before = now
            }
        }
    }
}
