import Manifests

/// The kinds of objects that are read.
enum ImportKind: String, Hashable {
    case inferenceService = "InferenceService"
    case kserveRuntime = "ServingRuntime"
    case kserveClusterRuntime = "ClusterServingRuntime"
    case rollout = "Rollout"
    case analysisTemplate = "AnalysisTemplate"
    case clusterAnalysisTemplate = "ClusterAnalysisTemplate"
    case canary = "Canary"
    case metricTemplate = "MetricTemplate"
    case deployment = "Deployment"
    case autoscaler = "HorizontalPodAutoscaler"

    private var apiVersions: [String] {
        switch self {
        case .inferenceService: ["serving.kserve.io/v1beta1"]
        case .kserveRuntime, .kserveClusterRuntime: ["serving.kserve.io/v1alpha1"]
        case .rollout, .analysisTemplate, .clusterAnalysisTemplate: ["argoproj.io/v1alpha1"]
        case .canary, .metricTemplate: ["flagger.app/v1beta1"]
        case .deployment: ["apps/v1"]
        case .autoscaler: ["autoscaling/v2", "autoscaling/v1", "autoscaling/v2beta2"]
        }
    }

    var isClusterWide: Bool { self == .kserveClusterRuntime || self == .clusterAnalysisTemplate }

    /// What becomes a ModelDeployment by itself; the others only where one of these refers to them.
    var isImported: Bool { self == .inferenceService || self == .rollout || self == .canary }

    /// Of whose kinds nothing is ignored.
    var isOfATool: Bool { self != .deployment && self != .autoscaler }

    static func of(_ root: ImportField) -> ImportKind? {
        guard let kind = root.node["kind"]?.scalarText.flatMap(ImportKind.init),
            let version = root.node["apiVersion"]?.scalarText, kind.apiVersions.contains(version)
        else { return nil }
        return kind
    }

    /// What to say of an object that belongs to one of the tools and is not read; nothing of any other.
    static func advice(kind: String, apiVersion: String) -> String? {
        let group = apiVersion.split(separator: "/").first ?? ""
        switch (group, kind) {
        case ("argoproj.io", "Experiment"):
            return "an experiment is no rollout: compare answers in a `shadow` step with a gate of kind `answers`"
        case ("argoproj.io", "AnalysisRun"), ("serving.kserve.io", "ClusterStorageContainer"),
            ("serving.kserve.io", "PredictiveUnit"):
            return nil
        case ("flagger.app", "AlertProvider"):
            return "name where news go in the daemon's configuration: its address is nothing for git"
        case ("serving.kserve.io", _), ("serving.kubeflow.org", _), ("argoproj.io", "Rollout"),
            ("argoproj.io", "AnalysisTemplate"), ("argoproj.io", "ClusterAnalysisTemplate"), ("flagger.app", _):
            let known = ImportKind(rawValue: kind).flatMap {
                $0.isOfATool ? $0.apiVersions.joined(separator: ", ") : nil
            }
            guard let known else { return "a \(kind.inBackticks) has no counterpart: declare each model by itself" }
            return "\(kind) is read as \(known), not as \(apiVersion.inBackticks): convert it first, as "
                + "`kubectl get -o yaml` does"
        default: return nil
        }
    }
}
