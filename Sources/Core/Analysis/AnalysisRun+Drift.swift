package import Deployments

/// What a gate that compares distributions has found in its step.
package struct DriftFinding: Hashable, Sendable {
    /// The corrected population stability index; nothing before there are answers on both sides.
    package var index: Double?
    /// The index from which a difference matters.
    package var tolerance: Double
    /// Answers that were counted.
    package var canaryAnswers: Double
    package var stableAnswers: Double
    /// When the step began.
    package var since: Timestamp
}

extension AnalysisRun {
    /// - Returns: Nothing for gates of other kinds, and outside of a step.
    package func drift(of gate: Gate) -> DriftFinding? {
        guard let step = self.step, case .drift(let drift) = self.providerComparison(of: gate)?.evidence else {
            return nil
        }
        return DriftFinding(
            index: drift.stability,
            tolerance: drift.query.tolerance,
            canaryAnswers: drift.canary,
            stableAnswers: drift.stable,
            since: step.since
        )
    }
}
