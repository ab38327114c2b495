import Analysis
import Deployments
import Foundation
import Testing

@Suite("Analysis of a rollout")
struct AnalysisRunTests {
    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func `a canary that fails half of its requests is found within three polls of the first error`(seed: UInt64) {
        var world = World(seed: seed)
        world.stableErrors = 0.001
        world.canaryErrors = 0.5
        var run = AnalysisRun.started(world)
        var polls = 0
        while run.outcome("errors", at: world.time) != .failed, polls < 10 {
            run.add(world.run())
            if (world.counters[World.canary]?.serverErrors ?? 0) > 0 { polls += 1 }
        }
        #expect(polls <= 3)
        #expect(run.outcome("client-errors", at: world.time) != .failed)
        #expect(run.outcome("latency", at: world.time) != .failed)
    }

    @Test
    func `a canary that fails half of its requests is found after many healthy hours too`() {
        var world = World(seed: 1)
        world.stableErrors = 0.001
        world.canaryErrors = 0.001
        var run = AnalysisRun.started(world)
        for _ in 0..<3 * 60 { run.add(world.run()) }
        run.beginStep(
            gates: [.errors, .clientErrors, .latency()],
            nextWeight: TrafficWeight(percent: 50),
            at: world.time
        )
        world.canaryErrors = 0.5
        var polls = 0
        while run.outcome("errors", at: world.time) != .failed, polls < 10 {
            run.add(world.run())
            polls += 1
        }
        #expect(polls <= 4)
    }

    @Test
    func `a healthy canary passes every gate and step`() {
        var world = World(seed: 2)
        world.stableErrors = 0.001
        world.canaryErrors = 0.001
        world.stableClientErrors = 0.03
        world.canaryClientErrors = 0.03
        var run = AnalysisRun.started(world)
        for (weight, next) in [(5, 25), (25, 50), (50, 100)] {
            world.weight = TrafficWeight(percent: weight)
            run.beginStep(
                gates: [.errors, .clientErrors, .latency()],
                nextWeight: TrafficWeight(percent: next),
                at: world.time
            )
            #expect(run.assessments(at: world.time).allSatisfy { $0.outcome == .inconclusive })
            var seconds = 0
            while seconds < 1800, run.outcomes(at: world.time).contains(where: { $0.outcome != .passed }) {
                run.add(world.run())
                seconds += 1
            }
            #expect(seconds < 1800, "\(run.assessments(at: world.time).map(\.summary))")
            #expect(!run.isSharedIncident)
        }
    }

    @Test
    func `healthy canaries are failed no more often than promised, however often one looks`() {
        var failed = 0
        for seed in 0..<150 as Range<UInt64> {
            var world = World(seed: seed)
            // A baseline that drifts, an incident that hits both, and a ramp.
            world.requestsPerSecond = 100
            var run = AnalysisRun.started(world)
            for poll in 0..<60 {
                let incident = (25..<35).contains(poll) ? 0.2 : 0
                let rate = 0.01 + 0.01 * Double(poll) / 60 + incident
                (world.stableErrors, world.canaryErrors) = (rate, rate)
                if poll % 20 == 0, poll > 0 {
                    world.weight = TrafficWeight(percent: 25 * (poll / 20))
                    run.beginStep(gates: [.errors, .clientErrors, .latency()], nextWeight: .all, at: world.time)
                }
                run.add(world.run(seconds: 3))
                if run.combinedLogE >= run.parameters.breachLimit {
                    failed += 1
                    break
                }
            }
        }
        // α = 1 percent of 150 is 1.5, its standard deviation 1.2.
        #expect(failed <= 5, "\(failed) of 150")
    }

    @Test
    func `canaries that are unsafe at the next weight pass no more often than promised`() {
        var passed = 0
        for seed in 0..<100 as Range<UInt64> {
            var world = World(seed: seed)
            world.weight = TrafficWeight(percent: 50)
            world.stableErrors = 0.01
            world.canaryErrors = 1.5 * 0.01 + 0.001
            var run = AnalysisRun.started(world, gates: [.errors], next: 100)
            for _ in 0..<100 {
                run.add(world.run(seconds: 2))
                if run.outcomes(at: world.time).contains(where: { $0.outcome == .passed }) {
                    passed += 1
                    break
                }
            }
        }
        // β = 5 percent of 100 is 5, its standard deviation 2.2.
        #expect(passed <= 11, "\(passed) of 100")
    }

    @Test
    func `the gate with the evidence fails, not the others`() {
        var world = World(seed: 3)
        world.canaryClientErrors = 0.8
        world.stableClientErrors = 0.02
        var run = AnalysisRun.started(world)
        for _ in 0..<10 { run.add(world.run()) }
        #expect(run.outcome("client-errors", at: world.time) == .failed)
        #expect(run.outcome("errors", at: world.time) == .inconclusive)
    }

    @Test
    func `a slow canary fails the latency gate`() throws {
        var world = World(seed: 4)
        world.canarySlow = 0.6
        var run = AnalysisRun.started(world)
        for _ in 0..<10 { run.add(world.run()) }
        let latency = try #require(run.assessments(at: world.time).first { $0.gate.name == "latency" })
        #expect(latency.outcome == .failed)
        #expect(latency.value.hasPrefix("slower than 250 ms: canary "))
    }

    @Test
    func `what has failed stays failed`() {
        var world = World(seed: 5)
        world.canaryErrors = 0.5
        var run = AnalysisRun.started(world)
        for _ in 0..<5 { run.add(world.run()) }
        world.canaryErrors = 0
        for _ in 0..<600 { run.add(world.run()) }
        run.beginStep(gates: [.errors], nextWeight: .all, at: world.time)
        #expect(run.outcome("errors", at: world.time) == .failed)
    }

    @Test
    func `one burst in one poll does not fail a canary`() {
        var world = World(seed: 6)
        var run = AnalysisRun.started(world)
        for _ in 0..<10 { run.add(world.run()) }
        world.canaryErrors = 1
        run.add(world.run())
        #expect(run.combinedLogE >= run.parameters.breachLimit)
        #expect(run.outcome("errors", at: world.time) == .inconclusive)
        run.add(world.run())
        #expect(run.outcome("errors", at: world.time) == .failed)
    }

    @Test
    func `an incident that hits both holds and does not fail the canary`() {
        var world = World(seed: 7)
        world.requestsPerSecond = 500
        world.weight = TrafficWeight(percent: 25)
        let objective = Objective(name: "availability", percent: 99, indicator: .availability, window: .hours(24))
        var run = AnalysisRun.started(world, objectives: [objective])
        for _ in 0..<30 { run.add(world.run()) }
        #expect(!run.isSharedIncident)
        (world.canaryErrors, world.stableErrors) = (0.4, 0.4)
        for _ in 0..<10 { run.add(world.run()) }
        #expect(run.isSharedIncident)
        #expect(run.incidents.map(\.objective) == ["availability"])
        #expect(!run.assessments(at: world.time).contains { $0.outcome == .failed })
        (world.canaryErrors, world.stableErrors) = (0, 0)
        for _ in 0..<30 { run.add(world.run()) }
        #expect(!run.isSharedIncident, "the incident is over")
    }

    @Test
    func `a broken canary is a failed gate, not a shared incident`() {
        var world = World(seed: 8)
        world.canaryErrors = 0.9
        let objective = Objective(name: "availability", percent: 99, indicator: .availability, window: .hours(24))
        var run = AnalysisRun.started(world, objectives: [objective])
        for _ in 0..<10 { run.add(world.run()) }
        #expect(run.outcome("errors", at: world.time) == .failed)
        #expect(!run.isSharedIncident)
    }

    @Test
    func `a counter that fell gives no increment`() {
        var world = World(seed: 9)
        var run = AnalysisRun.started(world)
        run.add(world.run())
        let before = run.assessments(at: world.time).map(\.comparison)
        world.counters[World.canary] = World.empty
        world.counters[World.canary]?.serverErrors = 0
        world.time = world.time + .seconds(1)
        run.add(world.sample)
        #expect(run.assessments(at: world.time).map(\.comparison) == before)
        #expect(run.droppedSamples == 1)
        run.add(world.run())
        #expect(run.assessments(at: world.time).map(\.comparison) != before)
    }

    @Test
    func `a snapshot that straddles a change of weights is only a new base`() {
        var world = World(seed: 10)
        world.canaryErrors = 1
        var run = AnalysisRun.started(world)
        run.add(world.run(seconds: 60), weightsChanged: true)
        expectEqual(run.combinedLogE, 0)
        run.rebase()
        run.add(world.run(seconds: 60))
        expectEqual(run.combinedLogE, 0)
        run.add(world.run(seconds: 1))
        #expect(run.combinedLogE > 1)
    }

    @Test
    func `what came before the step is not judged in it`() {
        var world = World(seed: 11)
        var run = AnalysisRun.started(world)
        run.add(world.run())
        world.canaryErrors = 1
        _ = world.run(seconds: 30)
        run.beginStep(gates: [.errors], nextWeight: .all, at: world.time)
        run.add(world.sample)
        #expect(run.assessments(at: world.time).first?.comparison?.canary == EventCounts())
    }

    @Test
    func `a missed poll costs nothing and an old or repeated sample is ignored`() throws {
        var world = World(seed: 12)
        var often = AnalysisRun.started(world)
        var seldom = often
        let first = world.run()
        let second = world.run()
        often.add(first)
        often.add(second)
        often.add(first)
        often.add(second)
        seldom.add(second)
        let counts = { (run: AnalysisRun) in run.assessments(at: world.time).map { $0.comparison?.canary } }
        #expect(counts(often) == counts(seldom))
        #expect(often.lastSample == second.time)
    }

    @Test
    func `no requests are neither good nor bad`() {
        var world = World(seed: 13)
        world.weight = .none
        var run = AnalysisRun.started(world)
        for _ in 0..<59 { run.add(world.run()) }
        #expect(run.outcome("errors", at: world.time) == .inconclusive)
        run.add(world.run())
        #expect(run.outcome("errors", at: world.time) == .noData)
        #expect(run.assessments(at: world.time).first?.detail == "the canary got no requests in this step")
        world.weight = TrafficWeight(percent: 5)
        run.add(world.run())
        #expect(run.outcome("errors", at: world.time) == .inconclusive)
    }

    @Test
    func `a latency gate without a bound takes one from stable once it has answers`() {
        var world = World(seed: 14)
        var run = AnalysisRun.started(world, gates: [.latency()])
        #expect(run.assessments(at: world.time + .minutes(2)).first?.outcome == .noData)
        for _ in 0..<5 { run.add(world.run()) }
        #expect(run.assessments(at: world.time).first?.value.hasPrefix("slower than 25 ms") == true)
    }

    @Test
    func `a gate that only a later step names waits for it`() {
        var world = World(seed: 15)
        world.canarySlow = 1
        let latency = Gate.latency(below: .milliseconds(250))
        var run = AnalysisRun(gates: [.errors, latency], stable: World.stable, canary: World.canary, plannedSteps: 2)
        run.beginStep(gates: [.errors], nextWeight: TrafficWeight(percent: 25), at: world.time)
        run.add(world.sample)
        for _ in 0..<20 { run.add(world.run()) }
        #expect(run.assessments(at: world.time).map(\.gate.name) == ["errors"])
        #expect(run.assessments(at: world.time).allSatisfy { $0.outcome != .failed })
        run.beginStep(gates: [.errors, latency], nextWeight: .all, at: world.time)
        for _ in 0..<5 { run.add(world.run()) }
        #expect(run.outcome("latency", at: world.time) == .failed)
    }

    @Test
    func `a gate that joins late can still fail the canary`() {
        var world = World(seed: 16)
        world.canaryClientErrors = 0.9
        var run = AnalysisRun.started(world, gates: [.errors])
        for _ in 0..<30 { run.add(world.run()) }
        run.beginStep(gates: [.errors, .clientErrors], nextWeight: .all, at: world.time)
        for _ in 0..<5 { run.add(world.run()) }
        #expect(run.outcome("client-errors", at: world.time) == .failed)
    }

    @Test
    func `a run survives a restart byte for byte`() throws {
        var world = World(seed: 17)
        world.stableErrors = 0.01
        world.canaryErrors = 0.02
        let objective = Objective(name: "availability", percent: 99, indicator: .availability, window: .hours(24))
        let query = ThresholdQuery(provider: "prometheus", query: "up", maximum: 1)
        var run = AnalysisRun.started(
            world,
            gates: [.errors, .latency(), Gate(name: "queue", kind: .threshold(query))],
            objectives: [objective]
        )
        run.add(Measurement(gate: "queue", time: world.time, answer: .value(.infinity)))
        for _ in 0..<50 { run.add(world.run()) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        for assessment in run.assessments(at: world.time) {
            #expect(run.outcome(assessment.gate.name, at: world.time) == assessment.outcome)
        }
        let data = try encoder.encode(run)
        var restored = try JSONDecoder().decode(AnalysisRun.self, from: data)
        #expect(restored == run)
        let next = world.run()
        run.add(next)
        restored.add(next)
        #expect(try encoder.encode(restored) == encoder.encode(run))
        #expect(data.count < 16_384, "\(data.count) bytes")
        #expect(throws: Never.self) { try encoder.encode(run.assessments(at: world.time)) }
    }

    @Test
    func `predictions come true at the predicted traffic`() throws {
        var world = World(seed: 18)
        world.stableErrors = 0.002
        world.canaryErrors = 0.002
        var run = AnalysisRun.started(world, gates: [.errors])
        for _ in 0..<20 { run.add(world.run()) }
        let evidence = try #require(run.assessments(at: world.time).first?.comparison)
        let predicted = try #require(evidence.secondsUntilSafe)
        var seconds = 0.0
        while run.outcome("errors", at: world.time) != .passed, seconds < 10_000 {
            run.add(world.run())
            seconds += 1
        }
        #expect(seconds < 3 * predicted + 20, "predicted \(predicted) s, took \(seconds) s")
        #expect(seconds > predicted / 3 - 20, "predicted \(predicted) s, took \(seconds) s")
        #expect(try #require(evidence.secondsUntilDoublingIsSeen) > 0)
    }

    @Test
    func `the texts say what a person needs`() throws {
        var world = World(seed: 19)
        world.stableErrors = 0.001
        world.canaryErrors = 0.5
        var run = AnalysisRun.started(world)
        for _ in 0..<20 { run.add(world.run()) }
        let errors = try #require(run.assessments(at: world.time).first)
        #expect(errors.limit == "at most 1.1 times stable's")
        #expect(errors.value.contains("canary "))
        #expect(errors.value.contains(", stable "))
        #expect(errors.detail.hasPrefix("worse than stable beyond chance (false alarms: at most 1 % of rollouts); "))
        #expect(errors.detail.hasSuffix("times stable's rate"))
    }

    @Test
    func `bursts of errors weigh less when stable is known for them`() {
        var world = World(seed: 20)
        world.canaryErrors = 0.2
        let sample = world.sample
        var runs = [1.0, 4.0].map {
            AnalysisRun(gates: [.errors], stable: World.stable, canary: World.canary, plannedSteps: 1, burst: $0)
        }
        for index in runs.indices {
            runs[index].beginStep(gates: [.errors], nextWeight: .all, at: world.time)
            runs[index].add(sample)
        }
        let next = world.run()
        for index in runs.indices { runs[index].add(next) }
        #expect(runs[0].combinedLogE > runs[1].combinedLogE)
    }
}
