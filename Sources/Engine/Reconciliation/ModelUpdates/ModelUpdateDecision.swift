package import Deployments
package import Rollouts

/// What follows from what an alias names, for one deployment. A function of values: it reads no clock and asks nobody.
///
/// Each move of the alias is proposed once. What was proposed and never merged is not proposed again, nor is what was
/// in git last and was taken out of it while the alias stayed, as a revert after a rollback does: a registry that says
/// the same as before is no news.
package enum ModelUpdateDecision: Hashable, Sendable {
    /// The deployment's manifest names no version of this model.
    case unconcerned
    /// Git names what the alias does.
    case agreed
    case propose(ModelPromotion)
    /// It is on its way to git.
    case isBeingProposed
    /// Nothing is proposed, for this reason.
    case rests(String)
    /// The same, and somebody should look.
    case problem(String)

    /// - Parameters:
    ///   - desired: What git wants.
    ///   - seen: What the alias names.
    ///   - policy: What follows the alias.
    ///   - proposals: What was proposed before.
    ///   - quarantine: What must not be tried again.
    package init(
        for desired: DeploymentSpec,
        seeing seen: RegisteredModel,
        by policy: ModelUpdatePolicy,
        after proposals: ModelProposals,
        quarantine: [Rollout.Quarantine]
    ) {
        guard let reference = ModelReference(desired.model.uri), reference.name == seen.model else {
            self = .unconcerned
            return
        }
        if reference == seen.reference {
            self = Self.comparison(of: desired, with: seen)
        } else if let pending = seen.pending {
            self = .rests("\(seen.label) is \(pending) in the registry")
        } else if let record = quarantine.first(where: { ModelReference($0.spec.model.uri) == seen.reference }) {
            self = .rests("\(seen.label) is not proposed: it is in quarantine (\(record.reason))")
        } else if let why = Self.objection(to: seen, for: desired, after: proposals) {
            self = why
        } else {
            self = .propose(
                ModelPromotion(
                    of: desired,
                    from: reference,
                    to: seen,
                    mode: policy.mode,
                    reason: "The alias \(policy.alias) of \(seen.model) names version \(seen.version)."
                )
            )
        }
    }

    private static func comparison(of desired: DeploymentSpec, with seen: RegisteredModel) -> Self {
        guard let pinned = desired.model.digest, let digest = seen.digest, pinned != digest else { return .agreed }
        return .problem(
            "the registry says another digest of \(seen.label) (\(digest.prefix(17))…) than git "
                + "(\(pinned.prefix(17))…): somebody changed the tag or the files; register a new version instead"
        )
    }

    /// Why it is not proposed again.
    private static func objection(
        to seen: RegisteredModel,
        for desired: DeploymentSpec,
        after proposals: ModelProposals
    ) -> Self? {
        guard let entry = proposals.entry(of: seen.model, seen.version) else { return nil }
        if let refused = entry.refusedFor {
            // Another manifest may be one that can be changed.
            return refused == desired.origin.commit ? .problem(entry.outcome ?? "nothing was proposed") : nil
        }
        let advice = "`controller promote-model \(desired.id) --to \(seen.version)` proposes it again"
        if !entry.isInGit {
            return entry.outcome.map { .rests($0) } ?? .isBeingProposed
        }
        guard proposals.newest(of: seen.model) == entry else { return nil }
        return .rests("\(seen.label) was in git and was taken out, and the alias stayed; \(advice)")
    }
}

extension RegisteredModel {
    package var reference: ModelReference { ModelReference(name: self.model, selector: .version(self.version)) }
}

extension ModelPromotion {
    /// - Parameters:
    ///   - spec: What git wants.
    ///   - current: What it names.
    ///   - seen: The version that it is to name.
    ///   - digest: What an operator says the digest is; nothing for what the registry says.
    ///   - mode: Where it goes.
    ///   - reason: Who or what asks for it.
    package init(
        of spec: DeploymentSpec,
        from current: ModelReference,
        to seen: RegisteredModel,
        digest: String? = nil,
        mode: Mode,
        reason: String
    ) {
        let digest = digest ?? seen.digest
        var warnings: [String] = []
        if digest == nil {
            let old = spec.model.digest == nil ? "" : "; the digest that is there now is taken out"
            warnings.append(
                "the registry has no tag sha256 on version \(seen.version), so that nothing pins its bytes\(old)"
            )
        }
        if case .version(let version) = current.selector, seen.version < version {
            warnings.append("version \(seen.version) is older than version \(version)")
        }
        if !spec.model.source.isEmpty { warnings.append("`model.source` of the manifest still tells of \(current)") }
        self.init(
            mode: mode,
            manifest: spec.origin,
            model: seen.model,
            previous: current.description,
            version: "\(seen.version)",
            digest: digest,
            reason: reason,
            warnings: warnings
        )
    }
}
