import Analysis
import Deployments
import Foundation
import Testing

@Suite("Gates on a provider's counters")
struct RatioGateTests {
    static let gate = Gate(name: "wrong", kind: .ratio(RatioQuery(provider: "prometheus", bad: "b", total: "t")))

    private static func world(seed: UInt64 = 1, with others: [Gate] = []) -> ProviderWorld {
        ProviderWorld(Self.gate, with: others, counters: 2, seed: seed)
    }

    /// - Returns: The world after so many polls, or once the gate has decided.
    private static func outcome(seed: UInt64, polls: Int, canary: Double, stable: Double) -> ProviderWorld {
        var world = Self.world(seed: seed)
        for poll in 0..<polls {
            // An incident that both share, for a minute.
            let incident = (20..<26).contains(poll) ? 0.2 : 0
            world.poll(
                canary: world.bad(of: 100, rate: canary + incident),
                stable: world.bad(of: 1900, rate: stable + incident)
            )
            if world.outcome == .failed { break }
        }
        return world
    }

    @Test
    func `a healthy canary fails in at most one of a hundred rollouts, though looked at every poll`() {
        let failed = (1...400).count {
            Self.outcome(seed: $0, polls: 90, canary: 0.02, stable: 0.02).outcome == .failed
        }
        // Twelve or more of 400 at a rate of one percent have a probability below 0.001.
        #expect(failed < 12, "\(failed) of 400")
    }

    @Test
    func `a canary with three times the bad ones fails, and a healthy one passes`() throws {
        for seed in UInt64(1)...20 {
            #expect(Self.outcome(seed: seed, polls: 90, canary: 0.06, stable: 0.02).outcome == .failed)
        }
        let passed = (1...20).count {
            Self.outcome(seed: $0, polls: 180, canary: 0.02, stable: 0.02).outcome == .passed
        }
        #expect(passed >= 18)
        let assessment = try #require(Self.outcome(seed: 1, polls: 90, canary: 0.06, stable: 0.02).assessment)
        #expect(assessment.limit == "at most 1.1 times stable's")
        #expect(assessment.value.hasPrefix("canary "))
        #expect(assessment.detail.hasPrefix("worse than stable beyond chance"))
        #expect((assessment.comparison?.breachShare ?? 0) > 0.9)
    }

    @Test
    func `an incident that stable's counters show a poll later fails no healthy canary`() {
        let failed = (UInt64(1)...100).count { seed in
            var world = Self.world(seed: seed)
            var late = [0.0, 0.0]
            for poll in 0..<60 {
                let rate = (20..<26).contains(poll) ? 0.5 : 0.01
                let stable = world.bad(of: 1900, rate: rate)
                world.poll(canary: world.bad(of: 100, rate: rate), stable: late)
                late = stable
            }
            return world.outcome == .failed
        }
        #expect(failed <= 1)
    }

    @Test
    func `evidence that only one pairing of the polls gives makes no weight safe`() {
        var world = Self.world()
        for poll in 0..<60 {
            // Stable is a tenth bad, and the canary never is, but neither is seen beside the other a poll later.
            world.poll(
                canary: poll.isMultiple(of: 2) ? [0, 100] : [0, 0],
                stable: poll.isMultiple(of: 2) ? [190, 1900] : [0, 0]
            )
        }
        #expect(world.outcome == .inconclusive)
    }

    @Test
    func `an interval that is too short to see both revisions grow is said`() {
        var world = Self.world()
        for poll in 0..<10 {
            world.poll(
                canary: poll.isMultiple(of: 2) ? [0, 100] : [0, 0],
                stable: poll.isMultiple(of: 2) ? [0, 0] : [0, 1900]
            )
        }
        #expect(world.outcome == .inconclusive)
        #expect(world.assessment?.detail.contains("make `interval` at least as long as the provider's") == true)
    }

    @Test
    func `margins of its own are kept`() {
        let query = RatioQuery(provider: "p", bad: "b", total: "t", maximumRatio: 4, maximumDifference: 0.01)
        var world = ProviderWorld(Gate(name: "wrong", kind: .ratio(query)), counters: 2)
        for _ in 0..<90 {
            world.poll(canary: world.bad(of: 100, rate: 0.06), stable: world.bad(of: 1900, rate: 0.02))
        }
        #expect(world.outcome != .failed)
        #expect(world.assessment?.limit == "at most 4 times stable's and 1 % on top")
    }

    @Test
    func `the error budget is shared with the gates on the router's counters`() throws {
        let world = Self.world(with: [.errors, .clientErrors])
        let limit = try #require(world.assessment?.comparison?.breachLimit)
        expectEqual(limit, -(0.01 / 3).logarithm)
    }

    @Test
    func `nothing is asked in a step's first interval, and then every interval`() {
        var world = Self.world()
        let start = world.time
        #expect(world.run.dueQueries(at: start + .seconds(9)).isEmpty)
        #expect(world.run.dueQueries(at: start + .seconds(10)).map(\.name) == ["wrong"])
        world.poll()
        #expect(world.run.dueQueries(at: start + .seconds(19)).isEmpty)
        #expect(world.run.dueQueries(at: start + .seconds(20)).map(\.name) == ["wrong"])
    }

    @Test
    func `the state survives being journaled`() throws {
        let world = Self.outcome(seed: 3, polls: 30, canary: 0.03, stable: 0.02)
        let bytes = try JSONEncoder().encode(world.run)
        #expect(try JSONDecoder().decode(AnalysisRun.self, from: bytes) == world.run)
        let plain = AnalysisRun(gates: [.errors], stable: World.stable, canary: World.canary, plannedSteps: 1)
        let text = String(decoding: try JSONEncoder().encode(plain), as: UTF8.self)
        #expect(!text.contains("provided"), "records from before there were such gates would differ")
    }

    // MARK: - What is no evidence

    /// Two polls that give the ledger a base.
    private static func based() -> ProviderWorld {
        var world = Self.world()
        world.poll(canary: [10, 1000], stable: [100, 10_000])
        world.poll(canary: [0, 100], stable: [1, 1000])
        return world
    }

    private static func counted(_ world: ProviderWorld) -> EventCounts? { world.assessment?.comparison?.canary }

    @Test
    func `what was counted before the first reading is no evidence`() {
        #expect(Self.counted(Self.based()) == EventCounts(bad: 0, total: 100))
    }

    @Test
    func `a counter that falls is a dropped poll`() {
        var world = Self.based()
        world.canary = [50, 60]
        world.poll()
        #expect(Self.counted(world) == EventCounts(bad: 0, total: 100))
        #expect(world.assessment?.detail.hasSuffix("; polls dropped, as a counter fell or was no number: 1") == true)
        world.poll(canary: [1, 10], stable: [0, 10])
        #expect(Self.counted(world) == EventCounts(bad: 1, total: 110))
    }

    @Test
    func `a target that goes missing from a sum and comes back is no evidence`() {
        var world = Self.based()
        let whole = world.canary
        world.canary = [4, 700]
        world.poll()
        world.poll(canary: [0, 10], stable: [0, 100])
        #expect(Self.counted(world) == EventCounts(bad: 0, total: 110))
        // All that the lost target ever counted is in the sum again.
        world.canary = [whole[0], whole[1] + 20]
        world.poll(stable: [0, 100])
        #expect(Self.counted(world) == EventCounts(bad: 0, total: 110))
        world.poll(canary: [1, 10], stable: [0, 100])
        #expect(Self.counted(world) == EventCounts(bad: 1, total: 120))
    }

    @Test(arguments: [Double.nan, .infinity, -1, 1e300])
    func `a reading that counts nothing is a dropped poll, and the next covers it`(value: Double) {
        var world = Self.based()
        let before = world.canary
        world.canary[0] = value
        world.poll()
        #expect(Self.counted(world) == EventCounts(bad: 0, total: 100))
        world.canary = before
        world.poll(canary: [2, 50], stable: [0, 100])
        #expect(Self.counted(world) == EventCounts(bad: 2, total: 150))
        #expect(world.assessment?.detail.contains("no number: 1") == true)
    }

    @Test
    func `a poll whose readings are as old as the last brings nothing`() {
        var world = Self.based()
        let before = world.run.combinedLogE
        let asOf = world.time
        world.canary = [500, 5000]
        world.time = world.time + .seconds(10)
        world.tell(canaryTime: asOf, stableTime: asOf)
        #expect(Self.counted(world) == EventCounts(bad: 0, total: 100))
        #expect(world.run.combinedLogE == before)
        // Nor does one that is older.
        world.tell(canaryTime: asOf + .seconds(-5), stableTime: asOf)
        #expect(Self.counted(world) == EventCounts(bad: 0, total: 100))
    }

    @Test
    func `a poll across a change of the weights is no evidence`() {
        var world = Self.based()
        world.run.add(
            Sample(time: world.time + .seconds(5), tracks: [:]),
            weightsChanged: true
        )
        // Five seconds after the change, and perhaps scraped before it.
        world.poll(canary: [100, 100], stable: [0, 100])
        world.poll(canary: [100, 100], stable: [0, 100])
        #expect(Self.counted(world) == EventCounts(bad: 0, total: 100))
        world.poll(canary: [1, 10], stable: [0, 100])
        #expect(Self.counted(world) == EventCounts(bad: 1, total: 110))
    }

    @Test
    func `an answer that was asked for before the step is ignored`() {
        var world = Self.based()
        let answer = Measurement.Answer.counted(
            canary: TrackReading(times: [world.time, world.time], values: [900, 9000]),
            stable: TrackReading(times: [world.time, world.time], values: [900, 90_000])
        )
        let asked = world.time
        world.time = world.time + .seconds(1)
        world.run.beginStep(gates: [Self.gate], nextWeight: .all, at: world.time)
        world.run.add(Measurement(gate: "wrong", time: asked, answer: answer))
        #expect(Self.counted(world) == EventCounts())
    }

    @Test
    func `readings that do not fit the gate are no evidence`() {
        var world = Self.based()
        let reading = TrackReading(times: [world.time], values: [1, 2, 3])
        for _ in 0..<2 {
            world.time = world.time + .seconds(40)
            world.tell(.counted(canary: reading, stable: reading))
        }
        #expect(world.outcome == .noData)
    }

    @Test
    func `without a track there are no data after a while, with the reason`() {
        var world = Self.world()
        for _ in 0..<5 {
            world.time = world.time + ProviderWorld.interval
            world.tell(.missing("the canary's `total` matches nothing"))
        }
        #expect(world.outcome == .inconclusive)
        world.time = world.time + ProviderWorld.interval
        world.tell(.missing("the canary's `total` matches nothing"))
        #expect(world.outcome == .noData)
        #expect(world.assessment?.detail == "the canary's `total` matches nothing")
        #expect(world.run.missingEvidence(of: Self.gate) == "the canary's `total` matches nothing")
        world.poll(canary: [0, 100], stable: [0, 100])
        #expect(world.outcome == .noData, "counters that do not grow are nothing to judge by")
        world.poll(canary: [0, 100], stable: [0, 100])
        #expect(world.outcome == .inconclusive)
    }

    @Test
    func `an outage holds a gate that had passed, and ends`() {
        var world = Self.outcome(seed: 1, polls: 120, canary: 0.001, stable: 0.02)
        #expect(world.outcome == .passed)
        for _ in 0..<6 {
            world.time = world.time + ProviderWorld.interval
            world.tell(.unavailable("prometheus: no answer within 10s"))
        }
        #expect(world.outcome == .providerDown)
        world.poll()
        #expect(world.outcome == .passed)
    }
}
