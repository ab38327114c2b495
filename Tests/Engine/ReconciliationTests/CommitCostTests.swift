import Decisions
import Deployments
import Logging
import Manifests
import Reconciliation
import Rollouts
import Synchronization
import Testing

/// What a commit makes the loop do.
@Suite
struct CommitCostTests {
    private final class Listener: Sendable {
        let decided = Mutex<[DeploymentID]>([])

        func take() -> [String] {
            self.decided.withLock { decided in
                defer { decided = [] }
                return decided.map(\.name)
            }
        }
    }

    private static let names = ["a", "b", "c", "d"]

    private static func commit(_ number: Int, versions: [String: String] = [:], without gone: String? = nil)
        -> DesiredCommit
    {
        let origin = CommitReference(repository: "models", branch: "main", commit: "\(number)")
        let specs = Self.names.filter { $0 != gone }.map { name in
            var spec = DesiredStateTrackerTests.spec(name)
            spec.revision = Revision(digest: name + (versions[name] ?? "1"))
            spec.origin.commit = origin.commit
            return spec
        }
        return DesiredCommit(origin: origin, state: DesiredState(deployments: specs))
    }

    private static func fleet(on world: InMemoryWorld, _ listener: Listener) async throws -> Fleet {
        var functions = DecisionFunctions()
        functions.listen = { decision in listener.decided.withLock { $0.append(decision.deployment) } }
        var fleet = Fleet(
            ports: ReconcilerTests.reconciler(on: world).ports,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            contents: JournalContents(),
            functions: functions
        )
        await fleet.handle(.platform(.success([]), at: InMemoryWorld.now()))
        await fleet.handle(.router(.success(try await world.observe()), at: InMemoryWorld.now()))
        await fleet.handle(.polled("models", .success(Self.commit(1))))
        for _ in 0..<8 {
            await fleet.handle(.platform(.success(try await world.replicas()), at: InMemoryWorld.now()))
            await fleet.handle(.router(.success(try await world.observe()), at: InMemoryWorld.now()))
        }
        _ = listener.take()
        return fleet
    }

    @Test
    func `a commit is decided on for the deployments that it changes, and no others`() async throws {
        let (world, listener) = (InMemoryWorld(), Listener())
        var fleet = try await Self.fleet(on: world, listener)
        await fleet.handle(.polled("models", .success(Self.commit(2))))
        #expect(listener.take() == [])
        await fleet.handle(.polled("models", .success(Self.commit(3, versions: ["c": "2"]))))
        #expect(listener.take() == ["c"])
        await fleet.handle(.polled("models", .success(nil)))
        #expect(listener.take() == [])
        let commits = Self.names.map { name in
            fleet.members[DeploymentID(namespace: "default", name: name)]?.rollout.desired?.origin.commit
        }
        #expect(commits == ["1", "1", "3", "1"], "of the commit that brought it")
    }

    @Test
    func `a commit that changes nothing of what is wanted is not journaled for anybody`() async throws {
        let (world, listener) = (InMemoryWorld(), Listener())
        var fleet = try await Self.fleet(on: world, listener)
        let records = world.state.withLock { $0.records.count }
        await fleet.handle(.polled("models", .success(Self.commit(2))))
        await fleet.handle(.router(.success(try await world.observe()), at: InMemoryWorld.now()))
        #expect(world.state.withLock { $0.records.count } == records)
    }

    @Test
    func `each poll looks at what is gone from git until it is removed`() async throws {
        let (world, listener) = (InMemoryWorld(), Listener())
        var fleet = try await Self.fleet(on: world, listener)
        await fleet.handle(.polled("models", .success(Self.commit(2, without: "b"))))
        #expect(listener.take() == ["b"])
        await fleet.handle(.polled("models", .success(nil)))
        #expect(listener.take().allSatisfy { $0 == "b" })
        let id = DeploymentID(namespace: "default", name: "b")
        #expect(fleet.snapshot.deployments[id]?.notes.contains { $0.contains("gone from git") } ?? false)
    }
}
