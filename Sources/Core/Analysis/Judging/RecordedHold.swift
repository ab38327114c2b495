/// The first step of a rollout as it was recorded somewhere, to be judged after the fact.
package struct RecordedHold: Hashable, Sendable {
    /// Stable's counts before the rollout, in pieces of one length, oldest first; for the burst factor.
    package var history: [EventCounts]
    package var polls: [HoldPoll]
    /// The counters of the two tracks were not read in one instant; see ``LagRobustBreach``.
    package var isLagging: Bool

    package init(history: [EventCounts] = [], polls: [HoldPoll], isLagging: Bool = false) {
        self.history = history
        self.polls = polls
        self.isLagging = isLagging
    }

    /// - Parameters:
    ///   - plannedSteps: Of the rollout that this is the first step of.
    ///   - parameters: The constants of the tests.
    /// - Returns: What the sequential tests say.
    package func judgement(plannedSteps: Int = 5, parameters: AnalysisParameters = .default) -> HoldJudgement {
        let burst = BurstFactor.estimate(self.history)
        var judge = SequentialJudge(
            plannedSteps: plannedSteps,
            burst: burst,
            isLagging: self.isLagging,
            parameters: parameters
        )
        return HoldJudgement(burst: burst, rollbackPoll: self.rollbackPoll(by: &judge), logE: judge.breachLogE)
    }

    /// All polls are judged, also those after a rollback.
    ///
    /// - Returns: The poll after which the canary was rolled back first, counted from 1.
    package func rollbackPoll(by judge: inout some HoldJudge) -> Int? {
        var rollbackPoll: Int?
        for (index, poll) in self.polls.enumerated() {
            let verdict = judge.add(poll)
            if verdict == .rollback, rollbackPoll == nil { rollbackPoll = index + 1 }
        }
        return rollbackPoll
    }
}

/// What the sequential tests say of a ``RecordedHold``.
package struct HoldJudgement: Hashable, Sendable {
    /// φ, from the history; 1 without one.
    package var burst: Double
    /// Counted from 1; nothing when the canary is not rolled back.
    package var rollbackPoll: Int?
    /// ln E that the canary is worse than it may be, after the last poll, in nats.
    package var logE: Double
}
