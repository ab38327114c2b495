import Analysis
import Deployments
import Foundation
import Testing

@Suite("Stable's history")
struct StableHistoryTests {
    @Test
    func `independent errors have no burst factor, clustered ones do`() {
        for (cluster, isBursty) in [(1, false), (10, true)] as [(Int64, Bool)] {
            var world = World(seed: 1)
            var history = StableHistory(revision: World.stable)
            for _ in 0..<1800 {
                _ = world.run()
                let errors = cluster * world.random.bad(of: 200, rate: 0.002)
                world.counters[World.stable]?.serverErrors += min(errors, 190)
                history.add(world.sample)
            }
            #expect(((history.bursts.errors ?? 1) > 1) == isBursty, "cluster \(cluster): \(history.bursts)")
        }
    }

    /// Half an hour in which 4xx and slow answers come ten at a time, and 5xx one by one.
    private static func mixed(seed: UInt64 = 1, seconds: Int = 1900) -> StableHistory {
        var world = World(seed: seed)
        (world.stableErrors, world.stableSlow) = (0.01, 0)
        var history = StableHistory(revision: World.stable)
        for _ in 0..<seconds {
            _ = world.run()
            let clustered = 10 * world.random.bad(of: 200, rate: 0.001)
            world.counters[World.stable]?.clientErrors += min(clustered, 190)
            let late = 10 * world.random.bad(of: 200, rate: 0.001)
            // Over 250 and 500 ms, not over 1 s.
            for index in 2..<7 { world.counters[World.stable]?.latency.counts[index] -= min(late, 150) }
            history.add(world.sample)
        }
        return history
    }

    @Test
    func `each kind of bad answers has a factor of its own`() throws {
        let bursts = Self.mixed().bursts
        #expect(bursts.errors == 1)
        #expect(try #require(bursts.clientErrors) > 4)
        #expect(try #require(bursts.slow(bound: 250)) > 4)
        // Too few to tell: none was slower.
        #expect(bursts.slow(bound: 1000) == nil)
        #expect(bursts.isComplete)
        #expect(!Self.mixed(seconds: 900).bursts.isComplete)
    }

    @Test
    func `ranks of answer times have a factor of their own, when pieces differ more than chance lets them`() throws {
        for (isBursty, range) in [(false, 1.0...1), (true, 3...5000)] as [(Bool, ClosedRange<Double>)] {
            var world = World(seed: 5)
            var history = StableHistory(revision: World.stable)
            for second in 0..<1900 {
                // Ten seconds of each thirty are slow.
                let isSlow = isBursty && (second / 10).isMultiple(of: 3)
                world.stableSlow = isSlow ? 0.5 : 0.1
                history.add(world.run())
            }
            let ranks = try #require(history.bursts.ranks)
            #expect(range.contains(ranks), "\(ranks)")
        }
        let early = BurstFactors(ranks: 2)
        #expect(early.cautious(after: BurstFactors(ranks: 6)).ranks == 6)
        #expect(early.differs(from: BurstFactors()) && !early.isPlain)
    }

    @Test
    func `the gate on slower answers is weighed by how ranks bunch`() throws {
        var evidence: [Double] = []
        for bursts in [nil, BurstFactors(errors: 1, ranks: 4)] {
            var world = World(seed: 3)
            (world.weight, world.canarySlow) = (TrafficWeight(percent: 50), 0.4)
            _ = world.run(seconds: 60)
            var run = AnalysisRun(
                gates: [.slowdown],
                stable: World.stable,
                canary: World.canary,
                plannedSteps: 1,
                history: world.counters[World.stable]?.latency ?? LatencyHistogram(),
                bursts: bursts
            )
            run.beginStep(gates: [.slowdown], nextWeight: .all, at: world.time)
            run.add(world.sample, weightsChanged: true)
            for _ in 0..<20 { run.add(world.run(seconds: 10)) }
            evidence.append(try #require(run.assessment(of: .slowdown, at: world.time)?.comparison).breachLogE)
        }
        #expect(evidence[0] > 20)
        #expect(evidence[1] < evidence[0] / 3)
    }

    @Test
    func `each kind of bad answers is told piece by piece, as many pieces as there are of errors`() throws {
        let history = Self.mixed()
        let slow = try #require(history.slowPieces(above: 250))
        #expect(history.clientErrorPieces.count == history.pieces.count && slow.count == history.pieces.count)
        #expect(history.clientErrorPieces.map(\.total) == history.pieces.map(\.total))
        // One in a thousand, ten at a time.
        let share = Double(slow.reduce(0) { $0 + $1.bad }) / Double(slow.reduce(0) { $0 + $1.total })
        #expect((0.005...0.015).contains(share), "\(share)")
        // Counted at the bound below it, as the gate does.
        #expect(history.slowPieces(above: 300) == slow)
        #expect(try #require(history.slowPieces(above: 1000)).allSatisfy { $0.bad == 0 })
        #expect(history.slowPieces(above: 0.1) == nil)
    }

    @Test
    func `a night without requests is no half hour to learn from`() {
        var world = World(seed: 1)
        world.requestsPerSecond = 0
        var history = StableHistory(revision: World.stable)
        for _ in 0..<200 { history.add(world.run(seconds: 10)) }
        #expect(history.bursts == BurstFactors())
    }

    @Test
    func `it is reviewed every ten minutes`() {
        var world = World(seed: 1)
        var history = StableHistory(revision: World.stable)
        var reviews: [Int] = []
        for second in 1...1900 {
            history.add(world.run())
            if history.review() != nil { reviews.append(second) }
        }
        #expect(reviews == [601, 1201, 1801])
    }

    @Test
    func `who knows less goes by the larger factor, and half an hour replaces what was known`() {
        let before = BurstFactors(errors: 8, slow: [.init(bound: 250, factor: 3)], isComplete: true)
        let early = BurstFactors(errors: 2, clientErrors: 4, slow: [.init(bound: 100, factor: 2)])
        #expect(
            early.cautious(after: before)
                == BurstFactors(
                    errors: 8,
                    clientErrors: 4,
                    slow: [.init(bound: 100, factor: 2), .init(bound: 250, factor: 3)]
                )
        )
        #expect(BurstFactors().cautious(after: before).errors == 8)
        #expect(early.cautious(after: nil) == early)
        let half = BurstFactors(errors: 2, isComplete: true)
        #expect(half.cautious(after: before) == half)
    }

    @Test
    func `what differs by chance alone is not worth a line in the journal`() {
        let known = BurstFactors(errors: 4, slow: [.init(bound: 250, factor: 3)])
        #expect(!BurstFactors(errors: 5, slow: [.init(bound: 250, factor: 2.5)]).differs(from: known))
        #expect(BurstFactors(errors: 7, slow: [.init(bound: 250, factor: 3)]).differs(from: known))
        #expect(BurstFactors(errors: 4).differs(from: known))
        #expect(BurstFactors(errors: 4, clientErrors: 2, slow: known.slow).differs(from: known))
        #expect(!BurstFactors(errors: 1).differs(from: BurstFactors()))
    }

    @Test
    func `a gate's evidence is weighed by the bursts of its own answers`() throws {
        let bursts = BurstFactors(errors: 1, clientErrors: 10, slow: [.init(bound: 250, factor: 5)])
        let gates = [Gate.errors, .clientErrors, .latency(below: .milliseconds(300))]
        var evidence: [[Double]] = []
        for (burst, known) in [(1, nil), (20, bursts), (20, nil)] as [(Double, BurstFactors?)] {
            var world = World(seed: 3)
            (world.weight, world.canaryErrors, world.canaryClientErrors) = (TrafficWeight(percent: 50), 0.02, 0.02)
            (world.stableErrors, world.stableClientErrors, world.canarySlow) = (0.01, 0.01, 0.02)
            var run = AnalysisRun(
                gates: gates,
                stable: World.stable,
                canary: World.canary,
                plannedSteps: 1,
                history: world.counters[World.stable]?.latency ?? LatencyHistogram(),
                burst: burst,
                bursts: known
            )
            run.beginStep(gates: gates, nextWeight: .all, at: world.time)
            run.add(world.sample, weightsChanged: true)
            for _ in 0..<60 { run.add(world.run(seconds: 10)) }
            evidence.append(
                try gates.map { try #require(run.assessment(of: $0, at: world.time)?.comparison).breachLogE }
            )
            #expect(try JSONDecoder().decode(AnalysisRun.self, from: JSONEncoder().encode(run)) == run)
        }
        // Errors as if alone; the others less than that, and more than with the factor of the errors.
        #expect(evidence[1][0] == evidence[0][0])
        for gate in 1...2 {
            #expect(evidence[1][gate] < evidence[0][gate] / 3)
            #expect(evidence[1][gate] > evidence[2][gate])
        }
    }

    @Test
    func `a new stable has a factor of one`() {
        #expect(StableHistory(revision: World.stable).bursts == BurstFactors())
    }

    @Test
    func `the bound comes from the gate, then the objectives, then the history`() {
        var world = World(seed: 2)
        let history = world.run(seconds: 60).tracks[World.stable]?.latency ?? LatencyHistogram()
        let objectives = [800, 400].map {
            Objective(name: "l", percent: 99, indicator: .latency(below: .milliseconds($0)), window: .hours(1))
        }
        let own = Gate.latency(below: .milliseconds(125))
        #expect(latencyBound(for: own, objectives: objectives, history: history) == 125)
        #expect(latencyBound(for: .latency(), objectives: objectives, history: history) == 400)
        #expect(latencyBound(for: .latency(), objectives: [], history: history) == 25)
        #expect(latencyBound(for: .latency(), objectives: [], history: LatencyHistogram()) == nil)
        #expect(latencyBound(for: .errors, objectives: objectives, history: history) == nil)
    }
}
