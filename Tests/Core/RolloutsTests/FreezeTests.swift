import Deployments
import Rollouts
import Testing

/// Windows in which nothing new is rolled out.
@Suite
struct FreezeTests {
    /// From `begin` on, for so many ticks of the stage.
    static func window(_ begin: Timestamp, _ duration: Duration) -> FreezeWindow {
        FreezeWindow(name: "black-friday", schedule: .once(from: begin, until: begin + duration))
    }

    @Test
    func `a change that arrives in a window is taken up when it ends`() {
        var stage = Stage.settled()
        let window = Self.window(stage.now, .seconds(20))
        stage.freezes = [window]
        stage.tick()
        #expect(stage.transitions.last?.message == "the freeze black-friday lasts until 1970-01-01T00:17:03Z")
        stage.desired = .spec(Stage.spec(Stage.next))
        for _ in 0..<10 { stage.tick() }
        #expect(stage.rollout.phase == .settled)
        guard case .frozen("black-friday", let until) = stage.rollout.holds.first else {
            Issue.record("\(stage.rollout.holds)")
            return
        }
        stage.run { $0.rollout.phase == .preparing }
        #expect(stage.now == until)
        #expect(stage.kinds.suffix(2) == [.thawed, .rolloutStarted])
    }

    @Test
    func `in a window no weight rises, nothing is promoted, and a failed gate rolls back all the same`() {
        var stage = Stage.stepping()
        stage.freezes = [Self.window(stage.now, .hours(1))]
        for _ in 0..<60 { stage.tick() }
        #expect(stage.weight == 5)
        stage.tick(Command(.promote(full: true, force: true), by: "lead"))
        #expect(stage.answers.first?.isAccepted == false)
        #expect(stage.weight == 5)
        stage.errors[Stage.next] = 50
        stage.run { $0.rollout.phase == .settled }
        #expect(stage.rollout.quarantine[Stage.next] != nil)
    }

    @Test
    func `the time of a freeze is not held against a canary that is ready`() {
        var stage = Stage.settled()
        stage.desired = .spec(Stage.spec(Stage.next))
        stage.tick()
        stage.freezes = [Self.window(stage.now, .hours(1))]
        for _ in 0..<200 { stage.tick() }
        #expect(stage.rollout.phase == .preparing)
        #expect(stage.rollout.quarantine.isEmpty)
    }

    @Test
    func `what git does not want any more gives its traffic up, and what is new waits`() {
        var stage = Stage.stepping()
        stage.freezes = [Self.window(stage.now, .seconds(30))]
        stage.desired = .spec(Stage.spec(Stage.third))
        stage.tick()
        #expect(stage.rollout.phase == .rollingBack(.cancelled))
        for _ in 0..<5 { stage.tick() }
        #expect(stage.rollout.phase == .settled)
        #expect(stage.rollout.quarantine.isEmpty)
        stage.run { $0.rollout.canary?.revision == Stage.third }
        #expect(stage.kinds.suffix(2) == [.thawed, .rolloutStarted])
    }

    @Test
    func `an operator's way back and git's in the bake are not frozen`() {
        var stage = Stage.stepping()
        stage.run { $0.rollout.phase == .baking }
        stage.freezes = [Self.window(stage.now, .hours(1))]
        stage.desired = .spec(Stage.spec(Stage.good))
        stage.run { $0.rollout.stable?.revision == Stage.good }
        #expect(stage.rollout.stable?.revision == Stage.good)

        var settled = Stage.stepping()
        settled.run { $0.rollout.phase == .settled && $0.rollout.stable?.revision == Stage.next }
        settled.freezes = [Self.window(settled.now, .hours(1))]
        settled.tick(Command(.rollback(to: Stage.good), by: "sre"))
        settled.run { $0.rollout.phase == .settled }
        #expect(settled.rollout.stable?.revision == Stage.good)
    }

    @Test
    func `while git is not read the last windows stand, and one that git removed has ended`() {
        var stage = Stage.settled()
        stage.freezes = [Self.window(stage.now, .hours(1))]
        stage.tick()
        stage.freezes = nil
        stage.desired = .spec(Stage.spec(Stage.next))
        for _ in 0..<5 { stage.tick() }
        #expect(stage.rollout.phase == .settled)
        stage.freezes = []
        stage.tick()
        #expect(stage.rollout.phase == .preparing)
        #expect(stage.kinds.contains(.thawed))
    }

    @Test
    func `a settled deployment rests until a window begins, through it, and on an operator's pause`() {
        var stage = Stage.settled()
        let (begin, end) = (stage.now + .hours(1), stage.now + .hours(3))
        stage.freezes = [FreezeWindow(name: "window", schedule: .once(from: begin, until: end))]
        stage.tick()
        #expect(stage.rollout.rest(at: stage.now) == stage.now..<begin)
        stage.now = begin
        #expect(stage.rollout.rest(at: stage.now) == begin..<end)
        stage.tick()
        #expect(stage.kinds.last == .frozen)
        #expect(stage.rollout.rest(at: stage.now) == stage.now..<end)

        stage.tick(Command(.pause(until: stage.now + .minutes(5)), by: "sre"))
        #expect(stage.rollout.rest(at: stage.now)?.upperBound == stage.rollout.pause?.until)
        stage.desired = .spec(Stage.spec(Stage.next))
        stage.tick()
        stage.now = begin + .minutes(10)
        stage.tick()
        #expect(stage.kinds.last == .resumed)
        #expect(stage.rollout.rest(at: stage.now) == nil, "a change waits for the window's end")
    }
}
