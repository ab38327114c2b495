import Deployments
import Reconciliation
import Rollouts
import Simulation
import Testing

/// Operators who freeze hostile worlds.
@Suite
struct SimulatedFreezeTests {
    /// A few freezes between the other happenings, all over when the world has become quiet; some are ended before.
    private static func scenario(_ seed: UInt64) -> Scenario {
        var scenario = Scenario.hostile(seed: seed)
        // Not the world's own dice: without freezes it is the same world.
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        func pick(_ range: ClosedRange<Int>) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return range.lowerBound + Int((state >> 33) % UInt64(range.count))
        }
        let quiet = max(scenario.quietFrom, 20)
        for number in 1...3 {
            let start = pick(1...(quiet - 10))
            let last = pick((start + 1)...quiet)
            let freeze = OperatorFreeze(
                namespace: pick(0...1) == 0 ? "default" : nil,
                by: "simulator",
                why: "freeze \(number)",
                since: Scenario.begin,
                until: Scenario.begin + scenario.tick * last
            )
            scenario.happenings.append(.init(start, .freeze(.begin(freeze))))
            if pick(0...2) == 0 {
                scenario.happenings.append(.init(pick(start...last), .freeze(.end(Int64(number), by: "simulator"))))
            }
        }
        return scenario
    }

    @Test
    func `freezes of operators are kept through kills and faults, and break no rule`() async {
        var frozen = 0
        for seed in UInt64(1)..<120 {
            var world = World(scenario: Self.scenario(seed), seed: seed)
            let violations = await world.run()
            for violation in violations { Issue.record("seed \(seed): \(violation)") }
            frozen += world.transitions.count { $0.transition.message.contains("by simulator (freeze") } > 0 ? 1 : 0
        }
        #expect(frozen > 60, "\(frozen) worlds were frozen")
    }

    /// A fleet that forgets its operators' freezes must be seen.
    @Test
    func `a store that forgets freezes over a restart is caught`() async {
        struct Forgetful: FreezeStore {
            func freezes() async throws(JournalError) -> FreezeBook { FreezeBook() }
            func keep(_ book: FreezeBook) async throws(JournalError) {}
        }
        for seed in UInt64(1)..<120 {
            var world = World(scenario: Self.scenario(seed), seed: seed) { ports in
                var ports = ports
                ports.freezes = Forgetful()
                return ports
            }
            if await !world.run().isEmpty { return }
        }
        Issue.record("nothing was found")
    }
}
