package import Deployments
import Logging
package import Rollouts

extension Reconciler {
    /// Asks the registry what an alias names, for each model that concerns the policy. A registry that is away is asked
    /// less and less often, and delays nothing else.
    func watchModels(by policy: ModelUpdatePolicy, at index: Int, in registry: any ModelVersions) async {
        var pace = PollPace(interval: policy.interval)
        while !Task.isCancelled {
            let models = self.models(followedBy: index)
            var isFailing = false
            for model in models {
                let reference = ModelReference(name: model, selector: .alias(policy.alias))
                do throws(ModelVersionsError) {
                    let seen = try await registry.version(reference)
                    self.tell(.modelSeen(ModelSighting(policy: index, model: model, result: .success(seen))))
                } catch {
                    isFailing = isFailing || error.concernsAll
                    self.logger.warning("model registry", metadata: ["model": "\(model)", "error": "\(error.message)"])
                    self.tell(.modelSeen(ModelSighting(policy: index, model: model, result: .failure(error))))
                }
            }
            // Git may not have been read yet.
            let interval = models.isEmpty ? min(policy.interval, Self.firstLooks) : nil
            let wait = interval ?? pace.wait(after: isFailing ? .failure : .nothing, isWoken: false)
            guard await self.sleep(wait * Double.random(in: 0.9...1.1)) else { return }
        }
    }

    private static let firstLooks = Duration.seconds(2)

    private func models(followedBy index: Int) -> [String] {
        let specs = self.current.deployments.values.compactMap(\.rollout.desired)
        let names = specs.filter { self.settings.modelUpdates.index(for: $0) == index }
            .compactMap { ModelReference($0.model.uri)?.name }
        return Set(names).sorted()
    }

    /// What an operator asks for.
    package struct PromotionRequest: Hashable, Sendable {
        package var selector: ModelReference.Selector
        /// Nothing for what the registry says.
        package var digest: String?
        package var mode: ModelPromotion.Mode
        package var by: String
        package var why: String
        /// Whether only is shown what would be done.
        package var isRehearsal: Bool

        package init(
            selector: ModelReference.Selector,
            digest: String?,
            mode: ModelPromotion.Mode,
            by: String,
            why: String,
            isRehearsal: Bool
        ) {
            self.selector = selector
            self.digest = digest
            self.mode = mode
            self.by = by
            self.why = why
            self.isRehearsal = isRehearsal
        }
    }

    package struct PromotionAnswer: Hashable, Sendable {
        package var answer: CommandAnswer
        /// Nothing when it did not get so far.
        package var promotion: ModelPromotion?
        /// What the commit would change, of a rehearsal.
        package var diff = ""

        fileprivate init(_ answer: CommandAnswer, _ promotion: ModelPromotion? = nil) {
            self.answer = answer
            self.promotion = promotion
        }
    }

    /// Proposes another version of a deployment's model to git, or says what would be proposed. It waits for the
    /// registry and, of a rehearsal, for the git server.
    package func promote(_ id: DeploymentID, as request: PromotionRequest) async -> PromotionAnswer {
        guard let spec = self.current.deployments[id]?.rollout.desired else {
            return PromotionAnswer(.refused("git wants no deployment \(id)"))
        }
        guard let registry = self.ports.models else {
            return PromotionAnswer(
                .refused("no `modelRegistry` is configured: add it to the controller's configuration")
            )
        }
        guard let reference = ModelReference(spec.model.uri) else {
            let why = "only a manifest with `uri: models:/NAME/VERSION` can be promoted, and that of \(id) has another"
            return PromotionAnswer(.refused(why))
        }
        let seen: RegisteredModel
        do throws(ModelVersionsError) {
            seen = try await registry.version(ModelReference(name: reference.name, selector: request.selector))
        } catch {
            return PromotionAnswer(.refused(error.message))
        }
        if let refusal = request.objection(to: seen) { return PromotionAnswer(.refused(refusal)) }
        var promotion = ModelPromotion(
            of: spec,
            from: reference,
            to: seen,
            digest: request.digest,
            mode: request.mode,
            reason: request.reason(for: seen)
        )
        let quarantine = self.current.deployments[id]?.rollout.quarantine.values.map(\.spec) ?? []
        if quarantine.contains(where: { ModelReference($0.model.uri) == seen.reference }) {
            promotion.warnings.append(
                "\(seen.label) is in quarantine here: nothing rolls out before `controller retry \(id)`"
            )
        }
        if !request.isRehearsal { return PromotionAnswer(await self.submit(promotion, for: id), promotion) }
        return await self.rehearse(promotion, of: id)
    }

    private func rehearse(_ promotion: ModelPromotion, of id: DeploymentID) async -> PromotionAnswer {
        let source = self.ports.sources.first { $0.port.name == promotion.manifest.repository }
        guard let promoter = source?.promoter else {
            return PromotionAnswer(.refused("the repository of \(id) takes no promotions"))
        }
        do throws(SourceError) {
            let result = try await promoter.promote(promotion, of: id, isRehearsal: true)
            guard result.branch != nil else { return PromotionAnswer(.unchanged(result.text), promotion) }
            var answer = PromotionAnswer(.unchanged(result.text), promotion)
            answer.diff = result.diff
            return answer
        } catch {
            return PromotionAnswer(.refused(error.message), promotion)
        }
    }
}

extension Reconciler.PromotionRequest {
    fileprivate func objection(to seen: RegisteredModel) -> String? {
        if let pending = seen.pending { return "\(seen.label) is \(pending) in the registry: wait until it is ready" }
        if let digest = self.digest, let known = seen.digest, digest != known {
            return "the registry says another digest of \(seen.label): \(known); leave out --digest, or mend the tag"
        }
        return nil
    }

    fileprivate func reason(for seen: RegisteredModel) -> String {
        let name = if case .alias(let alias) = self.selector { ", which the alias \(alias) names" } else { "" }
        let why = self.why.isEmpty ? "." : ": \(self.why)"
        return "\(self.by) asked for version \(seen.version)\(name)\(why)"
    }
}
