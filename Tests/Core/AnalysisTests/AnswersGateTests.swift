import Analysis
import Deployments
import Foundation
import Testing

@Suite("Gates on compared answers")
struct AnswersGateTests {
    static let gate = Gate(name: "answers", kind: .answers(AnswerRule(method: .label)))

    private static func world(with others: [Gate] = []) -> ProviderWorld {
        ProviderWorld(Self.gate, with: others, counters: 4)
    }

    /// - Returns: The world after so many polls of a hundred comparisons, or once the gate has failed.
    private static func outcome(seed: UInt64, polls: Int, rate: Double) -> ProviderWorld {
        var world = ProviderWorld(Self.gate, counters: 4, seed: seed)
        for _ in 0..<polls {
            world.compare(100, differing: Int(world.random.bad(of: 100, rate: rate)))
            if world.outcome == .failed { break }
        }
        return world
    }

    @Test(arguments: [0.001, 0.01, 0.144, 0.5])
    func `the expectation of e for safety is at most one from the limit on, by enumeration`(limit: Double) {
        let parameters = AnalysisParameters()
        for rate in [limit, min(1, limit * 1.5), (1 + limit) / 2, 1] {
            for theta in parameters.safeGrid {
                var expectation = 0.0
                for bad in 0...40 {
                    var safety = AbsoluteSafety(test: AbsoluteTest(limit: limit), grid: [theta])
                    safety.add(EventCounts(bad: Int64(bad), total: 40), grid: [theta])
                    expectation += Self.binomial(40, bad, rate) * exp(safety.logE)
                }
                #expect(expectation <= 1 + 1e-9, "\(rate) \(theta)")
            }
        }
        // Below the limit it is evidence: a test that could not grow would never pass.
        var safety = AbsoluteSafety(test: AbsoluteTest(limit: limit), grid: parameters.safeGrid)
        safety.add(EventCounts(bad: 0, total: Int64(20 / limit)), grid: parameters.safeGrid)
        #expect(safety.logE > parameters.safeLimit)
    }

    private static func binomial(_ count: Int, _ bad: Int, _ rate: Double) -> Double {
        if rate >= 1 { return bad == count ? 1 : 0 }
        let ways = lgamma(Double(count + 1)) - lgamma(Double(bad + 1)) - lgamma(Double(count - bad + 1))
        return exp(ways + Double(bad) * log(rate) + Double(count - bad) * log(1 - rate))
    }

    @Test
    func `answers that differ as often as they may fail at most one of a hundred rollouts`() {
        let failed = (1...400).count { Self.outcome(seed: $0, polls: 90, rate: 0.01).outcome == .failed }
        // Twelve or more of 400 at a rate of one percent have a probability below 0.001.
        #expect(failed < 12, "\(failed) of 400")
        let passed = (1...200).count { Self.outcome(seed: $0, polls: 90, rate: 0.01).outcome == .passed }
        // At most 5 percent, and 20 or more of 200 at that rate have a probability below 0.003.
        #expect(passed < 20, "\(passed) of 200")
    }

    @Test
    func `answers that differ too often fail, and those that hardly do pass`() throws {
        for seed in UInt64(1)...20 {
            #expect(Self.outcome(seed: seed, polls: 90, rate: 0.04).outcome == .failed)
            #expect(Self.outcome(seed: seed, polls: 90, rate: 0.001).outcome == .passed)
        }
        let failed = try #require(Self.outcome(seed: 1, polls: 90, rate: 0.04).assessment)
        #expect(failed.limit == "at most 1 %")
        #expect(failed.detail.hasPrefix("more answers differ than may, beyond chance"))
        #expect((failed.comparison?.breachShare ?? 0) > 0.9)
    }

    @Test
    func `people read how many differ, where, and what was not compared`() throws {
        var world = Self.world()
        world.compare(0, differing: 0)
        for _ in 0..<11 { world.compare(100, differing: 0, dropped: 1, uncompared: 2) }
        world.examples = [AnswerDifference(place: "outputs[0].data", stable: "label 3", canary: "label 7")]
        world.compare(100, differing: 5)
        let assessment = try #require(world.assessment)
        #expect(assessment.summary.hasPrefix("answers differ in 0.42 % of 1200 ("))
        #expect(assessment.summary.contains("; allowed: at most 1 %; "))
        #expect(assessment.detail.contains("; outputs[0].data: stable label 3, canary label 7"))
        #expect(assessment.detail.contains("; not compared, as too many were at once: 11"))
        #expect(assessment.detail.contains("; not comparable: 22, the last as the canary gave no answer"))
        #expect(assessment.prediction?.contains("requests/s on the canary") == true)
    }

    @Test
    func `what could not be compared is neither good nor bad`() throws {
        var world = Self.world()
        for _ in 0..<12 { world.compare(0, differing: 0, uncompared: 10) }
        #expect(world.outcome == .noData)
        let assessment = try #require(world.assessment)
        #expect(assessment.value == "no answers compared")
        #expect(assessment.detail.hasPrefix("no answers were compared in this step: the canary gave no answer"))
        #expect(world.run.combinedLogE <= 1e-9)
    }

    @Test
    func `differences of one poll alone do not fail it`() {
        var world = Self.world()
        world.compare(0, differing: 0)
        world.compare(0, differing: 0)
        world.compare(200, differing: 200)
        #expect(world.outcome != .failed)
        world.compare(200, differing: 1)
        #expect(world.outcome == .failed)
    }

    @Test
    func `counts that begin anew, as after a restart of the controller, are not counted twice`() throws {
        var world = Self.world()
        for _ in 0..<5 { world.compare(100, differing: 1) }
        let before = try #require(world.assessment?.comparison)
        world.canary = [0, 0, 0, 0]
        world.compare(50, differing: 50)
        #expect(world.assessment?.comparison?.canary == before.canary)
        world.compare(10, differing: 0)
        #expect(world.assessment?.comparison?.canary.total == before.canary.total + 10)
        #expect(world.assessment?.comparison?.canary.bad == before.canary.bad)
    }

    @Test
    func `counts of after a restart that are higher than before it are not growth`() throws {
        var world = Self.world()
        for _ in 0..<5 { world.compare(10, differing: 0) }
        let before = try #require(world.assessment?.comparison)
        // All of 50 differ, but ten of them seem to be new, and to be all bad.
        world.canary = [0, 0, 0, 0]
        world.began = Timestamp(milliseconds: 2)
        world.compare(60, differing: 50)
        #expect(world.assessment?.comparison?.canary == before.canary)
        world.compare(10, differing: 1)
        #expect(world.assessment?.comparison?.canary.total == before.canary.total + 10)
        #expect(world.assessment?.comparison?.canary.bad == before.canary.bad + 1)
    }

    @Test
    func `it shares the error budget with other gates, and fails alone`() {
        var world = Self.world(with: [.errors])
        for _ in 0..<30 { world.compare(100, differing: 10) }
        #expect(world.outcome == .failed)
        #expect(world.run.outcome("errors", at: world.time) != .failed)
    }

    @Test
    func `an analysis with this gate survives its journal`() throws {
        var world = Self.world()
        for _ in 0..<5 { world.compare(100, differing: 1) }
        let copy = try JSONDecoder().decode(AnalysisRun.self, from: JSONEncoder().encode(world.run))
        #expect(copy == world.run)
    }
}

extension ProviderWorld {
    /// Ten seconds pass, in which so many answers were compared.
    fileprivate mutating func compare(_ count: Int, differing: Int, dropped: Int = 0, uncompared: Int = 0) {
        for (index, value) in [count, differing, dropped, uncompared].enumerated() {
            self.canary[index] += Double(value)
        }
        self.time = self.time + Self.interval
        let values = self.canary.map { Int64($0) }
        self.tell(
            .compared(
                AnswerCounts(
                    began: self.began,
                    compared: values[0],
                    differing: values[1],
                    dropped: values[2],
                    uncompared: values[3],
                    examples: self.examples,
                    problem: values[3] > 0 ? "the canary gave no answer" : nil
                )
            )
        )
    }
}
