import Analysis
import Deployments
import Foundation
import Testing

/// Requests that are answered at some weight, and labelled later.
private struct LabelWorld {
    let gate: Gate
    var random: SeededNumbers
    var run: AnalysisRun
    var time = Timestamp(milliseconds: 1_700_000_000_000)
    var began = Timestamp(milliseconds: 1)
    private(set) var weight = 5
    /// Told so far.
    private var splits: [TrafficSplit: LabelCounts.Split] = [:]
    /// Labels that will be told, by the polls until then.
    private var pending: [[(split: TrafficSplit, isCanary: Bool, values: [Double])]] = []
    /// All requests pass for those of one split, as with counters that know nothing of splits.
    var isPooled = false

    static let ratio = Gate(
        name: "wrong",
        kind: .ratio(RatioQuery(provider: Gate.Kind.feedback, bad: "", total: ""))
    )
    static func mean(_ worse: MeanQuery.Direction) -> Gate {
        let query = MeanQuery(
            provider: Gate.Kind.feedback,
            count: "",
            sum: "",
            sumOfSquares: "",
            margin: 0.02,
            worse: worse
        )
        return Gate(name: "score", kind: .mean(query))
    }

    init(_ gate: Gate = Self.ratio, seed: UInt64 = 1) {
        self.gate = gate
        self.random = SeededNumbers(seed: seed)
        self.run = AnalysisRun(gates: [gate], stable: World.stable, canary: World.canary, plannedSteps: 3)
        self.step(5)
        self.ask()
    }

    static func split(_ weight: Int) -> TrafficSplit {
        let canary = TrafficWeight(percent: weight)
        return Traffic(weights: [World.stable: canary.complement, World.canary: canary]).split
    }

    var split: TrafficSplit { Self.split(self.isPooled ? 1 : self.weight) }

    mutating func step(_ weight: Int) {
        self.weight = weight
        self.run.beginStep(
            gates: [self.gate],
            nextWeight: TrafficWeight(percent: min(100, weight * 2)),
            split: self.split,
            at: self.time
        )
    }

    /// Ten seconds of requests, each of which is labelled at once or up to `latest` polls later.
    mutating func answer(_ requests: Int, canary: Double, stable: Double, latest: Int = 0) {
        for _ in 0..<requests {
            let isCanary = Int.random(in: 0..<100, using: &self.random) < self.weight
            let isWrong = Double.random(in: 0..<1, using: &self.random) < (isCanary ? canary : stable)
            let wrong = isWrong ? 1.0 : 0
            let values = self.gate.kind.labels == .correctness ? [wrong, 1] : [1, 1 - wrong, 1 - wrong]
            self.label((self.split, isCanary, values), in: Int.random(in: 0...latest, using: &self.random))
        }
    }

    private mutating func label(_ label: (TrafficSplit, Bool, [Double]), in polls: Int) {
        while self.pending.count <= polls { self.pending.append([]) }
        self.pending[polls].append(label)
    }

    /// The labels that are due are told, and the gate asks.
    mutating func poll() {
        self.time = self.time + .seconds(10)
        let due = self.pending.isEmpty ? [] : self.pending.removeFirst()
        for label in due {
            let none = label.values.map { _ in 0.0 }
            var known = self.splits[label.split] ?? LabelCounts.Split(label.split, canary: none, stable: none)
            for (index, value) in label.values.enumerated() {
                if label.isCanary { known.canary[index] += value } else { known.stable[index] += value }
            }
            self.splits[label.split] = known
        }
        self.ask()
    }

    mutating func ask() {
        let splits = self.splits.values.sorted { $0.split < $1.split }
        self.tell(.labelled(LabelCounts(began: self.began, splits: splits)))
    }

    mutating func tell(_ answer: Analysis.Measurement.Answer) {
        self.run.add(Analysis.Measurement(gate: self.gate.name, time: self.time, answer: answer))
    }

    /// Who counts begins anew, with what was told since.
    mutating func restart() {
        self.splits = [:]
        self.began = self.time
    }

    var outcome: GateOutcome? { self.run.outcome(self.gate.name, at: self.time) }
    var assessment: GateAssessment? { self.run.assessment(of: self.gate, at: self.time) }
}

@Suite("Gates on labels of answered requests")
struct LabelGateTests {
    /// Three weights, two minutes each, with labels that come up to two minutes late; from the second weight on the
    /// requests are much harder, for both models.
    private static func ramp(seed: UInt64, isPooled: Bool) -> GateOutcome? {
        var world = LabelWorld(seed: seed)
        world.isPooled = isPooled
        for weight in [5, 25, 50] {
            if weight > 5 { world.step(weight) }
            for _ in 0..<12 {
                let wrong = weight == 5 ? 0.02 : 0.5
                world.answer(200, canary: wrong, stable: wrong, latest: 12)
                world.poll()
                if world.outcome == .failed { return .failed }
            }
        }
        return world.outcome
    }

    @Test
    func `late labels of a healthy canary fail it in at most one of a hundred rollouts, whatever the weights do`() {
        let failed = (UInt64(1)...40).count { Self.ramp(seed: $0, isPooled: false) == .failed }
        #expect(failed < 3, "\(failed) of 40")
        // Why requests of different splits are not compared: Simpson's paradox.
        let pooled = (UInt64(1)...12).count { Self.ramp(seed: $0, isPooled: true) == .failed }
        #expect(pooled > 6, "\(pooled) of 12")
    }

    @Test
    func `a decision is expected at so many labels a second`() throws {
        var world = LabelWorld()
        for _ in 0..<2 {
            world.answer(200, canary: 0.05, stable: 0.05)
            world.poll()
        }
        #expect(world.outcome == .inconclusive)
        let prediction = try #require(world.assessment?.prediction)
        #expect(prediction.hasPrefix("about ") && prediction.hasSuffix(" labels/s on the canary"), "\(prediction)")
    }

    @Test
    func `a canary with more wrong labels fails, and one as good passes`() throws {
        for seed in UInt64(1)...5 {
            var bad = LabelWorld(seed: seed)
            var good = LabelWorld(seed: seed)
            for _ in 0..<200 where bad.outcome != .failed {
                bad.answer(200, canary: 0.2, stable: 0.05)
                bad.poll()
            }
            for _ in 0..<200 where good.outcome != .passed {
                good.answer(200, canary: 0.05, stable: 0.05)
                good.poll()
            }
            #expect(bad.outcome == .failed)
            #expect(good.outcome == .passed)
            let failed = try #require(bad.assessment)
            #expect(failed.limit == "at most 1.1 times stable's")
            #expect(failed.detail.hasPrefix("worse than stable beyond chance"), "\(failed.detail)")
            #expect(failed.comparison?.canaryOverall.bad ?? 0 > 0)
        }
    }

    @Test(arguments: [MeanQuery.Direction.lower, .higher])
    func `a mean of told values is judged by the direction that is worse`(worse: MeanQuery.Direction) {
        // Wrong ones have the value 0.
        var world = LabelWorld(LabelWorld.mean(worse), seed: 2)
        for _ in 0..<300 where world.outcome == .inconclusive {
            world.answer(400, canary: 0.4, stable: 0.1)
            world.poll()
        }
        #expect(world.outcome == (worse == .lower ? .failed : .passed))
    }

    @Test
    func `labels of requests at another weight may fail a step, and never pass it`() throws {
        var (good, bad) = (LabelWorld(seed: 3), LabelWorld(seed: 3))
        for _ in 0..<30 {
            good.answer(400, canary: 0.02, stable: 0.02, latest: 0)
            bad.answer(400, canary: 0.3, stable: 0.02, latest: 0)
        }
        for _ in 0..<2 {
            good.answer(200, canary: 0.02, stable: 0.02, latest: 2)
            bad.answer(200, canary: 0.3, stable: 0.02, latest: 2)
        }
        // They are told when the next step has begun, over several polls.
        good.step(25)
        bad.step(25)
        for _ in 0..<6 {
            good.poll()
            bad.poll()
        }
        #expect(bad.outcome == .failed)
        #expect(good.outcome == .noData, "nothing of this step's own requests for a minute")
        let assessment = try #require(good.assessment)
        #expect(
            assessment.detail.hasPrefix(
                "nothing was counted in this step; labels of the canary's answers at other weights: "
            ),
            "\(assessment.detail)"
        )
        #expect(assessment.comparison?.canary == EventCounts())
        #expect(assessment.comparison?.canaryOverall.total ?? 0 > 400)
        for _ in 0..<100 where good.outcome != .passed {
            good.answer(400, canary: 0.02, stable: 0.02)
            good.poll()
        }
        #expect(good.outcome == .passed)
    }

    @Test
    func `what is told after a restart of who counts is evidence, and nothing twice`() throws {
        var world = LabelWorld(seed: 4)
        for _ in 0..<10 {
            world.answer(200, canary: 0.05, stable: 0.05)
            world.poll()
        }
        let before = try #require(world.assessment?.comparison?.canary)
        world.restart()
        world.answer(2000, canary: 0.05, stable: 0.05)
        world.poll()
        let after = try #require(world.assessment?.comparison?.canary)
        // More at once than was counted in all before: all of it is new.
        #expect(after.total - before.total > 60)
        #expect(after.total + (world.assessment?.comparison?.stable.total ?? 0) == 4000)
    }

    @Test
    func `what was told before the rollout asked is not counted`() {
        var world = LabelWorld()
        world.run = AnalysisRun(gates: [world.gate], stable: World.stable, canary: World.canary, plannedSteps: 3)
        world.step(5)
        world.answer(4000, canary: 1, stable: 0)
        world.poll()
        for _ in 0..<3 { world.poll() }
        #expect(world.assessment?.comparison?.canary == EventCounts())
        #expect(world.outcome == .inconclusive)
    }

    @Test
    func `one burst of wrong labels does not decide`() {
        var world = LabelWorld(seed: 5)
        world.answer(4000, canary: 0.5, stable: 0.02)
        world.poll()
        for _ in 0..<3 { world.poll() }
        #expect(world.outcome == .inconclusive)
        world.answer(400, canary: 0.5, stable: 0.02)
        world.poll()
        #expect(world.outcome == .failed)
    }

    @Test
    func `counts of another form are no evidence`() {
        var world = LabelWorld()
        let counts = { (canary: [Double]) in
            LabelCounts(
                began: Timestamp(milliseconds: 1),
                splits: [LabelCounts.Split(LabelWorld.split(5), canary: canary, stable: [0, 100])]
            )
        }
        for canary in [[50.0], [50, 100, 1], [.infinity, 100], [-5, 100], [.nan, 100]] {
            world.time = world.time + .seconds(10)
            world.tell(.labelled(counts(canary)))
        }
        #expect(world.assessment?.comparison?.canaryOverall == EventCounts())
        #expect(world.outcome == .inconclusive)
        var other = ProviderWorld(
            Gate(name: "wrong", kind: .ratio(RatioQuery(provider: "p", bad: "b", total: "t"))),
            counters: 2
        )
        for _ in 0..<8 {
            other.time = other.time + .seconds(10)
            other.tell(.labelled(counts([50, 100])))
        }
        #expect(other.outcome == .noData)
    }

    @Test
    func `the state survives being journaled`() throws {
        for gate in [LabelWorld.ratio, LabelWorld.mean(.lower)] {
            var world = LabelWorld(gate, seed: 3)
            for _ in 0..<10 {
                world.answer(200, canary: 0.05, stable: 0.05, latest: 2)
                world.poll()
            }
            let bytes = try JSONEncoder().encode(world.run)
            #expect(try JSONDecoder().decode(AnalysisRun.self, from: bytes) == world.run)
        }
    }
}
