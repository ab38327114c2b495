package import Deployments
package import Planning
package import Rollouts

/// One call of the core: all that it was told, and all that it said.
///
/// The daemon decides by making one, and a replay by making it again. It is a function of the rollout before, the
/// situation and the time, so a decision that changed nothing leaves no trace in later ones and need not be kept.
///
/// It never changes, and whoever journals, records or checks it looks at the same one: two rollouts and all that was
/// seen are some hundred references, which copies would count up and down.
package final class Decision: Hashable, Sendable {
    package let time: Timestamp
    package let before: Rollout
    package let situation: Situation
    package let after: Rollout
    package let outcome: Rollout.Outcome
    /// Without the effects that break a rule.
    package let plan: Plan
    /// What was planned against a rule, and dropped.
    package let violations: [PlanCheck.Violation]

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
        var after = before
        self.outcome = handler(&after, situation, now)
        let intent = Planner(for: after, observed: situation.observation, asked: situation.asked, now: now)
        var plan = planner(intent, after)
        self.violations = PlanCheck.violations(of: plan, for: after, observed: situation.observation, at: now)
        for violation in self.violations {
            plan.effects.removeAll { $0 == violation.effect }
        }
        self.after = after
        self.plan = plan
    }

    package static func == (left: Decision, right: Decision) -> Bool {
        left === right
            || left.time == right.time && left.before == right.before && left.situation == right.situation
                && left.after == right.after && left.outcome == right.outcome && left.plan == right.plan
                && left.violations == right.violations
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.time)
        hasher.combine(self.after)
    }

    package var deployment: DeploymentID { self.before.id }
}
