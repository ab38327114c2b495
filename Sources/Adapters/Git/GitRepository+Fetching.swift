import CLibgit2
import Deployments
import Logging
import Reconciliation

extension GitRepository {
    /// How far back a moved branch is fetched until it is known whether it descends from the last commit taken. Most
    /// pushes are decided by the first; the last is the whole history.
    static let depths = [16, 256, 4096, Int(Int32.max)]

    /// Where what is watched is at.
    struct Head {
        var commit: ObjectID
        /// What git is asked for to bring it.
        var reference: String
        /// As people know it: the branch, or the tag.
        var name: String
    }

    /// A commit that is in the store.
    struct Arrival {
        var commit: ObjectID
        var rewroteHistory: Bool
    }

    /// The commit that what is watched is at.
    ///
    /// Once there is something to begin from, the server is asked for what is new in the same breath: one connection,
    /// that takes hardly longer than to ask which commit it is. The commit is in the store then.
    func remoteHead(until deadline: ContinuousClock.Instant) async throws(SourceError) -> Head {
        switch self.configuration.reference {
        case .branch(let name):
            return try await self.head("refs/heads/\(name)", name, until: deadline)
        case .tag(let name):
            return try await self.head("refs/tags/\(name)", name, until: deadline)
        case .commit(let text):
            // It was checked when the repository was opened, and cannot move.
            guard let id = ObjectID(text) else { throw self.isMissing }
            return Head(commit: id, reference: text, name: "commit")
        case .versions(let range):
            return try await self.highest(of: range, until: deadline)
        }
    }

    private func head(
        _ reference: String,
        _ name: String,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) -> Head {
        // There is nothing to hold it against: one connection brings it.
        if self.accepted == nil, self.store != nil, let id = try await self.first(reference, until: deadline) {
            return Head(commit: id, reference: reference, name: name)
        }
        let isDue = self.accepted != nil && self.store != nil && !self.isStepwise
        self.isStepwise = false
        if isDue {
            if let id = try await self.increment(of: reference, until: deadline) {
                return Head(commit: id, reference: reference, name: name)
            }
            self.isStepwise = true
        }
        let targets = try await self.remoteTargets([reference, reference + "^{}"], until: deadline)
        let target = targets.first { $0.name == reference + "^{}" } ?? targets.first { $0.name == reference }
        guard let target else { throw self.isMissing }
        return Head(commit: target.id, reference: reference, name: name)
    }

    /// - Returns: Nothing when it fails for a reason that git does not tell: who asks what there is may learn more.
    private func first(
        _ reference: String,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) -> ObjectID? {
        do throws(SourceError) {
            try await self.fetch(reference, depth: 1, into: self.directory.store, until: deadline)
            return try self.staged()
        } catch {
            switch error.code {
            case .branchMissing: throw self.isMissing
            case .unreadable: return nil
            case .unreachable, .timedOut, .tooLarge, .refused, .historyRewritten, .notConfigured, .unverified:
                throw error
            }
        }
    }

    /// What git is asked for to bring what is watched, as far as that is known without the server.
    var lastReference: String? {
        switch self.configuration.reference {
        case .branch(let name): "refs/heads/\(name)"
        case .tag(let name): "refs/tags/\(name)"
        case .commit(let id): id
        case .versions: self.accepted?.tag.map { "refs/tags/\($0)" }
        }
    }

    private var isMissing: SourceError {
        let what =
            switch self.configuration.reference {
            case .branch(let name): "branch \(name)"
            case .tag(let name): "tag \(name)"
            case .commit(let id): "commit \(id)"
            case .versions(let range): "tag with a version in \(range)"
            }
        let kind = if case .branch = self.configuration.reference { "branch" } else { "one" }
        return self.label.error(
            .branchMissing,
            "there is no \(what). What was taken from it stays; push the \(kind) again, or set another \(kind)"
        )
    }

    /// Fetches what is new since the last time.
    ///
    /// - Returns: Nothing when that is much, takes long or fails in the store: then it is to be done step by step.
    private func increment(
        of reference: String,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) -> ObjectID? {
        let now = ContinuousClock.now
        let patience = now + (deadline - now) / 2
        let limits = self.configuration.limits
        let limit = min(limits.incrementBytes, limits.packBytes)
        let store = self.directory.store
        do throws(SourceError) {
            let arguments = self.fetch(reference, [], into: Reference.staging)
            let output = try await self.run(arguments, in: store, packBytes: limit, until: patience)
            if output.succeeded { return try self.staged() }
            throw GitFailure.error("fetch", output, label: self.label, otherwise: .unreadable)
        } catch {
            switch error.code {
            case .branchMissing:
                throw self.isMissing
            case .tooLarge, .timedOut, .unreadable:
                guard !Task.isCancelled else { throw error }
                self.logger.debug("fetched step by step", metadata: ["error": "\(error.message)"])
                return nil
            case .unreachable, .refused, .historyRewritten, .notConfigured, .unverified:
                throw error
            }
        }
    }

    // MARK: - Versions

    /// The tag with the highest version of those that are wanted.
    private func highest(
        of range: VersionRange,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) -> Head {
        let bytes = self.configuration.limits.listBytes
        let targets = try await self.remoteTargets(["refs/tags/*"], bytes: bytes, until: deadline)
        var best: (version: SemanticVersion, name: String)?
        var commits: [String: ObjectID] = [:]
        var twins: [String] = []
        for (reference, id) in targets {
            // The commit of a tag with a text of its own comes after the tag, and takes its place.
            let isCommit = reference.hasSuffix("^{}")
            let name = String((isCommit ? reference.dropLast(3) : reference[...]).dropFirst("refs/tags/".count))
            guard let version = SemanticVersion(name), range.contains(version) else { continue }
            commits[name] = id
            guard !isCommit else { continue }
            if let known = best?.version, version < known { continue }
            if let known = best, known.version == version { twins.append(known.name) } else { twins = [] }
            best = (version, name)
        }
        guard let best, let commit = commits[best.name] else { throw self.isMissing }
        // `v1.2.0` beside `1.2.0`: harmless while they name the same commit.
        if let twin = twins.first(where: { commits[$0] != commit }) {
            throw self.label.error(
                .refused,
                "the tags \(self.label.shown(twin)) and \(self.label.shown(best.name)) are the same version and name "
                    + "different commits, so nothing says which is meant; what was taken stands. Remove one of them"
            )
        }
        return Head(commit: commit, reference: "refs/tags/\(best.name)", name: best.name)
    }

    /// Whether another version takes the place of the last one, which its commit need not descend from.
    ///
    /// - Returns: Nothing when it is the same tag, which is to be held against the commit that it was at.
    private func exchange(for head: Head) -> Arrival? {
        guard case .versions = self.configuration.reference, let old = self.accepted?.tag, old != head.name,
            let before = SemanticVersion(old), let after = SemanticVersion(head.name)
        else { return nil }
        return Arrival(commit: head.commit, rewroteHistory: after < before)
    }

    // MARK: - Bringing it

    /// Brings the commit, with as much history as shows whether it descends from the last one.
    ///
    /// `head` is where it was a moment ago; a branch may have moved on.
    func arrival(of head: Head, until deadline: ContinuousClock.Instant) async throws(SourceError) -> Arrival {
        let old = self.accepted.flatMap { ObjectID($0.commit) }
        let exchange = self.exchange(for: head)
        guard let old, exchange == nil else {
            if try self.stagedIfAny() != head.commit {
                try await self.fetch(head.reference, depth: 1, into: self.directory.store, until: deadline)
            }
            return Arrival(commit: try self.staged(), rewroteHistory: exchange?.rewroteHistory ?? false)
        }
        // Something else may be left there of an earlier poll.
        var isHere = try self.stagedIfAny() == head.commit
        for depth in Self.depths {
            if isHere, let arrival = try self.arrived(after: old) { return arrival }
            isHere = true
            try await self.fetch(head.reference, depth: depth, into: self.directory.store, until: deadline)
        }
        if let arrival = try self.arrived(after: old) { return arrival }
        // The server's own history is cut off, so nothing shows that the commit descends.
        return Arrival(commit: try self.staged(), rewroteHistory: true)
    }

    private func arrived(after old: ObjectID) throws(SourceError) -> Arrival? {
        let new = try self.staged()
        let ancestry = try self.reading { store throws(ObjectStore.Failure) in
            try store.ancestry(of: new, from: old)
        }
        switch ancestry {
        case .descends: return Arrival(commit: new, rewroteHistory: false)
        case .unrelated: return Arrival(commit: new, rewroteHistory: true)
        case .undecided: return nil
        }
    }

    func fetch(
        _ reference: String,
        depth: Int,
        into store: String,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) {
        let arguments = self.fetch(reference, ["--depth=\(depth)"], into: Reference.staging)
        let output = try await self.run(arguments, in: store, until: deadline)
        guard output.succeeded else {
            throw GitFailure.error("fetch", output, label: self.label, otherwise: .unreadable)
        }
    }

    /// Brings what a reference of the server names, or an object by its id, and keeps it under a reference of ours.
    func bring(
        _ reference: String,
        _ options: [String] = [],
        into target: String,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) {
        let output = try await self.run(self.fetch(reference, options, into: target), until: deadline)
        guard output.succeeded else {
            throw GitFailure.error("fetch", output, label: self.label, otherwise: .unreadable)
        }
    }

    private func fetch(_ reference: String, _ options: [String], into target: String) -> [String] {
        ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--update-shallow"]
            + options
            + ["--", self.configuration.url, "+\(reference):\(target)"]
    }

    private func stagedIfAny() throws(SourceError) -> ObjectID? {
        do throws(ObjectStore.Failure) {
            return try self.store?.commit(at: Reference.staging)
        } catch {
            let isOther = error.code == GIT_EPEEL.rawValue || error.code == GIT_EINVALIDSPEC.rawValue
            throw isOther
                ? self.label.error(.refused, "\(self.configuration.reference) names no commit: tag one")
                : self.label.error(.unreadable, "\(error.message); the last good commit stands", .retry)
        }
    }

    private func staged() throws(SourceError) -> ObjectID {
        guard let id = try self.stagedIfAny() else {
            throw self.label.error(.unreadable, "git fetched and left no commit", .retry)
        }
        return id
    }
}
