import Deployments
import Rollouts

extension Rollout {
    /// As the API and docs/reference name the phases.
    var phaseName: String {
        switch self.phase {
        case .settled: self.stable == nil ? "pending" : "settled"
        case .preparing: "preparing"
        case .stepping: "stepping"
        case .promoting: "promoting"
        case .baking: "baking"
        case .rollingBack: "rolling-back"
        case .removing: "removing"
        }
    }

    /// What would happen next, in words.
    var next: [String] {
        switch self.phase {
        case .settled: self.nextWhenSettled
        case .preparing:
            [
                self.stable == nil || self.isRestoring
                    ? "once its replicas are ready, it takes all traffic"
                    : "once its replicas are ready and its signature agrees, step 1 sends it \(self.weight(ofStep: 0))",
                "without that by the progress deadline, the rollout is rolled back",
            ]
        case .stepping(_, nil): ["once the router serves the step's weight, judging begins"]
        case .stepping(let step, .some): self.next(afterStep: step)
        case .promoting: ["once the router serves it everything, the bake begins"]
        case .baking: ["after the bake time the previous replicas stop", "a breach of an objective rolls back at once"]
        case .rollingBack: ["once the router serves it nothing, its replicas drain and stop"]
        case .removing: ["its traffic ends, then its replicas do"]
        }
    }

    private var nextWhenSettled: [String] {
        guard let desired = self.desired, desired.revision != self.stable?.revision else {
            return ["a commit with another revision starts a rollout"]
        }
        if self.quarantine[desired.revision] != nil {
            return ["nothing, until a commit with another revision or `controller retry \(self.id)`"]
        }
        return self.pause == nil ? ["the rollout of \(desired.label) starts"] : ["nothing, until `controller resume`"]
    }

    private func next(afterStep step: Int) -> [String] {
        let count = self.canary?.rollout.steps.count ?? 0
        let passed =
            step + 1 < count
            ? "when every gate has passed, step \(step + 2) follows" : "when every gate has passed, it is promoted"
        let inconclusive =
            switch self.canary?.rollout.onInconclusive ?? .pause {
            case .pause: "without a verdict by `atMost`, it holds for a person"
            case .promote: "without a verdict by `atMost`, it goes on all the same"
            case .rollback: "without a verdict by `atMost`, it is rolled back"
            }
        return [passed, inconclusive, "a failed gate rolls it back at once"]
    }
}
