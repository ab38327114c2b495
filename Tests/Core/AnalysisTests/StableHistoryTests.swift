import Analysis
import Deployments
import Testing

@Suite("Stable's history")
struct StableHistoryTests {
    @Test
    func `independent errors have no burst factor, clustered ones do`() {
        for (cluster, isBursty) in [(1, false), (10, true)] as [(Int64, Bool)] {
            var world = World(seed: 1)
            var history = StableHistory(revision: World.stable)
            for _ in 0..<1800 {
                _ = world.run()
                let errors = cluster * world.random.bad(of: 200, rate: 0.002)
                world.counters[World.stable]?.serverErrors += min(errors, 190)
                history.add(world.sample)
            }
            #expect((history.burst > 1) == isBursty, "cluster \(cluster): \(history.burst)")
        }
    }

    @Test
    func `a new stable has a factor of one`() {
        #expect(StableHistory(revision: World.stable).burst == 1)
    }

    @Test
    func `the bound comes from the gate, then the objectives, then the history`() {
        var world = World(seed: 2)
        let history = world.run(seconds: 60).tracks[World.stable]?.latency ?? LatencyHistogram()
        let objectives = [800, 400].map {
            Objective(name: "l", percent: 99, indicator: .latency(below: .milliseconds($0)), window: .hours(1))
        }
        let own = Gate.latency(below: .milliseconds(125))
        #expect(latencyBound(for: own, objectives: objectives, history: history) == 125)
        #expect(latencyBound(for: .latency(), objectives: objectives, history: history) == 400)
        #expect(latencyBound(for: .latency(), objectives: [], history: history) == 25)
        #expect(latencyBound(for: .latency(), objectives: [], history: LatencyHistogram()) == nil)
        #expect(latencyBound(for: .errors, objectives: objectives, history: history) == nil)
    }
}
