import Analysis
import Deployments
import Rollouts
import Testing

/// What people, services and programs say before a rollout, before its promotion and after it.
@Suite
struct SignOffTests {
    private static let board = Gate(name: "board", kind: .webhook(WebhookQuery(provider: "approvals")))
    private static let pass = Measurement.Answer.verdict(GateVerdict(.pass, "CHG-1 is approved"))
    private static let fail = Measurement.Answer.verdict(GateVerdict(.fail, "CHG-1 was turned down"))
    private static let wait = Measurement.Answer.verdict(GateVerdict(.wait, "CHG-1 is being looked at"))
    private static let promote = Command(.promote(full: false, force: false), by: "lead", why: "looked at it")

    private static func policy(_ place: SignOff.Place, _ signOff: SignOff) -> RolloutPolicy {
        var policy = Stage.policy
        policy.signOffs = SignOffs()
        policy.signOffs?[place] = signOff
        return policy
    }

    private static func person(_ place: SignOff.Place) -> RolloutPolicy {
        Self.policy(place, SignOff(needsApproval: true))
    }

    private static func service(_ place: SignOff.Place, _ onFailure: Gate.FailureAction = .rollback) -> RolloutPolicy {
        var gate = Self.board
        gate.onFailure = onFailure
        return Self.policy(place, SignOff(gates: [gate]))
    }

    /// One revision serves, and another waits behind what its manifest wants.
    private static func waiting(_ policy: RolloutPolicy) -> Stage {
        var stage = Stage.settled()
        stage.desired = .spec(Stage.spec(Stage.next, policy: policy))
        stage.tick()
        return stage
    }

    // MARK: - Before the rollout

    @Test
    func `nothing of a revision starts before somebody has signed it off`() {
        var stage = Self.waiting(Self.person(.beforeRollout))
        for _ in 0..<50 { stage.tick() }
        #expect(stage.rollout.phase == .settled)
        #expect(stage.rollout.target.replicas.keys.sorted() == [Stage.good])
        #expect(
            stage.rollout.holds == [.awaitingSignOff(place: .beforeRollout, needsApproval: true, gates: [])]
        )
        #expect(stage.kinds.filter { $0 == .signOffAsked }.count == 1)
        stage.tick(Self.promote)
        #expect(stage.answers.first?.message == "signed magika b (main@sha1:bbbbbbbb) off before the rollout")
        let approval = stage.transitions.last { $0.kind == .approved }
        #expect(approval?.by == "lead")
        #expect(approval?.message == "signed off before the rollout: looked at it")
        #expect(stage.rollout.canary?.revision == Stage.next)
        stage.run { $0.rollout.phase == .settled && $0.rollout.stable?.revision == Stage.next }
        #expect(stage.rollout.stable?.revision == Stage.next)
        #expect(stage.rollout.signOffs == nil)
    }

    @Test
    func `a first revision is signed off like any other`() {
        var stage = Stage()
        stage.desired = .spec(Stage.spec(Stage.good, policy: Self.person(.beforeRollout)))
        for _ in 0..<20 { stage.tick() }
        #expect(stage.rollout.target.replicas.isEmpty)
        stage.tick(Self.promote)
        stage.run { $0.rollout.stable != nil }
        #expect(stage.rollout.stable?.revision == Stage.good)
    }

    @Test
    func `a service that waits is asked again, and one that says yes lets the rollout begin`() {
        var stage = Self.waiting(Self.service(.beforeRollout))
        stage.board = [.beforeRollout: Self.wait]
        for _ in 0..<30 { stage.tick() }
        #expect(stage.rollout.phase == .settled)
        #expect(
            stage.rollout.holds == [.awaitingSignOff(place: .beforeRollout, needsApproval: false, gates: ["board"])]
        )
        stage.board = [.beforeRollout: Self.pass]
        stage.run { $0.rollout.phase == .preparing }
        #expect(stage.rollout.canary?.revision == Stage.next)
    }

    @Test
    func `a service that says no quarantines what has not begun, and nothing of it ever runs`() {
        var stage = Self.waiting(Self.service(.beforeRollout))
        stage.board = [.beforeRollout: Self.fail]
        stage.tick()
        stage.tick()
        #expect(stage.rollout.phase == .settled)
        #expect(stage.rollout.quarantine[Stage.next] != nil)
        let outcome = stage.transitions.last { $0.isOutcome }
        #expect(outcome?.kind == .rolledBack)
        #expect(outcome?.revision == Stage.next)
        #expect(
            outcome?.message.hasPrefix("gate board failed: before the rollout: approvals says fail: CHG-1 was turned")
                == true
        )
        #expect(stage.rollout.holds.isEmpty)
        // The word is not asked for again, until somebody wants it to be.
        stage.board = [.beforeRollout: Self.pass]
        for _ in 0..<20 { stage.tick() }
        #expect(stage.rollout.phase == .settled)
        stage.tick(Command(.retry, by: "lead"))
        stage.run { $0.rollout.phase == .preparing }
        #expect(stage.rollout.canary?.revision == Stage.next)
    }

    @Test
    func `a service that does not answer holds, and blames nobody`() {
        var stage = Self.waiting(Self.service(.beforeRollout))
        stage.board = [.beforeRollout: .unavailable("connection refused")]
        for _ in 0..<200 { stage.tick() }
        #expect(stage.rollout.quarantine.isEmpty)
        #expect(stage.rollout.holds == [.noEvidence(gate: "board", why: "connection refused")])
    }

    @Test
    func `an approval given for one revision is none for the next`() {
        var stage = Self.waiting(
            Self.policy(.beforeRollout, SignOff(needsApproval: true, gates: [Self.board]))
        )
        stage.tick(Self.promote)
        #expect(stage.answers.first?.message.hasSuffix("it still takes gate board") == true)
        stage.desired = .spec(Stage.spec(Stage.third, policy: Self.person(.beforeRollout)))
        for _ in 0..<20 { stage.tick() }
        #expect(stage.rollout.phase == .settled)
        #expect(stage.rollout.signOff(.beforeRollout)?.revision == Stage.third)
        #expect(stage.rollout.signOff(.beforeRollout)?.lacksApproval == true)
    }

    @Test
    func `a sign-off that git words otherwise is asked for anew`() {
        let lax = Self.policy(.beforeRollout, SignOff(needsApproval: true, gates: [Self.board]))
        var stage = Self.waiting(lax)
        stage.tick(Self.promote)
        #expect(stage.rollout.signOff(.beforeRollout)?.approvedBy == "lead")
        var second = Self.board
        second.name = "second-board"
        let strict = Self.policy(.beforeRollout, SignOff(needsApproval: true, gates: [Self.board, second]))
        stage.desired = .spec(Stage.spec(Stage.next, policy: strict))
        stage.board = [.beforeRollout: Self.pass]
        for _ in 0..<20 { stage.tick() }
        #expect(stage.rollout.phase == .settled)
        #expect(stage.rollout.signOff(.beforeRollout)?.lacksApproval == true)
    }

    @Test
    func `an answer about one revision is none about the next, even in the same moment`() {
        var stage = Self.waiting(Self.service(.beforeRollout))
        stage.desired = .spec(Stage.spec(Stage.third, policy: Self.service(.beforeRollout)))
        stage.board = [.beforeRollout: Self.pass]
        stage.overtaken = SignOff.Asker(.beforeRollout, Stage.next)
        for _ in 0..<5 { stage.tick() }
        #expect(stage.rollout.phase == .settled)
        stage.overtaken = nil
        stage.run { $0.rollout.phase == .preparing }
        #expect(stage.rollout.canary?.revision == Stage.third)
    }

    @Test
    func `what git does not want any more is not asked about`() {
        var stage = Self.waiting(Self.person(.beforeRollout))
        stage.desired = .spec(Stage.spec(Stage.good))
        stage.tick()
        #expect(stage.rollout.signOffs == nil)
        #expect(stage.rollout.holds.isEmpty)
    }

    @Test
    func `a newer revision that must wait takes the traffic of the one in flight back to stable`() {
        var stage = Stage.stepping()
        stage.desired = .spec(Stage.spec(Stage.third, policy: Self.person(.beforeRollout)))
        stage.tick()
        #expect(stage.rollout.phase == .rollingBack(.cancelled))
        stage.run { $0.rollout.phase == .settled }
        for _ in 0..<20 { stage.tick() }
        #expect(stage.rollout.quarantine.isEmpty)
        #expect(stage.rollout.signOff(.beforeRollout)?.revision == Stage.third)
        stage.tick(Self.promote)
        stage.run { $0.rollout.canary?.revision == Stage.third }
        #expect(stage.rollout.canary?.revision == Stage.third)
    }

    @Test
    func `an operator's way back and git's in the bake wait for nobody's word`() {
        let policy = Self.person(.beforeRollout)
        var stage = Stage.settled(policy: policy)
        if stage.rollout.stable == nil {
            stage.tick(Self.promote)
            stage.run { $0.rollout.phase == .settled && $0.rollout.stable != nil }
        }
        stage.desired = .spec(Stage.spec(Stage.next, policy: policy))
        stage.tick()
        stage.tick(Self.promote)
        stage.run { $0.rollout.phase == .baking }
        stage.desired = .spec(Stage.spec(Stage.good, policy: policy))
        stage.run { $0.rollout.stable?.revision == Stage.good && $0.rollout.phase == .settled }
        #expect(stage.rollout.stable?.revision == Stage.good)

        stage.desired = .spec(Stage.spec(Stage.third, policy: policy))
        stage.tick()
        stage.tick(Self.promote)
        stage.run { $0.rollout.phase == .settled && $0.rollout.stable?.revision == Stage.third }
        stage.tick(Command(.rollback(to: Stage.good), by: "sre"))
        stage.run { $0.rollout.phase == .settled && $0.rollout.stable?.revision == Stage.good }
        #expect(stage.rollout.stable?.revision == Stage.good)
    }

    @Test
    func `while paused or frozen nothing is signed off`() {
        var stage = Self.waiting(Self.person(.beforeRollout))
        stage.tick(Command(.pause(until: nil), by: "sre", why: "incident"))
        stage.tick(Self.promote)
        #expect(stage.answers.first?.isAccepted == false)
        stage.tick(Command(.resume, by: "sre"))
        stage.freezes = [FreezeTests.window(stage.now, .seconds(10))]
        stage.tick(Self.promote)
        #expect(stage.answers.first?.isAccepted == false)
        #expect(stage.rollout.phase == .settled)
    }

    // MARK: - Before the promotion

    @Test
    func `after its last step a canary keeps its weight until it is signed off`() {
        var stage = Stage.stepping(policy: Self.person(.beforePromotion))
        stage.run { $0.rollout.signOff(.beforePromotion) != nil }
        for _ in 0..<300 { stage.tick() }
        #expect(stage.weight == 50)
        #expect(
            stage.rollout.holds == [.awaitingSignOff(place: .beforePromotion, needsApproval: true, gates: [])]
        )
        stage.tick(Self.promote)
        #expect(stage.answers.first?.isAccepted == true)
        stage.run { $0.rollout.phase == .baking }
        #expect(stage.rollout.stable?.revision == Stage.next)
    }

    @Test
    func `a gate that fails while a person is awaited takes the traffic back`() {
        var stage = Stage.stepping(policy: Self.person(.beforePromotion))
        stage.run { $0.rollout.signOff(.beforePromotion) != nil }
        stage.errors[Stage.next] = 50
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.quarantine[Stage.next] != nil)
        #expect(stage.rollout.signOffs == nil)
    }

    @Test
    func `a service that says no before the promotion takes the traffic back`() {
        var stage = Stage.stepping(policy: Self.service(.beforePromotion))
        stage.board = [.beforePromotion: Self.fail]
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.stable?.revision == Stage.good)
        guard case .gateFailed("board", let evidence) = stage.rollout.quarantine[Stage.next]?.reason else {
            Issue.record("\(stage.rollout.quarantine)")
            return
        }
        #expect(evidence.hasPrefix("before the promotion: approvals says fail"))
    }

    @Test
    func `one that is only to hold does that, until it is forced`() {
        var stage = Stage.stepping(policy: Self.service(.beforePromotion, .hold))
        stage.board = [.beforePromotion: Self.fail]
        stage.run { $0.rollout.signOff(.beforePromotion) != nil }
        for _ in 0..<50 { stage.tick() }
        #expect(stage.weight == 50)
        stage.tick(Self.promote)
        #expect(stage.answers.first?.isAccepted == false)
        #expect(stage.answers.first?.message.hasSuffix("`--force` goes on all the same") == true)
        stage.tick(Command(.promote(full: false, force: true), by: "lead"))
        #expect(stage.transitions.contains { $0.message == "signed off before the promotion, forced past board" })
        stage.run { $0.rollout.phase == .baking }
        #expect(stage.rollout.stable?.revision == Stage.next)
    }

    @Test
    func `whoever passes the last step by hand has signed the promotion off, and its gates are asked all the same`() {
        let signOff = SignOff(needsApproval: true, gates: [Self.board])
        var stage = Stage.stepping(policy: Self.policy(.beforePromotion, signOff))
        stage.tick(Self.promote)
        stage.run { if case .stepping(1, .some) = $0.rollout.phase { true } else { false } }
        stage.tick(Self.promote)
        #expect(stage.answers.first?.message == "passed step 2, the last; the promotion takes gate board besides")
        for _ in 0..<20 { stage.tick() }
        #expect(stage.weight == 50)
        stage.board = [.beforePromotion: Self.pass]
        stage.run { $0.rollout.phase == .baking }
        #expect(stage.rollout.stable?.revision == Stage.next)
    }

    @Test
    func `a gate that only holds and fails while somebody is awaited is forced past by them`() {
        var policy = Self.person(.beforePromotion)
        policy.gates[0].onFailure = .hold
        var stage = Stage.stepping(policy: policy)
        stage.run { $0.rollout.signOff(.beforePromotion) != nil }
        stage.errors[Stage.next] = 50
        stage.run { $0.rollout.holds.contains { if case .gateHolds = $0 { true } else { false } } }
        stage.tick(Self.promote)
        for _ in 0..<20 { stage.tick() }
        #expect(stage.weight == 50)
        stage.tick(Command(.promote(full: false, force: true), by: "lead"))
        #expect(stage.rollout.phase == .promoting)
    }

    @Test
    func `all traffic at once on somebody's word leaves no service out, unless forced`() {
        var stage = Stage.stepping(policy: Self.service(.beforePromotion))
        stage.tick(Command(.promote(full: true, force: false), by: "lead"))
        #expect(stage.answers.first?.isAccepted == false)
        #expect(stage.weight == 5)
        stage.tick(Command(.promote(full: true, force: true), by: "lead"))
        stage.run { $0.rollout.phase == .baking }
        #expect(stage.rollout.stable?.revision == Stage.next)

        var person = Stage.stepping(policy: Self.person(.beforePromotion))
        person.tick(Command(.promote(full: true, force: false), by: "lead"))
        person.run { $0.rollout.phase == .baking }
        #expect(person.rollout.stable?.revision == Stage.next)
    }

    @Test
    func `without steps the promotion is signed off, too`() {
        var policy = Self.person(.beforePromotion)
        policy.steps = []
        var stage = Stage.settled(policy: policy)
        stage.desired = .spec(Stage.spec(Stage.next, policy: policy))
        // Longer than the canary may take to be ready.
        for _ in 0..<100 { stage.tick() }
        #expect(stage.rollout.phase == .preparing)
        #expect(stage.weight == 0)
        stage.tick(Self.promote)
        stage.run { $0.rollout.phase == .baking }
        #expect(stage.rollout.stable?.revision == Stage.next)
    }

    // MARK: - After the promotion

    @Test
    func `what was replaced stays warm until the new one is signed off`() {
        var stage = Stage.stepping(policy: Self.person(.afterPromotion))
        stage.run { $0.rollout.phase == .baking }
        stage.tick()
        #expect(stage.rollout.holds.isEmpty)
        for _ in 0..<100 { stage.tick() }
        #expect(stage.rollout.phase == .baking)
        #expect(stage.rollout.previous?.revision == Stage.good)
        #expect(
            stage.rollout.holds == [.awaitingSignOff(place: .afterPromotion, needsApproval: true, gates: [])]
        )
        stage.tick(Self.promote)
        #expect(stage.rollout.phase == .settled)
        #expect(stage.rollout.stable?.revision == Stage.next)
    }

    @Test
    func `a bake that was signed off early ends at its time, not before`() {
        var stage = Stage.stepping(policy: Self.person(.afterPromotion))
        stage.run { $0.rollout.signOff(.afterPromotion) != nil }
        let begin = stage.rollout.since
        stage.tick(Self.promote)
        #expect(stage.rollout.phase == .baking)
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.now - begin == Stage.policy.bakeTime)
    }

    @Test
    func `a service that says no after the promotion brings the previous revision back at once`() {
        var stage = Stage.stepping(policy: Self.service(.afterPromotion))
        stage.run { $0.rollout.phase == .baking }
        stage.board = [.afterPromotion: Self.fail]
        stage.tick()
        stage.tick()
        #expect(stage.rollout.target.weights == [Stage.good: .all])
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.stable?.revision == Stage.good)
        #expect(stage.rollout.quarantine[Stage.next] != nil)
    }

    @Test
    func `what waits behind a bake is signed off after it, and its word outlives the bake`() {
        var stage = Stage.stepping(policy: Self.person(.afterPromotion))
        stage.run { $0.rollout.phase == .baking }
        let signOff = SignOff(needsApproval: true, gates: [Self.board])
        stage.desired = .spec(Stage.spec(Stage.third, policy: Self.policy(.beforeRollout, signOff)))
        stage.tick()
        stage.tick(Self.promote)
        // Git's newest rules hold for the bake, and they want nobody's word for it.
        #expect(stage.rollout.signOff(.beforeRollout)?.approvedBy == "lead")
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.signOff(.beforeRollout)?.approvedBy == "lead")
        stage.board = [.beforeRollout: Self.pass]
        stage.run { $0.rollout.canary?.revision == Stage.third }
        #expect(stage.rollout.canary?.revision == Stage.third)
    }

    @Test
    func `the second word is about what waits behind a bake that has its yes`() {
        var stage = Stage.stepping(policy: Self.person(.afterPromotion))
        stage.run { $0.rollout.signOff(.afterPromotion) != nil }
        stage.tick(Self.promote)
        #expect(stage.rollout.phase == .baking)
        var both = Self.person(.afterPromotion)
        both.signOffs?.beforeRollout = SignOff(needsApproval: true)
        stage.desired = .spec(Stage.spec(Stage.third, policy: both))
        stage.tick()
        #expect(stage.rollout.signOff(.afterPromotion)?.approvedBy == "lead")
        #expect(stage.rollout.signOff(.beforeRollout)?.lacksApproval == true)
        stage.tick(Self.promote)
        #expect(stage.answers.first?.message == "signed magika c (main@sha1:cccccccc) off before the rollout")
        #expect(stage.rollout.canary?.revision == Stage.third)
    }

    @Test(arguments: SignOff.Place.allCases)
    func `a rollback is never kept waiting by a sign-off`(place: SignOff.Place) {
        let policy = Self.policy(place, SignOff(needsApproval: true, gates: [Self.board]))
        var stage = place == .beforeRollout ? Stage.stepping() : Stage.stepping(policy: policy)
        if place == .beforeRollout { stage.desired = .spec(Stage.spec(Stage.next, policy: policy)) }
        if place == .afterPromotion { stage.run { $0.rollout.phase == .baking } }
        stage.run { place == .beforeRollout || $0.rollout.signOff(place) != nil }
        stage.tick(Command(.rollback(to: nil), by: "sre", why: "it hurts"))
        #expect(stage.rollout.target.weights == [Stage.good: .all])
    }
}
