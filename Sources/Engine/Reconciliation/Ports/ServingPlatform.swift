package import Deployments

/// Where replicas run. Every call is quick: what takes long goes on behind it and shows in ``replicas()``.
package protocol ServingPlatform: Sendable {
    /// Every replica of every deployment.
    ///
    /// - Throws: A `PlatformError` when that could not be found out; never an incomplete answer.
    func replicas() async throws(PlatformError) -> [Replica]

    /// Starts a replica, and from then on keeps it alive with back-off, until ``stop(_:)``. Harmless when it runs.
    func start(_ id: ReplicaID, as launch: ReplicaLaunch) async throws(PlatformError)

    /// Marks a replica as draining, so that the router sends it nothing new. Harmless when it is.
    func drain(_ id: ReplicaID) async throws(PlatformError)

    /// Takes a draining replica back into service.
    func undrain(_ id: ReplicaID) async throws(PlatformError)

    /// SIGTERM, and SIGKILL to the group after the grace time; then forgets the replica. Harmless when it is gone.
    func stop(_ id: ReplicaID) async throws(PlatformError)
}

/// All that a platform needs to know to run one replica.
package struct ReplicaLaunch: Hashable, Codable, Sendable {
    package var model: Model
    package var runtime: ServingRuntime
    package var parameters: [String: String]
    package var resources: Resources
    package var golden: [GoldenPrediction]
    /// Where the verified artifact is: a file or a directory.
    package var artifact: String

    package init(spec: DeploymentSpec, artifact: String) {
        self.model = spec.model
        self.runtime = spec.runtime
        self.parameters = spec.parameters
        self.resources = spec.resources
        self.golden = spec.golden
        self.artifact = artifact
    }
}

package struct PlatformError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case notObservable, spawnFailed, noPort, unknownVariable, invalidState, routerUnreachable, routerRejected
        case limitReached
    }

    package var code: Code
    package var message: String
    package var recovery: Recovery

    package init(code: Code, message: String, recovery: Recovery) {
        self.code = code
        self.message = message
        self.recovery = recovery
    }

    package var description: String { self.message }
}
