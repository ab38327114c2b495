/// What a team wants served: one validated ModelDeployment, with its runtime and gates resolved.
package struct DeploymentSpec: Hashable, Codable, Sendable {
    package var id: DeploymentID
    package var labels: [String: String]
    /// The identity of `model`, `runtime`, `parameters` and `resources`; a change of anything else starts no rollout.
    package var revision: Revision
    package var origin: CommitReference
    package var model: Model
    package var runtime: ServingRuntime
    package var parameters: [String: String]
    package var resources: Resources
    package var replicas: Int
    package var golden: [GoldenPrediction]
    package var signature: SignaturePolicy
    package var route: Route
    package var objectives: [Objective]
    package var rollout: RolloutPolicy
    package var dependsOn: [DeploymentID]

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
        golden: [GoldenPrediction] = [],
        signature: SignaturePolicy = .unchanged,
        route: Route = Route(),
        objectives: [Objective] = [],
        rollout: RolloutPolicy = RolloutPolicy(),
        dependsOn: [DeploymentID] = []
    ) {
        self.id = id
        self.labels = labels
        self.revision = revision
        self.origin = origin
        self.model = model
        self.runtime = runtime
        self.parameters = parameters
        self.resources = resources
        self.replicas = replicas
        self.golden = golden
        self.signature = signature
        self.route = route
        self.objectives = objectives
        self.rollout = rollout
        self.dependsOn = dependsOn
    }
}

/// A trained model: what the server calls it, and where its bytes are.
package struct Model: Hashable, Codable, Sendable {
    package var name: String
    package var version: String
    package var format: String
    /// A URI with one of the schemes that the artifact store knows: `file`, `http`, `https`.
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
