/// The kinds of manifests that this version reads.
package enum ManifestKind: String, Hashable, Sendable, CaseIterable {
    case modelDeployment = "ModelDeployment"
    case modelDeploymentDefaults = "ModelDeploymentDefaults"
    case servingRuntime = "ServingRuntime"
    case analysisTemplate = "AnalysisTemplate"
    case freezeWindow = "FreezeWindow"

    package static let apiVersion = "controller/v1"

    /// Every mapping with fixed fields that the kind's documents may hold, the document first.
    package var shapes: [Shape] {
        switch self {
        case .modelDeployment:
            [
                .modelDeployment, .deploymentMetadata, .deploymentSpec, .model, .autoscaling, .resources, .route,
                .affinity, .objective, .indicator, .availability, .latency, .rollout, .step, .approval, .signOff,
                .shadow,
                .match, .headerMatch,
            ]
        case .modelDeploymentDefaults:
            [
                .modelDeploymentDefaults, .defaultsMetadata, .defaultsSpec, .autoscaling, .resources, .route,
                .affinity, .objective, .indicator, .availability, .latency, .rollout, .step, .approval, .signOff,
                .shadow,
                .match, .headerMatch,
            ]
        case .servingRuntime:
            [
                .servingRuntime, .sharedMetadata, .runtimeSpec, .format, .readiness, .startup, .metrics, .shutdown,
            ]
        case .analysisTemplate:
            [
                .analysisTemplate, .sharedMetadata, .analysisSpec, .threshold, .ratio, .mean, .drift, .webhook, .job,
                .answers, .slowdown, .flagger, .thresholdRange, .argo, .kayenta,
            ]
        case .freezeWindow: [.freezeWindow, .sharedMetadata, .freezeSpec, .schedule, .selector]
        }
    }
}

extension Shape {
    static func document(_ kind: ManifestKind) -> Shape {
        Shape(
            kind.rawValue,
            [
                .required("apiVersion", ManifestKind.apiVersion),
                .required("kind", kind.rawValue),
                .required("metadata", "{name: example}"),
                .required("spec", "{…}"),
            ]
        )
    }

    static let modelDeployment = Shape.document(.modelDeployment)
    static let modelDeploymentDefaults = Shape(
        ManifestKind.modelDeploymentDefaults.rawValue,
        [
            .required("apiVersion", ManifestKind.apiVersion),
            .required("kind", ManifestKind.modelDeploymentDefaults.rawValue),
            .optional("metadata", "{labels: {team: search}}"),
            .optional("spec", "{…}"),
        ]
    )
    static let servingRuntime = Shape.document(.servingRuntime)
    static let analysisTemplate = Shape.document(.analysisTemplate)
    static let freezeWindow = Shape.document(.freezeWindow)

    /// Of what deployments share.
    static let sharedMetadata = Shape("metadata", [.required("name", "example")])
}

/// A name in a manifest that stands for something else, kept until everything is read.
struct Reference: Sendable {
    var name: String
    var site: Site
}

extension Field {
    func reference() -> Reference? {
        self.label().map { Reference(name: $0, site: self.site) }
    }
}
