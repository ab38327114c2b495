import Analysis
import Testing

/// What the guarantee of the difference of two means rests on, checked without the proof.
@Suite("Differences of means")
struct MeanDifferenceTests {
    /// Sums of so many values that are 0, one half or 1.
    private static func draw(_ count: Int, shares: [Double], _ random: inout SeededNumbers) -> MeanCounts {
        let counts = random.draws(count, shares: shares).map(Double.init)
        return MeanCounts(count: Double(count), sum: counts[1] / 2 + counts[2], sumOfSquares: counts[1] / 4 + counts[2])
    }

    @Test(arguments: [1.0, -1])
    func `of one poll it is what the mean process is of its first`(sign: Double) {
        let canary = MeanCounts(count: 40, sum: 26, sumOfSquares: 19)
        let stable = MeanCounts(count: 300, sum: 150, sumOfSquares: 97)
        for (one, other) in [(canary, stable), (stable, canary)] {
            var process = MeanProcess(sign: sign, margin: 0.02)
            process.add(canary: one, stable: other)
            let difference = MeanDifference(canary: one, stable: other)
            expectEqual(difference.logE(sign: sign, difference: 0.02), process.logE)
            expectEqual(difference.logE(sign: sign, difference: 0.02, burst: 3), difference.logE(thirds: sign))
        }
    }

    @Test(arguments: DistributionValidityTests.distributions, [(1, 3), (3, 1), (2, 2)])
    func `the expectation of e is at most one for equal means, by enumeration`(
        shares: [Double],
        counts: (canary: Int, stable: Int)
    ) {
        let values = [0, 0.5, 1.0]
        func outcomes(_ count: Int) -> [(moments: MeanCounts, probability: Double)] {
            (0..<count).reduce([(MeanCounts(), 1.0)]) { outcomes, _ in
                outcomes.flatMap { outcome in
                    values.indices.map { index in
                        var moments = outcome.0
                        moments += MeanCounts(
                            count: 1,
                            sum: values[index],
                            sumOfSquares: values[index] * values[index]
                        )
                        return (moments, outcome.1 * shares[index])
                    }
                }
            }
        }
        for sign in [1.0, -1] {
            var expectation = 0.0
            for canary in outcomes(counts.canary) {
                for stable in outcomes(counts.stable) {
                    let poll = MeanDifference(canary: canary.moments, stable: stable.moments)
                    let chance = canary.probability * stable.probability
                    expectation += chance * poll.logE(sign: sign, difference: 0).exponential
                }
            }
            #expect(expectation <= 1 + 1e-9, "\(shares), \(counts), sign \(sign): \(expectation)")
        }
    }

    @Test
    func `the mean of e stays at most one while both means move together and the split changes`() {
        var random = SeededNumbers(seed: 21)
        for sign in [1.0, -1] {
            var sum = 0.0
            let runs = 4000
            for _ in 0..<runs {
                var total = MeanDifference()
                for poll in 0..<12 {
                    let low = 0.1 + 0.06 * Double(poll)
                    let shares = [low, 0.2, 0.8 - low]
                    let (canary, stable) = poll < 6 ? (6, 40) : (40, 6)
                    total += MeanDifference(
                        canary: Self.draw(canary, shares: shares, &random),
                        stable: Self.draw(stable, shares: shares, &random)
                    )
                }
                // A bet that is not too bold, so that a mean over some thousand runs tells something.
                sum += total.logs(sign: sign, difference: 0)[3].exponential
            }
            #expect(sum / Double(runs) < 1.05, "sign \(sign): \(sum / Double(runs))")
            #expect(sum / Double(runs) > 0.3, "sign \(sign): \(sum / Double(runs))")
        }
    }

    @Test
    func `splitting a poll changes nothing`() {
        var split = MeanDifference(
            canary: MeanCounts(count: 20, sum: 11, sumOfSquares: 8),
            stable: MeanCounts(count: 80, sum: 38, sumOfSquares: 25)
        )
        split += MeanDifference(
            canary: MeanCounts(count: 40, sum: 25, sumOfSquares: 18),
            stable: MeanCounts(count: 160, sum: 84, sumOfSquares: 55)
        )
        let merged = MeanDifference(
            canary: MeanCounts(count: 60, sum: 36, sumOfSquares: 26),
            stable: MeanCounts(count: 240, sum: 122, sumOfSquares: 80)
        )
        for sign in [1.0, -1] {
            for difference in [-0.1, 0, 0.02] {
                expectEqual(
                    merged.logE(sign: sign, difference: difference),
                    split.logE(sign: sign, difference: difference)
                )
            }
        }
        expectEqual(split.estimate ?? 0, merged.estimate ?? 1)
    }

    @Test
    func `no values are no evidence`() {
        var difference = MeanDifference()
        for _ in 0..<100 {
            difference += MeanDifference(
                canary: MeanCounts(),
                stable: MeanCounts(count: 90, sum: 80, sumOfSquares: 75)
            )
            difference += MeanDifference(canary: MeanCounts(count: 9, sum: 8, sumOfSquares: 7), stable: MeanCounts())
        }
        #expect(difference.logE(sign: 1, difference: 0.02) == 0)
        #expect(difference.logE(sign: -1, difference: 0.02) == 0)
        #expect(difference.estimate == nil)
        #expect(difference.interval(alpha: 0.05) == Interval(lower: -1, upper: 1))
        #expect(difference.repetitions(untilBelow: 0.1, limit: 3) == nil)
    }

    @Test
    func `the interval misses the true difference in at most one of twenty runs, however often it is read`() {
        var random = SeededNumbers(seed: 22)
        let (slower, usual) = ([0.2, 0.3, 0.5], [0.3, 0.3, 0.4])
        var missed = 0
        var widths: [Double] = []
        for _ in 0..<200 {
            var total = MeanDifference()
            var isMissed = false
            for _ in 0..<60 {
                total += MeanDifference(
                    canary: Self.draw(20, shares: slower, &random),
                    stable: Self.draw(180, shares: usual, &random)
                )
                let interval = total.interval(alpha: 0.05)
                if interval.lower > 0.1 || interval.upper < 0.1 { isMissed = true }
            }
            let interval = total.interval(alpha: 0.05)
            widths.append(interval.upper - interval.lower)
            missed += isMissed ? 1 : 0
        }
        // At most 5 percent of 200 are promised; 19 would be three deviations more.
        #expect(missed < 19, "\(missed) of 200")
        #expect(widths.allSatisfy { $0 < 0.2 && $0 > 0.02 }, "\(widths.max() ?? 0)")
    }

    @Test
    func `an end of the interval is where the evidence reaches its limit`() {
        let difference = MeanDifference(
            canary: MeanCounts(count: 2000, sum: 1200, sumOfSquares: 850),
            stable: MeanCounts(count: 9000, sum: 4500, sumOfSquares: 3000)
        )
        let interval = difference.interval(alpha: 0.1)
        #expect(interval.lower < 0.1 && interval.upper > 0.1)
        #expect(difference.logE(sign: 1, difference: interval.lower) >= 20.0.logarithm)
        #expect(difference.logE(sign: 1, difference: interval.lower + 0.0001) < 20.0.logarithm)
        #expect(difference.logE(sign: -1, difference: interval.upper) >= 20.0.logarithm)
        #expect(difference.logE(sign: -1, difference: interval.upper - 0.0001) < 20.0.logarithm)
    }

    @Test
    func `as many repetitions as are expected show that equal means are equal`() throws {
        let expected = MeanDifference(expectedOfCanary: 100, stable: 900)
        let repetitions = try #require(expected.repetitionsFromNothing(untilBelow: 0.05, limit: 20.0.logarithm))
        var total = MeanDifference()
        var polls = 0.0
        while total.logE(sign: -1, difference: 0.05) < 20.0.logarithm, polls < 1000 {
            total += expected
            polls += 1
        }
        // One bet alone is expected to decide; a mixture is a little sooner.
        #expect(polls <= repetitions.rounded(.up) && polls > repetitions / 2, "\(polls), \(repetitions)")
        #expect(expected.repetitionsFromNothing(untilBelow: 0, limit: 3) == nil)
    }
}

extension MeanDifference {
    /// ln E with a burst factor of 3, in another way.
    fileprivate func logE(thirds sign: Double) -> Double {
        let logs = self.logs(sign: sign, difference: 0.02).map { $0 / 3 }
        return (logs.reduce(0) { $0 + $1.exponential } / Double(logs.count)).logarithm
    }
}
