import Deployments
import Planning
import Reconciliation
import Rollouts
import Simulation
import Testing

@Suite
struct SimulationTests {
    @Test
    func `hostile worlds break no rule`() async {
        for failure in await Simulator.run(seeds: 1..<60).failures { Issue.record("\(failure)") }
    }

    @Test
    func `a world runs the same way twice, record by record`() async {
        for seed in UInt64(100)..<110 {
            var first = World(scenario: .hostile(seed: seed), seed: seed, isRecording: true)
            var second = World(scenario: .hostile(seed: seed), seed: seed, isRecording: true)
            let violations = (await first.run(), await second.run())
            #expect(violations.0 == violations.1)
            let records = (first.records, second.records)
            #expect(!records.0.isEmpty)
            #expect(records.0 == records.1)
        }
    }

    /// Whether a world among those of `seeds` ends with a broken rule.
    private static func isCaught(
        within seeds: Range<UInt64>,
        functions: DecisionFunctions = DecisionFunctions(),
        rewire: @escaping @Sendable (Reconciler.Ports) -> Reconciler.Ports = { $0 }
    ) async -> Bool {
        for seed in seeds {
            var world = World(scenario: .hostile(seed: seed), seed: seed, functions: functions, rewire: rewire)
            if await !world.run().isEmpty { return true }
        }
        return false
    }

    @Test(arguments: PlannerDefect.allCases)
    func `a planner with a broken rule is caught`(defect: PlannerDefect) async {
        let functions = DecisionFunctions(plan: { planner, _ in defect.plan(planner) })
        #expect(await Self.isCaught(within: 1..<40, functions: functions))
    }

    @Test(arguments: RolloutDefect.allCases.filter { $0 != .takesBlindnessForNoLoad })
    func `a rollout with a broken rule is caught`(defect: RolloutDefect) async {
        let functions = DecisionFunctions(handle: { defect.handle(&$0, $1, at: $2) })
        #expect(await Self.isCaught(within: 1..<1000, functions: functions))
    }

    /// Few worlds scale, and in few of those the load is out of sight.
    @Test
    func `a rollout that takes an unseen load for none is caught`() async {
        let functions = DecisionFunctions(handle: { RolloutDefect.takesBlindnessForNoLoad.handle(&$0, $1, at: $2) })
        var scenario = FoundBugTests.unseenLoad
        (scenario.loads, scenario.outages) = ([:], [.routerOutage: 40...110])
        scenario.happenings.removeAll { if case .fault(.kill, _) = $0.what { true } else { false } }
        scenario.ticks = 130
        var healthy = World(scenario: scenario, seed: 1)
        #expect(await healthy.run() == [])
        var world = World(scenario: scenario, seed: 1, functions: functions)
        #expect(await !world.run().isEmpty)
    }

    @Test(arguments: ShellDefect.allCases)
    func `a controller with a broken shell around its core is caught`(defect: ShellDefect) async {
        #expect(await Self.isCaught(within: 1..<300, rewire: { defect.rewire($0) }))
    }

    /// One thing that must happen among many that need not.
    @Test
    func `a scenario that breaks a rule is shortened to what breaks it`() async throws {
        let functions = DecisionFunctions(handle: { RolloutDefect.ignoresPause.handle(&$0, $1, at: $2) })
        let run = { @Sendable (scenario: Scenario, seed: UInt64) in
            var world = World(scenario: scenario, seed: seed, functions: functions)
            return await world.run()
        }
        for seed in UInt64(1)..<300 {
            let scenario = Scenario.hostile(seed: seed)
            guard let violation = await run(scenario, seed).first else { continue }
            let result = await Minimiser.minimise(scenario, seed: seed, rule: violation.rule) { await run($0, seed) }
            #expect(result.scenario.happenings.count < scenario.happenings.count / 2)
            let again = try #require(await run(result.scenario, seed).first)
            #expect(again == result.violation)
            #expect("\(result)".contains("pause"))
            return
        }
        Issue.record("no world broke a rule")
    }

    @Test
    func `what cannot be shortened stays as it was, within the limit of runs`() async {
        let scenario = Scenario.hostile(seed: 1)
        #expect(scenario.happenings.count > 5)
        let result = await Minimiser.minimise(scenario, seed: 1, rule: "rule 0", limit: 5) { _ in [] }
        #expect(result.scenario.happenings.count == scenario.happenings.count)
        #expect(result.violation == nil)
        #expect(result.runs == 5)
    }

    @Test
    func `a quiet world does not wait to its end for an operator, who comes`() async {
        var policy = FoundBugTests.policy
        policy.steps += [Step(action: .approval)]
        var scenario = Scenario(traffic: 100, ticks: 1000, quietFrom: 60)
        scenario.endsAtRest = true
        scenario.commits[0] = .spec(Scenario.spec(0, policy: policy))
        scenario.commits[30] = .spec(Scenario.spec(1, policy: policy))
        var world = World(scenario: scenario, seed: 1)
        #expect(await world.run() == [])
        #expect(world.time < scenario.ticks)
        #expect(world.rollout(of: Scenario.id(0))?.phase == .settled)
    }
}
