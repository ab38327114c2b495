/// The sequential tests on one gate, step after step: the breach process over all steps and the safe one of each.
///
/// The same processes as in a rollout's ``AnalysisRun``, for counts that come from somewhere else: a recorded incident,
/// a simulation.
package struct SequentialJudge: HoldJudge, Hashable {
    package let parameters: AnalysisParameters
    /// φ: how many requests may fail by one cause.
    package let burst: Double
    /// Seconds that a step lasts at the least, and after which it is over without a verdict.
    package var atLeast: Double
    package var atMost: Double
    private var breach: Breach
    private var safe: SafeProcess
    private var elapsed = 0.0
    private var hasFailed = false

    private enum Breach: Hashable {
        case aligned(BreachProcess)
        case lagging(LagRobustBreach)
    }

    /// Begins with the first step.
    ///
    /// - Parameters:
    ///   - plannedSteps: Of the rollout.
    ///   - nextWeight: What passing the first step leads to, above 0 and at most 1.
    ///   - burst: φ; see ``BurstFactor``.
    ///   - isLagging: Canary's and stable's counters are not read in one instant; see ``LagRobustBreach``.
    ///   - atLeast: Seconds.
    ///   - atMost: Seconds.
    ///   - parameters: The constants of the tests.
    package init(
        plannedSteps: Int = 5,
        nextWeight: Double = 0.1,
        burst: Double = 1,
        isLagging: Bool = false,
        atLeast: Double = 60,
        atMost: Double = 1800,
        parameters: AnalysisParameters = .default
    ) {
        self.parameters = parameters
        self.burst = max(1, burst)
        self.atLeast = atLeast
        self.atMost = atMost
        self.breach =
            isLagging
            ? .lagging(LagRobustBreach(plannedSteps: plannedSteps))
            : .aligned(BreachProcess(plannedSteps: plannedSteps))
        self.safe = SafeProcess(test: AffineTest(ratio: 1, difference: 0), grid: parameters.safeGrid)
        self.beginStep(nextWeight: nextWeight)
    }

    /// Begins the next step: what it counts alone certifies the weight after it.
    ///
    /// - Parameter nextWeight: Above 0 and at most 1.
    package mutating func beginStep(nextWeight: Double) {
        self.elapsed = 0
        let test = AffineTest.safe(
            toward: nextWeight,
            ratio: self.parameters.safeRatio,
            difference: self.parameters.safeDifference,
            burst: self.burst
        )
        self.safe = SafeProcess(test: test, grid: self.parameters.safeGrid)
        switch self.breach {
        case .aligned(var process):
            process.beginStep(parameters: self.parameters)
            self.breach = .aligned(process)
        case .lagging(var process):
            process.beginStep(parameters: self.parameters)
            self.breach = .lagging(process)
        }
    }

    package mutating func add(_ poll: HoldPoll) -> StepVerdict {
        self.elapsed += poll.seconds
        if let canary = poll.canary, let stable = poll.stable {
            self.add(PairedIncrement(canary: canary, stable: stable), seconds: poll.seconds)
        }
        let verdict = self.verdict
        self.hasFailed = verdict == .rollback
        return verdict
    }

    private mutating func add(_ poll: PairedIncrement, seconds: Double) {
        let test = self.parameters.breachTest(burst: self.burst)
        switch self.breach {
        case .aligned(var process):
            process.add(poll, seconds: seconds, test: test, parameters: self.parameters)
            self.breach = .aligned(process)
        case .lagging(var process):
            process.add(poll, seconds: seconds, test: test, parameters: self.parameters)
            self.breach = .lagging(process)
        }
        self.safe.add(poll, grid: self.parameters.safeGrid)
    }

    /// ln E that the canary is worse than it may be, in nats.
    package var breachLogE: Double {
        switch self.breach {
        case .aligned(let process): process.logE
        case .lagging(let process): process.logE
        }
    }

    private var badPolls: Int {
        switch self.breach {
        case .aligned(let process): process.badPolls
        case .lagging(let process): process.badPolls
        }
    }

    package var verdict: StepVerdict {
        if self.hasFailed { return .rollback }
        return StepEvidence(
            breachLogE: self.breachLogE,
            safeLogEs: [self.safe.logE],
            badPolls: self.badPolls,
            elapsedSeconds: self.elapsed
        )
        .verdict(self.parameters, atLeast: self.atLeast, atMost: self.atMost)
    }
}
