import Analysis
import Deployments
import Foundation
import Testing

@Suite("Objectives after promotion")
struct ObjectiveWatchTests {
    static let availability = Objective(
        name: "availability",
        percent: 99,
        indicator: .availability,
        window: .hours(720)
    )
    static let latency = Objective(
        name: "latency",
        percent: 95,
        indicator: .latency(below: .milliseconds(250)),
        window: .hours(720)
    )

    private func world(seed: UInt64, requestsPerSecond: Int64) -> World {
        var world = World(seed: seed)
        world.weight = .all
        world.requestsPerSecond = requestsPerSecond
        return world
    }

    private func watch(_ world: World) -> ObjectiveWatch {
        var watch = ObjectiveWatch(
            objectives: [Self.availability, Self.latency],
            revision: World.canary,
            since: world.time
        )
        watch.add(world.sample)
        return watch
    }

    @Test
    func `an outage is found within seconds, at once or late`() {
        for quietMinutes in [0, 25, 90] {
            var world = self.world(seed: 1, requestsPerSecond: 50)
            var watch = self.watch(world)
            for _ in 0..<quietMinutes * 12 { watch.add(world.run(seconds: 5)) }
            #expect(watch.breaches(at: world.time).isEmpty)
            world.canaryErrors = 0.5
            var seconds = 0
            while watch.breaches(at: world.time).isEmpty, seconds < 3600 {
                watch.add(world.run(seconds: 5))
                seconds += 5
            }
            // The last five minutes are a tenth bad after one minute in which half was.
            #expect(seconds <= (quietMinutes == 0 ? 15 : 70), "\(quietMinutes) min: \(seconds) s")
            #expect(watch.breaches(at: world.time).map(\.objective) == ["availability"])
        }
    }

    @Test
    func `a slow revision breaks its latency objective`() throws {
        var world = self.world(seed: 2, requestsPerSecond: 50)
        world.canarySlow = 0.9
        var watch = self.watch(world)
        for _ in 0..<20 { watch.add(world.run()) }
        let breach = try #require(watch.breaches(at: world.time).first)
        #expect(breach.objective == "latency")
        #expect(breach.text.contains("of 1000 requests bad in 20s"))
        #expect(breach.text.hasSuffix("times what 95 % allows (limit 10 times)"))
    }

    @Test
    func `an outage of seconds breaks nothing`() {
        var world = self.world(seed: 7, requestsPerSecond: 50)
        var watch = self.watch(world)
        for _ in 0..<60 { watch.add(world.run(seconds: 10)) }
        world.canaryErrors = 1
        for _ in 0..<10 {
            watch.add(world.run())
            #expect(watch.breaches(at: world.time).isEmpty)
        }
        world.canaryErrors = 0
        for _ in 0..<600 {
            watch.add(world.run())
            #expect(watch.breaches(at: world.time).isEmpty)
        }
    }

    @Test
    func `a slow burn is found over the longer windows`() throws {
        var world = self.world(seed: 8, requestsPerSecond: 50)
        var watch = self.watch(world)
        for _ in 0..<60 { watch.add(world.run(seconds: 10)) }
        world.canaryErrors = 0.08
        var seconds = 0
        while watch.breaches(at: world.time).isEmpty, seconds < 6 * 3600 {
            watch.add(world.run(seconds: 10))
            seconds += 10
        }
        #expect((600...5400).contains(seconds), "\(seconds) s")
        #expect(try #require(watch.breaches(at: world.time).first).text.hasSuffix("(limit 6 times)"))
    }

    @Test
    func `a handful of errors at low traffic breaks nothing`() {
        for seed in 0..<20 as Range<UInt64> {
            var world = self.world(seed: seed, requestsPerSecond: 1)
            var watch = self.watch(world)
            world.counters[World.canary]?.serverErrors += 2
            world.counters[World.canary]?.requests += 2
            world.time = world.time + .seconds(1)
            watch.add(world.sample)
            #expect(watch.breaches(at: world.time).isEmpty)
            world.canaryErrors = 0.02
            for _ in 0..<180 {
                watch.add(world.run(seconds: 10))
                #expect(watch.breaches(at: world.time).isEmpty)
            }
        }
    }

    @Test
    func `errors that are over break nothing any more`() {
        var world = self.world(seed: 3, requestsPerSecond: 50)
        var watch = self.watch(world)
        world.canaryErrors = 0.5
        for _ in 0..<60 { watch.add(world.run()) }
        #expect(!watch.breaches(at: world.time).isEmpty)
        world.canaryErrors = 0
        for _ in 0..<30 * 12 { watch.add(world.run(seconds: 5)) }
        #expect(watch.breaches(at: world.time).isEmpty)
    }

    @Test
    func `a revision at its burn limit is reported no more often than promised`() {
        var reported = 0
        for seed in 0..<100 as Range<UInt64> {
            var world = self.world(seed: seed, requestsPerSecond: 20)
            var watch = self.watch(world)
            // Exactly six times the budget of 1 percent: the limit of the slower rule.
            world.canaryErrors = 0.06
            for _ in 0..<90 {
                watch.add(world.run(seconds: 20))
                if !watch.breaches(at: world.time).isEmpty {
                    reported += 1
                    break
                }
            }
        }
        // α = 1 percent of 100 is 1, and so is its standard deviation.
        #expect(reported <= 4, "\(reported) of 100")
    }

    @Test
    func `a reset of the counters is no flood of errors`() {
        var world = self.world(seed: 4, requestsPerSecond: 50)
        var watch = self.watch(world)
        for _ in 0..<10 { watch.add(world.run()) }
        world.counters[World.canary] = World.empty
        world.counters[World.canary]?.serverErrors = 40
        world.counters[World.canary]?.requests = 40
        for _ in 0..<10 { watch.add(world.run()) }
        #expect(watch.breaches(at: world.time).isEmpty)
    }

    @Test
    func `no data break nothing`() {
        let world = self.world(seed: 5, requestsPerSecond: 0)
        let watch = self.watch(world)
        #expect(watch.breaches(at: world.time + .hours(2)).isEmpty)
    }

    @Test
    func `the state stays small and survives a restart`() throws {
        var world = self.world(seed: 6, requestsPerSecond: 50)
        world.canaryErrors = 0.001
        var watch = self.watch(world)
        for _ in 0..<24 * 60 { watch.add(world.run(seconds: 60)) }
        let data = try JSONEncoder().encode(watch)
        #expect(data.count < 8192, "\(data.count) bytes")
        #expect(try JSONDecoder().decode(ObjectiveWatch.self, from: data) == watch)
    }
}
