import Analysis
import Deployments
import Testing

@Suite("Judges of one step")
struct JudgeTests {
    /// Ten seconds of traffic.
    private func poll(_ canary: (bad: Int64, total: Int64)?, stable: (bad: Int64, total: Int64) = (2, 1900)) -> HoldPoll
    {
        HoldPoll(
            seconds: 10,
            canary: canary.map { EventCounts(bad: $0.bad, total: $0.total) },
            stable: EventCounts(bad: stable.bad, total: stable.total)
        )
    }

    /// The poll, counted from 1, after which the judge first says what it is asked for.
    private func first(_ verdict: StepVerdict, of judge: some HoldJudge, _ polls: [HoldPoll]) -> Int? {
        var judge = judge
        return polls.firstIndex { judge.add($0) == verdict }.map { $0 + 1 }
    }

    private func repeated(_ poll: HoldPoll, _ count: Int = 180) -> [HoldPoll] { Array(repeating: poll, count: count) }

    // MARK: - Ours

    @Test
    func `a canary that fails half of its requests is rolled back in its second poll`() {
        #expect(self.first(.rollback, of: SequentialJudge(), self.repeated(self.poll((50, 100)))) == 2)
    }

    @Test
    func `a healthy canary may advance once its minimum time is over and its evidence is in`() throws {
        let polls = (0..<180).map { self.poll(($0 % 10 == 0 ? 1 : 0, 100)) }
        let advanced = try #require(self.first(.advance, of: SequentialJudge(), polls))
        #expect(advanced >= 6)
        #expect(self.first(.rollback, of: SequentialJudge(), polls) == nil)
    }

    @Test
    func `without requests a step ends inconclusive`() {
        let polls = self.repeated(self.poll((0, 0)))
        #expect(self.first(.inconclusive, of: SequentialJudge(), polls) == 180)
        #expect(self.first(.advance, of: SequentialJudge(), polls) == nil)
    }

    @Test
    func `a rollback stands whatever comes after it`() {
        var judge = SequentialJudge()
        for _ in 0..<3 { _ = judge.add(self.poll((50, 100))) }
        for _ in 0..<500 { #expect(judge.add(self.poll((0, 100), stable: (400, 1900))) == .rollback) }
    }

    @Test
    func `an incident that both share is held against no canary, also when its counters lag a poll behind`() {
        let calm = self.repeated(self.poll((0, 100)), 30)
        let shared = self.repeated(self.poll((20, 100), stable: (380, 1900)), 60)
        #expect(self.first(.rollback, of: SequentialJudge(), calm + shared) == nil)
        // Stable's counters show it a poll later.
        let lagging = calm + [self.poll((20, 100))] + shared
        #expect(self.first(.rollback, of: SequentialJudge(isLagging: true), lagging) == nil)
        #expect(self.first(.rollback, of: SequentialJudge(isLagging: true), self.repeated(self.poll((50, 100)))) == 3)
    }

    // MARK: - Flagger's

    @Test
    func `Flagger counts failed checks in all and rolls back at the look after the last one`() {
        // A check a minute; the fifth fails at 300 s, and the next look counts first.
        #expect(self.first(.rollback, of: FlaggerJudge(), self.repeated(self.poll((2, 100)))) == 36)
        // Success takes nothing off: every other minute fails.
        let minutes = (0..<30).flatMap { self.repeated(self.poll(($0 % 2 == 0 ? 2 : 0, 100)), 6) }
        #expect(self.first(.rollback, of: FlaggerJudge(), minutes) == 60)
    }

    @Test
    func `Flagger takes five times the errors for healthy below its threshold`() {
        let polls = self.repeated(self.poll((0, 100))) + self.repeated(self.poll((1, 200)))
        #expect(self.first(.rollback, of: FlaggerJudge(), polls) == nil)
        #expect(self.first(.advance, of: FlaggerJudge(), polls) == 6)
    }

    @Test
    func `Flagger counts a missing value as a failed check`() {
        #expect(self.first(.rollback, of: FlaggerJudge(), self.repeated(self.poll((0, 0)))) == 36)
        #expect(self.first(.rollback, of: FlaggerJudge(), self.repeated(self.poll(nil))) == 36)
    }

    @Test
    func `Flagger rolls back a healthy canary in an incident that both share`() {
        let polls = self.repeated(self.poll((20, 100), stable: (380, 1900)))
        #expect(self.first(.rollback, of: FlaggerJudge(), polls) == 36)
    }

    // MARK: - Argo's

    @Test
    func `Argo fails at the first measurement too many and passes after its count`() {
        #expect(self.first(.rollback, of: ArgoJudge(), self.repeated(self.poll((6, 100)))) == 30)
        #expect(self.first(.rollback, of: ArgoJudge(failureLimit: 2), self.repeated(self.poll((6, 100)))) == 90)
        #expect(self.first(.advance, of: ArgoJudge(), self.repeated(self.poll((4, 100)))) == 150)
    }

    @Test
    func `Argo ends after five errors in a row, and a value between them starts the count anew`() {
        let judge = ArgoJudge(interval: 10, count: 100)
        #expect(self.first(.rollback, of: judge, self.repeated(self.poll(nil))) == 5)
        let broken = (0..<90).map { self.poll($0 % 5 == 4 ? (0, 100) : nil) }
        #expect(self.first(.rollback, of: judge, broken) == nil)
    }

    // MARK: - Kayenta's

    @Test
    func `Kayenta sees a shift of the rates at its first look and passes none at its lifetime's end`() {
        let high = (0..<180).map { self.poll(($0 % 3 + 4, 100), stable: ($0 % 5 == 0 ? 3 : 1, 1900)) }
        #expect(self.first(.rollback, of: KayentaJudge(), high) == 30)
        let same = (0..<180).map { self.poll((Int64($0 % 7), 1900), stable: (Int64(($0 + 3) % 7), 1900)) }
        #expect(self.first(.advance, of: KayentaJudge(), same) == 180)
    }

    @Test
    func `Kayenta passes what never varies`() {
        #expect(self.first(.advance, of: KayentaJudge(), self.repeated(self.poll((0, 100), stable: (0, 1900)))) == 180)
    }

    @Test
    func `the shift of two samples equals R's`() throws {
        let vector = try Vectors.load().external.kayenta_mann_whitney_R_tieout
        let shift = try #require(MannWhitney.shift(vector.experiment, from: vector.control, confidence: 0.95))
        #expect(abs(shift.lower - vector.ci_low) <= vector.tolerance_ci)
        #expect(abs(shift.upper - vector.ci_high) <= vector.tolerance_ci)
        #expect(abs(shift.estimate - vector.estimate) <= vector.tolerance_estimate)
        #expect(MannWhitney.shift([3, 3], from: [3], confidence: 0.95) == nil)
    }

    @Test(arguments: JudgePreset.allCases)
    func `every preset is a judge by its own name`(preset: JudgePreset) {
        var judge = preset.judge()
        #expect(judge.add(self.poll((0, 100))) == .continue)
    }
}
