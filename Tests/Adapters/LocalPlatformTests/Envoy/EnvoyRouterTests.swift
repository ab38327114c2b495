import Deployments
import Foundation
import LocalPlatform
import LoopbackServer
import Reconciliation
import Testing
import Transport

/// With the real Envoy.
@Suite("Envoy router", .serialized, .timeLimit(.minutes(5)))
struct EnvoyRouterTests {
    typealias Bench = EnvoyBench
    let bench: EnvoyBench

    init() throws {
        self.bench = try EnvoyBench()
    }

    @Test
    func `weights split the requests, and answers name their revision`() async throws {
        let (one, two) = (try Bench.upstream("one"), try Bench.upstream("two"))
        try await self.bench.withRouter { router in
            let backends = [Bench.first: [Bench.backend(one)], Bench.second: [Bench.backend(two)]]
            try await self.bench.serve(self.bench.table(backends, [Bench.first: 70, Bench.second: 30]), with: router)
            var counts: [String: Int] = [:]
            for _ in 0..<300 {
                let response = try await self.bench.get()
                counts[response.text, default: 0] += 1
                let revision = response.text == "one" ? Bench.first : Bench.second
                #expect(response.headers["x-controller-revision"] == revision.short)
                #expect(response.headers["x-controller-deployment"] == "search/file-type")
                #expect(response.headers["x-request-id"] != nil)
            }
            // Six standard deviations of 300 draws at 30 %.
            #expect((42...138).contains(counts["two"] ?? 0))
            #expect(counts["one", default: 0] + counts["two", default: 0] == 300)
            try await self.bench.serve(self.bench.table(backends, [Bench.second: 100]), with: router)
            for _ in 0..<20 { #expect(try await self.bench.text() == "two") }
            let observation = try await router.observe()
            #expect(observation.states[Bench.deployment]?.warm == [Bench.first, Bench.second])
            #expect(
                observation.states[Bench.deployment]?.serving
                    == ["127.0.0.1:\(one.port)", "127.0.0.1:\(two.port)"]
            )
        }
    }

    @Test
    func `what is not deployed answers 404 and what is not ready 503`() async throws {
        try await self.bench.withRouter { router in
            let table = self.bench.table([:], [:], route: Route(pathPrefix: "/v2/models/file-type"))
            try await self.bench.serve(table, with: router)
            let unready = try await self.bench.get("/v2/models/file-type/infer")
            #expect(unready.status == 503)
            #expect(unready.text.contains("search/file-type"))
            #expect(unready.headers["x-controller-deployment"] == "search/file-type")
            #expect(try await self.bench.get("/v2/models/file-type-2").status == 404)
            #expect(try await self.bench.get("/").status == 404)
        }
    }

    @Test
    func `a new revision gets its weight only once it is warm`() async throws {
        let (one, two) = (try Bench.upstream("one"), try Bench.upstream("two"))
        try await self.bench.withRouter { router in
            try await self.bench.serve(
                self.bench.table([Bench.first: [Bench.backend(one)]], [Bench.first: 100]),
                with: router
            )
            // Its only endpoint is draining, so it can't be warm.
            var backends = [Bench.first: [Bench.backend(one)], Bench.second: [Bench.backend(two, draining: true)]]
            try await router.apply(self.bench.table(backends, [Bench.second: 100]))
            try await self.bench.until(router) {
                $0.states[Bench.deployment]?.activeRequests["127.0.0.1:\(two.port)"] != nil
            }
            let state = try #require(try await router.observe().states[Bench.deployment])
            #expect(state.weights == [Bench.first: .all])
            #expect(state.warm == [Bench.first])
            #expect(try await self.bench.text() == "one")
            backends[Bench.second] = [Bench.backend(two)]
            try await self.bench.serve(self.bench.table(backends, [Bench.second: 100]), with: router)
            #expect(try await self.bench.text() == "two")
        }
    }

    @Test
    func `a revision that is gone leaves no cluster and no file`() async throws {
        let (one, two) = (try Bench.upstream("one"), try Bench.upstream("two"))
        let folder = self.bench.directory + "/xds/endpoints"
        try await self.bench.withRouter { router in
            let both = [Bench.first: [Bench.backend(one)], Bench.second: [Bench.backend(two)]]
            try await self.bench.serve(self.bench.table(both, [Bench.first: 100]), with: router)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
            // In one step: the weight must be off the old one before it goes.
            try await router.apply(self.bench.table([Bench.second: [Bench.backend(two)]], [Bench.second: 100]))
            var failures = 0
            let isGone = try await eventually {
                if try await self.bench.get().status != 200 { failures += 1 }
                return try FileManager.default.contentsOfDirectory(atPath: folder).count == 1
            }
            #expect(isGone)
            #expect(failures == 0)
            try await self.bench.until(router) { $0.states[Bench.deployment]?.warm == [Bench.second] }
            // And it may come back.
            try await self.bench.serve(self.bench.table(both, [Bench.first: 100]), with: router)
            #expect(try await self.bench.text() == "one")
        }
    }

    @Test
    func `a draining endpoint finishes its requests and gets no new ones`() async throws {
        let (old, new) = (try Bench.upstream("old"), try Bench.upstream("new"))
        try await self.bench.withRouter { router in
            try await self.bench.serve(
                self.bench.table([Bench.first: [Bench.backend(old)]], [Bench.first: 100]),
                with: router
            )
            async let slow = self.bench.get("/slow/2")
            let endpoint = "127.0.0.1:\(old.port)"
            try await self.bench.until(router) { $0.states[Bench.deployment]?.activeRequests[endpoint] == 1 }
            let backends = [Bench.first: [Bench.backend(old, draining: true), Bench.backend(new)]]
            try await router.apply(self.bench.table(backends, [Bench.first: 100]))
            let draining = try await self.bench.until(router) {
                $0.states[Bench.deployment]?.serving == ["127.0.0.1:\(new.port)"]
            }
            #expect(draining.states[Bench.deployment]?.activeRequests[endpoint] == 1)
            let before = old.requests.count
            for _ in 0..<50 { #expect(try await self.bench.text() == "new") }
            #expect(try await slow.text == "old")
            #expect(old.requests.count == before)
            try await self.bench.until(router) { $0.states[Bench.deployment]?.activeRequests[endpoint] == 0 }
        }
    }
}
