import Deployments
import Manifests
import Reconciliation
import Rollouts

/// A watched repository.
struct Repository: Sendable {
    let name: String
    /// The manifests at the head of the branch.
    var files: [DeploymentID: Scenario.Change] = [:]
    /// Those of the last successful poll.
    private(set) var polledFiles: [DeploymentID: Scenario.Change] = [:]
    /// What was gone at some poll, and was not there again, valid, at a later one.
    private(set) var polledGone: Set<DeploymentID> = []
    /// Counts pushes.
    var version = 0
    var head = ""
    /// Since the last successful poll.
    var wasRewritten = false
    /// The commit that was last handed out was a rewriting one, or one before it was that the controller has not
    /// acknowledged.
    var isRewrite = false
    var isRewriteUnacknowledged = false
    private(set) var polledVersion = 0
    /// What was there, valid, at some poll, and was not gone at the last one.
    var known: Set<DeploymentID> = []

    mutating func notePoll() {
        self.polledGone.formUnion(self.polledFiles.keys.filter { self.files[$0] == nil })
        for case (let id, .spec) in self.files { self.polledGone.remove(id) }
        (self.polledVersion, self.polledFiles) = (self.version, self.files)
    }

    /// Whether a controller whose journal was lost knows, or may come to know, that the deployment is wanted.
    func mayStillWant(_ id: DeploymentID) -> Bool { self.polledFiles[id] != nil && !self.polledGone.contains(id) }
}

/// A manifest that the controller knows to be gone, by the deletion rules as users were told them.
struct Removal: Sendable {
    var since: Timestamp
    /// Only an operator may confirm it.
    var isHeld: Bool
    var isConfirmed = false
}

extension Truth {
    mutating func push(_ commit: Scenario.Commit) {
        var repository = self.git[commit.source]
        for (id, change) in commit.changes {
            switch change {
            case .spec, .broken, .unreadable: repository.files[id] = change
            case .absent: repository.files[id] = nil
            }
            if case .spec(let spec) = change { self.models[spec.model.uri] = spec.revision }
        }
        repository.version += 1
        repository.head = commit.id
        if commit.rewritesHistory { repository.wasRewritten = true }
        self.states[commit.id] = Self.state(of: repository)
        self.states[commit.id]?.freezes = self.scenario.freezes
        self.git[commit.source] = repository
    }

    private static func state(of repository: Repository) -> DesiredState {
        var state = DesiredState()
        for (id, change) in repository.files.sorted(by: { $0.key < $1.key }) {
            switch change {
            case .spec(var spec):
                spec.origin.commit = repository.head
                spec.origin.repository = repository.name
                state.deployments.append(spec)
            case .broken: state.invalid.insert(id)
            case .unreadable: state.unreadable.insert("\(id.name).yaml")
            case .absent: break
            }
        }
        return state
    }

    /// `seen` is the version that the last successful call returned.
    mutating func poll(_ source: Int, after seen: Int) -> Result<SourceSnapshot?, SourceError> {
        if self.isGoingOn(.gitOutage) {
            return .failure(SourceError(code: .unreachable, message: "no answer", recovery: .retry))
        }
        if self.git[source].version > self.git[source].polledVersion {
            self.git[source].notePoll()
            if self.git[source].wasRewritten { self.git[source].isRewriteUnacknowledged = true }
            self.git[source].wasRewritten = false
        }
        guard self.git[source].version > seen else { return .success(nil) }
        self.git[source].isRewrite = self.git[source].isRewriteUnacknowledged
        let repository = self.git[source]
        let origin = CommitReference(repository: repository.name, branch: "main", commit: repository.head)
        return .success(SourceSnapshot(origin: origin, files: [], rewroteHistory: repository.isRewrite))
    }

    /// Follows what is gone, apart from how the controller does it, once a poll was taken in.
    mutating func noteRemovals(_ source: Int, at now: Timestamp) {
        for (id, member) in self.journal.contents.members where member.repository == self.git[source].name {
            self.git[source].known.insert(id)
        }
        let repository = self.git[source]
        var gone: [DeploymentID] = []
        for id in repository.known {
            if repository.files[id] == nil {
                if self.removals[id] == nil { gone.append(id) }
            } else {
                self.removals[id] = nil
            }
        }
        for id in gone {
            let isMost = gone.count > 1 && gone.count * 100 > 30 * repository.known.count
            let isHeld = repository.isRewrite || gone.count == repository.known.count || isMost
            self.removals[id] = Removal(since: now, isHeld: isHeld)
        }
        for case (let id, .spec) in repository.files { self.git[source].known.insert(id) }
    }

    /// What a killed controller could not journal is judged anew, by what git says then.
    mutating func forgetRemoval(of id: DeploymentID) {
        guard let member = self.journal.member(id), member.heldRemoval == nil else { return }
        if self.removals[id]?.isHeld ?? false, member.rollout.phase != .removing { self.removals[id] = nil }
    }

    /// Whether git, or an operator, says that the deployment is to go.
    func isGone(_ id: DeploymentID) -> Bool {
        guard let removal = self.removals[id] else { return false }
        if removal.isConfirmed { return true }
        let isOld = self.now - removal.since >= self.scenario.grace || self.hasClockGoneBack
        return !removal.isHeld && isOld
    }

    /// An operator says that what is gone is meant to be.
    ///
    /// - Returns: What was known before, to be put back when the controller refuses.
    mutating func confirmRemoval(of id: DeploymentID) -> Removal? {
        let before = self.removals[id]
        // A controller that was killed may know it from its journal already.
        if before == nil, self.git.allSatisfy({ $0.files[id] == nil }) {
            self.removals[id] = Removal(since: self.now, isHeld: true)
        }
        self.removals[id]?.isConfirmed = true
        return before
    }
}
