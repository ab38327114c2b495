package import Deployments
import Manifests
package import Reconciliation

extension GitRepository: ModelPromoter {
    package func promote(
        _ promotion: ModelPromotion,
        of deployment: DeploymentID,
        isRehearsal: Bool
    ) async throws(SourceError) -> PromotionResult {
        try await self.turns.exclusively { () async throws(SourceError) -> PromotionResult in
            try await self.promoteAlone(promotion, of: deployment, isRehearsal: isRehearsal)
        }
    }

    private func promoteAlone(
        _ promotion: ModelPromotion,
        of deployment: DeploymentID,
        isRehearsal: Bool
    ) async throws(SourceError) -> PromotionResult {
        guard let allowed = self.configuration.promotions else {
            return .nothing("nothing was proposed: `promotions` of the repository \(self.name) does not allow it")
        }
        guard case .branch(let branch) = self.configuration.reference else {
            return .nothing("nothing was proposed: \(self.configuration.reference) is watched, and no branch")
        }
        let deadline = ContinuousClock.now + self.configuration.timeout
        try await self.openForServer(until: deadline)
        let work = PromotionWork(promotion: promotion, deployment: deployment, branch: branch)
        let commit: ObjectID
        let diff: String
        switch try await self.commit(work, until: deadline) {
        case .unneeded(let why): return .nothing(why)
        case .made(let id, let changes): (commit, diff) = (id, changes)
        }
        let isRequested = promotion.mode == .pullRequest && allowed == .pullRequest
        let note =
            promotion.mode == .pullRequest && !isRequested
            ? "; `promotions` of the repository does not allow a pull request" : ""
        var result = PromotionResult(
            text: "branch \(work.ownBranch) makes \(deployment) name \(promotion.label): merge it\(note)",
            branch: work.ownBranch,
            base: branch,
            isRequested: isRequested,
            diff: diff
        )
        if isRehearsal {
            let what = "which makes \(deployment) name \(promotion.label)\(note)"
            result.text = "would write branch \(work.ownBranch), \(what)"
            return result
        }
        // Without force: what somebody has on a branch of that name stays, unless it is all merged.
        switch try await self.push(commit, to: "refs/heads/\(work.ownBranch)", until: deadline) {
        case .done: return result
        case .overtaken:
            if try await self.remoteTarget(of: "refs/heads/\(work.ownBranch)", until: deadline) != nil { return result }
            let why = "the server did not take the branch \(work.ownBranch): is there one whose name begins alike?"
            throw self.label.error(.refused, why, .retry)
        case .refused(let why):
            throw self.label.error(
                .refused,
                "the server does not take the branch \(work.ownBranch), which makes \(deployment) name "
                    + "\(promotion.label): \(why). Allow these credentials to push there, or change it by hand"
            )
        }
    }

    private enum Making {
        case made(ObjectID, diff: String)
        case unneeded(String)
    }

    /// Makes the commit on top of the branch as the server has it now.
    private func commit(
        _ work: PromotionWork,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) -> Making {
        let head = try await self.fetchBase(work.branch, until: deadline)
        let path = work.promotion.manifest.path
        guard let now = try self.file(path, in: head) else {
            return .unneeded("nothing was proposed: \(self.label.shown(path)) is not on \(work.branch) any more")
        }
        let bytes: [UInt8]
        do throws(ManifestText.Refusal) {
            var text = try ManifestText(now.bytes)
            guard try text.promote(work.deployment, to: work.promotion) else {
                return .unneeded(
                    "nothing to propose: \(work.deployment) names \(work.promotion.label) on \(work.branch) already"
                )
            }
            bytes = text.bytes
        } catch {
            return .unneeded("nothing was proposed: \(self.label.shown(path)) \(error.reason)")
        }
        let id = try self.reading { store throws(ObjectStore.Failure) in
            try store.commit(bytes, at: path, mode: now.mode, on: head, message: work.message)
        }
        return .made(id, diff: UnifiedDiff.text(from: now.bytes, to: bytes, path: path))
    }
}

/// One promotion, in the words of its commit.
struct PromotionWork {
    var promotion: ModelPromotion
    var deployment: DeploymentID
    var branch: String

    /// By what it proposes: a second time is found to be done.
    var ownBranch: String {
        let model = "\(self.promotion.model)-\(self.promotion.version)"
        return "controller/promote/\(self.deployment.namespace)/\(self.deployment.name)/\(Self.part(model))"
    }

    /// What a registry allows in a name, a branch may not have.
    private static func part(_ name: String) -> String {
        let bytes = name.utf8.prefix(150).map { byte -> UInt8 in
            let isPlain =
                byte < 0x80 && Character(UnicodeScalar(byte)).isLetter || byte.isDigit || "-_.+".utf8.contains(byte)
            return isPlain ? byte : UInt8(ascii: "_")
        }
        var text = String(decoding: bytes, as: UTF8.self).replacing("..", with: "__")
        if text.hasPrefix(".") { text = "_" + text.dropFirst() }
        return text.hasSuffix(".lock") || text.hasSuffix(".") ? text + "_" : text
    }

    var message: String {
        let warnings = self.promotion.warnings.map { "Warning: \(PrintableText.line($0, limit: 500))\n" }.joined()
        let digest = self.promotion.digest.map { "Model-Digest: \($0)\n" } ?? ""
        return """
            Let \(self.deployment) serve \(PrintableText.line(self.promotion.label, limit: 60))

            \(PrintableText.line(self.promotion.reason, limit: 500))
            It names \(PrintableText.line(self.promotion.previous, limit: 300)) now.
            \(warnings)
            Promoted-Model: \(PrintableText.line(self.promotion.uri, limit: 500))
            \(digest)Deployment: \(self.deployment)
            Promoted-By: controller

            """
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
