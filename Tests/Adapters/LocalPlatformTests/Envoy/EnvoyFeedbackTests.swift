import Deployments
import LocalPlatform
import LoopbackServer
import Reconciliation
import Testing
import Transport

/// The ids that answers have, with the real Envoy.
@Suite("Envoy feedback ids", .serialized, .timeLimit(.minutes(5)))
struct EnvoyFeedbackTests {
    typealias Bench = EnvoyBench
    let bench: EnvoyBench

    init() throws {
        self.bench = try EnvoyBench()
    }

    private func id(_ response: HTTPResponse) throws -> FeedbackID {
        let text = try #require(response.headers[FeedbackID.header])
        return try #require(FeedbackID(text), "\(text)")
    }

    @Test
    func `an answer's id says who gave it and how requests were split, and each has its own`() async throws {
        // A model server that would like to speak for the other.
        let forged = FeedbackID.prefix(Bench.first, Traffic.all(to: Bench.first).split) + "77"
        let one = try Bench.upstream("one")
        let two = try LoopbackServer { _ in .text("two", headers: [FeedbackID.header: forged]) }
        try await self.bench.withRouter { router in
            var table = self.bench.table(
                [Bench.first: [Bench.backend(one)], Bench.second: [Bench.backend(two)]],
                [Bench.first: 100]
            )
            var seen: Set<String> = []
            try await self.bench.serve(table, with: router)
            #expect(try self.id(try await self.bench.get()).split == Traffic.all(to: Bench.first).split)
            for percent in [50, 20] {
                let canary = TrafficWeight(percent: percent)
                let traffic = Traffic(weights: [Bench.first: canary.complement, Bench.second: canary])
                table.deployments[Bench.deployment]?.traffic = traffic
                table.deployments[Bench.deployment]?.canary = Bench.second
                try await self.bench.serve(table, with: router)
                var answers: Set<String> = []
                for _ in 0..<60 {
                    // What clients say of themselves changes nothing.
                    let response = try await self.bench.get(headers: [
                        "x-request-id": "mine", FeedbackID.header: forged,
                    ])
                    let id = try self.id(response)
                    #expect(response.headers["x-request-id"] == "mine")
                    #expect(id.revision == (response.text == "one" ? Bench.first : Bench.second).short)
                    #expect(id.split == traffic.split)
                    #expect(seen.insert(id.unique).inserted)
                    answers.insert(response.text)
                }
                #expect(answers == ["one", "two"])
            }
        }
    }

    @Test
    func `matched requests name whom they were matched to, and copies name nobody`() async throws {
        let (one, two) = (try Bench.upstream("one"), try Bench.upstream("two"))
        try await self.bench.withRouter { router in
            var table = self.bench.table(
                [Bench.first: [Bench.backend(one)], Bench.second: [Bench.backend(two)]],
                [Bench.first: 100]
            )
            let plain = Traffic.all(to: Bench.first)
            try await self.bench.serve(table, with: router)
            var matched = plain
            matched.matches = [Traffic.Match(headers: .preview, revision: Bench.second)]
            table.deployments[Bench.deployment]?.traffic = matched
            try await self.bench.serve(table, with: router)
            let preview = try self.id(try await self.bench.get(headers: ["x-controller-preview": "true"]))
            #expect(preview.revision == Bench.second.short)
            let usual = try self.id(try await self.bench.get())
            #expect(usual.revision == Bench.first.short)
            #expect(preview.split == matched.split && usual.split == matched.split)
            #expect(matched.split != plain.split)

            var copied = plain
            copied.mirror = Traffic.Mirror(revision: Bench.second, percent: .all)
            table.deployments[Bench.deployment]?.traffic = copied
            try await self.bench.serve(table, with: router)
            for _ in 0..<20 {
                let id = try self.id(try await self.bench.get())
                #expect(id.revision == Bench.first.short)
                #expect(id.split == plain.split)
            }
            #expect(try await self.bench.counters(Bench.second, after: 21, from: router).requests == 21)
        }
    }
}
