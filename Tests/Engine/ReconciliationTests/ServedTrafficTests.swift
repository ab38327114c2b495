import Deployments
import Logging
import Manifests
import Reconciliation
import Rollouts
import Synchronization
import Testing

/// What a router serves that nobody remembers to have asked for.
@Suite
struct ServedTrafficTests {
    private static func fleet(
        on world: InMemoryWorld,
        _ contents: JournalContents = JournalContents(),
        now: @escaping @Sendable () -> Timestamp = { InMemoryWorld.now() }
    ) -> Fleet {
        var ports = ReconcilerTests.reconciler(on: world).ports
        ports.now = now
        return Fleet(
            ports: ports,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            contents: contents
        )
    }

    @Test
    func `the first table leaves a router what it serves and was not asked for`() async throws {
        let world = InMemoryWorld()
        ReconcilerTests.push("1", to: world)
        // The journal was lost, and the router shows nothing of the deployment at that moment.
        var first = Self.fleet(on: world)
        await first.handle(.platform(.success([]), at: InMemoryWorld.now()))
        await first.handle(.router(.success(try await world.observe()), at: InMemoryWorld.now()))
        await first.handle(.polled("models", .success(world.commit)))
        let id = ReconcilerTests.id
        _ = await first.obey(Command(.pause(until: nil), by: "sre"), for: id)
        let revision = try #require(first.members[id]?.rollout.canary?.revision)
        #expect(first.members[id]?.asked == nil)

        world.state.withLock { $0.traffic = [id: .all(to: revision)] }
        var second = Self.fleet(on: world, try await world.load())
        await second.handle(.platform(.success(try await world.replicas()), at: InMemoryWorld.now()))
        await second.handle(.router(.success(try await world.observe()), at: InMemoryWorld.now()))
        #expect(second.members[id]?.rollout.phase == .preparing)
        #expect(world.state.withLock { $0.traffic[id] } == .all(to: revision))
    }

    /// An older table may still be on its way to it.
    @Test(arguments: [true, false])
    func `a router that refused the last table is told it again, however well it looks`(isRefused: Bool) async throws {
        let world = InMemoryWorld()
        ReconcilerTests.push("1", to: world)
        let clock = Clock()
        var fleet = Self.fleet(on: world, now: { clock.now })
        let look = { (fleet: inout Fleet) in
            await fleet.handle(.platform(.success(try await world.replicas()), at: clock.now))
            var observation = try await world.observe()
            observation.time = clock.now
            if isRefused { observation.states[ReconcilerTests.id]?.rejection = "unknown field" }
            await fleet.handle(.router(.success(observation), at: clock.now))
        }
        await fleet.handle(.polled("models", .success(world.commit)))
        for _ in 0..<5 { try await look(&fleet) }
        let member = try #require(fleet.members[ReconcilerTests.id])
        let stable = try #require(member.rollout.stable?.revision)
        #expect(world.state.withLock { $0.traffic[ReconcilerTests.id] } == .all(to: stable))
        let told = world.state.withLock { $0.tables.count }

        // It had time enough to take it.
        clock.advance(by: .seconds(11))
        try await look(&fleet)
        #expect(world.state.withLock { $0.tables.count } == told + (isRefused ? 1 : 0))
    }

    private final class Clock: Sendable {
        private let time = Mutex(InMemoryWorld.now())

        var now: Timestamp { self.time.withLock { $0 } }

        func advance(by interval: Duration) { self.time.withLock { $0 = $0 + interval } }
    }
}
