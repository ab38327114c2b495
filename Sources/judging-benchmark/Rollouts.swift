import Analysis

/// Whole rollouts of a healthy model: 5, 10, 25, 50, 100 percent, each step as short as its evidence lets it be.
enum HealthyRollout {
    private static let weights = [0.05, 0.1, 0.25, 0.5, 1]
    private static let requestsPerSecond = 200.0
    private static let baseline = 0.001

    /// - Returns: Seconds until the promotion; nothing when a step had no verdict or the model was rolled back.
    static func promotion(run: Int) -> Double? {
        var chance = Chance(seed: 0xA11CE &+ UInt64(run) &* 0xD1B5_4A32_D192_ED03)
        let history = (0..<Cell.polls).map { _ in
            Cell.counts(Self.requestsPerSecond * Cell.pollSeconds, Self.baseline, &chance)
        }
        var judge = SequentialJudge(
            plannedSteps: Self.weights.count,
            nextWeight: Self.weights[1],
            burst: BurstFactor.estimate(history)
        )
        var (step, seconds) = (0, 0.0)
        while step + 1 < Self.weights.count {
            let requests = Self.requestsPerSecond * Cell.pollSeconds
            let poll = HoldPoll(
                seconds: Cell.pollSeconds,
                canary: Cell.counts(requests * Self.weights[step], Self.baseline, &chance),
                stable: Cell.counts(requests * (1 - Self.weights[step]), Self.baseline, &chance)
            )
            seconds += Cell.pollSeconds
            switch judge.add(poll) {
            case .advance:
                step += 1
                if step + 1 < Self.weights.count { judge.beginStep(nextWeight: Self.weights[step + 1]) }
            case .rollback, .inconclusive: return nil
            case .hold, .continue: break
            }
        }
        return seconds
    }
}
