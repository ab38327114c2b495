package import Decisions
package import Deployments
package import Planning
package import Rollouts

/// The two functions that decide. The simulator listens in on them, and its tests break them on purpose.
package struct DecisionFunctions: Sendable {
    package var handle: @Sendable (inout Rollout, Situation, Timestamp) -> Rollout.Outcome
    /// Called after `handle`, for the rollout that came of it.
    package var plan: @Sendable (Planner, Rollout) -> Plan
    /// Told of every decision, before it is journaled.
    package var listen: @Sendable (Decision) -> Void = { _ in }

    package init(
        handle: @escaping @Sendable (inout Rollout, Situation, Timestamp) -> Rollout.Outcome = {
            $0.handle($1, at: $2)
        },
        plan: @escaping @Sendable (Planner, Rollout) -> Plan = { planner, _ in planner.plan() }
    ) {
        self.handle = handle
        self.plan = plan
    }
}
