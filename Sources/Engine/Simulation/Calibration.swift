package import Analysis

/// How the sequential tests would do on a stable revision's own traffic: how often they would roll back a model that is
/// identical (A/A), and how large a regression they would find within a step's time.
///
/// Each run takes a stretch of the record, as it was, and gives a share of its requests to a canary by lot. What fails
/// together, when it fails, and how the traffic swings stay as recorded. A worse canary's further failures are drawn
/// evenly among its good requests.
package struct Calibration: Sendable {
    package struct Assumptions: Hashable, Sendable {
        /// The canary's share of the traffic, above 0 and below 1.
        package var weight = 0.05
        /// Seconds of one piece of the record.
        package var pieceSeconds = 10.0
        /// The step's time.
        package var stepSeconds = 1800.0
        package var plannedSteps = 3
        /// Gates that share the error budget.
        package var gates = 1
        /// Canary and stable are not read in one instant.
        package var isLagging = false
        package var parameters = AnalysisParameters.default
        package var runs = 1000
        package var seed: UInt64 = 1

        package init() {}

        var pieces: Int { max(1, Int((self.stepSeconds / self.pieceSeconds).rounded())) }
    }

    /// What became of a canary of one kind.
    package struct Outcome: Hashable, Sendable {
        /// How many times as often as stable it fails: 1 is identical.
        package var factor: Double
        package var runs: Int
        /// Of those that were rolled back, in seconds, ascending.
        package var seconds: [Double]
        /// Failed requests of the canary until then; the median.
        package var medianBad: Double?

        /// 0 to 1.
        package var rolledBack: Double { Double(self.seconds.count) / Double(self.runs) }

        /// - Parameter share: Of all runs, above 0 and at most 1.
        /// - Returns: Seconds until so many were rolled back; nothing when fewer were.
        package func quantile(_ share: Double) -> Double? {
            let rank = Int((share * Double(self.runs)).rounded(.up))
            return rank >= 1 && rank <= self.seconds.count ? self.seconds[rank - 1] : nil
        }
    }

    package let assumptions: Assumptions
    package let traffic: EventCounts
    package let requestsPerSecond: Double
    /// φ of the record.
    package let burst: Double
    /// Identical first, then ever worse.
    package let outcomes: [Outcome]

    /// Multiples of stable's rate that are tried.
    package static let factors: [Double] = [1, 1.5, 2, 3, 5, 10, 20, 50]

    /// - Parameters:
    ///   - pieces: What stable counted, in pieces of one length, oldest first; at least one with requests.
    ///   - assumptions: The step, and how often it is tried.
    package init(_ pieces: [EventCounts], _ assumptions: Assumptions) async {
        let traffic = pieces.reduce(EventCounts(), +)
        let burst = BurstFactor.estimate(pieces)
        self.assumptions = assumptions
        self.traffic = traffic
        self.burst = burst
        self.requestsPerSecond = Double(traffic.total) / Double(max(1, pieces.count)) / assumptions.pieceSeconds
        // Half a failure more than were seen: a stable that never failed is not perfect.
        let rate = (Double(traffic.bad) + 0.5) / (Double(traffic.total) + 1)
        self.outcomes = await withTaskGroup(of: (Int, Outcome).self) { group in
            for (index, factor) in Self.factors.enumerated() where factor == 1 || rate * factor < 1 {
                group.addTask {
                    (index, Self.outcome(factor, rate: rate, pieces, burst: burst, assumptions))
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// The smallest regression that at least `share` of the runs find within the step's time.
    package func smallestFound(share: Double) -> Outcome? {
        self.outcomes.first { $0.factor > 1 && $0.rolledBack >= share }
    }

    private static func outcome(
        _ factor: Double,
        rate: Double,
        _ pieces: [EventCounts],
        burst: Double,
        _ assumptions: Assumptions
    ) -> Outcome {
        var (seconds, bad) = ([Double](), [Double]())
        for run in 0..<assumptions.runs {
            var dice = Dice(seed: assumptions.seed &+ UInt64(run) &* 0xD1B5_4A32_D192_ED03)
            let extra = factor > 1 ? min(1, rate * (factor - 1) / (1 - rate)) : 0
            guard let end = Self.run(pieces, extra: extra, burst: burst, assumptions, &dice) else { continue }
            seconds.append(end.seconds)
            bad.append(Double(end.bad))
        }
        return Outcome(
            factor: factor,
            runs: assumptions.runs,
            seconds: seconds.sorted(),
            medianBad: bad.isEmpty ? nil : bad.sorted()[bad.count / 2]
        )
    }

    /// - Returns: When the canary was rolled back, and what it had failed by then.
    private static func run(
        _ pieces: [EventCounts],
        extra: Double,
        burst: Double,
        _ assumptions: Assumptions,
        _ dice: inout Dice
    ) -> (seconds: Double, bad: Int64)? {
        var parameters = assumptions.parameters
        // A mean of evidence over gates of which the others have none.
        parameters.alpha /= Double(max(1, assumptions.gates))
        var judge = SequentialJudge(
            plannedSteps: assumptions.plannedSteps,
            burst: burst,
            isLagging: assumptions.isLagging,
            atMost: .infinity,
            parameters: parameters
        )
        let first = dice.pick(0...pieces.count - 1)
        var failed: Int64 = 0
        for index in 0..<assumptions.pieces {
            let piece = pieces[(first + index) % pieces.count]
            var canary = EventCounts(
                bad: Int64(dice.hits(of: Int(piece.bad), probability: assumptions.weight)),
                total: 0
            )
            let good = Int64(dice.hits(of: Int(piece.total - piece.bad), probability: assumptions.weight))
            canary.total = canary.bad + good
            let stable = EventCounts(bad: piece.bad - canary.bad, total: piece.total - canary.total)
            canary.bad += Int64(dice.hits(of: Int(good), probability: extra))
            failed += canary.bad
            let poll = HoldPoll(seconds: assumptions.pieceSeconds, canary: canary, stable: stable)
            if judge.add(poll) == .rollback { return (Double(index + 1) * assumptions.pieceSeconds, failed) }
        }
        return nil
    }
}
