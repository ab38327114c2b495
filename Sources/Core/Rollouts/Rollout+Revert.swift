import Deployments

extension Rollout {
    /// Who decides whether git is put right after a rollback.
    enum RevertWish {
        /// The manifest's `rollout.revert`.
        case asTheManifestSays
        /// An operator, whatever the manifest says.
        case asked(RevertMode)
        /// Nothing of git's was taken back, or another revert says more.
        case never

        init(_ mode: RevertMode?) { self = mode.map { .asked($0) } ?? .asTheManifestSays }
    }

    /// With what becomes of git.
    func told(of command: Command, _ answer: CommandAnswer, _ outcome: Outcome) -> CommandAnswer {
        guard answer.isAccepted else { return answer }
        var answer = answer
        switch outcome.transitions.compactMap(\.revert).last?.mode {
        case .branch: answer.message += "; a revert goes to a branch of its own"
        case .pullRequest: answer.message += "; a revert goes to a branch of its own, with a pull request"
        case .push: answer.message += "; a revert goes to the watched branch"
        case nil where command.revert != nil && !answer.isChanged:
            answer.message += "; git stays as it is: a revert goes with a rollback, so revert the merge yourself"
        case nil where command.revert != nil:
            answer.message += "; git stays as it is, as there is nothing of this in it to revert"
        case nil: break
        }
        return answer
    }

    /// What puts git right when `failed` gives way to `restored`.
    ///
    /// - Returns: Nothing when nobody wants that, when there is nothing to go back to, or only what is in quarantine
    ///   itself, or when git names another revision than the failed one: then somebody has seen to it.
    ///   So it is with every rollout that git itself ended.
    func revert(
        _ failed: DeploymentSpec,
        to restored: DeploymentSpec?,
        _ wish: RevertWish,
        because reason: RollbackReason
    ) -> ManifestRevert? {
        guard let desired = self.desired, desired.revision == failed.revision, let restored,
            restored.origin.repository == desired.origin.repository, restored.origin.commit != desired.origin.commit,
            self.quarantine[restored.revision] == nil
        else { return nil }
        let mode: RevertMode?
        let isAutomatic: Bool
        switch wish {
        case .asTheManifestSays: (mode, isAutomatic) = (desired.rollout.revert, true)
        case .asked(let asked): (mode, isAutomatic) = (asked, false)
        case .never: (mode, isAutomatic) = (nil, true)
        }
        return mode.map {
            ManifestRevert(
                mode: $0,
                failed: desired.origin,
                restored: restored.origin,
                failedLabel: failed.label,
                restoredLabel: restored.label,
                reason: reason.description,
                isAutomatic: isAutomatic
            )
        }
    }
}
