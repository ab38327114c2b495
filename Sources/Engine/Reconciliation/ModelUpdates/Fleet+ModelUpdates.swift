package import Deployments
import Logging
package import Rollouts

extension Fleet {
    /// What is shown of a deployment that follows an alias.
    package struct ModelUpdateState: Hashable, Sendable {
        package var text: String
        package var since: Timestamp
        /// Somebody should look.
        package var isProblem: Bool
    }

    /// Decides for each deployment that follows the alias.
    mutating func take(_ sighting: ModelSighting) async {
        guard self.modelPolicies.indices.contains(sighting.policy) else { return }
        for id in self.members.keys.sorted() {
            guard case .spec(let desired) = self.tracker.desired(id, at: self.now),
                self.modelPolicies.index(for: desired) == sighting.policy,
                ModelReference(desired.model.uri)?.name == sighting.model
            else { continue }
            switch sighting.result {
            case .success(let seen): await self.follow(seen, for: desired, by: self.modelPolicies[sighting.policy])
            case .failure(let error): self.show(error.message, isProblem: true, of: id)
            }
        }
    }

    private mutating func follow(
        _ seen: RegisteredModel,
        for desired: DeploymentSpec,
        by policy: ModelUpdatePolicy
    ) async {
        let id = desired.id
        guard let member = self.members[id] else { return }
        var proposals = member.proposals ?? ModelProposals()
        if let named = ModelReference(desired.model.uri), case .version(let version) = named.selector {
            proposals.noteInGit(named.name, version)
        }
        let decision = ModelUpdateDecision(
            for: desired,
            seeing: seen,
            by: policy,
            after: proposals,
            quarantine: member.rollout.quarantine.values.sorted { $0.since < $1.since }
        )
        switch decision {
        case .unconcerned: self.modelUpdates[id] = nil
        case .agreed:
            if proposals.newest(of: seen.model)?.version != seen.version {
                proposals.add(
                    ModelProposals.Entry(model: seen.model, version: seen.version, time: self.now, isInGit: true)
                )
            }
            self.modelUpdates[id] = nil
            await self.remember(proposals, of: id)
        case .propose(let promotion): _ = await self.propose(promotion, for: desired, after: proposals)
        case .isBeingProposed:
            // What git said to it meanwhile stays.
            if self.modelUpdates[id] == nil { self.show("\(seen.label) is being proposed", of: id) }
        case .rests(let why), .problem(let why):
            if case .problem = decision { self.show(why, isProblem: true, of: id) } else { self.show(why, of: id) }
            await self.remember(proposals, of: id)
        }
    }

    /// An operator asks for it.
    package mutating func propose(_ promotion: ModelPromotion, of id: DeploymentID) async -> CommandAnswer {
        guard let member = self.members[id], case .spec(let desired) = self.tracker.desired(id, at: self.now) else {
            return .refused("git wants no deployment \(id)")
        }
        guard desired.origin == promotion.manifest else {
            return .refused("the manifest of \(id) has just changed: try again")
        }
        return await self.propose(promotion, for: desired, after: member.proposals ?? ModelProposals())
    }

    /// Journals the proposal and that it was made, together, and has it delivered.
    private mutating func propose(
        _ promotion: ModelPromotion,
        for desired: DeploymentSpec,
        after proposals: ModelProposals
    ) async -> CommandAnswer {
        let id = desired.id
        let now = self.now
        guard let version = Int(promotion.version), let member = self.members[id] else {
            return .refused("\(promotion.version) is no version")
        }
        var proposals = proposals
        proposals.add(ModelProposals.Entry(model: promotion.model, version: version, time: now))
        let item = OutboxItem(
            id: "\(id)/promote/\(promotion.uri)/\(now.milliseconds)",
            repository: desired.origin.repository,
            commit: desired.origin.commit,
            key: id.description,
            note: "",
            promotion: promotion
        )
        var after = member
        after.proposals = proposals
        guard await self.write(after, [item], at: now) else {
            let why = self.journalProblem ?? "what was decided before is not written yet"
            self.show(
                "\(promotion.label) is not proposed: the journal cannot be written (\(why))",
                isProblem: true,
                of: id
            )
            return .refused("the proposal could not be journaled (\(why)): nothing was done")
        }
        self.errands.notes.append(item)
        self.show("\(promotion.label) is being proposed", of: id)
        self.logger.notice(
            "model promotion",
            metadata: ["deployment.name": "\(id)", "model": "\(promotion.label)", "mode": "\(promotion.mode.rawValue)"]
        )
        return .done(
            "\(promotion.label) is being proposed to git, for \(id); `controller status \(id)` shows the branch. What "
                + "serves does not change until it is merged"
        )
    }

    /// What became of a proposal.
    mutating func take(_ outcome: PromotionOutcome, of item: OutboxItem) async {
        guard let promotion = item.promotion, let id = DeploymentID(item.key), let version = Int(promotion.version),
            let member = self.members[id]
        else { return }
        var proposals = member.proposals ?? ModelProposals()
        proposals.note(
            promotion.model,
            version,
            outcome: outcome.text,
            refusedFor: outcome.isWritten ? nil : promotion.manifest.commit
        )
        await self.remember(proposals, of: id)
        self.show(outcome.text, isProblem: !outcome.isWritten, of: id)
        self.logger.notice(
            "model promotion",
            metadata: ["deployment.name": "\(id)", "model": "\(promotion.label)", "outcome": "\(outcome.text)"]
        )
    }

    private mutating func remember(_ proposals: ModelProposals, of id: DeploymentID) async {
        guard var after = self.members[id], after.proposals ?? ModelProposals() != proposals else { return }
        after.proposals = proposals
        // What cannot be written is found out again at the next look.
        _ = await self.write(after, [], at: self.now)
    }

    /// - Returns: False when it is not written, and nothing is changed.
    private mutating func write(_ member: Member, _ items: [OutboxItem], at now: Timestamp) async -> Bool {
        let id = member.rollout.id
        // A rollback that waits to be written must come first, as it was decided first.
        guard self.unwritten[id] == nil else { return false }
        do {
            try await self.ports.journal.append(
                JournalRecord(deployment: id, time: now, member: member, transitions: [], outbox: items)
            )
        } catch {
            self.logger.error("not journaled", metadata: ["deployment.name": "\(id)", "error": "\(error)"])
            return false
        }
        self.members[id]?.proposals = member.proposals
        return true
    }

    /// What is shown: what was found out last or, after a restart, what was proposed last and is not in git yet.
    func modelUpdate(of member: Member) -> ModelUpdateState? {
        let named = (member.rollout.desired?.model.uri).flatMap { ModelReference($0) }
        guard let entry = member.proposals?.entries.last, named?.name == entry.model else {
            return self.modelUpdates[member.rollout.id]
        }
        // Merged, and not looked at since.
        if named?.selector == .version(entry.version) {
            return self.modelUpdates[member.rollout.id].flatMap { $0.text == entry.outcome ? nil : $0 }
        }
        let proposed = entry.isInGit ? nil : entry.outcome
        return self.modelUpdates[member.rollout.id]
            ?? proposed.map {
                ModelUpdateState(text: $0, since: entry.time, isProblem: entry.refusedFor != nil)
            }
    }

    /// Since when it is so stands beside it.
    mutating func show(_ text: String, isProblem: Bool = false, of id: DeploymentID) {
        guard self.modelUpdates[id]?.text != text else { return }
        self.modelUpdates[id] = ModelUpdateState(text: text, since: self.now, isProblem: isProblem)
    }
}

/// What was done of a promotion, in words.
package struct PromotionOutcome: Hashable, Sendable {
    package var text: String
    /// Whether a branch holds it.
    package var isWritten: Bool

    package init(text: String, isWritten: Bool) {
        self.text = text
        self.isWritten = isWritten
    }
}
