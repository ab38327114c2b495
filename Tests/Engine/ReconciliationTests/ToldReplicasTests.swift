import Deployments
import Logging
import Manifests
import Planning
import Reconciliation
import Synchronization
import Testing

@Suite("Looks that arrive late")
struct ToldReplicasTests {
    static let revision = Revision(digest: "aaaaaaaaaaaa")
    static let time = Timestamp(milliseconds: 1_000_000)

    func id(_ ordinal: Int) -> ReplicaID {
        ReplicaID(
            deployment: DeploymentID(namespace: "default", name: "model"),
            revision: Self.revision,
            ordinal: ordinal
        )
    }

    @Test
    func `what was stopped after a look was taken is not ready in it`() {
        let look = [Replica(id: self.id(0), state: .ready), Replica(id: self.id(1), state: .ready)]
        var told = ToldReplicas()
        told.note(.stop(self.id(1)), at: Self.time)
        told.forget(before: Self.time + .seconds(-2))
        #expect(told.applied(to: look).map(\.state) == [.ready, .stopping])
        // A newer look shows for itself.
        told.forget(before: Self.time + .seconds(1))
        #expect(told.applied(to: look) == look)
    }

    @Test
    func `what was started after a look was taken is in it, so that no other is started in its place`() {
        var told = ToldReplicas()
        told.note(.start(self.id(2)), at: Self.time)
        let look = [Replica(id: self.id(0), state: .ready)]
        let seen = told.applied(to: look)
        #expect(seen.map(\.id) == [self.id(0), self.id(2)])
        #expect(seen.last?.state == .starting)
        let known = look + [Replica(id: self.id(2), state: .backingOff(until: Self.time))]
        #expect(told.applied(to: known) == known)
        #expect(told.applied(to: [], of: DeploymentID(namespace: "default", name: "another")).isEmpty)
    }

    @Test
    func `what was started and stopped since a look still takes its room`() {
        var told = ToldReplicas()
        told.note(.start(self.id(2)), at: Self.time)
        told.note(.stop(self.id(2)), at: Self.time)
        #expect(told.applied(to: []).map(\.state) == [.stopping])
    }

    @Test
    func `what was drained since a look is none that can be spared in it`() {
        let look = [Replica(id: self.id(0), state: .ready)]
        var told = ToldReplicas()
        told.note(.drain(self.id(0)), at: Self.time)
        told.note(.route(Traffic()), at: Self.time)
        #expect(told.applied(to: look).map(\.state) == [.draining(since: Self.time)])
        told.note(.stop(self.id(0)), at: Self.time)
        #expect(told.applied(to: look).first?.state == .stopping)
        told.note(.undrain(self.id(0)), at: Self.time)
        #expect(told.applied(to: look) == look)
    }

    @Test
    func `what was drained since an old look was ready then, and is not stopped for having crashed before`() {
        let look = [Replica(id: self.id(0), state: .backingOff(until: Self.time))]
        var told = ToldReplicas()
        told.note(.drain(self.id(0)), at: Self.time)
        #expect(told.applied(to: look).first?.state == .draining(since: Self.time))
    }

    @Test
    func `what drained and was had back since a look is ready in it, and not stopped as one that drained long enough`()
    {
        let look = [Replica(id: self.id(0), state: .draining(since: Self.time + .seconds(-60)))]
        var told = ToldReplicas()
        told.note(.undrain(self.id(0)), at: Self.time)
        #expect(told.applied(to: look).first?.state == .ready)
        told.note(.drain(self.id(0)), at: Self.time + .seconds(1))
        #expect(told.applied(to: look).first?.state == .draining(since: Self.time + .seconds(1)))
    }

    @Test
    func `what was told without an answer is neither counted on nor stopped until a look shows what it does`() {
        let look = [
            Replica(id: self.id(0), state: .draining(since: Self.time + .seconds(-60))),
            Replica(id: self.id(1), state: .ready), Replica(id: self.id(2), state: .ready),
        ]
        var told = ToldReplicas()
        told.note(unanswered: .undrain(self.id(0)), at: Self.time)
        told.note(unanswered: .drain(self.id(1)), at: Self.time)
        told.note(unanswered: .stop(self.id(2)), at: Self.time)
        told.note(unanswered: .start(self.id(3)), at: Self.time)
        let later = Self.time + .hours(1)
        #expect(told.applied(to: look).map(\.state) == [.draining(since: later), .draining(since: later), .stopping])
        told.note(.undrain(self.id(0)), at: Self.time)
        #expect(told.applied(to: look).first?.state == .ready, "this one was answered")
        told.forget(before: Self.time + .seconds(1))
        #expect(told.applied(to: look) == look)
    }

    @Test
    func `the fleet decides on a late look with what it told since`() async throws {
        let world = InMemoryWorld()
        ReconcilerTests.push("1", to: world)
        let reconciler = ReconcilerTests.reconciler(on: world)
        var fleet = Fleet(
            ports: reconciler.ports,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            contents: JournalContents()
        )
        let look = InMemoryWorld.now()
        await fleet.handle(.platform(.success([]), at: look))
        await fleet.handle(.router(.success(try await world.observe()), at: look))
        await fleet.handle(.polled("models", .success(world.commit)))
        let id = ReconcilerTests.id
        let seen = { (fleet: borrowing Fleet) in fleet.snapshot.deployments[id]?.observation.replicas.last ?? [] }
        #expect(try await world.replicas().count == 1)
        // Taken before the replica was started, and late: another replica with it makes it news.
        let stranger = Replica(id: self.other(of: id), state: .failed)
        await fleet.handle(.platform(.success([stranger]), at: look))
        #expect(seen(fleet).map(\.state).contains(.starting))
    }

    private func other(of id: DeploymentID) -> ReplicaID {
        ReplicaID(deployment: id, revision: Revision(digest: "cccccccccccc"), ordinal: 0)
    }
}
