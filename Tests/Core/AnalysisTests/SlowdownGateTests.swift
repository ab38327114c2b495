import Analysis
import Deployments
import Foundation
import Testing

@Suite("Gates on slower answers")
struct SlowdownGateTests {
    private typealias Times = AnswerTimesWorld

    /// Polls until the gate fails, at most so many.
    private static func run(
        _ rule: SlowdownRule = SlowdownRule(),
        seed: UInt64 = 1,
        polls: Int = 300,
        canary: [Double]
    ) -> AnswerTimesWorld {
        var world = AnswerTimesWorld(rule, seed: seed)
        for _ in 0..<polls where world.outcome != .failed { world.poll(canary) }
        return world
    }

    @Test(arguments: [nil, 1.0, 2])
    func `an identical canary fails in at most one of a hundred rollouts, and passes in most`(ratio: Double?) {
        let rule = SlowdownRule(maximumRatio: ratio)
        let outcomes = (UInt64(1)...60).map { Self.run(rule, seed: $0, canary: Times.usual).outcome }
        #expect(outcomes.count { $0 == .failed } < 4)
        #expect(outcomes.count { $0 == .passed } > 50)
    }

    /// At the limit itself the promise is the tightest: the margin is 0, however often it is looked at.
    @Test
    func `a canary at the limit fails in at most one of a hundred rollouts`() {
        // Of these scores' mean, two hundredths more than stable's.
        var shares = Times.usual
        shares[2] -= 0.06
        shares[4] += 0.06
        let ranks = RankScores(
            history: BinCounts(bounds: Times.bounds, counts: Times.usual.map { Int64($0 * 100_000) })
        )
        let excess = zip(ranks.scores, zip(shares, Times.usual)).reduce(0) { $0 + $1.0 * ($1.1.0 - $1.1.1) }
        let rule = SlowdownRule(maximumPairs: 0.5 + excess)
        let failed = (UInt64(1)...100).count { Self.run(rule, seed: $0, canary: shares).outcome == .failed }
        #expect(failed < 5, "\(failed) of 100")
    }

    @Test
    func `a canary that is slower in its body fails, though its tail is as good`() throws {
        for seed in UInt64(1)...5 {
            let world = Self.run(seed: seed, canary: Times.slower)
            #expect(world.outcome == .failed)
            #expect(world.time - Timestamp(milliseconds: 1_700_000_000_000) < .seconds(60))
        }
        var world = AnswerTimesWorld(with: [.latency(below: .milliseconds(250))])
        for _ in 0..<600 { world.poll(Times.slower) }
        #expect(world.outcome == .failed)
        #expect(world.run.outcome("latency", at: world.time) == .passed)
        let failed = try #require(world.assessment)
        #expect(failed.value.hasPrefix("canary slower than stable in 6"))
        #expect(failed.value.contains(" % of random pairs ("))
        #expect(failed.limit == "slower in at most 52 % of pairs")
        #expect(failed.detail == "slower than stable beyond chance (false alarms: at most 1 % of rollouts)")
        #expect(failed.comparison?.breachShare == 1)
        #expect(failed.prediction == nil)
    }

    @Test
    func `what is shown is the share of pairs, within its interval`() throws {
        let world = Self.run(polls: 40, canary: Times.slower)
        let value = try #require(world.assessment?.value)
        let numbers = value.split { !"0123456789.".contains($0) }.compactMap { Double($0) }
        // The share that is meant: of one of these and one of those, ties by half.
        var pairs = 0.0
        for (bin, share) in Times.slower.enumerated() {
            pairs += share * (Times.usual[..<bin].reduce(0, +) + Times.usual[bin] / 2)
        }
        #expect(numbers.count == 5)
        #expect(abs(numbers[0] - pairs * 100) < 5, "\(value), \(pairs)")
        #expect(numbers[1] < pairs * 100 && pairs * 100 < numbers[2], "\(value), \(pairs)")
    }

    @Test
    func `a canary that is quicker passes, and sooner`() {
        let quicker = Self.run(polls: 30, canary: Times.quicker)
        #expect(quicker.outcome == .passed)
        #expect(Self.run(polls: 10, canary: Times.usual).safeLogE < Self.run(polls: 10, canary: Times.quicker).safeLogE)
        #expect(quicker.assessment?.detail == "no slower than 50 % of the traffic allows")
    }

    @Test
    func `what slows both down is held against nobody`() {
        var world = AnswerTimesWorld(SlowdownRule(maximumRatio: 1))
        for poll in 0..<300 {
            let shares = poll % 100 < 40 ? Times.slower : Times.usual
            world.poll(20, shares, 180, shares)
            #expect(world.outcome != .failed)
        }
        #expect(world.outcome == .passed)
    }

    @Test
    func `a heavier tail is found by the quantiles, when they are asked for`() throws {
        let byRanks = Self.run(canary: Times.heavyTail)
        #expect(byRanks.outcome != .failed)
        let world = Self.run(SlowdownRule(maximumRatio: 1), canary: Times.heavyTail)
        #expect(world.outcome == .failed)
        let failed = try #require(world.assessment)
        #expect(failed.limit == "slower in at most 52 % of pairs, and no slower at any of four percentiles")
        #expect(failed.value.contains(" % of its answers above 1000 ms, 0."), "\(failed.value)")
        #expect(failed.value.hasSuffix(" % of stable's above 1000 ms"), "\(failed.value)")
    }

    @Test
    func `with quantiles it passes only once each of them is safe, too`() {
        // A tenth more than half is soon ruled out; the rare answers above one second take longer.
        var ranked = AnswerTimesWorld(SlowdownRule(maximumPairs: 0.6), next: 100)
        var both = AnswerTimesWorld(SlowdownRule(maximumPairs: 0.6, maximumRatio: 1), next: 100)
        for _ in 0..<15 {
            ranked.poll(Times.usual)
            both.poll(Times.usual)
        }
        #expect(ranked.outcome == .passed)
        #expect(both.outcome == .inconclusive)
        #expect(both.safeLogE < ranked.safeLogE)
        for _ in 0..<600 { both.poll(Times.usual) }
        #expect(both.outcome == .passed)
    }

    @Test
    func `one that is twice as slow passes where twice as slow is allowed, and fails where it is not`() {
        let stable = [0.05, 0.1, 0.2, 0.3, 0.2, 0.1, 0.03, 0.015, 0.005]
        // Each a bucket later.
        let canary = [0, 0.05, 0.1, 0.2, 0.3, 0.2, 0.1, 0.03, 0.02]
        for (ratio, outcome) in [(1.0, GateOutcome.failed), (2.5, .passed)] {
            var world = AnswerTimesWorld(SlowdownRule(maximumPairs: 0.95, maximumRatio: ratio))
            for _ in 0..<600 where world.outcome != .failed { world.poll(20, canary, 180, stable) }
            #expect(world.outcome == outcome, "\(ratio)")
        }
    }

    @Test
    func `what gets slower late in a rollout is found, though much good came before`() {
        var world = AnswerTimesWorld()
        for step in 0..<3 {
            if step > 0 { world.begin(next: 50) }
            for _ in 0..<300 { world.poll(Times.quicker) }
        }
        #expect(world.outcome == .passed)
        var polls = 0
        while world.outcome != .failed, polls < 200 {
            world.poll(Times.slower)
            polls += 1
        }
        #expect(world.outcome == .failed)
    }

    @Test
    func `each step needs evidence of its own, and more for more traffic`() {
        var world = AnswerTimesWorld(next: 10)
        for _ in 0..<20 { world.poll(Times.usual) }
        #expect(world.outcome == .passed)
        for _ in 0..<400 { world.poll(Times.usual) }
        world.begin(next: 100)
        for _ in 0..<20 { world.poll(Times.usual) }
        #expect(world.outcome == .inconclusive)
        #expect(world.assessment?.prediction?.hasPrefix("about ") == true)
        #expect(world.assessment?.detail.hasSuffix("% of the evidence for 100 % is in") == true)
    }

    @Test
    func `after the promotion the sizes are swapped, and it goes on`() {
        for (shares, isFailed) in [(Times.usual, false), (Times.slower, true)] {
            var world = AnswerTimesWorld(next: 100)
            for _ in 0..<300 where world.outcome != .failed { world.poll(180, shares, 20) }
            #expect((world.outcome == .failed) == isFailed)
        }
    }
}

/// What is no evidence, and what is kept.
extension SlowdownGateTests {
    @Test
    func `without answers on either side there is no data`() {
        for (canary, stable, reason) in [
            (0, 180, "the canary gave no answers in this step"),
            (20, 0, "stable gave no answers in this step to compare with"),
            (0, 0, "no answers in this step"),
        ] {
            var world = AnswerTimesWorld(SlowdownRule(maximumRatio: 1))
            for _ in 0..<70 { world.poll(canary, Times.slower, stable) }
            #expect(world.outcome == .noData)
            #expect(world.assessment?.detail == reason)
            #expect(world.run.missingEvidence(of: world.gate) == reason)
            expectEqual(world.breachLogE, 0)
            #expect(world.safeLogE == 0)
        }
    }

    @Test
    func `without a history answers are ranked among stable's first hundred`() {
        var world = AnswerTimesWorld(hasHistory: false)
        for _ in 0..<9 { world.poll(1, Times.slower, 11) }
        #expect(world.assessment?.detail == "stable has fewer than 100 answers to rank the canary's among")
        expectEqual(world.breachLogE, 0)
        world.poll(1, Times.slower, 11)
        // What they are taken from is not ranked among itself.
        #expect(world.assessment?.comparison?.canary.total == 0)
        for _ in 0..<200 where world.outcome != .failed { world.poll(Times.slower) }
        #expect(world.outcome == .failed)
    }

    @Test
    func `buckets that change in a rollout stop nothing`() {
        var world = AnswerTimesWorld(SlowdownRule(maximumRatio: 1))
        for _ in 0..<5 { world.poll(Times.usual) }
        let evidence = world.breachLogE
        // An upgraded router has another list of bounds.
        let bounds: [Double] = [10, 20, 40, 80]
        var counts: [Revision: [Int64]] = [World.stable: [0, 0, 0, 0, 0], World.canary: [0, 0, 0, 0, 0]]
        for second in 0..<200 {
            world.time = world.time + .seconds(1)
            for (revision, shares) in [
                (World.stable, [0.1, 0.3, 0.3, 0.2, 0.1]), (World.canary, [0, 0.1, 0.3, 0.4, 0.2]),
            ] {
                let more = world.random.draws(revision == World.stable ? 180 : 20, shares: shares)
                counts[revision] = zip(counts[revision] ?? [], more).map { $0 + $1 }
            }
            let tracks = counts.mapValues { row in
                let histogram = Times.histogram(row, bounds: bounds)
                return TrackCounters(requests: histogram.total, latency: histogram)
            }
            world.run.add(Sample(time: world.time, tracks: tracks))
            if second == 0 { #expect(world.breachLogE == evidence) }
        }
        #expect(world.outcome == .failed)
    }

    @Test
    func `counters that were reset are no evidence`() {
        var world = AnswerTimesWorld()
        for _ in 0..<5 { world.poll(Times.slower) }
        let evidence = world.breachLogE
        world.counts = [:]
        world.poll(20, Times.slower, 180)
        #expect(world.breachLogE == evidence)
        #expect(world.run.droppedSamples == 1)
    }

    @Test
    func `a look that was missed costs nothing`() {
        var (often, seldom) = (AnswerTimesWorld(seed: 4), AnswerTimesWorld(seed: 4))
        for second in 1...60 {
            often.count(20, Times.usual, of: World.canary)
            often.count(180, Times.usual, of: World.stable)
            often.time = often.time + .seconds(1)
            often.run.add(often.sample)
            guard second % 10 == 0 else { continue }
            (seldom.counts, seldom.time) = (often.counts, often.time)
            seldom.run.add(seldom.sample)
        }
        expectEqual(often.safeLogE, seldom.safeLogE)
        #expect(often.assessment?.value == seldom.assessment?.value)
    }

    @Test
    func `one poll alone does not fail the gate`() {
        var world = AnswerTimesWorld()
        world.poll(5000, Times.slower, 5000)
        #expect(world.breachLogE > 50)
        #expect(world.outcome != .failed)
        world.poll(500, Times.slower, 1800)
        #expect(world.outcome == .failed)
    }

    @Test
    func `answers that come slow together weigh less, by the burst factor`() {
        var (alone, together) = (AnswerTimesWorld(seed: 2), AnswerTimesWorld(seed: 2, burst: 4))
        for _ in 0..<20 {
            alone.poll(Times.slower)
            together.poll(Times.slower)
        }
        #expect(together.breachLogE < alone.breachLogE / 2)
        #expect(together.safeLogE > alone.safeLogE)
    }

    @Test
    func `other gates share its error budget`() {
        var (alone, shared) = (AnswerTimesWorld(seed: 3), AnswerTimesWorld(with: [.errors, .clientErrors], seed: 3))
        var polls = (alone: 0, shared: 0)
        while alone.outcome != .failed, polls.alone < 200 {
            alone.poll(Times.slower)
            polls.alone += 1
        }
        while shared.outcome != .failed, polls.shared < 200 {
            shared.poll(Times.slower)
            polls.shared += 1
        }
        #expect(shared.outcome == .failed)
        #expect(polls.shared >= polls.alone)
        expectEqual(shared.assessment?.comparison?.breachLimit ?? 0, 300.0.logarithm)
        #expect(shared.run.outcome("errors", at: shared.time) != .failed)
    }

    @Test
    func `the state survives being journaled, and is small`() throws {
        var world = AnswerTimesWorld(SlowdownRule(maximumRatio: 2), seed: 3)
        let empty = try JSONEncoder().encode(world.run).count
        for _ in 0..<200 { world.poll(Times.usual) }
        let bytes = try JSONEncoder().encode(world.run)
        #expect(try JSONDecoder().decode(AnalysisRun.self, from: bytes) == world.run)
        #expect(bytes.count < empty + 3000, "\(bytes.count), \(empty)")
    }
}
