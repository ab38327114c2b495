package import Deployments

/// A registry of models, of which it is asked what its versions and aliases are. It is never written to.
package protocol ModelVersions: Sendable {
    /// What a version is, or the version that an alias names now.
    ///
    /// - Throws: When the registry does not answer, or has no such version.
    func version(_ reference: ModelReference) async throws(ModelVersionsError) -> RegisteredModel
}

/// A version of a model, as its registry has it.
package struct RegisteredModel: Hashable, Sendable {
    package var model: String
    package var version: Int
    /// Why it cannot be served yet, in the registry's word; nothing when it can.
    package var pending: String?
    /// `sha256:` and 64 digits; nothing when the registry does not say.
    package var digest: String?

    package init(model: String, version: Int, pending: String? = nil, digest: String? = nil) {
        self.model = model
        self.version = version
        self.pending = pending
        self.digest = digest
    }

    package var label: String { "\(self.model) \(self.version)" }
}

/// Why a registry did not say what it was asked.
package struct ModelVersionsError: Error, Hashable, Sendable {
    /// What happened and what to do; without secrets.
    package var message: String
    /// Whether it is the registry that is in trouble, and no matter of this one model.
    package var concernsAll: Bool

    package init(message: String, concernsAll: Bool) {
        self.message = message
        self.concernsAll = concernsAll
    }
}
