/// What follows from the evidence of one step, in the order of the decision matrix.
package enum StepVerdict: String, Hashable, Codable, Sendable, CaseIterable {
    /// The canary is worse than stable: its traffic goes back.
    case rollback
    /// Both are bad, or an objective is broken that no comparison blames on the canary: no advance.
    case hold
    /// The next weight is safe.
    case advance
    /// The step's time is over without a verdict.
    case inconclusive
    /// More evidence is needed.
    case `continue`
}

/// The evidence of one step.
package struct StepEvidence: Hashable, Sendable {
    /// ln E of the merged breach evidence of all gates.
    package var breachLogE: Double
    /// ln E of each required gate's safe process.
    package var safeLogEs: [Double]
    /// Polls with bad requests on the canary.
    package var badPolls: Int
    /// An objective is broken by the canary alone, and no comparison blames it.
    package var isSharedIncident: Bool
    package var elapsedSeconds: Double

    package init(
        breachLogE: Double,
        safeLogEs: [Double],
        badPolls: Int,
        isSharedIncident: Bool = false,
        elapsedSeconds: Double
    ) {
        self.breachLogE = breachLogE
        self.safeLogEs = safeLogEs
        self.badPolls = badPolls
        self.isSharedIncident = isSharedIncident
        self.elapsedSeconds = elapsedSeconds
    }

    /// - Parameters:
    ///   - parameters: α, β and the number of polls that must show bad requests.
    ///   - atLeast: Seconds that the step lasts in any case.
    ///   - atMost: Seconds after which it is over without a verdict.
    /// - Returns: What to do now.
    package func verdict(_ parameters: AnalysisParameters, atLeast: Double, atMost: Double) -> StepVerdict {
        if self.breachLogE >= parameters.breachLimit, self.badPolls >= parameters.minimumBadPolls { return .rollback }
        if self.isSharedIncident { return .hold }
        let isSafe = !self.safeLogEs.isEmpty && self.safeLogEs.allSatisfy { $0 >= parameters.safeLimit }
        if isSafe, self.elapsedSeconds >= atLeast { return .advance }
        return self.elapsedSeconds >= atMost ? .inconclusive : .continue
    }
}
