import Deployments

extension Reconciler {
    /// A watched repository, how often it is looked at, and what a vanished manifest means there.
    package struct Source: Sendable {
        package var port: any ManifestSource
        package var branch: String
        package var interval: Duration
        package var deletion: DesiredStateTracker.Policy
        package var writesNotes: Bool
        /// Nothing where nobody is told but git.
        package var forge: (any Forge)?
        /// Nothing where no model is proposed.
        package var promoter: (any ModelPromoter)?

        package init(
            port: any ManifestSource,
            branch: String,
            interval: Duration,
            deletion: DesiredStateTracker.Policy,
            writesNotes: Bool,
            forge: (any Forge)? = nil,
            promoter: (any ModelPromoter)? = nil
        ) {
            self.port = port
            self.branch = branch
            self.interval = interval
            self.deletion = deletion
            self.writesNotes = writesNotes
            self.forge = forge
            self.promoter = promoter
        }

        /// What was done of an item.
        package enum Delivery: Sendable {
            /// All of it: what the loop is to hear.
            case done(Event)
            /// A branch was written, as the words say. The forge is to be asked for its pull request.
            case toPropose(BranchProposal, String)
        }

        /// Tells git what is to be told.
        ///
        /// - Throws: A `SourceError`: it is to be tried again.
        package func deliver(_ item: OutboxItem) async throws(SourceError) -> Delivery {
            if let revert = item.revert, let id = DeploymentID(item.key) {
                let result = try await self.port.revert(revert, of: id)
                guard let branch = result.proposed else { return .done(.reverted(item, result.text)) }
                guard self.forge != nil else {
                    let why = "; no `forge` of the repository is configured to open a pull request"
                    return .done(.reverted(item, result.text + why))
                }
                let proposal = BranchProposal(
                    deployment: id,
                    change: .revert(revert),
                    branch: branch,
                    base: result.base
                )
                return .toPropose(proposal, result.text)
            }
            if let promotion = item.promotion, let id = DeploymentID(item.key) {
                return try await self.deliver(promotion, of: id, as: item)
            }
            if self.writesNotes, !item.isCommit {
                try await self.port.annotate(commit: item.commit, key: item.key, note: item.note)
            }
            return .done(.delivered(item))
        }

        private func deliver(
            _ promotion: ModelPromotion,
            of id: DeploymentID,
            as item: OutboxItem
        ) async throws(SourceError) -> Delivery {
            guard let promoter = self.promoter else {
                let why = "nothing was proposed: the repository takes no promotions"
                return .done(.promoted(item, PromotionOutcome(text: why, isWritten: false)))
            }
            let result = try await promoter.promote(promotion, of: id, isRehearsal: false)
            guard result.isRequested, let branch = result.branch else {
                return .done(.promoted(item, PromotionOutcome(text: result.text, isWritten: result.branch != nil)))
            }
            guard self.forge != nil else {
                let why = "; no `forge` of the repository is configured to open a pull request"
                return .done(.promoted(item, PromotionOutcome(text: result.text + why, isWritten: true)))
            }
            let proposal = BranchProposal(
                deployment: id,
                change: .promotion(promotion),
                branch: branch,
                base: result.base
            )
            return .toPropose(proposal, result.text)
        }

        /// Tells the forge what is to be told; what it is not told of any more counts as told.
        func deliver(_ errand: ForgeQueue.Errand) async throws(SourceError) -> Event {
            guard let proposal = errand.proposal else {
                if let forge = self.forge, let news = errand.item.news, forge.topics.contains(news.topic) {
                    try await forge.show(news.report, as: news.topic)
                }
                return .delivered(errand.item)
            }
            let address = try await self.forge?.propose(proposal)
            let done = errand.done + (address.map { " (\($0))" } ?? "")
            switch proposal.change {
            case .revert: return .reverted(errand.item, done)
            case .promotion: return .promoted(errand.item, PromotionOutcome(text: done, isWritten: true))
            }
        }
    }
}
