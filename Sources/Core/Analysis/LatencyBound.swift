package import Deployments

/// The time above which a latency gate calls an answer slow.
///
/// In this order: the gate's own bound; the strictest latency objective's; the smallest bound of the histogram that at
/// most 5 percent of stable's answers exceeded. Frozen for a rollout, so that a canary cannot move its own limit.
///
/// - Parameters:
///   - gate: Any gate.
///   - objectives: The deployment's.
///   - history: Stable's answers before the rollout.
/// - Returns: Milliseconds; nothing for other gates, or when there is no bound and no history to take one from.
package func latencyBound(for gate: Gate, objectives: [Objective], history: LatencyHistogram) -> Double? {
    guard case .latency(let own) = gate.kind else { return nil }
    if let own { return own.inSeconds * 1000 }
    let promised = objectives.compactMap { objective -> Duration? in
        if case .latency(let bound) = objective.indicator { bound } else { nil }
    }
    return promised.min().map { $0.inSeconds * 1000 } ?? history.bound(exceededByAtMost: 0.05)
}
