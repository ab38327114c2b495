import Deployments
import Foundation
import Logging
import Manifests
package import Reconciliation

extension GitRepository {
    func pollAlone() async throws(SourceError) -> SourceSnapshot? {
        let deadline = ContinuousClock.now + self.configuration.timeout
        do throws(SourceError) {
            try await self.openForServer(until: deadline)
            return try await self.look(until: deadline)
        } catch {
            self.forgetToken(after: error)
            if let snapshot = self.keptSnapshot(despite: error) { return snapshot }
            throw error
        }
    }

    private func look(until deadline: ContinuousClock.Instant) async throws(SourceError) -> SourceSnapshot? {
        let head = try await self.remoteHead(until: deadline)
        if let standing = self.standing, standing.commit == head.commit.text, self.stillStands(standing) {
            throw standing.error
        }
        self.standing = nil
        if self.delivered == head.commit.text, self.accepted?.commit == head.commit.text, self.isVerified {
            return nil
        }
        do throws(SourceError) {
            return try await self.take(head, until: deadline)
        } catch {
            guard error.code == .unreadable else { throw error }
            try await self.rebuild(because: error, at: head.reference, until: deadline)
            return try await self.take(head, until: deadline)
        }
    }

    private func take(_ head: Head, until deadline: ContinuousClock.Instant) async throws(SourceError)
        -> SourceSnapshot?
    {
        if let accepted = self.accepted, accepted.commit == head.commit.text, accepted.folders == self.folders,
            self.store?.parents(of: head.commit) != nil
        {
            if !self.isVerified {
                try await self.verify(head.commit, of: head, until: deadline)
                // As it is by now: it may have been acknowledged meanwhile.
                var record = self.accepted ?? accepted
                record.verified = self.configuration.signatures?.mark
                try self.save(record)
            }
            if self.delivered == accepted.commit { return nil }
            let rewroteHistory = self.accepted?.rewroteHistory ?? accepted.rewroteHistory
            return self.deliver(try self.snapshot(of: head.commit, head.name, rewroteHistory: rewroteHistory))
        }
        let arrival = try await self.arrival(of: head, until: deadline)
        try self.holding(arrival.commit) { () throws(SourceError) in try self.checkHistory(arrival, of: head) }
        try await self.verify(arrival.commit, of: head, until: deadline)
        let snapshot = try self.holding(arrival.commit) { () throws(SourceError) in
            let rewroteHistory = arrival.rewroteHistory || self.accepted?.rewroteHistory ?? false
            let snapshot = try self.snapshot(of: arrival.commit, head.name, rewroteHistory: rewroteHistory)
            try self.accept(arrival.commit, of: head, rewroteHistory: rewroteHistory)
            return snapshot
        }
        await self.compactIfNeeded(until: deadline)
        return self.deliver(snapshot)
    }

    /// Remembers what is wrong with a commit where only another commit can help.
    private func holding<Result>(_ commit: ObjectID, _ body: () throws(SourceError) -> Result) throws(SourceError)
        -> Result
    {
        do throws(SourceError) {
            return try body()
        } catch {
            switch error.code {
            case .historyRewritten, .refused, .tooLarge, .notConfigured:
                self.standing = Standing(commit: commit.text, error: error)
            case .unreachable, .timedOut, .branchMissing, .unreadable, .unverified:
                break
            }
            throw error
        }
    }

    private func deliver(_ snapshot: SourceSnapshot) -> SourceSnapshot {
        self.delivered = snapshot.origin.commit
        return snapshot
    }

    /// After a start with the server away, or the branch in a bad state, what was taken before is still what should
    /// be served.
    private func keptSnapshot(despite error: SourceError) -> SourceSnapshot? {
        guard self.delivered == nil, let accepted = self.accepted, let id = ObjectID(accepted.commit) else {
            return nil
        }
        // When that cannot be read either, the first error is the one to mend.
        let name = accepted.tag ?? self.configuration.reference.name
        guard let snapshot = try? self.snapshot(of: id, name, rewroteHistory: accepted.rewroteHistory) else {
            return nil
        }
        self.logger.warning("the last commit taken stands in", metadata: ["error": "\(error.message)"])
        self.delivered = accepted.commit
        return snapshot
    }

    func reading<Result>(
        _ body: (ObjectStore) throws(ObjectStore.Failure) -> Result
    ) throws(SourceError) -> Result {
        guard let store = self.store else {
            throw self.label.error(.unreadable, "the store \(self.directory.store) does not open", .retry)
        }
        do throws(ObjectStore.Failure) {
            return try body(store)
        } catch {
            throw self.label.error(.unreadable, "\(error.message); the last good commit stands", .retry)
        }
    }

    // MARK: - Taking

    private func checkHistory(_ arrival: Arrival, of head: Head) throws(SourceError) {
        guard arrival.rewroteHistory, self.configuration.historyRewrite == .reject, let old = self.accepted else {
            return
        }
        if let tag = old.tag, tag != head.name {
            throw self.label.error(
                .historyRewritten,
                "the tag \(tag), which was taken last, is gone, and \(head.name) is the highest that is left: \(tag) "
                    + "stands. Push it again, or set historyRewrite: accept"
            )
        }
        let kind = if case .branch = self.configuration.reference { "branch" } else { "tag" }
        throw self.label.error(
            .historyRewritten,
            "\(kind) \(head.name) was rewritten: it is at \(arrival.commit.text), which does not descend from "
                + "\(old.commit), the last commit taken, and that one stands. Push a commit that descends from it "
                + "(git push --force-with-lease origin \(old.commit):\(head.reference) restores it), or set "
                + "historyRewrite: accept"
        )
    }

    package func acknowledge(commit: String) async throws(SourceError) {
        guard var record = self.accepted, record.commit == commit, record.rewroteHistory else { return }
        record.rewroteHistory = false
        try self.save(record)
    }

    private func accept(_ commit: ObjectID, of head: Head, rewroteHistory: Bool) throws(SourceError) {
        var record = StoreDirectory.Accepted(
            url: self.configuration.url,
            branch: self.configuration.reference.key,
            folders: self.folders,
            commit: commit.text,
            rewroteHistory: rewroteHistory,
            verified: self.configuration.signatures?.mark
        )
        if case .versions = self.configuration.reference { record.tag = head.name }
        try self.reading { store throws(ObjectStore.Failure) in
            try store.move(Reference.tip, from: try store.target(of: Reference.tip), to: commit)
        }
        try self.save(record)
    }

    private func save(_ record: StoreDirectory.Accepted) throws(SourceError) {
        do {
            try self.directory.save(record)
        } catch {
            throw self.label.error(
                .unreachable,
                "the commit taken cannot be noted in \(self.directory.root): \(error). Free some space there, or "
                    + "make it writable",
                .retry
            )
        }
        self.accepted = record
    }

    private func snapshot(
        of id: ObjectID,
        _ name: String,
        rewroteHistory: Bool
    ) throws(SourceError) -> SourceSnapshot {
        let commit = try self.reading { store throws(ObjectStore.Failure) in try store.commit(id) }
        guard let store = self.store else {
            throw self.label.error(.unreadable, "the store is not open", .retry)
        }
        let contents: ManifestTree.Contents
        do throws(ManifestTree.Failure) {
            contents = try ManifestTree.read(
                commit.tree,
                folders: self.folders,
                in: store,
                limits: self.configuration.limits,
                after: self.contents
            )
        } catch {
            let at = "at commit \(id.text) "
            switch error {
            case .unreadable(let text):
                throw self.label.error(.unreadable, "\(at)\(text); the last good commit stands", .retry)
            case .refused(let text):
                throw self.label.error(.refused, "\(at)\(text)")
            case .tooLarge(let text):
                throw self.label.error(.tooLarge, "\(at)\(text)")
            }
        }
        for folder in contents.folders where folder.tree == nil {
            // git holds no empty folders: one that was there was emptied, one that never was is mistyped.
            guard self.accepted?.folders.contains(folder.path) ?? false else {
                throw self.label.error(
                    .notConfigured,
                    "at commit \(id.text) there is no folder \(self.label.shown(folder.path)); commit a manifest "
                        + "there, or set path to another"
                )
            }
            self.logger.warning(
                "watched folder is gone",
                metadata: ["commit.id": "\(id.text)", "folder": "\(self.label.shown(folder.path))"]
            )
        }
        self.contents = contents
        return SourceSnapshot(
            origin: CommitReference(
                repository: self.name,
                branch: name,
                commit: id.text,
                subject: commit.subject,
                author: commit.author
            ),
            files: contents.files,
            rewroteHistory: rewroteHistory
        )
    }

    // MARK: - A new store

    /// Replaces a damaged store with what the server has.
    ///
    /// - Parameters:
    ///   - error: What showed the damage.
    ///   - reference: What to bring besides the last commit taken; nothing where that is not known.
    ///   - deadline: For all of it.
    /// - Throws: Whatever the server or the disk has against it; the damaged store stays then.
    func rebuild(
        because error: SourceError,
        at reference: String?,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) {
        self.logger.warning("store is made anew", metadata: ["error": "\(error.message)"])
        try await self.replaceStore(until: deadline) { path async throws(SourceError) in
            if let reference { try await self.fetch(reference, depth: 1, into: path, until: deadline) }
            guard let accepted = self.accepted else { return }
            // The last commit taken has to stand after a restart, also when the branch is elsewhere by now. A server
            // need not give out a commit that no branch leads to, so what it answers is not looked at.
            let arguments = [
                "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--update-shallow",
                "--depth=1", "--", self.configuration.url, "+\(accepted.commit):\(Reference.tip)",
            ]
            _ = try await self.run(arguments, in: path, until: deadline)
        }
    }

    /// Replaces a store of many packs with one of a single pack, without the network.
    func compactIfNeeded(until deadline: ContinuousClock.Instant) async {
        guard self.accepted != nil, self.directory.isFragmented(packs: self.configuration.limits.packs) else { return }
        do throws(SourceError) {
            try await self.replaceStore(until: deadline) { path async throws(SourceError) in
                let arguments = [
                    "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
                    "--update-shallow", "--depth=1", "--", self.directory.store, "+\(Reference.tip):\(Reference.tip)",
                ]
                let output = try await self.run(arguments, in: path, until: deadline)
                guard output.succeeded else {
                    throw GitFailure.error("fetch", output, label: self.label, otherwise: .unreadable)
                }
            }
        } catch {
            // A store of many packs is slower, nothing else; the next commit tries again.
            self.logger.warning("store is not compacted", metadata: ["error": "\(error.message)"])
        }
    }

    private func replaceStore(
        until deadline: ContinuousClock.Instant,
        fill: (String) async throws(SourceError) -> Void
    ) async throws(SourceError) {
        guard let tools = self.tools else { throw self.label.error(.unreadable, "the store is not open", .retry) }
        let fresh = self.directory.fresh
        do {
            try self.directory.remove(fresh)
        } catch {
            throw self.label.error(.unreadable, "\(fresh) cannot be removed: \(error)", .retry)
        }
        do throws(SourceError) {
            try await self.initialise(fresh, tools.program, until: deadline)
            try await fill(fresh)
        } catch {
            // It may hold half a pack. What cannot be removed now is removed before the next one is made.
            try? self.directory.remove(fresh)
            throw error
        }
        self.store = nil
        do {
            try self.directory.replaceStore()
        } catch {
            throw self.label.error(.unreadable, "\(fresh) cannot take the place of the store: \(error)", .retry)
        }
        self.openStore()
    }
}
