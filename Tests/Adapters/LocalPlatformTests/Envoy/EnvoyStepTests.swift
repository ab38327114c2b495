import Deployments
import LocalPlatform
import LoopbackServer
import Reconciliation
import Testing
import Transport

/// What steps without a weight ask of the router, with the real Envoy.
@Suite("Envoy steps", .serialized, .timeLimit(.minutes(5)))
struct EnvoyStepTests {
    typealias Bench = EnvoyBench
    let bench: EnvoyBench

    init() throws {
        self.bench = try EnvoyBench()
    }

    @Test
    func `requests with the headers of a match go to its revision, all others by weight`() async throws {
        let (one, two) = (try Bench.upstream("one"), try Bench.upstream("two"))
        let conditions: [HeaderMatches.Condition] = [
            .init(name: "x-user", value: .prefix("beta-")), .init(name: "x-trace", value: .present),
        ]
        try await self.bench.withRouter { router in
            var table = self.bench.table(
                [Bench.first: [Bench.backend(one)], Bench.second: [Bench.backend(two)]],
                [Bench.first: 100]
            )
            try await self.bench.serve(table, with: router)
            table.deployments[Bench.deployment]?.traffic.matches = [
                Traffic.Match(headers: .preview, revision: Bench.second),
                Traffic.Match(headers: HeaderMatches(conditions), revision: Bench.second),
            ]
            try await self.bench.serve(table, with: router)
            #expect(try await self.bench.text() == "one")
            #expect(try await self.bench.text(headers: ["X-Controller-Preview": "true"]) == "two")
            #expect(try await self.bench.text(headers: ["x-controller-preview": "false"]) == "one")
            #expect(try await self.bench.text(headers: ["x-user": "beta-7", "x-trace": "1"]) == "two")
            #expect(try await self.bench.text(headers: ["x-user": "beta-7"]) == "one", "every condition must hold")
            let matched = try await self.bench.get(headers: ["x-controller-preview": "true"])
            #expect(matched.headers["x-controller-revision"] == Bench.second.short)
            table.deployments[Bench.deployment]?.traffic.matches = []
            try await self.bench.serve(table, with: router)
            #expect(try await self.bench.text(headers: ["x-controller-preview": "true"]) == "one")
        }
    }

    @Test
    func `copies are counted for the revision that gets them, and never answer anybody`() async throws {
        let (one, two) = (try Bench.upstream("one"), try Bench.upstream("two"))
        try await self.bench.withRouter { router in
            var table = self.bench.table(
                [Bench.first: [Bench.backend(one)], Bench.second: [Bench.backend(two)]],
                [Bench.first: 100]
            )
            try await self.bench.serve(table, with: router)
            table.deployments[Bench.deployment]?.traffic.mirror = Traffic.Mirror(
                revision: Bench.second,
                percent: .all
            )
            try await self.bench.serve(table, with: router)
            for _ in 0..<50 {
                let answer = try await self.bench.get()
                #expect(answer.text == "one")
                #expect(answer.headers["x-controller-revision"] == Bench.first.short)
            }
            let copies = try await self.bench.counters(Bench.second, after: 50, from: router)
            #expect(copies.requests == 50)
            #expect(copies.serverErrors == 0)
            let own = try await self.bench.counters(Bench.first, after: 50, from: router)
            #expect(own.requests == 50)
            #expect(try await self.latencies(of: Bench.second, atLeast: 50, from: router))
        }
    }

    @Test
    func `copies that fail are errors of the revision that got them alone`() async throws {
        let (one, two) = (try Bench.upstream("one"), try LoopbackServer { _ in .text("broken", status: 500) })
        try await self.bench.withRouter { router in
            var table = self.bench.table(
                [Bench.first: [Bench.backend(one)], Bench.second: [Bench.backend(two)]],
                [Bench.first: 100]
            )
            try await self.bench.serve(table, with: router)
            table.deployments[Bench.deployment]?.traffic.mirror = Traffic.Mirror(
                revision: Bench.second,
                percent: .all
            )
            try await self.bench.serve(table, with: router)
            for _ in 0..<20 { #expect(try await self.bench.text() == "one") }
            #expect(try await self.bench.counters(Bench.second, after: 20, from: router).serverErrors == 20)
            #expect(try await self.bench.counters(Bench.first, after: 20, from: router).serverErrors == 0)
        }
    }

    /// Envoy merges its histograms once a second, later than the counters.
    private func latencies(of revision: Revision, atLeast count: Int64, from router: EnvoyRouter) async throws -> Bool {
        try await self.bench.until(router) {
            $0.samples[Bench.deployment]?.tracks[revision]?.latency.total ?? 0 >= count
        }
        return true
    }
}
