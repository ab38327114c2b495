import Deployments
import Rollouts
import Simulation

/// Rollouts with one rule broken on purpose.
enum RolloutDefect: String, CaseIterable, Sendable {
    case ignoresPause, leavesBeforeItsTime, retriesTheQuarantined, goesOnBlindly, passesUnprovenSteps
    case keepsWhatFailed, ignoresNewerRevisions, removesWhatItCannotSee, endsTheBakeEarly, ignoresOperators
    case takesBlindnessForDeath, takesBlindnessForNoLoad, scalesInARollout, scalesDownAtOnce, scalesBeyondItsBounds
    case asksNobody

    func handle(_ rollout: inout Rollout, _ situation: Situation, at now: Timestamp) -> Rollout.Outcome {
        let before = rollout
        var seen = situation
        switch self {
        case .ignoresPause:
            rollout.pause = nil
            let outcome = rollout.handle(situation, at: now)
            if rollout.pause == nil { rollout.pause = before.pause }
            return outcome
        case .leavesBeforeItsTime:
            return Self.with(&rollout, \.canary, { $0.rollout.steps = $0.rollout.steps.map(Self.hurried) }) {
                $0.handle(situation, at: now)
            }
        case .endsTheBakeEarly:
            guard before.phase == .baking else { break }
            return Self.with(&rollout, \.stable, { $0.rollout.bakeTime = .zero }) { $0.handle(situation, at: now) }
        case .retriesTheQuarantined:
            rollout.quarantine = [:]
        case .goesOnBlindly:
            if let replicas = seen.observation.replicas.last { seen.observation.replicas = .known(replicas, at: now) }
            if let router = seen.observation.router.last { seen.observation.router = .known(router, at: now) }
        case .passesUnprovenSteps:
            guard case .stepping(_, .some(let served)) = before.phase, now - served > .seconds(10) else { break }
            seen.commands.append(Command(.promote(full: false, force: true), by: "nobody"))
        case .keepsWhatFailed:
            let outcome = rollout.handle(situation, at: now)
            if case .rollingBack(.gateFailed) = rollout.phase {
                let analysis = rollout.analysis
                rollout = before
                rollout.analysis = analysis
            }
            return outcome
        case .ignoresNewerRevisions:
            if before.isInFlight, case .spec = seen.desired { seen.desired = .unknown }
        case .removesWhatItCannotSee:
            if before.stable != nil, !seen.observation.replicas.isFresh(at: now, within: Rollout.freshness) {
                seen.desired = .absent
            }
        case .asksNobody:
            if before.signOffs != nil {
                seen.commands.append(Command(.promote(full: false, force: true), by: "nobody"))
            }
        case .ignoresOperators:
            seen.commands = []
        case .takesBlindnessForNoLoad:
            if before.stable?.autoscaling != nil, seen.load == nil {
                seen.load = Load(requests: 0, knownSince: Timestamp(milliseconds: 0))
            }
        case .scalesInARollout:
            let outcome = rollout.handle(situation, at: now)
            if rollout.isInFlight, let needed = rollout.neededReplicas(for: situation.load?.requests) {
                rollout.stable?.replicas = needed
            }
            return outcome
        case .scalesDownAtOnce:
            rollout.surplus = rollout.surplus?.map { .init(replicas: $0.replicas, since: Timestamp(milliseconds: 0)) }
        case .scalesBeyondItsBounds:
            let outcome = rollout.handle(situation, at: now)
            if rollout.isScalable, let autoscaling = rollout.stable?.autoscaling,
                let requests = situation.load?.requests
            {
                rollout.stable?.replicas = autoscaling.need(for: requests)
            }
            return outcome
        case .takesBlindnessForDeath:
            if seen.observation.replicas.fresh(at: now, within: .seconds(5)) == nil {
                seen.observation.replicas = .known([], at: now)
            }
            let outcome = rollout.handle(seen, at: now)
            if case .stepping = before.phase, case .stepping = rollout.phase,
                seen.observation.replicas.last?.isEmpty == true, let canary = before.canary
            {
                rollout.phase = .rollingBack(.replicaFailed("\(canary.label) is gone"))
            }
            return outcome
        }
        return rollout.handle(seen, at: now)
    }

    private static func hurried(_ step: Step) -> Step {
        var step = step
        step.atLeast = .zero
        return step
    }

    /// Handles with a changed spec, and puts the original back where it still is.
    private static func with(
        _ rollout: inout Rollout,
        _ part: WritableKeyPath<Rollout, DeploymentSpec?>,
        _ change: (inout DeploymentSpec) -> Void,
        _ handle: (inout Rollout) -> Rollout.Outcome
    ) -> Rollout.Outcome {
        guard let original = rollout[keyPath: part] else { return handle(&rollout) }
        var changed = original
        change(&changed)
        rollout[keyPath: part] = changed
        let outcome = handle(&rollout)
        for place in [\Rollout.canary, \Rollout.stable, \Rollout.previous]
        where rollout[keyPath: place]?.revision == original.revision {
            rollout[keyPath: place]?.rollout = original.rollout
        }
        return outcome
    }
}
