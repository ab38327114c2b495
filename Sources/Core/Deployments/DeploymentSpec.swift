/// What a team wants served: one validated ModelDeployment, with its runtime and gates resolved.
///
/// A value of some twenty parts that is copied into every decision and seldom changes, so the parts are shared until
/// one is written, and two copies of one spec are known to be equal without comparing them.
package struct DeploymentSpec: Hashable, Sendable {
    private var parts: Shared<Parts>

    private struct Parts: Hashable, Codable, Sendable {
        var id: DeploymentID
        var labels: [String: String]
        var revision: Revision
        var origin: CommitReference
        var model: Model
        var runtime: ServingRuntime
        var parameters: [String: String]
        var resources: Resources
        var replicas: Int
        var autoscaling: Autoscaling?
        var golden: [GoldenPrediction]
        var signature: SignaturePolicy
        var route: Route
        var objectives: [Objective]
        var rollout: RolloutPolicy
        var dependsOn: [DeploymentID]
    }

    package init(
        id: DeploymentID,
        labels: [String: String] = [:],
        revision: Revision,
        origin: CommitReference,
        model: Model,
        runtime: ServingRuntime,
        parameters: [String: String] = [:],
        resources: Resources = Resources(),
        replicas: Int = 1,
        autoscaling: Autoscaling? = nil,
        golden: [GoldenPrediction] = [],
        signature: SignaturePolicy = .unchanged,
        route: Route = Route(),
        objectives: [Objective] = [],
        rollout: RolloutPolicy = RolloutPolicy(),
        dependsOn: [DeploymentID] = []
    ) {
        self.parts = Shared(
            Parts(
                id: id,
                labels: labels,
                revision: revision,
                origin: origin,
                model: model,
                runtime: runtime,
                parameters: parameters,
                resources: resources,
                replicas: replicas,
                autoscaling: autoscaling,
                golden: golden,
                signature: signature,
                route: route,
                objectives: objectives,
                rollout: rollout,
                dependsOn: dependsOn
            )
        )
    }
}

extension DeploymentSpec {
    /// Whether it is equal but for the commit that says so, of the same file of the same repository.
    package func wantsTheSame(as other: DeploymentSpec) -> Bool {
        let (here, there) = (self.origin, other.origin)
        guard here.commit != there.commit || here.subject != there.subject || here.author != there.author else {
            return self == other
        }
        guard here.path == there.path, here.repository == there.repository else { return false }
        var copy = self
        copy.origin = there
        return copy == other
    }
}

extension DeploymentSpec: Codable {
    package init(from decoder: any Decoder) throws {
        self.parts = Shared(try Parts(from: decoder))
    }

    package func encode(to encoder: any Encoder) throws {
        try self.parts.value.encode(to: encoder)
    }
}

extension DeploymentSpec {
    package var id: DeploymentID {
        get { self.parts.value.id }
        set { self.parts.write { $0.id = newValue } }
    }

    package var labels: [String: String] {
        get { self.parts.value.labels }
        set { self.parts.write { $0.labels = newValue } }
    }

    /// The identity of `model`, `runtime`, `parameters` and `resources`; a change of anything else starts no rollout.
    package var revision: Revision {
        _read { yield self.parts.value.revision }
        set { self.parts.write { $0.revision = newValue } }
    }

    package var origin: CommitReference {
        get { self.parts.value.origin }
        set { self.parts.write { $0.origin = newValue } }
    }

    package var model: Model {
        get { self.parts.value.model }
        set { self.parts.write { $0.model = newValue } }
    }

    package var runtime: ServingRuntime {
        get { self.parts.value.runtime }
        set { self.parts.write { $0.runtime = newValue } }
    }

    package var parameters: [String: String] {
        get { self.parts.value.parameters }
        set { self.parts.write { $0.parameters = newValue } }
    }

    package var resources: Resources {
        get { self.parts.value.resources }
        set { self.parts.write { $0.resources = newValue } }
    }

    /// With `autoscaling`, of a manifest the least, and of a rollout's revisions the present number.
    package var replicas: Int {
        get { self.parts.value.replicas }
        set { self.parts.write { $0.replicas = newValue } }
    }

    /// Nothing when the number of replicas is fixed.
    package var autoscaling: Autoscaling? {
        get { self.parts.value.autoscaling }
        set { self.parts.write { $0.autoscaling = newValue } }
    }

    package var golden: [GoldenPrediction] {
        get { self.parts.value.golden }
        set { self.parts.write { $0.golden = newValue } }
    }

    package var signature: SignaturePolicy {
        get { self.parts.value.signature }
        set { self.parts.write { $0.signature = newValue } }
    }

    package var route: Route {
        get { self.parts.value.route }
        set { self.parts.write { $0.route = newValue } }
    }

    package var objectives: [Objective] {
        get { self.parts.value.objectives }
        set { self.parts.write { $0.objectives = newValue } }
    }

    package var rollout: RolloutPolicy {
        _read { yield self.parts.value.rollout }
        set { self.parts.write { $0.rollout = newValue } }
    }

    package var dependsOn: [DeploymentID] {
        get { self.parts.value.dependsOn }
        set { self.parts.write { $0.dependsOn = newValue } }
    }
}

/// A trained model: what the server calls it, and where its bytes are.
package struct Model: Hashable, Codable, Sendable {
    package var name: String
    package var version: String
    package var format: String
    /// A URI with one of the schemes that the artifact store knows: `file`, `http`, `https`, `models`.
    package var uri: String
    /// `sha256:` and 64 hexadecimal digits; without one the artifact is not verified, only recorded.
    package var digest: String?
    /// Lineage: carried into every event, never part of the revision.
    package var source: [String: String]

    package init(
        name: String,
        version: String,
        format: String,
        uri: String,
        digest: String? = nil,
        source: [String: String] = [:]
    ) {
        self.name = name
        self.version = version
        self.format = format
        self.uri = uri
        self.digest = digest
        self.source = source
    }
}

package struct Resources: Hashable, Codable, Sendable {
    /// Thousandths of a core; 0 is unlimited.
    package var milliCPU: Int
    /// Bytes; 0 is unlimited.
    package var memory: Int64
    package var gpu: Int

    package init(milliCPU: Int = 0, memory: Int64 = 0, gpu: Int = 0) {
        self.milliCPU = milliCPU
        self.memory = memory
        self.gpu = gpu
    }
}

/// One request and the answer it must get: warm-up, readiness and preflight in one.
package struct GoldenPrediction: Hashable, Codable, Sendable {
    /// JSON, sent as it is to the model's inference path.
    package var request: String
    /// JSON that the answer must contain: objects may have more fields, numbers may differ by `tolerance`.
    package var expected: String
    /// Absolute tolerance on numbers.
    package var tolerance: Double

    package init(request: String, expected: String, tolerance: Double = 1e-6) {
        self.request = request
        self.expected = expected
        self.tolerance = tolerance
    }
}

/// Whether a canary's own metadata (names, types and shapes of inputs and outputs) must equal the stable model's
/// before any traffic moves.
package enum SignaturePolicy: String, Hashable, Codable, Sendable, CaseIterable {
    case unchanged
    case any
}

/// Which requests belong to a deployment.
package struct Route: Hashable, Codable, Sendable {
    /// Host names; empty means every host.
    package var hosts: [String]
    package var pathPrefix: String
    package var timeout: Duration
    /// The header whose value keeps a user on one track.
    package var affinityHeader: String?

    package init(
        hosts: [String] = [],
        pathPrefix: String = "/",
        timeout: Duration = .seconds(60),
        affinityHeader: String? = nil
    ) {
        self.hosts = hosts
        self.pathPrefix = pathPrefix
        self.timeout = timeout
        self.affinityHeader = affinityHeader
    }
}

/// A service level objective: the share of good events that users were promised.
package struct Objective: Hashable, Codable, Sendable {
    package var name: String
    /// Percent of good events, above 0 and below 100.
    package var percent: Double
    package var indicator: Indicator
    package var window: Duration

    package init(name: String, percent: Double, indicator: Indicator, window: Duration) {
        self.name = name
        self.percent = percent
        self.indicator = indicator
        self.window = window
    }
}

package enum Indicator: Hashable, Codable, Sendable {
    /// Bad events are answers 5xx, resets and timeouts, measured at the router.
    case availability
    /// Bad events are answers slower than the bound, measured at the router.
    case latency(below: Duration)
}
