package import Deployments
package import Planning
package import Rollouts

/// One call of the core: all that it was told, and all that it said.
///
/// The daemon decides by making one, and a replay by making it again. It is a function of the rollout before, the
/// situation and the time, so a decision that changed nothing leaves no trace in later ones and need not be kept.
package struct Decision: Hashable, Sendable {
    package let time: Timestamp
    package let before: Rollout
    package let situation: Situation
    package private(set) var after: Rollout
    package private(set) var outcome: Rollout.Outcome
    /// Without the effects that break a rule.
    package private(set) var plan: Plan
    /// What was planned against a rule, and dropped.
    package private(set) var violations: [PlanCheck.Violation]

    /// The core's two parts in a decision; tests put changed ones in their place.
    package typealias Handler = @Sendable (inout Rollout, Situation, Timestamp) -> Rollout.Outcome
    package typealias Planning = @Sendable (Planner, Rollout) -> Plan

    package init(
        of before: Rollout,
        in situation: Situation,
        at now: Timestamp,
        handler: Handler = { $0.handle($1, at: $2) },
        planner: Planning = { planner, _ in planner.plan() }
    ) {
        self.time = now
        self.before = before
        self.situation = situation
        self.after = before
        self.outcome = handler(&self.after, situation, now)
        let intent = Planner(for: self.after, observed: situation.observation, asked: situation.asked, now: now)
        self.plan = planner(intent, self.after)
        self.violations = PlanCheck.violations(
            of: self.plan,
            for: self.after,
            observed: situation.observation,
            at: now
        )
        for violation in self.violations {
            self.plan.effects.removeAll { $0 == violation.effect }
        }
    }

    package var deployment: DeploymentID { self.before.id }
}
