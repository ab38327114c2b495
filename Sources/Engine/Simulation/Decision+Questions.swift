import Analysis
import Decisions
import Deployments
import Rollouts

extension Decision {
    /// The canary is the same revision as before.
    var isSameCanary: Bool {
        guard let canary = self.before.canary else { return false }
        return canary.revision == self.after.canary?.revision
    }

    var isPaused: Bool { self.before.pause != nil && self.after.pause != nil }

    /// By the windows that git declares. Returns to an earlier revision are never frozen.
    var isFrozen: Bool {
        let windows = self.situation.freezes ?? self.before.freezes
        return windows.contains { $0.end(at: self.time) != nil } && !self.after.isRestoring
    }

    var isPromotedByHand: Bool {
        self.situation.commands.contains { if case .promote = $0.verb { true } else { false } }
    }

    func hasCommand(_ matches: (Command.Verb) -> Bool) -> Bool {
        self.situation.commands.contains { matches($0.verb) }
    }

    var isFresh: Bool {
        self.situation.observation.replicas.isFresh(at: self.time, within: .seconds(10))
            && self.situation.observation.router.isFresh(at: self.time, within: .seconds(10))
    }

    func isSeenReady(_ revision: Revision) -> Bool {
        (self.situation.observation.replicas.last ?? []).contains {
            $0.id.revision == revision && $0.state == .ready
        }
    }

    /// The router was seen to send it requests; not seeing the router counts as that.
    func isSeenServing(_ spec: DeploymentSpec?) -> Bool {
        guard let spec, let router = self.situation.observation.router.fresh(at: self.time, within: .seconds(10))
        else { return true }
        return router.traffic.reaches(spec.revision)
    }

    /// How the step stood that was left, from its judge.
    var isStepPassed: Bool {
        guard let analysis = self.after.analysis ?? self.before.analysis else { return false }
        return analysis.outcomes(at: self.time).allSatisfy { $0.outcome == .passed }
    }
}
