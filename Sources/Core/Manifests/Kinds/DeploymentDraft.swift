import Deployments

/// A ModelDeployment as its document says it: its runtime, gates, golden predictions and dependencies are names still.
///
/// Where the document has errors it holds defaults, so that its references can be checked all the same.
struct DeploymentDraft {
    var id: DeploymentID
    var document: Field
    var labels: [String: String] = [:]
    var model: Model
    /// Where the model's format is written.
    var format: Field?
    var runtime: Reference?
    var parameters: [String: String] = [:]
    var parametersField: Field?
    var resources = Resources()
    /// With `autoscaling`, the least.
    var replicas = 1
    var autoscaling: Autoscaling?
    var golden: Reference?
    var signature = SignaturePolicy.unchanged
    var route = Route()
    var routeField: Field?
    var objectives: [Objective] = [DeploymentDraft.defaultObjective]
    var rollout = RolloutDraft()
    var dependsOn: [Reference] = []

    static let defaultObjective = Objective(
        name: "availability",
        percent: 99,
        indicator: .availability,
        window: .hours(30 * 24)
    )

    var log: DiagnosticLog { self.document.log }
}

/// A rollout policy whose gates are names still.
struct RolloutDraft {
    /// Its own gates and those of its steps are not set.
    var policy = RolloutPolicy()
    var gates: [Reference]?
    /// Of each step, in their order.
    var stepGates: [[Reference]?] = [nil, nil, nil]
    var stepFields: [Field] = []
    var surgeField: Field?
    var holdbackField: Field?
}
