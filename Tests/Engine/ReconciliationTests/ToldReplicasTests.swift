import Deployments
import Planning
import Reconciliation
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
        let before = told.applied(to: look, seenAt: Self.time + .seconds(-2))
        #expect(before.map(\.state) == [.ready, .stopping])
        // One that is newer shows for itself, and ends what was told.
        #expect(told.applied(to: look, seenAt: Self.time + .seconds(1)) == look)
        #expect(told.applied(to: look, seenAt: Self.time + .seconds(-2)) == look)
    }

    @Test
    func `what was started after a look was taken is in it, so that no other is started in its place`() {
        var told = ToldReplicas()
        told.note(.start(self.id(2)), at: Self.time)
        let look = [Replica(id: self.id(0), state: .ready)]
        let seen = told.applied(to: look, seenAt: Self.time + .seconds(-1))
        #expect(seen.map(\.id) == [self.id(0), self.id(2)])
        #expect(seen.last?.state == .starting)
        let known = look + [Replica(id: self.id(2), state: .backingOff(until: Self.time))]
        #expect(told.applied(to: known, seenAt: Self.time + .seconds(-1)) == known)
    }

    @Test
    func `the last word on a replica counts`() {
        let look = [Replica(id: self.id(0), state: .ready)]
        var told = ToldReplicas()
        told.note(.drain(self.id(0)), at: Self.time)
        let seen = told.applied(to: look, seenAt: Self.time + .seconds(-1))
        #expect(seen.first?.state == .draining(since: Self.time))
        told.note(.undrain(self.id(0)), at: Self.time + .seconds(1))
        #expect(told.applied(to: look, seenAt: Self.time + .seconds(-1)) == look)
        told.note(.route(Traffic()), at: Self.time + .seconds(2))
        #expect(told.applied(to: look, seenAt: Self.time + .seconds(-1)) == look)
    }
}
