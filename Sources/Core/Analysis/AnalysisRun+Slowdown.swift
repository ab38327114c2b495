import Deployments
import RealModule

/// Gates on answer times as a whole. They are among the comparisons of counters, and share their error budget.
extension AnalysisRun {
    /// Ranks answers among these, where that is not done yet.
    mutating func rank(among answers: LatencyHistogram) {
        for index in self.comparisons.indices where self.comparisons[index].slowdown != nil {
            self.comparisons[index].slowdown?.rank(among: answers)
        }
    }

    /// - Returns: Whether the comparison is one of answer times, so that nothing else is to be counted for it.
    mutating func judgeAnswerTimes(
        _ index: Int,
        canary: (now: LatencyHistogram, before: LatencyHistogram),
        stable: (now: LatencyHistogram, before: LatencyHistogram),
        seconds: Double
    ) -> Bool {
        guard self.comparisons[index].slowdown != nil else { return false }
        guard let ofCanary = BinCounts.growth(canary.now, since: canary.before),
            let ofStable = BinCounts.growth(stable.now, since: stable.before)
        else { return true }
        self.comparisons[index].add(
            canary: ofCanary,
            stable: ofStable,
            seconds: seconds,
            burst: self.burst,
            parameters: self.parameters
        )
        return true
    }

    func assessment(
        of slowdown: SlowdownEvidence,
        ofComparison index: Int,
        gate: Gate,
        step: CurrentStep,
        at now: Timestamp
    ) -> GateAssessment {
        let comparison = self.comparisons[index]
        let evidence = comparison.evidence(of: slowdown, burst: self.burst, parameters: self.parameters)
        let outcome = self.outcome(ofComparison: index, step: step, at: now)
        let missing = outcome == .failed || outcome == .passed ? nil : slowdown.missing
        return GateAssessment(
            gate: gate,
            outcome: outcome,
            value: slowdown.value(burst: comparison.burst ?? self.burst, parameters: self.parameters),
            limit: slowdown.limit,
            detail: missing
                ?? slowdown.detail(outcome, safeShare: evidence.safeShare, parameters: self.parameters),
            prediction: outcome == .inconclusive ? self.prediction(evidence) : nil,
            comparison: evidence
        )
    }
}

extension GateComparison {
    /// Answer times of one poll, for a gate that compares them.
    mutating func add(
        canary: BinCounts,
        stable: BinCounts,
        seconds: Double,
        burst: Double,
        parameters: AnalysisParameters
    ) {
        let increments = self.slowdown?.add(
            canary: canary,
            stable: stable,
            seconds: seconds,
            burst: self.burst ?? burst,
            parameters: parameters
        )
        guard let increments else { return }
        // One poll alone may be a single pause of all that runs there.
        let isBad = increments.contains { $0 > 0 }
        self.addBets(increments, isBad: isBad, seconds: seconds, parameters: parameters)
    }

    func evidence(
        of slowdown: SlowdownEvidence,
        burst: Double,
        parameters: AnalysisParameters
    ) -> ComparisonEvidence {
        let burst = self.burst ?? burst
        let counts = slowdown.counts
        var evidence = ComparisonEvidence(
            counted: (Double(counts.canary.total), Double(counts.stable.total)),
            breach: (self.breach.logE, parameters.breachLimit - Double.log(self.weight)),
            safe: (slowdown.safeLogE(burst: burst), parameters.safeLimit)
        )
        guard slowdown.seconds > 0, counts.canary.total > 0 else { return evidence }
        evidence.requestsPerSecond = Double(counts.canary.total) / slowdown.seconds
        evidence.secondsUntilSafe = slowdown.secondsUntilSafe(burst: burst, parameters: parameters)
        return evidence
    }
}

extension BinCounts {
    /// What was counted between two readings of a histogram, of which the first may have been empty.
    ///
    /// - Returns: Nothing when a bin fell or the bounds changed.
    static func growth(_ now: LatencyHistogram, since before: LatencyHistogram) -> BinCounts? {
        let empty = LatencyHistogram(bounds: now.bounds, counts: now.bounds.map { _ in 0 })
        return BinCounts(now).since(BinCounts(before.bounds.isEmpty ? empty : before))
    }
}
