import Deployments
import Rollouts
import Testing

/// When a manifest is to be put back in git.
@Suite
struct RevertTests {
    private static let policy: RolloutPolicy = {
        var policy = Stage.policy
        policy.revert = .branch
        return policy
    }()

    private func reverts(_ stage: Stage) -> [ManifestRevert] { stage.transitions.compactMap(\.revert) }

    @Test
    func `a failed gate reverts what git names to what serves, once, where the manifest wants that`() throws {
        var stage = Stage.stepping(policy: Self.policy)
        stage.errors[Stage.next] = 50
        stage.run { $0.rollout.phase == .settled }
        let revert = try #require(self.reverts(stage).first)
        #expect(self.reverts(stage).count == 1)
        #expect(revert.mode == .branch)
        #expect(revert.failed.commit == "bbbbbbbb")
        #expect(revert.restored.commit == "aaaaaaaa")
        #expect(revert.isAutomatic)
        #expect(revert.reason.hasPrefix("gate errors failed"))
        // Seen again and again, the same commit asks for nothing more.
        for _ in 0..<50 { stage.tick() }
        #expect(self.reverts(stage).count == 1)
    }

    @Test
    func `without a word in the manifest, a failed gate leaves git alone`() {
        var stage = Stage.stepping()
        stage.errors[Stage.next] = 50
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.quarantine[Stage.next] != nil)
        #expect(self.reverts(stage).isEmpty)
    }

    @Test
    func `an operator's word goes before the manifest's`() throws {
        for policy in [Stage.policy, Self.policy] {
            var stage = Stage.stepping(policy: policy)
            stage.tick(Command(.rollback(to: nil), by: "ada", why: "wrong", revert: .push))
            let revert = try #require(self.reverts(stage).first)
            #expect(self.reverts(stage).count == 1)
            #expect(revert.mode == .push)
            #expect(!revert.isAutomatic)
            #expect(stage.answers.first?.message.hasSuffix("a revert goes to the watched branch") == true)
        }
    }

    @Test
    func `a breach in the bake reverts to the revision before`() throws {
        var stage = Stage.stepping(policy: Self.policy)
        stage.run { $0.rollout.phase == .baking }
        stage.errors[Stage.next] = 50
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.stable?.revision == Stage.good)
        let revert = try #require(self.reverts(stage).first)
        #expect([revert.failed.commit, revert.restored.commit] == ["bbbbbbbb", "aaaaaaaa"])
    }

    @Test
    func `what git went back from, or on from, is not reverted`() {
        for (next, holds) in [(Stage.good, true), (Stage.third, false)] {
            var stage = Stage.stepping(policy: Self.policy)
            stage.desired = .spec(Stage.spec(next, policy: Self.policy))
            if !holds { stage.errors[Stage.next] = 50 }
            stage.run { $0.rollout.phase == .settled && $0.rollout.canary == nil }
            #expect(self.reverts(stage).isEmpty)
        }
    }

    @Test
    func `a return to a revision of the history reverts to that one, and only to that one`() throws {
        var stage = Stage.settled(policy: Self.policy)
        for revision in [Stage.next, Stage.third] {
            stage.desired = .spec(Stage.spec(revision, policy: Self.policy))
            stage.run { $0.rollout.stable?.revision == revision && $0.rollout.phase == .settled }
        }
        stage.tick(Command(.rollback(to: Stage.good), by: "ada", revert: .branch))
        let revert = try #require(self.reverts(stage).first)
        #expect(self.reverts(stage).count == 1)
        #expect([revert.failed.commit, revert.restored.commit] == ["cccccccc", "aaaaaaaa"])
        stage.run { $0.rollout.stable?.revision == Stage.good && $0.rollout.phase == .settled }
        // Git says what serves: the pin has done its part.
        stage.desired = .spec(Stage.spec(Stage.good, policy: Self.policy))
        stage.tick()
        #expect(stage.rollout.pin == nil)
        #expect(self.reverts(stage).count == 1)
    }

    @Test
    func `a return that overtakes a canary reverts it to where it goes, and to nothing else`() throws {
        var stage = Stage.settled(policy: Self.policy)
        stage.desired = .spec(Stage.spec(Stage.next, policy: Self.policy))
        stage.run { $0.rollout.stable?.revision == Stage.next && $0.rollout.phase == .settled }
        stage.desired = .spec(Stage.spec(Stage.third, policy: Self.policy))
        stage.run { if case .stepping(0, .some) = $0.rollout.phase { true } else { false } }
        stage.tick(Command(.rollback(to: Stage.good), by: "ada", revert: .branch))
        let revert = try #require(self.reverts(stage).first)
        #expect(self.reverts(stage).count == 1)
        #expect([revert.failed.commit, revert.restored.commit] == ["cccccccc", "aaaaaaaa"])
    }

    @Test
    func `what serves and is in quarantine itself is not put back`() {
        var stage = Stage.settled(policy: Self.policy)
        stage.desired = .spec(Stage.spec(Stage.next, policy: Self.policy))
        stage.run { $0.rollout.stable?.revision == Stage.next && $0.rollout.phase == .settled }
        // The operator's way back takes its time, and the team's fix comes before it is over; it fails, too.
        stage.replicas[Stage.good] = .starting
        stage.tick(Command(.rollback(to: nil), by: "ada"))
        stage.desired = .spec(Stage.spec(Stage.third, policy: Self.policy))
        stage.errors[Stage.third] = 50
        stage.run { $0.rollout.quarantine[Stage.third] != nil && $0.rollout.phase == .settled }
        #expect(stage.rollout.stable?.revision == Stage.next)
        #expect(stage.rollout.quarantine[Stage.next] != nil)
        #expect(!self.reverts(stage).contains { $0.failed.commit == "cccccccc" })
    }

    @Test
    func `a first revision that fails leaves nothing to go back to, and the answer says so`() {
        var stage = Stage()
        stage.replicas[Stage.next] = .starting
        stage.desired = .spec(Stage.spec(Stage.next, policy: Self.policy))
        stage.tick()
        stage.tick(Command(.rollback(to: nil), by: "ada", revert: .branch))
        #expect(self.reverts(stage).isEmpty)
        #expect(stage.answers.first?.message.contains("git stays as it is") == true)
    }
}
