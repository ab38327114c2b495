package import Deployments

/// Whose manifests follow an alias of a model registry, by proposals.
package struct ModelUpdatePolicy: Hashable, Sendable {
    /// Deployments by name, or all of a namespace.
    package struct Pattern: Hashable, Sendable {
        package var namespace: String
        /// Nothing for every one.
        package var name: String?

        package init(namespace: String, name: String?) {
            self.namespace = namespace
            self.name = name
        }
    }

    package var alias: String
    /// Only deployments of this model; nothing for all.
    package var model: String?
    package var deployments: [Pattern]
    package var mode: ModelPromotion.Mode
    package var interval: Duration

    package init(
        alias: String,
        model: String? = nil,
        deployments: [Pattern],
        mode: ModelPromotion.Mode,
        interval: Duration
    ) {
        self.alias = alias
        self.model = model
        self.deployments = deployments
        self.mode = mode
        self.interval = interval
    }

    /// Whether it is about a deployment whose manifest names this model.
    package func concerns(_ id: DeploymentID, of model: ModelReference) -> Bool {
        (self.model == nil || self.model == model.name)
            && self.deployments.contains { $0.namespace == id.namespace && ($0.name == nil || $0.name == id.name) }
    }
}

extension [ModelUpdatePolicy] {
    /// The first that concerns it: one deployment follows one alias.
    func index(for spec: DeploymentSpec) -> Int? {
        guard let reference = ModelReference(spec.model.uri) else { return nil }
        return self.firstIndex { $0.concerns(spec.id, of: reference) }
    }
}

/// What an alias was seen to name.
package struct ModelSighting: Sendable {
    /// The place of its policy.
    package var policy: Int
    package var model: String
    package var result: Result<RegisteredModel, ModelVersionsError>

    package init(policy: Int, model: String, result: Result<RegisteredModel, ModelVersionsError>) {
        self.policy = policy
        self.model = model
        self.result = result
    }
}
