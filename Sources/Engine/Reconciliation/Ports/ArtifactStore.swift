package import Deployments

/// Brings model files to this machine and verifies them.
package protocol ArtifactStore: Sendable {
    /// How far the artifact of `model` is. Quick.
    func state(of model: Model) async -> ArtifactState

    /// Starts or continues bringing it here, in the background. Harmless when it is here or on its way.
    func fetch(_ model: Model) async

    /// Says which models are in use: their artifacts are never evicted, all others may be.
    func retain(_ models: [Model]) async
}
