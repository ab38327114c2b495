import Analysis
import Deployments
import Testing

/// What the guarantees rest on, checked without the proofs.
@Suite("Validity")
struct ValidityTests {
    @Test
    func `the expectation of e is at most one at every listed null, by enumeration`() throws {
        for vector in try Vectors.load().theorem_checks.cases {
            let test = AffineTest(ratio: vector.rho, difference: vector.delta)
            let canary = Self.binomial(vector.nc, min(1, vector.pc))
            let stable = Self.binomial(vector.ns, vector.ps)
            var expectation = 0.0
            for (bad, probability) in canary.enumerated() {
                for (stableBad, other) in stable.enumerated() {
                    let poll = PairedIncrement(
                        canaryTotal: Double(vector.nc),
                        canaryBad: Double(bad),
                        stableTotal: Double(vector.ns),
                        stableBad: Double(stableBad)
                    )
                    expectation += probability * other * test.logE(poll, theta: vector.theta).exponential
                }
            }
            #expect(expectation <= 1 + 1e-9, "\(vector): \(expectation)")
        }
    }

    @Test(arguments: [0.001, 0.01, 0.144, 0.5])
    func `the expectation of the absolute e is at most one up to its limit, by enumeration`(limit: Double) {
        let test = AbsoluteTest(limit: limit)
        for rate in [0, limit / 3, limit] {
            for theta in AnalysisParameters().breachGrid {
                let expectation = Self.binomial(40, rate).enumerated().reduce(0.0) {
                    let counts = EventCounts(bad: Int64($1.offset), total: 40)
                    return $0 + $1.element * test.logE(counts, theta: theta).exponential
                }
                #expect(expectation <= 1 + 1e-9)
            }
        }
    }

    @Test
    func `a canary beyond the limit makes evidence grow`() {
        let plan = RequestPlan(canaryRate: 0.02, stableRate: 0.01, share: 0.05)
        let test = AffineTest(ratio: 1.1, difference: 0)
        #expect(AnalysisParameters().breachGrid.contains { plan.growth(test, theta: $0) > 0 })
    }

    @Test
    func `merging or splitting polls with an equal split changes nothing`() {
        let one = PairedIncrement(canaryTotal: 50, canaryBad: 3, stableTotal: 950, stableBad: 4)
        let two = PairedIncrement(canaryTotal: 100, canaryBad: 5, stableTotal: 1900, stableBad: 9)
        let both = PairedIncrement(canaryTotal: 150, canaryBad: 8, stableTotal: 2850, stableBad: 13)
        let parameters = AnalysisParameters()
        for test in [AffineTest(ratio: 1.1, difference: 0), .safe(toward: 0.25, ratio: 1.5, difference: 0.001)] {
            for theta in parameters.breachGrid + parameters.safeGrid {
                let split = test.logE(one, theta: theta) + test.logE(two, theta: theta)
                expectEqual(test.logE(both, theta: theta), split)
            }
        }
        var split = RatioSequence()
        var merged = RatioSequence()
        split.add(one)
        split.add(two)
        merged.add(both)
        for index in RatioGrid.standard.candidates.indices {
            expectEqual(split.logE(candidate: index), merged.logE(candidate: index))
        }
    }

    @Test
    func `no data is no evidence`() {
        let parameters = AnalysisParameters()
        let nothing = PairedIncrement(canaryTotal: 0, canaryBad: 0, stableTotal: 950, stableBad: 40)
        var breach = BreachProcess(plannedSteps: 3)
        var safe = SafeProcess(test: .safe(toward: 0.1, ratio: 1.5, difference: 0.001), grid: parameters.safeGrid)
        breach.beginStep(parameters: parameters)
        for _ in 0..<1000 {
            breach.add(nothing, seconds: 1, test: AffineTest(ratio: 1.1, difference: 0), parameters: parameters)
            safe.add(nothing, grid: parameters.safeGrid)
        }
        expectEqual(breach.logE, 0)
        #expect(safe.logE == 0)
        #expect(breach.badPolls == 0)
    }

    @Test
    func `capital is never invested twice, however many steps begin`() {
        let parameters = AnalysisParameters()
        var breach = BreachProcess(plannedSteps: 2)
        let neutral = PairedIncrement(canaryTotal: 0, canaryBad: 0, stableTotal: 0, stableBad: 0)
        for _ in 0..<20 {
            breach.beginStep(parameters: parameters)
            for _ in 0..<100 {
                breach.add(neutral, seconds: 10, test: AffineTest(ratio: 1.1, difference: 0), parameters: parameters)
                expectEqual(breach.logE, 0)
            }
        }
    }

    static func binomial(_ count: Int, _ rate: Double) -> [Double] {
        var distribution = [1.0]
        for _ in 0..<count {
            var next = Array(repeating: 0.0, count: distribution.count + 1)
            for (index, probability) in distribution.enumerated() {
                next[index] += probability * (1 - rate)
                next[index + 1] += probability * rate
            }
            distribution = next
        }
        return distribution
    }
}
