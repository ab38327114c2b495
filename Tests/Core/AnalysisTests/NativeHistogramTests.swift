import Analysis
import Deployments
import Foundation
import Testing

/// Histograms that name only the buckets in which something was counted, as Prometheus' native ones do.
@Suite("Gates on native histograms")
struct NativeHistogramTests {
    /// Scores from 0 to 1 in buckets of a native histogram: bounds are powers of 2^(1/resolution).
    private struct Scores {
        var world = ProviderWorld(DriftGateTests.gate, counters: 1)
        var canary: [Int: Double] = [:]
        var stable: [Int: Double] = [:]
        /// Buckets per doubling. The canary's may be fewer.
        var resolution = 8
        var canaryResolution = 8

        mutating func poll(shift: Double, answers: Int = 50) {
            self.draw(answers, shift, into: \.canary)
            self.draw(answers * 9, 0, into: \.stable)
            self.world.time = self.world.time + ProviderWorld.interval
            self.tell()
        }

        mutating func tell() {
            let canary = self.reading(self.canary, self.canaryResolution)
            let stable = self.reading(self.stable, self.resolution)
            self.world.tell(.counted(canary: canary, stable: stable))
        }

        /// Most scores are high, as those of a classifier that knows its business.
        private mutating func draw(_ count: Int, _ shift: Double, into track: WritableKeyPath<Self, [Int: Double]>) {
            for _ in 0..<count {
                let (first, second) = (
                    Double.random(in: 0.001..<1, using: &self.world.random),
                    Double.random(in: 0.001..<1, using: &self.world.random)
                )
                let score = max(0.001, max(first, second) - shift)
                self[keyPath: track][Int((log2(score) * Double(self.resolution)).rounded(.up)), default: 0] += 1
            }
        }

        private func reading(_ buckets: [Int: Double], _ resolution: Int) -> TrackReading {
            let factor = self.resolution / resolution
            var merged: [Int: Double] = [:]
            for (index, count) in buckets {
                merged[Int((Double(index) / Double(factor)).rounded(.up)), default: 0] += count
            }
            var (bounds, counts, sum): ([Double], [Double], Double) = ([], [], 0)
            for (index, count) in merged.sorted(by: { $0.key < $1.key }) {
                let left = exp2(Double(index - 1) / Double(resolution))
                if left > bounds.last ?? 0 {
                    bounds.append(left)
                    counts.append(sum)
                }
                sum += count
                bounds.append(exp2(Double(index) / Double(resolution)))
                counts.append(sum)
            }
            return TrackReading(times: [self.world.time], values: counts + [sum], bounds: bounds, isSparse: true)
        }
    }

    @Test
    func `tracks that show other buckets are compared by the same bounds, and pass when they are alike`() {
        var scores = Scores()
        for _ in 0..<30 { scores.poll(shift: 0) }
        #expect(Set(scores.canary.keys) != Set(scores.stable.keys))
        #expect(scores.world.outcome == .passed)
        #expect(scores.world.assessment?.detail == "no difference that matters")
    }

    @Test
    func `scores that are lower than stable's fail`() {
        var scores = Scores()
        for _ in 0..<30 where scores.world.outcome != .failed { scores.poll(shift: 0.2) }
        #expect(scores.world.outcome == .failed)
    }

    @Test
    func `answers beyond all that stable ever gave are seen`() {
        var scores = Scores()
        for _ in 0..<30 where scores.world.outcome != .failed {
            scores.canary[40, default: 0] += 10
            scores.poll(shift: 0)
        }
        #expect(scores.world.outcome == .failed)
    }

    @Test
    func `buckets half as fine go on where no bound cuts them, and are no evidence where one does`() {
        var scores = Scores()
        for _ in 0..<10 { scores.poll(shift: 0) }
        #expect(scores.world.outcome == .passed)
        scores.canaryResolution = 1
        for _ in 0..<7 { scores.poll(shift: 0) }
        #expect(scores.world.outcome == .noData)
        #expect(
            scores.world.run.missingEvidence(of: DriftGateTests.gate)
                == "the buckets of the histogram are too wide for the bounds that the rollout began with"
        )
        // They are as before again.
        scores.canaryResolution = 8
        for _ in 0..<3 { scores.poll(shift: 0) }
        #expect(scores.world.outcome == .passed)
    }

    @Test
    func `without a count of stable's there are no bounds yet`() {
        var scores = Scores()
        scores.canary = [-8: 100]
        for _ in 0..<3 {
            scores.world.time = scores.world.time + ProviderWorld.interval
            scores.tell()
        }
        #expect(
            scores.world.run.missingEvidence(of: DriftGateTests.gate)
                == "stable's histogram has counted nothing yet to choose bounds by"
        )
        for _ in 0..<30 { scores.poll(shift: 0) }
        #expect(scores.world.outcome == .passed)
    }

    @Test(
        arguments: [
            ([1, 0.5], [1, 2, 3]), ([0.5, 1], [2, 1, 3]), ([0.5, 1], [1, 2]), ([0.5, .infinity], [1, 2, 3]),
        ] as [([Double], [Double])]
    )
    func `what is no histogram is no evidence, and no crash`(bounds: [Double], values: [Double]) {
        var scores = Scores()
        for _ in 0..<8 {
            scores.world.time = scores.world.time + ProviderWorld.interval
            let reading = TrackReading(times: [scores.world.time], values: values, bounds: bounds, isSparse: true)
            scores.world.tell(.counted(canary: reading, stable: reading))
        }
        #expect(scores.world.outcome == .noData)
    }

    @Test
    func `a classic histogram beside a native one is not counted alike`() {
        var scores = Scores()
        scores.poll(shift: 0)
        for _ in 0..<8 {
            scores.world.time = scores.world.time + ProviderWorld.interval
            let classic = TrackReading(times: [scores.world.time], values: [1, 2], bounds: [0.5])
            let native = TrackReading(times: [scores.world.time], values: [0, 2, 2], bounds: [0.5, 1], isSparse: true)
            scores.world.tell(.counted(canary: classic, stable: native))
        }
        #expect(scores.world.outcome == .noData)
        #expect(scores.world.assessment?.detail == "canary and stable are not counted alike")
    }

    @Test
    func `the state survives being journaled, and a classic reading is written as before`() throws {
        var scores = Scores()
        for _ in 0..<9 { scores.poll(shift: 0) }
        let bytes = try JSONEncoder().encode(scores.world.run)
        #expect(try JSONDecoder().decode(AnalysisRun.self, from: bytes) == scores.world.run)
        let classic = TrackReading(times: [scores.world.time], values: [1, 2], bounds: [0.5])
        #expect(!String(decoding: try JSONEncoder().encode(classic), as: UTF8.self).contains("isSparse"))
    }
}
