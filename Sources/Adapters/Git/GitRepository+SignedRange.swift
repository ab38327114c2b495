import Reconciliation

extension GitRepository {
    /// Commits beside the line from the last one taken that are looked at before more history is fetched, which may
    /// show that they are older than that.
    private static let side = 64

    /// Checks every commit that one brings since another, and fetches what of their history is not here.
    func verifyRange(
        to commit: ObjectID,
        since text: String,
        _ head: Head,
        _ keys: KeyFiles,
        until deadline: ContinuousClock.Instant
    ) async throws(Objection) {
        guard let since = ObjectID(text) else {
            throw .failed(self.label.error(.notConfigured, "'\(self.label.shown(text))' is no commit: write 40 digits"))
        }
        // What the last commit taken brought was verified then, unless by another requirement.
        let taken = self.isVerified ? self.accepted.flatMap { ObjectID($0.commit) } : nil
        for depth in [0] + Self.depths {
            if depth > 0 {
                do throws(SourceError) {
                    try await self.fetch(head.reference, depth: depth, into: self.directory.store, until: deadline)
                } catch {
                    throw .failed(error)
                }
            }
            if let taken, let range = try self.range(to: commit, after: taken), range.reachesBase {
                if try await self.verify(range, after: taken, keys, until: deadline) { return }
                continue
            }
            let range = try self.range(to: commit, after: since)
            guard let range else { continue }
            guard range.reachesBase || range.lacksCommits else {
                throw .unverified(commit, .init(reason: "does not descend from \(text), where signatures begin"))
            }
            if range.reachesBase, try await self.verify(range, after: since, keys, until: deadline) { return }
        }
        throw .unverified(
            commit,
            .init(
                reason: "cannot be verified: the server's history ends before \(text), or there are more than "
                    + "\(self.configuration.limits.signedCommits) commits after it"
            )
        )
    }

    private func range(to commit: ObjectID, after base: ObjectID) throws(Objection) -> CommitRange? {
        try self.objecting { store throws(ObjectStore.Failure) in
            store.range(to: commit, after: base, limit: self.configuration.limits.signedCommits)
        }
    }

    /// - Returns: Whether all are signed as required; false when more of the history has to be there to say so.
    private func verify(
        _ range: CommitRange,
        after base: ObjectID,
        _ keys: KeyFiles,
        until deadline: ContinuousClock.Instant
    ) async throws(Objection) -> Bool {
        guard !range.lacksCommits, !range.lacksBase else { return false }
        // Otherwise a long history from before the base might be verified in vain.
        guard !range.lacksAncestors || range.items.count - range.descendants.count <= Self.side else { return false }
        let checks = range.items.reversed().map { item in
            // Content that is only on a line from before the base excuses no merge: it was served before, or never.
            Check(commit: item.id, others: item.parents.filter { $0 == base || range.descendants.contains($0) })
        }
        do throws(Objection) {
            try await self.verify(checks, keys, until: deadline)
            return true
        } catch {
            guard case .unverified(let culprit, _) = error, range.lacksAncestors,
                !range.descendants.contains(culprit)
            else { throw error }
            return false
        }
    }
}
