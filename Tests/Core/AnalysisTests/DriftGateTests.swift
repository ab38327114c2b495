import Analysis
import Deployments
import Foundation
import Testing

@Suite("Gates on a provider's distributions")
struct DriftGateTests {
    static let gate = Gate(
        name: "drift",
        kind: .drift(DriftQuery(provider: "p", query: "q")),
        onFailure: .hold
    )
    static let bounds = [0.2, 0.4, 0.6, 0.8]

    /// A provider's histograms, cumulative by bound.
    private struct Drifting {
        var world: ProviderWorld
        var canary: [Double] = [0, 0, 0, 0, 0]
        var stable: [Double] = [0, 0, 0, 0, 0]
        var bounds = DriftGateTests.bounds

        init(seed: UInt64, with others: [Gate] = []) {
            self.world = ProviderWorld(DriftGateTests.gate, with: others, counters: 5, seed: seed)
        }

        mutating func poll(_ canary: [Double], _ stable: [Double], answers: Int = 50) {
            self.draw(answers, canary, into: \.canary)
            self.draw(answers * 9, stable, into: \.stable)
            self.world.time = self.world.time + ProviderWorld.interval
            self.tell()
        }

        mutating func tell() {
            let times = [self.world.time]
            let canary = TrackReading(times: times, values: self.canary, bounds: self.bounds)
            let stable = TrackReading(times: times, values: self.stable, bounds: self.bounds)
            self.world.tell(.counted(canary: canary, stable: stable))
        }

        private mutating func draw(_ count: Int, _ shares: [Double], into track: WritableKeyPath<Self, [Double]>) {
            for _ in 0..<count {
                var left = Double.random(in: 0..<1, using: &self.world.random)
                var bin = 0
                while bin < 4, left >= shares[bin] {
                    left -= shares[bin]
                    bin += 1
                }
                for later in bin..<5 { self[keyPath: track][later] += 1 }
            }
        }
    }

    static let usual = [0.1, 0.2, 0.3, 0.3, 0.1]
    static let tilted = [0.3, 0.3, 0.2, 0.1, 0.1]
    static let nudged = [0.115, 0.205, 0.3, 0.29, 0.09]

    private static func outcome(seed: UInt64, polls: Int = 40, canary: [Double]) -> Drifting {
        var drifting = Drifting(seed: seed)
        for poll in 0..<polls {
            // Inputs move, for both.
            let both = poll.isMultiple(of: 2) ? Self.usual : Self.tilted
            drifting.poll(canary == Self.usual ? both : canary, both)
            if drifting.world.outcome == .failed { break }
        }
        return drifting
    }

    @Test
    func `answers that move alike fail in at most one of a hundred rollouts, and pass in most`() {
        let outcomes = (UInt64(1)...60).map { Self.outcome(seed: $0, canary: Self.usual).world.outcome }
        #expect(outcomes.count { $0 == .failed } < 4)
        #expect(outcomes.count { $0 == .passed } > 55)
    }

    @Test
    func `answers that drift from stable's fail`() throws {
        for seed in UInt64(1)...5 {
            var drifting = Drifting(seed: seed)
            for _ in 0..<40 where drifting.world.outcome != .failed { drifting.poll(Self.tilted, Self.usual) }
            #expect(drifting.world.outcome == .failed)
            let assessment = try #require(drifting.world.assessment)
            #expect(assessment.limit == "below a stability index of 0.05")
            #expect(assessment.value.hasPrefix("stability index 0."))
            #expect(assessment.detail.hasPrefix("other answers than stable's beyond chance (false alarms"))
        }
    }

    @Test
    func `a difference beyond chance that does not matter fails neither this gate nor another`() {
        var drifting = Drifting(seed: 1, with: [.errors])
        for _ in 0..<100 { drifting.poll(Self.nudged, Self.usual, answers: 2000) }
        #expect(drifting.world.outcome == .passed)
        #expect(drifting.world.assessment?.detail.hasSuffix("but by less than matters") == true)
        expectEqual(drifting.world.run.combinedLogE, -2.0.logarithm)
        #expect(drifting.world.run.outcome("errors", at: drifting.world.time) != .failed)
    }

    @Test
    func `it takes three hundred tested answers of the canary to pass`() throws {
        var drifting = Drifting(seed: 1)
        for _ in 0..<5 { drifting.poll(Self.usual, Self.usual, answers: 70) }
        #expect(drifting.world.outcome == .inconclusive)
        let assessment = try #require(drifting.world.assessment)
        #expect(assessment.detail == "70 of 300 answers of the canary are tested")
        #expect(assessment.prediction == "about 33s at 7 requests/s on the canary")
        for _ in 0..<3 { drifting.poll(Self.usual, Self.usual, answers: 70) }
        #expect(drifting.world.outcome == .inconclusive)
        drifting.poll(Self.usual, Self.usual, answers: 70)
        #expect(drifting.world.outcome == .passed)
    }

    @Test
    func `drift with much traffic is not passed before it was tested`() {
        var drifting = Drifting(seed: 1)
        for _ in 0..<8 where drifting.world.outcome != .failed {
            drifting.poll(Self.tilted, Self.usual, answers: 400)
            #expect(drifting.world.outcome != .passed)
        }
        #expect(drifting.world.outcome == .failed)
    }

    @Test
    func `a step begins anew`() {
        var drifting = Self.outcome(seed: 1, canary: Self.usual)
        #expect(drifting.world.outcome == .passed)
        drifting.world.run.beginStep(gates: [Self.gate], nextWeight: .all, at: drifting.world.time)
        drifting.poll(Self.usual, Self.usual)
        #expect(drifting.world.outcome == .inconclusive)
        for _ in 0..<40 where drifting.world.outcome != .failed { drifting.poll(Self.tilted, Self.usual) }
        #expect(drifting.world.outcome == .failed)
    }

    @Test
    func `other buckets than at first are no evidence, and no crash`() {
        var drifting = Drifting(seed: 1)
        for _ in 0..<3 { drifting.poll(Self.usual, Self.usual) }
        drifting.bounds = [0.1, 0.2, 0.3, 0.4]
        for _ in 0..<7 { drifting.poll(Self.tilted, Self.usual) }
        #expect(drifting.world.outcome == .noData)
        #expect(
            drifting.world.run.missingEvidence(of: Self.gate)
                == "the buckets of the histogram have changed since the rollout began"
        )
    }

    @Test
    func `buckets that are not cumulative are no evidence`() {
        var drifting = Drifting(seed: 1)
        for _ in 0..<8 {
            drifting.poll(Self.usual, Self.usual)
            drifting.canary[1] += 500
        }
        #expect(drifting.world.outcome == .noData)
        #expect(drifting.world.assessment?.detail == "the buckets of the histogram are not cumulative")
    }

    @Test
    func `the state survives being journaled`() throws {
        let drifting = Self.outcome(seed: 1, polls: 9, canary: Self.usual)
        let bytes = try JSONEncoder().encode(drifting.world.run)
        #expect(try JSONDecoder().decode(AnalysisRun.self, from: bytes) == drifting.world.run)
    }
}
