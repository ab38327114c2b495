package import Deployments
import Logging
import Manifests
package import Reconciliation

extension GitRepository {
    package func revert(
        _ revert: ManifestRevert,
        of deployment: DeploymentID
    ) async throws(SourceError) -> RevertResult {
        try await self.turns.exclusively { () async throws(SourceError) -> RevertResult in
            try await self.revertAlone(revert, of: deployment)
        }
    }

    private func revertAlone(
        _ revert: ManifestRevert,
        of deployment: DeploymentID
    ) async throws(SourceError) -> RevertResult {
        guard let allowed = self.configuration.reverts else {
            return RevertResult("nothing was reverted: `reverts` of the repository \(self.name) does not allow it")
        }
        guard case .branch(let branch) = self.configuration.reference else {
            return RevertResult("nothing was reverted: \(self.configuration.reference) is watched, and no branch")
        }
        let deadline = ContinuousClock.now + self.configuration.timeout
        try await self.openForServer(until: deadline)
        let work = RevertWork(revert: revert, deployment: deployment, branch: branch)
        var note = ""
        if revert.mode == .push {
            if allowed == .push {
                switch try await self.push(work, until: deadline) {
                case .done(let text): return RevertResult(text)
                case .refused(let why): note = "; \(branch) itself did not take it: \(why)"
                }
            } else {
                note = "; `reverts` of the repository does not allow to push to \(branch)"
            }
        }
        // What was to be pushed and can't be is proposed with as much as is allowed.
        let isProposed = min(revert.mode, allowed) > .branch
        if revert.mode == .pullRequest, !isProposed {
            note = "; `reverts` of the repository does not allow a pull request"
        }
        switch try await self.write(work, until: deadline) {
        case .unneeded(let why): return RevertResult(why + note)
        case .written(let text):
            return RevertResult(text + note, proposed: isProposed ? work.ownBranch : nil, base: branch)
        }
    }

    // MARK: - Where it goes

    private enum Ending {
        case done(String)
        /// The server's rules do not allow it, whenever it is tried.
        case refused(String)
    }

    /// Onto the watched branch, as it is at that moment.
    private func push(_ work: RevertWork, until deadline: ContinuousClock.Instant) async throws(SourceError) -> Ending {
        for _ in 1...Self.attempts {
            let commit: ObjectID
            switch try await self.commit(work, until: deadline) {
            case .made(let id): commit = id
            case .unneeded(let why): return .done(why)
            }
            let target = "refs/heads/\(work.branch)"
            switch try await self.push(commit, to: target, until: deadline) {
            case .done: return .done("commit \(commit.short) on \(work.branch) reverts \(work.failed)")
            case .overtaken: continue
            case .refused(let why): return .refused(why)
            }
        }
        throw self.label.error(
            .refused,
            "\(work.branch) was moved by others each of \(Self.attempts) times that a revert was pushed",
            .retry
        )
    }

    private enum Writing {
        case written(String)
        case unneeded(String)
    }

    /// Onto a branch of its own, whose name says which commit it reverts: what is there already is left alone.
    private func write(
        _ work: RevertWork,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) -> Writing {
        let target = "refs/heads/\(work.ownBranch)"
        let done = Writing.written("branch \(work.ownBranch) reverts \(work.failed): merge it")
        if try await self.remoteTarget(of: target, until: deadline) != nil { return done }
        switch try await self.commit(work, until: deadline) {
        case .unneeded(let why):
            return .unneeded(why)
        case .made(let commit):
            switch try await self.push(commit, to: target, until: deadline) {
            case .done, .overtaken: return done
            case .refused(let why):
                throw self.label.error(
                    .refused,
                    "the server does not take the branch \(work.ownBranch), which reverts \(work.failed): \(why). "
                        + "Allow these credentials to push there, or revert by hand"
                )
            }
        }
    }

    // MARK: - The commit

    private enum Making {
        case made(ObjectID)
        case unneeded(String)
    }

    /// Makes the commit on top of the branch as the server has it now.
    private func commit(_ work: RevertWork, until deadline: ContinuousClock.Instant) async throws(SourceError) -> Making
    {
        let head = try await self.fetchBase(work.branch, until: deadline)
        let failed = try await self.fetchPast(work.revert.failed.commit, until: deadline)
        let restored = try await self.fetchPast(work.revert.restored.commit, until: deadline)
        if work.revert.isAutomatic {
            let isOurs = try self.reading { store throws(ObjectStore.Failure) in
                try store.message(of: failed).contains(RevertWork.trailer)
            }
            // Two revisions that take turns at failing must not make commits for ever.
            if isOurs { return .unneeded("nothing was reverted: \(work.failed) is a revert itself; look at both") }
        }
        let path = work.revert.failed.path
        guard let now = try self.file(path, in: head) else {
            return .unneeded("nothing was reverted: \(self.label.shown(path)) is not on \(work.branch) any more")
        }
        guard let before = try self.file(work.revert.restored.path, in: restored),
            let then = try self.file(path, in: failed)
        else { return .unneeded("nothing was reverted: \(work.restored) does not hold its manifest") }
        let here = try self.surroundings(of: path, in: head)
        let there = try self.surroundings(of: work.revert.restored.path, in: restored)
        let bytes: [UInt8]
        do throws(ManifestText.Refusal) {
            var text = try ManifestText(now.bytes)
            let old = try ManifestText(before.bytes)
            let isChanged = try text.replace(work.deployment, by: old, where: try ManifestText(then.bytes))
            guard isChanged else {
                return .unneeded(
                    "nothing to revert: the manifest on \(work.branch) is that of \(work.restored) (what it refers to, "
                        + "such as a runtime, or a \(ManifestReader.defaultsName) above it may have changed)"
                )
            }
            // Else the old manifest would be a revision that never served, and roll out.
            guard try old.means(theSameOf: work.deployment, in: here, as: there) else {
                return .unneeded(
                    "nothing was reverted: with a \(ManifestReader.defaultsName) above it, the manifest of "
                        + "\(work.restored) would not say on \(work.branch) what it said there; revert by hand"
                )
            }
            bytes = text.bytes
        } catch {
            return .unneeded("nothing was reverted: \(self.label.shown(path)) \(error.reason)")
        }
        let id = try self.reading { store throws(ObjectStore.Failure) in
            try store.commit(bytes, at: path, mode: now.mode, on: head, message: work.message)
        }
        return .made(id)
    }

    /// Each `defaults.yaml` from the manifest's folder up to the watched one.
    private func surroundings(
        of path: String,
        in commit: ObjectID
    ) throws(SourceError) -> ManifestText.Surroundings {
        let watched = (self.folders.first { Self.contains($0, path) } ?? "").split(separator: "/")
        var folder = path.split(separator: "/").dropLast()
        var files: [SourceFile] = []
        while folder.count >= watched.count {
            let candidate = (folder + [Substring(ManifestReader.defaultsName)]).joined(separator: "/")
            if let file = try self.file(candidate, in: commit) {
                files.append(SourceFile(path: candidate, blob: "", bytes: file.bytes))
            }
            if folder.popLast() == nil { break }
        }
        return ManifestText.Surroundings(path: path, defaults: files)
    }

    func file(_ path: String, in commit: ObjectID) throws(SourceError) -> ObjectStore.File? {
        let limit = self.configuration.limits.fileBytes
        return try self.reading { store throws(ObjectStore.Failure) in
            try store.file(at: path, in: commit, limit: limit)
        }
    }

    // MARK: - The network

    /// The commit that the branch is at.
    func fetchBase(
        _ branch: String,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) -> ObjectID {
        try await self.bring("refs/heads/\(branch)", into: Reference.base, until: deadline)
        let id = try self.reading { store throws(ObjectStore.Failure) in try store.commit(at: Reference.base) }
        guard let id else { throw self.label.error(.unreadable, "git fetched and left no commit", .retry) }
        return id
    }

    /// A commit of the past: the copy is shallow, and may not have it any more.
    private func fetchPast(
        _ commit: String,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) -> ObjectID {
        guard let id = ObjectID(commit) else {
            throw self.label.error(.refused, "'\(self.label.shown(commit))' is not the full id of a commit")
        }
        if self.store?.parents(of: id) != nil { return id }
        try await self.bring(commit, ["--depth=1"], into: Reference.past, until: deadline)
        return id
    }

    func push(
        _ commit: ObjectID,
        to reference: String,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) -> PushOutcome {
        try self.reading { store throws(ObjectStore.Failure) in try store.set(Reference.revert, to: commit) }
        return try await self.push(Reference.revert, to: reference, until: deadline)
    }
}

/// One revert, in the words of its commit.
struct RevertWork {
    var revert: ManifestRevert
    var deployment: DeploymentID
    var branch: String

    /// Tells a revert of this product from one of a person.
    static let trailer = "\nReverted-By: controller\n"

    /// What fails, and where it came from.
    var failed: String { "\(self.deployment) of \(self.revert.failed.commit.prefix(10))" }
    var restored: String { "\(self.revert.restored.commit.prefix(10))" }

    var ownBranch: String {
        "controller/revert/\(self.deployment.namespace)/\(self.deployment.name)/\(self.revert.failed.commit.prefix(10))"
    }

    var message: String {
        """
        Revert \(self.deployment) to \(PrintableText.line(self.revert.restoredLabel, limit: 60))

        \(PrintableText.line(self.revert.failedLabel, limit: 60)) was rolled back:
        \(PrintableText.line(self.revert.reason, limit: 500))

        Rolled-Back-Commit: \(self.revert.failed.commit)
        Restored-Commit: \(self.revert.restored.commit)
        Deployment: \(self.deployment)
        Reverted-By: controller

        """
    }
}

extension ObjectID {
    var short: Substring { self.text.prefix(10) }
}
