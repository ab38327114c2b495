import Deployments
import Logging
import Manifests
import Rollouts
import Synchronization
import Testing

@testable import Reconciliation

@Suite("What readers are shown of the fleet", .timeLimit(.minutes(5)))
struct ShownTests {
    private static let names = ["d", "b", "a", "c"]

    private static func id(_ name: String) -> DeploymentID { DeploymentID(namespace: "default", name: name) }

    private static func commit(_ number: Int, _ names: [String]) -> Event {
        let origin = CommitReference(repository: "models", branch: "main", commit: "\(number)")
        let specs = names.map { DesiredStateTrackerTests.spec($0) }
        return .polled("models", .success(DesiredCommit(origin: origin, state: DesiredState(deployments: specs))))
    }

    private static func look(_ fleet: inout Fleet, at world: InMemoryWorld) async throws {
        await fleet.handle(.platform(.success(try await world.replicas()), at: InMemoryWorld.now()))
        await fleet.handle(.router(.success(try await world.observe()), at: InMemoryWorld.now()))
    }

    private static func fleet(_ world: InMemoryWorld) async throws -> Fleet {
        var fleet = Fleet(
            ports: ReconcilerTests.reconciler(on: world).ports,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            contents: JournalContents()
        )
        try await Self.look(&fleet, at: world)
        await fleet.handle(Self.commit(1, Self.names))
        for _ in 0..<8 { try await Self.look(&fleet, at: world) }
        return fleet
    }

    private static func paused(_ snapshot: FleetSnapshot) -> Set<String> {
        Set(snapshot.deployments.filter { $0.value.rollout.pause != nil }.map(\.key.name))
    }

    @Test
    func `whoever is answered sees what was done, and the others are shown as before`() async throws {
        let world = InMemoryWorld()
        var fleet = try await Self.fleet(world)
        var shown = fleet.snapshot
        for name in ["a", "b"] {
            #expect(await fleet.obey(Command(.pause(until: nil), by: "sre"), for: Self.id(name)).isAccepted)
        }
        fleet.journalProblem = "the disk is full"
        let time = InMemoryWorld.now()
        fleet.show([Self.id("a")], in: &shown)
        #expect(Self.paused(shown) == ["a"])
        #expect(shown.deployments.count == 4)
        #expect(shown.time >= time)
        #expect(shown.journalProblem == "the disk is full")
        #expect(Self.paused(fleet.snapshot) == ["a", "b"])
    }

    @Test
    func `what was shown before stays as it was`() async throws {
        let world = InMemoryWorld()
        var fleet = try await Self.fleet(world)
        let before = fleet.snapshot
        var after = before
        _ = await fleet.obey(Command(.pause(until: nil), by: "sre"), for: Self.id("a"))
        fleet.show([Self.id("a")], in: &after)
        #expect(Self.paused(before) == [])
        #expect(Self.paused(after) == ["a"])
    }

    @Test
    func `the names that are shown are those of the deployments, sorted, whoever comes and goes`() async throws {
        let world = InMemoryWorld()
        var fleet = try await Self.fleet(world)
        let before = fleet.snapshot
        #expect(before.names == ["a", "b", "c", "d"].map(Self.id))
        // One of five may go by an operator's word.
        await fleet.handle(Self.commit(2, ["a", "aa", "c", "d"]))
        await fleet.handle(Self.commit(3, ["a", "aa", "c", "d"]))
        #expect(fleet.snapshot.names == ["a", "aa", "b", "c", "d"].map(Self.id))
        _ = await fleet.prune(Self.id("b"), by: "sre")
        for _ in 0..<20 where fleet.members[Self.id("b")] != nil {
            try await Task.sleep(for: .milliseconds(2))
            try await Self.look(&fleet, at: world)
        }
        #expect(fleet.snapshot.names == ["a", "aa", "c", "d"].map(Self.id))
        // Of what came and went, only what is asked for.
        var shown = before
        fleet.show([Self.id("b")], in: &shown)
        #expect(shown.names == ["a", "c", "d"].map(Self.id))
        #expect(Set(shown.deployments.keys) == Set(["a", "c", "d"].map(Self.id)))
        fleet.show([Self.id("aa"), Self.id("a")], in: &shown)
        #expect(shown.names == ["a", "aa", "c", "d"].map(Self.id))
        #expect(shown.deployments.count == 4)
    }

    @Test
    func `of many that are told the same, all show it when they are answered`() async throws {
        let world = InMemoryWorld()
        let ids = (0..<50).map { Self.id("m\($0)") }
        let members = ids.map { Member(rollout: Rollout(id: $0, at: InMemoryWorld.now())) }
        world.state.withLock { $0.contents.members = Dictionary(uniqueKeysWithValues: zip(ids, members)) }
        try await ReconcilerTests.run(world) { reconciler in
            while !reconciler.current.hasLooked { try await Task.sleep(for: .milliseconds(5)) }
            let version = reconciler.current.version
            let answers = await reconciler.submit(Command(.pause(until: nil), by: "sre"), for: ids)
            let shown = reconciler.current
            #expect(answers.count == 50)
            #expect(shown.version > version)
            #expect(Self.paused(shown) == Set(ids.map(\.name)))
            for id in ids.prefix(3) {
                let version = reconciler.current.version
                #expect(await reconciler.submit(Command(.resume, by: "sre"), for: id).isAccepted)
                #expect(reconciler.current.version > version)
                #expect(reconciler.current.deployments[id]?.rollout.pause == nil)
            }
        }
    }
}
