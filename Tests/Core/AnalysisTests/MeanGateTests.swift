import Analysis
import Deployments
import Foundation
import Testing

@Suite("Gates on a provider's means")
struct MeanGateTests {
    private static func gate(_ worse: MeanQuery.Direction) -> Gate {
        let query = MeanQuery(provider: "p", count: "c", sum: "s", sumOfSquares: "q", margin: 0.02, worse: worse)
        return Gate(name: "score", kind: .mean(query))
    }

    /// The sums of so many values, evenly drawn from a tenth to either side of the mean.
    private static func sums(_ count: Int, mean: Double, _ random: inout SeededNumbers) -> [Double] {
        var sums = [Double(count), 0, 0]
        for _ in 0..<count {
            let value = mean + Double.random(in: -0.1...0.1, using: &random)
            sums[1] += value
            sums[2] += value * value
        }
        return sums
    }

    private static func outcome(
        seed: UInt64,
        worse: MeanQuery.Direction = .lower,
        polls: Int = 60,
        stable: Double = 0.7,
        difference: (Int) -> Double
    ) -> ProviderWorld {
        var world = ProviderWorld(Self.gate(worse), counters: 3, seed: seed)
        for poll in 0..<polls {
            // What both share moves with the hour.
            let level = stable + 0.1 * Double(poll % 10) / 10
            var random = world.random
            let canary = Self.sums(20, mean: level + difference(poll), &random)
            let others = Self.sums(180, mean: level, &random)
            world.random = random
            world.poll(canary: canary, stable: others)
            if world.outcome == .failed { break }
        }
        return world
    }

    @Test
    func `a healthy canary fails in at most one of a hundred rollouts, and passes in most`() {
        let outcomes = (UInt64(1)...150).map { Self.outcome(seed: $0) { _ in 0 }.outcome }
        let failed = outcomes.count { $0 == .failed }
        #expect(failed < 7, "\(failed) of 150")
        #expect(outcomes.count { $0 == .passed } > 120)
    }

    @Test(arguments: [MeanQuery.Direction.lower, .higher])
    func `a mean that is worse fails, and one that is better does not`(worse: MeanQuery.Direction) throws {
        let sign = worse == .higher ? 1.0 : -1
        for seed in UInt64(1)...5 {
            #expect(Self.outcome(seed: seed, worse: worse, stable: 0.5) { _ in sign * 0.1 }.outcome == .failed)
            #expect(Self.outcome(seed: seed, worse: worse, stable: 0.5) { _ in -sign * 0.1 }.outcome == .passed)
        }
        let failed = try #require(
            Self.outcome(seed: 1, worse: worse, stable: 0.5) { _ in sign * 0.1 }.assessment
        )
        #expect(failed.limit == (worse == .higher ? "at most 0.02 above stable's" : "at most 0.02 below stable's"))
        #expect(failed.value.contains(" on average of "))
        #expect(failed.detail.hasPrefix("worse than stable beyond chance"))
        #expect(failed.comparison?.breachShare == 1)
    }

    @Test
    func `what gets worse late is found, though much good came before`() {
        var world = Self.outcome(seed: 1, polls: 200) { _ in 0.02 }
        world.run.beginStep(gates: [world.gate], nextWeight: .all, at: world.time)
        var random = world.random
        for _ in 0..<60 where world.outcome != .failed {
            world.poll(canary: Self.sums(20, mean: 0.6, &random), stable: Self.sums(180, mean: 0.7, &random))
        }
        #expect(world.outcome == .failed)
    }

    @Test(arguments: [[100.0, 130, 130], [100, 50, 60], [100, 50, 10]])
    func `sums that no values from 0 to 1 have are an error of the evidence`(sums: [Double]) {
        var world = ProviderWorld(Self.gate(.lower), counters: 3)
        for _ in 0..<8 { world.poll(canary: sums, stable: [100, 50, 30]) }
        #expect(world.outcome == .noData)
        #expect(world.assessment?.detail == "`sum` or `sumOfSquares` is not that of `count` values from 0 to 1")
        #expect(world.assessment?.comparison?.canary == EventCounts())
    }

    @Test
    func `values that are all 0 or all 1 are values`() {
        var world = ProviderWorld(Self.gate(.lower), counters: 3)
        for _ in 0..<60 { world.poll(canary: [100, 100, 100], stable: [1000, 0, 0]) }
        #expect(world.outcome == .passed)
        #expect(world.assessment?.value.contains("canary 1 on average") == true)
    }

    @Test
    func `when it will have passed is foretold, and about then it has`() throws {
        for seed in UInt64(1)...5 {
            var world = ProviderWorld(Self.gate(.lower), counters: 3, seed: seed)
            world.run.beginStep(gates: [world.gate], nextWeight: .all, at: world.time)
            var random = world.random
            for _ in 0..<10 {
                world.poll(canary: Self.sums(20, mean: 0.7, &random), stable: Self.sums(180, mean: 0.7, &random))
            }
            let expected = try #require(world.assessment?.comparison?.secondsUntilSafe)
            let words = try #require(world.assessment?.prediction)
            #expect(words.hasPrefix("about ") && words.hasSuffix(" at 2 values/s on the canary"), "\(words)")
            let begin = world.time
            while world.outcome == .inconclusive, world.time - begin < .minutes(60) {
                world.poll(canary: Self.sums(20, mean: 0.7, &random), stable: Self.sums(180, mean: 0.7, &random))
            }
            #expect(world.outcome == .passed)
            let needed = (world.time - begin).inSeconds
            #expect((0.4...2.5).contains(needed / expected), "\(needed) of \(expected) s")
        }
    }

    @Test
    func `without values of the canary, or without a margin to pass by, no time is foretold`() {
        let exact = MeanQuery(provider: "p", count: "c", sum: "s", sumOfSquares: "q", margin: 0, worse: .lower)
        for (gate, canary) in [
            (Self.gate(.lower), [0.0, 0, 0]), (Gate(name: "score", kind: .mean(exact)), [10, 5, 4]),
        ] {
            var world = ProviderWorld(gate, counters: 3)
            for _ in 0..<3 { world.poll(canary: canary, stable: [10, 5, 4]) }
            #expect(world.outcome == .inconclusive)
            #expect(world.assessment?.comparison?.stable.total ?? 0 > 0)
            #expect(world.assessment?.comparison?.secondsUntilSafe == nil)
            #expect(world.assessment?.prediction == nil)
        }
    }

    @Test
    func `the state survives being journaled`() throws {
        let world = Self.outcome(seed: 3, polls: 20) { _ in 0 }
        let bytes = try JSONEncoder().encode(world.run)
        #expect(try JSONDecoder().decode(AnalysisRun.self, from: bytes) == world.run)
    }
}
