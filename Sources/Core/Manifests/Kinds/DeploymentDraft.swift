import Deployments

/// A ModelDeployment as its document says it: its runtime, gates, golden predictions and dependencies are names still.
///
/// Where the document has errors it holds defaults, so that its references can be checked all the same.
struct DeploymentDraft: Sendable {
    var id: DeploymentID
    /// The path of the file.
    let file: String
    /// The `defaults.yaml` whose values are in it too, the outermost first.
    let layers: [String]
    let document: Site
    /// The `defaults.yaml` above it that has errors, so that nothing is known of what it says.
    let blocked: String?
    var labels: [String: String] = [:]
    var model: Model
    /// Where the model's format is written.
    var format: Site?
    var runtime: Reference?
    var parameters: [String: String] = [:]
    var parametersSite: Site?
    /// Where those stand that are in a `defaults.yaml`.
    var inheritedParameters: [String: Site] = [:]
    var resources = Resources()
    /// With `autoscaling`, the least.
    var replicas = 1
    var autoscaling: Autoscaling?
    var golden: Reference?
    var signature = SignaturePolicy.unchanged
    var route = Route()
    var routeSite: Site?
    var objectives: [Objective] = [DeploymentDraft.defaultObjective]
    var rollout = RolloutDraft()
    var dependsOn: [Reference] = []

    static let defaultObjective = Objective(
        name: "availability",
        percent: 99,
        indicator: .availability,
        window: .hours(30 * 24)
    )

    init(id: DeploymentID, file: String, layers: [String] = [], document: Site, blocked: String? = nil) {
        self.id = id
        self.file = file
        self.layers = layers
        self.document = document
        self.blocked = blocked
        self.model = Model(name: "", version: "", format: "", uri: "")
    }
}

/// A rollout policy whose gates are names still.
struct RolloutDraft: Sendable {
    /// Its own gates and those of its steps are not set.
    var policy = RolloutPolicy()
    var gates: [Reference]?
    /// Of each step, in their order.
    var stepGates: [[Reference]?] = [nil, nil, nil]
    var stepSites: [Site] = []
    var surgeSite: Site?
    var holdbackSite: Site?
    var signOffs: [SignOff.Place: SignOffDraft] = [:]
}

/// A sign-off whose gates are names still.
struct SignOffDraft: Sendable {
    var needsApproval: Bool
    var gates: [Reference]
}
