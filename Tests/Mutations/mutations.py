"""Small wrong changes to Rollouts and Planning, each of which would hurt somebody and must be noticed."""

from dataclasses import dataclass

ADVANCE = "Sources/Core/Rollouts/Rollout+Advance.swift"
COMMANDS = "Sources/Core/Rollouts/Rollout+Commands.swift"
HANDLE = "Sources/Core/Rollouts/Rollout+Handle.swift"
HOLDS = "Sources/Core/Rollouts/Rollout+Holds.swift"
SAFETY = "Sources/Core/Rollouts/Rollout+Safety.swift"
TARGET = "Sources/Core/Rollouts/Rollout+Target.swift"
ROLLOUT = "Sources/Core/Rollouts/Rollout.swift"
PLANNER = "Sources/Core/Planning/Planner.swift"


@dataclass(frozen=True)
class Mutation:
    name: str
    file: str
    was: str  # must be in the file once
    becomes: str
    why: str  # what it would do to users, should nothing notice it


MUTATIONS = [
    # The order of the rules, and the way back.
    Mutation(
        "gates-are-not-checked",
        HANDLE,
        "            || self.checkGates(at: now, into: &outcome)\n",
        "",
        "a canary whose gate failed goes on",
    ),
    Mutation(
        "breaches-are-not-checked",
        HANDLE,
        "            || self.checkBreaches(situation, at: now, into: &outcome)\n",
        "",
        "a promoted revision that breaks its objective stays",
    ),
    Mutation(
        "deadlines-are-not-checked",
        HANDLE,
        "            || self.checkDeadlines(situation, at: now, into: &outcome)\n",
        "",
        "a canary that never becomes ready is waited for until the end of time",
    ),
    Mutation(
        "supersession-is-not-checked",
        HANDLE,
        "            || self.checkSupersession(at: now, into: &outcome)",
        "",
        "a fix waits behind the rollout that it is to mend",
    ),
    Mutation(
        "safety-commands-wait-for-the-others",
        HANDLE,
        "in situation.commands.enumerated() where command.isSafety {",
        "in situation.commands.enumerated() where command.isSafety && self.pause == nil {",
        "an operator's rollback does nothing while the deployment is paused",
    ),
    Mutation(
        "a-pause-never-ends",
        HANDLE,
        "until <= now {",
        "until < Timestamp(milliseconds: 0) {",
        "a pause with an end holds for ever",
    ),
    Mutation(
        "evidence-crosses-weights",
        HANDLE,
        "weightsChanged: served != self.sampledTraffic",
        "weightsChanged: false",
        "requests that were served at another weight are counted as this one's",
    ),
    Mutation(
        "an-outage-uses-up-the-time-for-a-verdict",
        HANDLE,
        "            self.blindUntil = now\n",
        "            self.blindUntil = nil\n",
        "after an outage of the metrics a step ends without a verdict",
    ),
    Mutation(
        "new-rules-in-mid-rollout",
        HANDLE,
        "            canary.rollout = policy\n",
        "",
        "a commit changes the steps that a rollout is in the middle of",
    ),
    Mutation(
        "replicas-are-not-changed-in-place",
        HANDLE,
        "            stable.replicas = spec.replicas\n",
        "",
        "a commit that asks for more replicas does nothing",
    ),
    Mutation(
        "a-pin-outlives-the-next-commit",
        HANDLE,
        "if let pin = self.pin, pin.insteadOf != spec.revision {",
        "if let pin = self.pin, pin.insteadOf == spec.revision {",
        "after a rollback by hand git is ignored",
    ),
    Mutation(
        "no-quarantine",
        SAFETY,
        "            self.quarantine(failed, reason, at: now)\n",
        "",
        "the bad revision is rolled out again at once",
    ),
    Mutation(
        "a-cancelled-revision-is-quarantined",
        SAFETY,
        "        if reason != .cancelled {\n            self.quarantine",
        "        if true {\n            self.quarantine",
        "a good revision that git took back can never return",
    ),
    Mutation(
        "back-before-the-router-says-so",
        SAFETY,
        "        return !router.traffic.reaches(canary.revision)\n",
        "        return true || router.traffic.reaches(canary.revision)\n",
        "a rollback counts as done while the canary still has traffic",
    ),
    Mutation(
        "a-failed-artifact-is-waited-for",
        SAFETY,
        "            self.rollBack(.artifact(message), at: now, into: &outcome)\n            return true\n",
        "            return false\n",
        "a wrong digest is not told until the deadline",
    ),
    Mutation(
        "a-failed-replica-is-waited-for",
        SAFETY,
        "replicas.first(where: { $0.state == .failed })",
        "replicas.first(where: { $0.state == .failed && $0.restarts > 1000 })",
        "a wrong golden answer is not told until the deadline",
    ),
    Mutation(
        "a-lost-canary-keeps-its-traffic",
        SAFETY,
        "guard self.phase == .preparing else { return self.checkLostCanary(canary, situation, at: now, into: &outcome) }",
        "guard self.phase == .preparing else { return false }",
        "a canary whose replicas are all gone is never taken back",
    ),
    Mutation(
        "a-hold-gate-rolls-back",
        SAFETY,
        "result.outcome == .failed && result.gate.onFailure == .rollback {",
        "result.outcome == .failed {",
        "a gate that was to hold takes the canary back",
    ),
    Mutation(
        "inconclusive-without-evidence-rolls-back",
        SAFETY,
        "if self.isInconclusive, hasEvidence, !analysis.isSharedIncident,",
        "if self.isInconclusive,",
        "an outage of the metrics takes a good canary back",
    ),
    Mutation(
        "the-wrong-revision-returns-from-a-bake",
        SAFETY,
        "            self.stable = previous\n            self.stableSignature = nil\n",
        "            self.stableSignature = nil\n",
        "a rollback while baking goes to the revision that is bad",
    ),
    # The way forward.
    Mutation(
        "a-pause-does-not-hold-steps",
        ADVANCE,
        "guard let canary = self.canary, self.pause == nil, self.isReady(canary, situation, at: now),",
        "guard let canary = self.canary, self.isReady(canary, situation, at: now),",
        "weights rise although an operator paused",
    ),
    Mutation(
        "a-pause-does-not-hold-new-rollouts",
        ADVANCE,
        "guard self.pause == nil, let wanted = self.wanted, wanted.revision != self.stable?.revision else { return }",
        "guard let wanted = self.wanted, wanted.revision != self.stable?.revision else { return }",
        "a commit is rolled out although an operator paused",
    ),
    Mutation(
        "quarantine-does-not-hold-new-rollouts",
        ADVANCE,
        "        guard self.quarantine[wanted.revision] == nil else { return }\n        // While baking",
        "        // While baking",
        "the bad revision comes back with the next look at git",
    ),
    Mutation(
        "an-unready-canary-gets-traffic",
        ADVANCE,
        "guard let canary = self.canary, self.isReady(canary, situation, at: now) else { return }\n        if self.stable != nil",
        "guard let canary = self.canary else { return }\n        if self.stable != nil",
        "a step begins before the canary's replicas are there",
    ),
    Mutation(
        "signatures-are-not-compared",
        ADVANCE,
        "let was = self.stableSignature, let is_ = self.signature(of: canary, situation), was != is_",
        "let was = self.stableSignature, let is_ = self.signature(of: canary, situation), was != is_, was.isEmpty",
        "a model with other inputs answers 400 to users",
    ),
    Mutation(
        "progress-on-stale-observations",
        ADVANCE,
        "self.isObservationFresh(situation, at: now), self.isServing(step, situation)",
        "self.isServing(step, situation)",
        "weights rise while nobody knows what runs",
    ),
    Mutation(
        "judged-before-it-is-served",
        ADVANCE,
        "            seen >= self.since,\n            self.isServed(step, by: router)\n",
        "            seen >= self.since\n",
        "evidence from before the step counts as the step's",
    ),
    Mutation(
        "the-first-step-is-skipped",
        ADVANCE,
        "            self.enterStep(0, canary, situation, at: now, into: &outcome)\n",
        "            self.enterStep(canary.rollout.steps.count - 1, canary, situation, at: now, into: &outcome)\n",
        "a new revision begins with the last step's weight",
    ),
    Mutation(
        "a-step-is-skipped",
        ADVANCE,
        "            self.enterStep(step + 1, canary, situation, at: now, into: &outcome)\n",
        "            self.enterStep(\n"
        "                min(step + 2, canary.rollout.steps.count - 1), canary, situation, at: now, into: &outcome)\n",
        "a weight is passed that was never tried",
    ),
    Mutation(
        "approvals-approve-themselves",
        ADVANCE,
        "        if policy.action == .approval { return }\n",
        "",
        "a step that waits for a person does not",
    ),
    Mutation(
        "at-least-is-ignored",
        ADVANCE,
        "guard elapsed >= policy.atLeast, let analysis = self.analysis else { return }",
        "guard let analysis = self.analysis else { return }",
        "a step ends before its shortest time",
    ),
    Mutation(
        "one-passed-gate-is-enough",
        ADVANCE,
        "if results.allSatisfy({ $0.outcome == .passed }), !analysis.isSharedIncident {",
        "if results.contains(where: { $0.outcome == .passed }), !analysis.isSharedIncident {",
        "a step is passed while a gate still wants evidence",
    ),
    Mutation(
        "old-counters-are-good-enough",
        ADVANCE,
        "        guard self.areCountersFresh(at: now) else { return }\n",
        "",
        "a step is passed on counters that stopped coming",
    ),
    Mutation(
        "dependencies-do-not-hold",
        ADVANCE,
        '        } else if situation.unhealthyDependencies.isEmpty {\n            self.beginPromoting("every step passed"',
        '        } else {\n            self.beginPromoting("every step passed"',
        "a model is promoted whose embedder is down",
    ),
    Mutation(
        "promoted-before-it-is-served",
        ADVANCE,
        "now - seen <= Self.freshness, router.traffic[canary.revision] >= self.holdback.complement",
        "now - seen <= Self.freshness, router.traffic[canary.revision] >= .none",
        "a revision counts as promoted that users do not get yet",
    ),
    Mutation(
        "nothing-bakes",
        ADVANCE,
        "        if let old, !self.isRestoring, canary.rollout.bakeTime > .zero {\n            self.previous = old\n",
        "        if let old, !self.isRestoring, canary.rollout.bakeTime > .hours(9999) {\n            self.previous = old\n",
        "the way back is gone with the promotion",
    ),
    Mutation(
        "the-bake-ends-at-once",
        ADVANCE,
        "now - self.since >= stable.rollout.bakeTime else {",
        "now - self.since >= .zero else {",
        "the way back is gone with the next look",
    ),
    Mutation(
        "superseded-although-paused",
        ADVANCE,
        "guard self.isInFlight, self.pause == nil, let canary = self.canary, let wanted = self.wanted else {",
        "guard self.isInFlight, let canary = self.canary, let wanted = self.wanted else {",
        "a commit takes a paused rollout's place",
    ),
    Mutation(
        "a-git-revert-is-a-new-rollout",
        ADVANCE,
        "if wanted.revision == self.stable?.revision || self.quarantine[wanted.revision] != nil {",
        "if self.quarantine[wanted.revision] != nil {",
        "going back to the stable revision starts a second copy of it",
    ),
    # What the operators' commands do.
    Mutation(
        "promote-passes-failed-gates",
        COMMANDS,
        "        if !force, let analysis = self.analysis,\n",
        "        if !force, force, let analysis = self.analysis,\n",
        "`promote` without --force passes a failed gate",
    ),
    Mutation(
        "promote-passes-a-pause",
        COMMANDS,
        "        if let pause = self.pause {\n            return .refused(",
        "        if let pause = self.pause, pause.by.isEmpty {\n            return .refused(",
        "`promote` raises weights although somebody paused",
    ),
    Mutation(
        "retry-lifts-nothing",
        COMMANDS,
        "        self.quarantine[desired.revision] = nil\n        self.pin = nil\n",
        "        self.pin = nil\n",
        "`retry` says that it lifted a quarantine and did not",
    ),
    Mutation(
        "resume-does-not-resume",
        COMMANDS,
        '        self.pause = nil\n        self.record(.resumed, "resumed',
        '        self.record(.resumed, "resumed',
        "`resume` says that it resumed and did not",
    ),
    Mutation(
        "rollback-does-not-quarantine-stable",
        COMMANDS,
        "            self.quarantine[bad.revision] = Quarantine(spec: bad, reason: reason, since: now)\n",
        "            _ = bad\n",
        "after `rollback` of a settled revision git brings it back",
    ),
    # What should be.
    Mutation(
        "the-canary-keeps-its-weight-on-rollback",
        TARGET,
        "        case .settled, .rollingBack:\n            self.target(canaryWeight: .none, keeping: [self.stable])\n",
        "        case .settled:\n            self.target(canaryWeight: .none, keeping: [self.stable])\n"
        "        case .rollingBack:\n            self.target(canaryWeight: TrafficWeight(percent: 5), keeping: [self.stable])\n",
        "a rollback leaves users with the canary",
    ),
    Mutation(
        "the-previous-revision-is-not-kept",
        TARGET,
        "self.target(canaryWeight: .none, keeping: [self.stable, self.previous])",
        "self.target(canaryWeight: .none, keeping: [self.stable])",
        "while baking there is no warm way back",
    ),
    Mutation(
        "nothing-is-held-back",
        TARGET,
        "self.holdback > .none else { return target }",
        "self.holdback > .all else { return target }",
        "after the promotion there is nothing left to compare with",
    ),
    Mutation(
        "copies-outlive-their-step",
        TARGET,
        "        case .weight, .approval: break\n",
        "        case .weight, .approval:\n"
        "            target.traffic.mirror = Traffic.Mirror(revision: canary.revision, percent: .all)\n",
        "a canary that answers users gets everybody's requests as well",
    ),
    Mutation(
        "no-preview-in-the-first-step",
        TARGET,
        "if canary.rollout.strategy == .blueGreen {",
        "if canary.rollout.strategy == .blueGreen, step > 0 {",
        "nobody can look at a blue/green revision before the switch",
    ),
    Mutation(
        "a-rollback-is-done-while-copies-flow",
        SAFETY,
        "        return !router.traffic.reaches(canary.revision)\n",
        "        return router.traffic[canary.revision] == .none\n",
        "a rollback counts as done while the canary still gets copies and matched requests",
    ),
    Mutation(
        "gates-sleep-in-the-bake",
        ADVANCE,
        "        self.sampledTraffic = router.traffic\n        self.analysis = run\n    }\n}",
        "        self.sampledTraffic = router.traffic\n        self.analysis = nil\n    }\n}",
        "what turns worse after its promotion is not noticed",
    ),
    Mutation(
        "the-bake-of-a-holdback-ends-while-paused",
        ADVANCE,
        "            guard self.pause == nil, self.isObservationFresh(situation, at: now) else { return }\n        }\n",
        "        }\n",
        "the last share of the traffic moves although an operator paused",
    ),
    Mutation(
        "a-removed-deployment-runs-on",
        TARGET,
        "            Target(replicas: [:], traffic: [:])\n        }\n",
        "            self.target(canaryWeight: .none, keeping: [self.stable])\n        }\n",
        "a deployment whose manifest is gone serves for ever",
    ),
    Mutation(
        "an-approval-waits-at-the-next-weight",
        ROLLOUT,
        "for index in stride(from: min(step, steps.count - 1), through: 0, by: -1) {",
        "for index in stride(from: min(step + 1, steps.count - 1), through: 0, by: -1) {",
        "weights rise a step too early",
    ),
    Mutation(
        "old-observations-are-fresh",
        ROLLOUT,
        "package static let freshness: Duration = .seconds(10)",
        "package static let freshness: Duration = .seconds(1000)",
        "what was seen a quarter of an hour ago counts as now",
    ),
    # Plans.
    Mutation(
        "unready-revisions-get-traffic",
        PLANNER,
        "(self.observed.replicas.last ?? []).contains { $0.id.revision == revision && $0.state == .ready }",
        "(self.observed.replicas.last ?? []).contains { $0.id.revision == revision }",
        "requests go to servers that are loading",
    ),
    Mutation(
        "cold-routes-get-weight",
        PLANNER,
        "if let cold = gains.first(where: { !fresh.warm.contains($0) }) {",
        "if let cold = gains.first(where: { !fresh.warm.contains($0) && fresh.warm.isEmpty }) {",
        "the router is told a weight before it knows a healthy replica",
    ),
    Mutation(
        "the-way-back-waits-for-a-look",
        PLANNER,
        "        if !self.isRetreat(to: wanted, from: served) {\n",
        "        if true || self.isRetreat(to: wanted, from: served) {\n",
        "a rollback waits while the router cannot be seen",
    ),
    Mutation(
        "replicas-start-unseen",
        PLANNER,
        "guard let replicas = self.observed.replicas.fresh(at: self.now, within: self.freshness) else {",
        "guard let replicas = self.observed.replicas.last else {",
        "replicas are started and stopped by what was seen long ago",
    ),
    Mutation(
        "traffic-counts-as-gone-when-unseen",
        PLANNER,
        "self.now - seen <= self.freshness else {\n            return false\n        }\n        if let asked",
        "self.now - seen <= self.freshness else {\n            return true\n        }\n        if let asked",
        "replicas drain while the router may still send to them",
    ),
    Mutation(
        "replicas-drain-under-traffic",
        PLANNER,
        "} else if !isGoing || self.isTrafficGone(from: revision) {",
        "} else if !isGoing || replica.state == .ready {",
        "the last replica of a revision with traffic drains",
    ),
    Mutation(
        "drained-replicas-stop-at-once",
        PLANNER,
        "if isEmpty || (self.now - since >= limit && (wanted > 0 || !isRouted)) {",
        "if isEmpty || (self.now - since >= .zero && (wanted > 0 || !isRouted)) {",
        "requests in flight are cut",
    ),
    Mutation(
        "drained-replicas-never-stop",
        PLANNER,
        "if isEmpty || (self.now - since >= limit && (wanted > 0 || !isRouted)) {",
        "if isEmpty && limit < .zero && isRouted {",
        "old replicas pile up",
    ),
    Mutation(
        "too-few-replicas",
        PLANNER,
        "            while staying < wanted {\n",
        "            while staying < wanted - 1 {\n",
        "one replica less than asked for runs, and a single one never",
    ),
    Mutation(
        "an-absent-artifact-is-not-fetched",
        PLANNER,
        "            plan.effects.append(.fetch(revision))\n",
        "",
        "a rollout waits for bytes that nobody asked for",
    ),
]
