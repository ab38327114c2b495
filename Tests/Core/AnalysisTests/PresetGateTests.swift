import Analysis
import Deployments
import FoundationEssentials
import Testing

/// Gates that decide by another tool's rule, with its documented defaults.
@Suite("Gates with another tool's rule")
struct PresetGateTests {
    static let flagger = Gate(name: "rule", kind: .preset(.flagger(FlaggerRule())))
    static let argo = Gate(name: "rule", kind: .preset(.argo(ArgoRule())))
    static let kayenta = Gate(name: "rule", kind: .preset(.kayenta(KayentaRule())))

    /// A world of 1000 requests/s, half of them on the canary.
    private static func world(canary: Double, stable: Double = 0.001) -> World {
        var world = World(seed: 7)
        world.requestsPerSecond = 1000
        world.weight = TrafficWeight(percent: 50)
        (world.canaryErrors, world.stableErrors) = (canary, stable)
        return world
    }

    /// - Returns: After how many seconds the gate had each of its outcomes first.
    private static func outcomes(_ gate: Gate, _ world: World, seconds: Int, poll: Int = 5) -> [GateOutcome: Int] {
        var world = world
        var run = AnalysisRun.started(world, gates: [gate])
        var first: [GateOutcome: Int] = [:]
        for time in stride(from: poll, through: seconds, by: poll) {
            run.add(world.run(seconds: poll))
            guard let outcome = run.outcome("rule", at: world.time) else { continue }
            if first[outcome] == nil { first[outcome] = time }
        }
        return first
    }

    @Test
    func `Flagger passes a canary with five times stable's errors at its first check`() {
        let outcomes = Self.outcomes(Self.flagger, Self.world(canary: 0.005), seconds: 600)
        #expect(outcomes == [.inconclusive: 5, .passed: 60])
    }

    @Test
    func `Flagger fails the sixth minute of a canary below 99 percent, and one as bad as stable with it`() {
        #expect(
            Self.outcomes(Self.flagger, Self.world(canary: 0.05), seconds: 600) == [.inconclusive: 5, .failed: 360]
        )
        let shared = Self.world(canary: 0.05, stable: 0.05)
        #expect(Self.outcomes(Self.flagger, shared, seconds: 600)[.failed] == 360)
    }

    @Test
    func `Argo passes five measurements of five minutes and fails the first below 95 percent`() {
        #expect(Self.outcomes(Self.argo, Self.world(canary: 0.04), seconds: 1800) == [.inconclusive: 5, .passed: 1500])
        #expect(Self.outcomes(Self.argo, Self.world(canary: 0.06), seconds: 1800) == [.inconclusive: 5, .failed: 300])
    }

    @Test
    func `Kayenta fails a shift at its first look and passes none at its lifetime's end`() {
        #expect(Self.outcomes(Self.kayenta, Self.world(canary: 0.005), seconds: 600)[.failed] == 300)
        let same = Self.outcomes(Self.kayenta, Self.world(canary: 0, stable: 0), seconds: 2000)
        #expect(same == [.inconclusive: 5, .passed: 1800])
    }

    @Test
    func `failed checks of Flagger's count through the steps, and each step needs a good one of its own`() {
        var world = Self.world(canary: 0.05)
        var run = AnalysisRun.started(world, gates: [Self.flagger])
        for _ in 0..<4 { run.add(world.run(seconds: 60)) }
        world.canaryErrors = 0
        run.add(world.run(seconds: 60))
        #expect(run.outcome("rule", at: world.time) == .passed)
        run.beginStep(gates: [Self.flagger], nextWeight: .all, at: world.time)
        run.add(world.sample, weightsChanged: true)
        run.add(world.run(seconds: 30))
        #expect(run.outcome("rule", at: world.time) == .inconclusive)
        run.add(world.run(seconds: 30))
        #expect(run.outcome("rule", at: world.time) == .passed)
        // The fifth failed check of all, and the look that sees it.
        world.canaryErrors = 0.05
        run.add(world.run(seconds: 60))
        #expect(run.outcome("rule", at: world.time) == .inconclusive)
        run.add(world.run(seconds: 60))
        #expect(run.outcome("rule", at: world.time) == .failed)
    }

    @Test
    func `a measurement of Argo's counts in its step alone`() {
        var world = Self.world(canary: 0)
        let gate = Gate(name: "rule", kind: .preset(.argo(ArgoRule(interval: .minutes(1), count: 2, failureLimit: 1))))
        var run = AnalysisRun.started(world, gates: [gate])
        for _ in 0..<3 {
            world.canaryErrors = 0.5
            run.add(world.run(seconds: 60))
            world.canaryErrors = 0
            run.add(world.run(seconds: 60))
            #expect(run.outcome("rule", at: world.time) == .passed)
            run.beginStep(gates: [gate], nextWeight: .all, at: world.time)
            run.add(world.sample, weightsChanged: true)
        }
        #expect(run.outcome("rule", at: world.time) == .inconclusive)
    }

    @Test
    func `a canary without requests passes no rule, and fails Flagger's checks as it does there`() {
        var world = Self.world(canary: 0)
        world.weight = .none
        #expect(Self.outcomes(Self.kayenta, world, seconds: 2000) == [.inconclusive: 5, .noData: 60])
        #expect(
            Self.outcomes(Self.flagger, world, seconds: 2000) == [.inconclusive: 5, .noData: 60, .failed: 360]
        )
    }

    @Test
    func `what was counted while the weights changed, or in a step without the gate, is not judged`() {
        var world = Self.world(canary: 1)
        var run = AnalysisRun.started(world, gates: [Self.argo, .errors])
        run.add(world.run(seconds: 600), weightsChanged: true)
        #expect(run.outcome("rule", at: world.time) == .noData)
        run.beginStep(gates: [.errors], nextWeight: .all, at: world.time)
        run.add(world.sample, weightsChanged: true)
        run.add(world.run(seconds: 600))
        run.beginStep(gates: [Self.argo], nextWeight: .all, at: world.time)
        #expect(run.outcome("rule", at: world.time) == .inconclusive)
    }

    @Test
    func `a rule takes nothing of the error budget, and its failure is nobody else's`() throws {
        var world = Self.world(canary: 0.06, stable: 0.06)
        var run = AnalysisRun.started(world, gates: [.errors, Self.argo])
        run.add(world.run(seconds: 300))
        #expect(run.outcome("rule", at: world.time) == .failed)
        #expect(run.outcome("errors", at: world.time) != .failed)
        let alone = AnalysisRun.started(world, gates: [.errors])
        let limits = [run, alone].map { $0.assessment(of: .errors, at: world.time)?.comparison?.breachLimit }
        #expect(limits[0] == limits[1])
        #expect(run.dueQueries(at: world.time).isEmpty)
    }

    @Test(arguments: [Self.flagger, Self.argo, Self.kayenta])
    func `the state is journaled as it is, and in few bytes`(gate: Gate) throws {
        var world = Self.world(canary: 0.002, stable: 0.002)
        var run = AnalysisRun.started(world, gates: [gate])
        for _ in 0..<170 { run.add(world.run(seconds: 10)) }
        let bytes = try JSONEncoder().encode(run)
        var again = try JSONDecoder().decode(AnalysisRun.self, from: bytes)
        #expect(again == run)
        #expect(bytes.count < 4000)
        for _ in 0..<30 {
            let sample = world.run(seconds: 10)
            run.add(sample)
            again.add(sample)
        }
        #expect(again == run)
    }

    @Test
    func `the words say the rule, how far it is, and that nothing is promised`() throws {
        var world = Self.world(canary: 0.05)
        var run = AnalysisRun.started(world, gates: [Self.flagger])
        run.add(world.run(seconds: 60))
        let assessment = try #require(run.assessment(of: Self.flagger, at: world.time))
        #expect(assessment.limit == "at least 99 % of its requests succeed")
        #expect(
            assessment.detail == "1 of 5 failed checks (flagger's rule: 5 failed checks of "
                + "`at least 99 % of its requests succeed`, one every 1m; no bound on false rollbacks, "
                + "nor on bad canaries that pass)"
        )
        #expect(assessment.comparison == nil)
        for rule in [PresetRule.argo(ArgoRule()), .kayenta(KayentaRule())] {
            #expect(rule.words.hasPrefix("\(rule.tool)'s rule: "))
            #expect(rule.words.hasSuffix("; no bound on false rollbacks, nor on bad canaries that pass"))
        }
    }
}
