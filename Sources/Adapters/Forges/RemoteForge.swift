import Deployments
package import Reconciliation
package import Transport

/// A forge that is asked over the network. What is there already is looked for before anything is written, so that a
/// retry after a lost answer doubles nothing.
package struct RemoteForge: Forge {
    package let topics: Set<ForgeTopic>
    private let configuration: ForgeConfiguration
    private let api: any ForgeAPI

    /// Makes a forge; asks nothing yet.
    package init(configuration: ForgeConfiguration, client: HTTPClient) {
        self.topics = configuration.topics
        self.configuration = configuration
        switch configuration.kind {
        case .github: self.api = GitHubAPI(configuration, client: client)
        case .gitlab: self.api = GitLabAPI(configuration, client: client)
        case .gitea: self.api = GiteaAPI(configuration, client: client)
        }
    }

    package func show(_ report: RolloutReport, as topic: ForgeTopic) async throws(SourceError) {
        do throws(ForgeFailure) {
            switch topic {
            case .status: try await self.showStatus(report)
            case .comment: try await self.comment(on: report)
            case .deployment: try await self.showDeployment(report)
            }
        } catch {
            throw error.error
        }
    }

    package func propose(_ proposal: BranchProposal) async throws(SourceError) -> String {
        do throws(ForgeFailure) {
            if let open = try await self.api.openPullRequest(from: proposal.branch, into: proposal.base) { return open }
            return try await self.api.open(NewPullRequest(proposal))
        } catch {
            throw error.error
        }
    }

    // MARK: - Statuses

    private func showStatus(_ report: RolloutReport) async throws(ForgeFailure) {
        let name = self.name(of: report)
        let wanted = self.status(of: report, as: self.api.word(for: report.state))
        if let shown = try await self.api.status(named: name, of: report), self.api.shows(shown, wanted) { return }
        try await self.api.setStatus(wanted, named: name, of: report)
    }

    /// Each deployment is an environment of its own, as each has its own history.
    private func showDeployment(_ report: RolloutReport) async throws(ForgeFailure) {
        let status = self.status(of: report, as: self.api.deploymentWord(for: report.state))
        try await self.api.showDeployment(status, in: self.name(of: report), of: report)
    }

    private func name(of report: RolloutReport) -> String { "\(self.configuration.name)/\(report.deployment)" }

    private func status(of report: RolloutReport, as word: String) -> ShownStatus {
        let words =
            switch report.state {
            case .running: report.reason
            case .succeeded, .failed, .superseded: "\(report.outcome): \(report.label), \(report.reason)"
            }
        // GitHub refuses descriptions with characters beyond those of 16 bits.
        let plain = String(String.UnicodeScalarView(words.unicodeScalars.map { $0.value > 0xFFFF ? "?" : $0 }))
        return ShownStatus(
            state: word,
            description: ForgeText.line(plain, limit: self.api.descriptionLimit),
            link: self.link(of: report)
        )
    }

    private func link(of report: RolloutReport) -> String? {
        let parts = report.deployment.split(separator: "/", maxSplits: 1).map(String.init)
        return self.configuration.link?
            .replacing("${namespace}", with: ForgeConnection.escaped(parts.first ?? ""))
            .replacing("${deployment}", with: ForgeConnection.escaped(parts.last ?? ""))
            .replacing("${commit}", with: ForgeConnection.escaped(report.commit))
    }

    // MARK: - Comments

    /// One for each pull request, with a line for each deployment.
    private func comment(on report: RolloutReport) async throws(ForgeFailure) {
        guard let number = try await self.api.pullRequest(of: report.commit) else { return }
        let marker = "<!-- \(self.configuration.name):\(self.configuration.repository) -->"
        // Anybody may write what begins like ours: what is not ours can't be rewritten, and is passed over.
        let ours = try await self.api.comments(on: number).filter { $0.body.hasPrefix(marker) }
        var refusal: ForgeFailure?
        for comment in ours {
            let body = OutcomeTable(of: comment.body).with(report, under: marker)
            if body == comment.body { return }
            do throws(ForgeFailure) {
                return try await self.api.rewrite(comment, to: body, on: number)
            } catch {
                guard error.status == 403 || error.status == 404 else { throw error }
                refusal = error
            }
        }
        do throws(ForgeFailure) {
            try await self.api.write(OutcomeTable().with(report, under: marker), on: number)
        } catch {
            throw refusal ?? error
        }
    }
}

extension NewPullRequest {
    fileprivate init(_ proposal: BranchProposal) {
        switch proposal.change {
        case .revert(let revert): self.init(of: revert, in: proposal)
        case .promotion(let promotion): self.init(of: promotion, in: proposal)
        }
    }

    private init(of promotion: ModelPromotion, in proposal: BranchProposal) {
        let label = ForgeText.line(promotion.label, limit: 60)
        let digest = promotion.digest.map { "\n\nIt pins the digest `\($0)`." } ?? ""
        let warnings = promotion.warnings.map { "\n\nWarning: \(ForgeText.code($0, limit: 500))" }.joined()
        self.init(
            branch: proposal.branch,
            base: proposal.base,
            title: "Let \(proposal.deployment) serve \(label)",
            body: """
                This makes `\(proposal.deployment)` name \(ForgeText.code(promotion.label, limit: 60)) of the model \
                registry, in place of \(ForgeText.code(promotion.previous, limit: 300)):

                \(ForgeText.code(promotion.reason, limit: 500))\(digest)\(warnings)

                Nothing else is changed. Merging it starts a rollout; until then what serves stays. Closing it is an \
                answer, too: this version is not proposed again by itself.

                """
        )
    }

    private init(of revert: ManifestRevert, in proposal: BranchProposal) {
        let restored = ForgeText.line(revert.restoredLabel, limit: 60)
        self.init(
            branch: proposal.branch,
            base: proposal.base,
            title: "Revert \(proposal.deployment) to \(restored)",
            // What others wrote stands in code, where it can be no mention, link or command of the forge.
            body: """
                The controller rolled back \(ForgeText.code(revert.failedLabel, limit: 60)) of \
                `\(proposal.deployment)`, which commit \(revert.failed.commit) brought:

                \(ForgeText.code(revert.reason, limit: 500))

                This puts its manifest back as it was in commit \(revert.restored.commit), which serves again. Nothing \
                else is changed. Merging it starts no rollout.

                """
        )
    }
}
