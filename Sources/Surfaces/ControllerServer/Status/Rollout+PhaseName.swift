import Rollouts

extension Rollout {
    /// As the API and docs/reference name the phases.
    var phaseName: String {
        switch self.phase {
        case .settled: self.stable == nil ? "pending" : "settled"
        case .preparing: "preparing"
        case .replacing: "replacing"
        case .stepping: "stepping"
        case .promoting: "promoting"
        case .baking: "baking"
        case .rollingBack: "rolling-back"
        case .removing: "removing"
        }
    }
}
