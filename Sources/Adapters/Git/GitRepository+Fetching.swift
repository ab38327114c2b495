import Logging
import Reconciliation

extension GitRepository {
    /// How far back a moved branch is fetched until it is known whether it descends from the last commit taken. Most
    /// pushes are decided by the first; the last is the whole history.
    private static let depths = [16, 256, 4096, Int(Int32.max)]

    /// A commit of the branch that is in the store.
    struct Arrival {
        var commit: ObjectID
        var rewroteHistory: Bool
    }

    /// The commit that the branch is at.
    ///
    /// Once there is something to begin from, the server is asked for what is new in the same breath: one connection,
    /// that takes hardly longer than to ask which commit it is. The commit is in the store then.
    func remoteHead(until deadline: ContinuousClock.Instant) async throws(SourceError) -> ObjectID {
        if self.accepted != nil, self.store != nil, let head = try await self.increment(until: deadline) { return head }
        let reference = "refs/heads/\(self.configuration.branch)"
        guard let remote = try await self.remoteTarget(of: reference, until: deadline) else {
            throw self.branchIsMissing
        }
        return remote
    }

    private var branchIsMissing: SourceError {
        self.label.error(
            .branchMissing,
            "there is no branch \(self.configuration.branch). What was taken from it stays; push the branch again, "
                + "or set another branch"
        )
    }

    /// Fetches what is new since the last time.
    ///
    /// - Returns: Nothing when that is much, takes long or fails in the store: then it is to be done step by step.
    private func increment(until deadline: ContinuousClock.Instant) async throws(SourceError) -> ObjectID? {
        let now = ContinuousClock.now
        let patience = now + (deadline - now) / 2
        let limits = self.configuration.limits
        let limit = min(limits.incrementBytes, limits.packBytes)
        do throws(SourceError) {
            let store = self.directory.store
            let output = try await self.run(self.fetch([], into: store), in: store, packBytes: limit, until: patience)
            if output.succeeded { return try self.staged() }
            throw GitFailure.error("fetch", output, label: self.label, otherwise: .unreadable)
        } catch {
            switch error.code {
            case .branchMissing:
                throw self.branchIsMissing
            case .tooLarge, .timedOut, .unreadable:
                guard !Task.isCancelled else { throw error }
                self.logger.debug("fetched step by step", metadata: ["error": "\(error.message)"])
                return nil
            case .unreachable, .refused, .historyRewritten, .notConfigured:
                throw error
            }
        }
    }

    /// Brings the commit that the branch is at, with as much history as shows whether it descends from the last one.
    ///
    /// `remote` is where the branch was a moment ago; it may have moved on.
    func arrival(of remote: ObjectID, until deadline: ContinuousClock.Instant) async throws(SourceError) -> Arrival {
        guard let old = self.accepted.flatMap({ ObjectID($0.commit) }) else {
            try await self.fetch(depth: 1, into: self.directory.store, until: deadline)
            return Arrival(commit: try self.staged(), rewroteHistory: false)
        }
        // Something else may be left there of an earlier poll.
        var isHere = try self.stagedIfAny() == remote
        for depth in Self.depths {
            if isHere, let arrival = try self.arrived(after: old) { return arrival }
            isHere = true
            try await self.fetch(depth: depth, into: self.directory.store, until: deadline)
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
        depth: Int,
        into store: String,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) {
        let output = try await self.run(self.fetch(["--depth=\(depth)"], into: store), in: store, until: deadline)
        guard output.succeeded else {
            throw GitFailure.error("fetch", output, label: self.label, otherwise: .unreadable)
        }
    }

    private func fetch(_ options: [String], into store: String) -> [String] {
        ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--update-shallow"]
            + options
            + [
                "--", self.configuration.url, "+refs/heads/\(self.configuration.branch):\(Reference.staging)",
            ]
    }

    private func stagedIfAny() throws(SourceError) -> ObjectID? {
        try self.reading { store throws(ObjectStore.Failure) in try store.target(of: Reference.staging) }
    }

    private func staged() throws(SourceError) -> ObjectID {
        guard let id = try self.stagedIfAny() else {
            throw self.label.error(.unreadable, "git fetched and left no commit", .retry)
        }
        return id
    }
}
