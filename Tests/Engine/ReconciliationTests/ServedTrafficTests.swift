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
    private static func fleet(on world: InMemoryWorld, _ contents: JournalContents = JournalContents()) -> Fleet {
        let reader = ManifestReader()
        return Fleet(
            ports: ReconcilerTests.reconciler(on: world).ports,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            contents: contents,
            read: { reader.read($0.files, origin: $0.origin) }
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
        await first.handle(.polled("models", .success(world.state.withLock { $0.snapshot })))
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
}
