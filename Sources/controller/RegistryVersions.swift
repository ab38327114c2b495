import Deployments
import ModelRegistries
import Reconciliation

/// A model registry in the engine's words.
struct RegistryVersions: ModelVersions {
    let registry: any ModelRegistry

    func version(_ reference: ModelReference) async throws(ModelVersionsError) -> RegisteredModel {
        let found: RegisteredVersion
        do throws(RegistryError) {
            found = try await self.registry.version(reference)
        } catch {
            // Of one model are only those that name it.
            let isOwn = error.code == .notFound || error.code == .aliasMissing
            throw ModelVersionsError(message: error.message, concernsAll: !isOwn)
        }
        let pending: String? =
            switch found.status {
            case .ready: nil
            case .pending: "not ready yet"
            case .failed: "marked as failed"
            case .other(let word): word
            }
        return RegisteredModel(model: found.model, version: found.number, pending: pending, digest: found.digest)
    }
}
