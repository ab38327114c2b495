import Deployments
import Rollouts
import Testing

/// An answer that got lost, or a person who was woken by what is over: the same word again.
@Suite
struct RepeatedRollbackTests {
    private static let rollback = Command(.rollback(to: nil), by: "sre", why: "wrong labels")

    /// `next` serves, `good` did before, and `third` is a canary.
    private static func third() -> Stage {
        var stage = Stage.stepping()
        stage.run { $0.rollout.phase == .settled }
        stage.desired = .spec(Stage.spec(Stage.third))
        stage.run { if case .stepping(0, .some) = $0.rollout.phase { true } else { false } }
        return stage
    }

    /// Says it again in every tick of a minute.
    private func repeated(_ stage: inout Stage) -> [CommandAnswer] {
        var answers: [CommandAnswer] = []
        for _ in 0..<60 {
            stage.tick(Self.rollback)
            answers += stage.answers
        }
        return answers
    }

    @Test
    func `a rollback of a canary that is said again takes nothing from the revision before`() {
        var stage = Self.third()
        stage.tick(Self.rollback)
        #expect(stage.answers.first?.isChanged == true)
        #expect(self.repeated(&stage).allSatisfy { !$0.isChanged })
        #expect(stage.rollout.stable?.revision == Stage.next)
        #expect(stage.rollout.quarantine.keys.sorted() == [Stage.third])
        #expect(
            stage.answers.first?.message
                == """
                magika c (main@sha1:cccccccc) was taken back already (rolled back by sre: wrong labels), and magika b \
                (main@sha1:bbbbbbbb) serves; `controller rollback search/file-type --to aaaaaaaaaa` goes to magika a \
                (main@sha1:aaaaaaaa)
                """
        )
    }

    @Test
    func `a revert that is asked for too late is not said to be needless`() {
        var stage = Self.third()
        stage.errors[Stage.third] = 50
        stage.run { $0.rollout.phase == .settled }
        stage.tick(Command(.rollback(to: nil), by: "sre", revert: .branch))
        let message = stage.answers.first?.message ?? ""
        #expect(message.hasSuffix("git stays as it is: a revert goes with a rollback, so revert the merge yourself"))
        #expect(!stage.transitions.contains { $0.revert != nil })
    }

    @Test
    func `a rollback behind one by rule takes nothing from the revision before`() {
        var stage = Self.third()
        stage.errors[Stage.third] = 50
        stage.run { $0.rollout.phase == .settled }
        #expect(self.repeated(&stage).allSatisfy { !$0.isChanged })
        #expect(stage.rollout.stable?.revision == Stage.next)
        #expect(stage.answers.first?.message.contains("was taken back already (gate errors failed") == true)
    }

    @Test
    func `a return that is under way is not turned round by the word that began it`() {
        var stage = Self.third()
        stage.run { $0.rollout.phase == .settled }
        stage.replicas[Stage.next] = .starting
        stage.tick(Self.rollback)
        for _ in 0..<10 { stage.tick(Self.rollback) }
        #expect(stage.rollout.canary?.revision == Stage.next)
        #expect(stage.answers.first?.isChanged == false)
        #expect(
            stage.answers.first?.message
                == "magika b (main@sha1:bbbbbbbb) is on its way already; `controller abort search/file-type` ends that"
        )
        stage.replicas[Stage.next] = nil
        #expect(self.repeated(&stage).allSatisfy { !$0.isChanged })
        #expect(stage.rollout.stable?.revision == Stage.next)
        #expect(stage.rollout.quarantine.keys.sorted() == [Stage.third])
        #expect(
            stage.answers.first?.message.hasPrefix("magika b (main@sha1:bbbbbbbb) serves since sre went back to it")
                == true
        )
    }

    @Test
    func `further back leads a goal, and what git names next is rolled back like anything`() {
        var stage = Self.third()
        stage.tick(Self.rollback)
        stage.run { $0.rollout.phase == .settled }
        stage.tick(Command(.rollback(to: Stage.good), by: "sre"))
        #expect(stage.answers.first?.isChanged == true)
        stage.run { $0.rollout.stable?.revision == Stage.good }
        #expect(stage.rollout.stable?.revision == Stage.good)
        stage.tick(Self.rollback)
        #expect(stage.answers.first?.message.hasSuffix("the history holds no other revision") == true)

        let fourth = Revision(digest: "dddddddddddd")
        stage.desired = .spec(Stage.spec(fourth))
        stage.run { if case .stepping(0, .some) = $0.rollout.phase { true } else { false } }
        stage.tick(Self.rollback)
        #expect(stage.answers.first?.isChanged == true)
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.stable?.revision == Stage.good)
        #expect(stage.rollout.quarantine[fourth] != nil)
    }
}
