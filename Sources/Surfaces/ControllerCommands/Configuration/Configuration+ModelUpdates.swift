package import Deployments
import Manifests

extension Configuration {
    /// Whose manifests follow an alias of the model registry, by proposals to git.
    package struct ModelUpdate: Hashable, Sendable {
        /// A deployment, or a namespace's all.
        package struct Pattern: Hashable, Sendable {
            package var namespace: String
            /// Nothing for every one.
            package var name: String?
        }

        package var alias: String
        /// The registry's name of it; nothing for every model.
        package var model: String?
        package var deployments: [Pattern]
        package var mode: ModelPromotion.Mode
        /// Between two looks at the registry.
        package var interval: Duration

        init?(decoding field: Field) {
            guard let members = field.members(of: .modelUpdate) else { return nil }
            let aliasForm = "an alias of the registry, such as champion, without @"
            let alias = members["alias"]?.string(form: aliasForm, where: ModelReference.isAlias)
            self.model = members["model"]?.string(
                form: "the registry's name of a model, such as magika",
                where: ModelReference.isName
            )
            let deployments = members["deployments"]?.list(limit: 1000)?.compactMap { $0.deploymentPattern() }
            if deployments?.isEmpty ?? false {
                members["deployments"]?.error("it concerns nobody: add a deployment, such as search/file-type")
            }
            self.mode = members["mode"]?.choice(of: ModelPromotion.Mode.self) ?? .branch
            self.interval = members["interval"]?.duration(in: .seconds(1) ... .hours(24)) ?? .minutes(1)
            guard let alias, let deployments else { return nil }
            self.alias = alias
            self.deployments = deployments
        }
    }

    /// A ``ModelPromotion/Mode``, or none, as people write it.
    enum PromotionChoice: String, CaseIterable {
        case none, branch, pullRequest

        var mode: ModelPromotion.Mode? { ModelPromotion.Mode(rawValue: self.rawValue) }
    }

    /// What is configured must be allowed somewhere.
    func check(modelUpdates field: Field?, _ fields: [Field]) {
        guard let field, !self.modelUpdates.isEmpty else { return }
        if self.modelRegistry == nil { field.error("nobody knows what an alias names: add `modelRegistry`") }
        let most = self.repositories.compactMap(\.promotions).max()
        guard let most else {
            field.error("no repository lets models be proposed: add `promotions: branch` to one")
            return
        }
        guard most < .pullRequest, fields.count == self.modelUpdates.count else { return }
        for (field, update) in zip(fields, self.modelUpdates) where update.mode == .pullRequest {
            field.error("no repository lets a pull request be opened: use `promotions: pullRequest`, or `mode: branch`")
        }
    }
}

extension Field {
    /// `search/file-type`, `search/*`, or a bare name of the namespace `default`.
    fileprivate func deploymentPattern() -> Configuration.ModelUpdate.Pattern? {
        let form = "namespace/name of a deployment, or namespace/* for all of a namespace"
        let text = self.string(form: form) { text in
            guard let id = DeploymentID(text) else { return false }
            return NameForm.isLabel(id.namespace) && (id.name == "*" && text.contains("/") || NameForm.isLabel(id.name))
        }
        return text.flatMap(DeploymentID.init).map {
            Configuration.ModelUpdate.Pattern(namespace: $0.namespace, name: $0.name == "*" ? nil : $0.name)
        }
    }
}
