package import Deployments
package import Manifests
package import Rollouts

/// Follows what the watched repositories want, and decides when a vanished manifest is a deletion.
///
/// A manifest that vanishes is a request: it is honoured once it stayed gone for two polls and a grace time, unless
/// its commit removed more than the configured share, emptied the path or rewrote history. Then nothing happens until
/// an operator confirms or the manifest returns. Everything else about a broken manifest concerns that one only.
package struct DesiredStateTracker: Sendable {
    package struct Policy: Hashable, Sendable {
        package var grace: Duration
        /// Percent of a repository's deployments that one commit may remove without an operator's word.
        package var maxShare: Int

        package init(grace: Duration = .minutes(5), maxShare: Int = 30) {
            self.grace = grace
            self.maxShare = maxShare
        }
    }

    fileprivate struct Missing: Sendable {
        var since: Timestamp
        var polls: Int
        /// Why an operator must confirm, if so.
        var held: String?
        var isConfirmed = false
    }

    fileprivate struct Source: Sendable {
        let name: String
        let policy: Policy
        var specs: [DeploymentID: DeploymentSpec] = [:]
        var diagnostics: [Diagnostic] = []
        var missing: [DeploymentID: Missing] = [:]
        var freezes: [FreezeWindow] = []
        var origin: CommitReference?
        var invalid: Set<DeploymentID> = []
        var hasUnreadable = false
    }

    /// A few. What one wants is looked up at every decision: an array's element is looked at in its place, and a
    /// dictionary's value would be copied out each time.
    private var sources: [Source]
    /// The places of their repositories in `sources`.
    private var owners: [DeploymentID: Int] = [:]

    package init(policies: [String: Policy]) {
        self.sources = policies.sorted { $0.key < $1.key }.map { Source(name: $0.key, policy: $0.value) }
    }

    private func index(of repository: String) -> Int? { self.sources.firstIndex { $0.name == repository } }

    /// What was desired before a restart: stands until git is read again. `held` is why its manifest, which was gone,
    /// may only go by an operator's word.
    package mutating func restore(
        _ spec: DeploymentSpec,
        from repository: String,
        held: String? = nil,
        at now: Timestamp
    ) {
        guard let index = self.index(of: repository) else { return }
        self.sources[index].specs[spec.id] = spec
        self.owners[spec.id] = index
        if let held { self.sources[index].missing[spec.id] = Missing(since: now, polls: 0, held: held) }
    }

    /// Why a deployment whose manifest is gone stays until an operator confirms it, if so.
    package func heldRemoval(of id: DeploymentID) -> String? {
        self.owners[id].flatMap { self.sources[$0].missing[id]?.held }
    }

    /// Takes over a new commit's manifests. What wants the same as before keeps the origin of the commit that brought
    /// it, so that a commit concerns what it changes and nothing else.
    ///
    /// - Returns: The deployments that a decision may now be another for.
    @discardableResult
    package mutating func update(
        _ state: DesiredState,
        from repository: String,
        origin: CommitReference,
        rewroteHistory: Bool,
        at now: Timestamp
    ) -> Set<DeploymentID> {
        guard let index = self.index(of: repository) else { return [] }
        // Taken out, so that it is changed in its place and not copied.
        var source = Source(name: repository, policy: self.sources[index].policy)
        swap(&source, &self.sources[index])
        defer { swap(&source, &self.sources[index]) }
        let isFirst = source.origin == nil
        source.origin = origin
        source.diagnostics = state.diagnostics
        source.invalid = state.invalid
        source.hasUnreadable = !state.unreadable.isEmpty
        let freezes = Self.freezes(of: state, before: source.freezes)
        let isFreezing = freezes != source.freezes
        source.freezes = freezes

        var concerned: Set<DeploymentID> = []
        let before = source.specs.count
        /// Of those that were there before.
        var seen = 0
        for spec in state.deployments {
            if let known = source.specs[spec.id] {
                seen += 1
                if spec.wantsTheSame(as: known) { continue }
            } else if let owner = self.owners[spec.id], owner != index {
                source.diagnostics.append(Self.foreign(spec, owner: self.sources[owner].name))
                continue
            }
            self.owners[spec.id] = index
            source.specs[spec.id] = spec
            concerned.insert(spec.id)
        }
        concerned.formUnion(
            source.note(state, areAllThere: seen == before, of: before, rewroteHistory: rewroteHistory, at: now)
        )
        return isFirst || isFreezing ? concerned.union(source.specs.keys) : concerned
    }

    /// A window with errors is as it was before: a slip must not open what is closed.
    private static func freezes(of state: DesiredState, before: [FreezeWindow]) -> [FreezeWindow] {
        let named = Set(state.freezes.map(\.name))
        let kept = before.filter { !named.contains($0.name) && state.brokenFreezes?.contains($0.name) ?? true }
        return (state.freezes + kept).sorted { $0.name < $1.name }
    }

    /// The windows of the deployment's repository that select it.
    ///
    /// - Returns: Nothing while that repository was not read yet.
    package func freezes(of id: DeploymentID) -> [FreezeWindow]? {
        guard let owner = self.owners[id], self.sources[owner].origin != nil else { return nil }
        guard !self.sources[owner].freezes.isEmpty, let spec = self.sources[owner].specs[id] else { return [] }
        return self.sources[owner].freezes.filter { $0.selects(spec) }
    }

    /// Counts a successful poll, of a new commit or not.
    ///
    /// - Returns: The deployments whose manifests are gone.
    @discardableResult
    package mutating func notePoll(of repository: String) -> Set<DeploymentID> {
        guard let index = self.index(of: repository) else { return [] }
        let missing = Set(self.sources[index].missing.keys)
        for id in missing { self.sources[index].missing[id]?.polls += 1 }
        return missing
    }

    /// Whether git may hold a manifest of a deployment of which none was read: in a repository that was not read yet,
    /// in a file that could not be, or in one that is not valid.
    package func mayHold(_ id: DeploymentID) -> Bool {
        self.sources.contains { $0.origin == nil || $0.hasUnreadable || $0.invalid.contains(id) }
    }

    /// An operator's word that a vanished manifest is meant: it needs no more polls and no grace.
    ///
    /// - Returns: Whether the manifest is gone at all.
    package mutating func confirmDeletion(of id: DeploymentID) -> Bool {
        guard let owner = self.owners[id], let missing = self.sources[owner].missing[id] else { return false }
        self.sources[owner].missing[id] = Missing(since: missing.since, polls: missing.polls, isConfirmed: true)
        return true
    }

    /// What git wants of a deployment.
    package func desired(_ id: DeploymentID, at now: Timestamp) -> Desired {
        guard let owner = self.owners[id] else { return .unknown }
        if let missing = self.sources[owner].missing[id] {
            if missing.isConfirmed { return .absent }
            let isDeletion =
                missing.held == nil && missing.polls >= 2 && now - missing.since >= self.sources[owner].policy.grace
            if isDeletion { return .absent }
        }
        return self.sources[owner].specs[id].map(Desired.spec) ?? .unknown
    }

    /// Whether git says the same as before, with `held` as what ``heldRemoval(of:)`` said. Asked at every look, of
    /// every deployment.
    func isUnchanged(_ id: DeploymentID, from spec: DeploymentSpec, held: String?, at now: Timestamp) -> Bool {
        guard let owner = self.owners[id] else { return false }
        guard self.sources[owner].missing.isEmpty else {
            return self.desired(id, at: now) == .spec(spec) && self.heldRemoval(of: id) == held
        }
        return held == nil && self.sources[owner].specs[id] == spec
    }

    package var ids: Set<DeploymentID> { Set(self.owners.keys) }

    package func owner(of id: DeploymentID) -> String? { self.owners[id].map { self.sources[$0].name } }

    package func origin(of repository: String) -> CommitReference? {
        self.index(of: repository).flatMap { self.sources[$0].origin }
    }

    package func diagnostics(of repository: String) -> [Diagnostic] {
        self.index(of: repository).map { self.sources[$0].diagnostics } ?? []
    }

    /// What to know about a deployment's manifest: its problems, or that it is gone.
    package func notes(on id: DeploymentID) -> [String] {
        guard let source = self.owners[id].map({ self.sources[$0] }) else { return [] }
        let path = source.specs[id]?.origin.path
        var notes = source.diagnostics.filter { diagnostic in
            diagnostic.deployment == id || diagnostic.path == path
                || path.map { diagnostic.isInDefaults(above: $0) } ?? false
        }.map(\.description)
        if let missing = source.missing[id] {
            notes.append(
                missing.held.map {
                    "its manifest is gone from git, but \($0): put it back, or run `controller prune \(id)`"
                }
                    ?? "its manifest is gone from git: it is removed after \(source.policy.grace.short)"
            )
        }
        return notes
    }

    /// Drops a deployment whose removal is complete.
    package mutating func forget(_ id: DeploymentID) {
        guard let owner = self.owners.removeValue(forKey: id) else { return }
        self.sources[owner].specs[id] = nil
        self.sources[owner].missing[id] = nil
    }

    fileprivate static func reasonToHold(gone: Int, of count: Int, rewroteHistory: Bool, policy: Policy) -> String? {
        guard gone > 0 else { return nil }
        if rewroteHistory { return "the commit rewrote history" }
        if gone == count { return "the commit removed every manifest" }
        // One of a few is more than any share; a single one may go.
        if gone > 1, gone * 100 > policy.maxShare * count {
            return "the commit removed \(gone) of \(count), more than \(policy.maxShare) percent"
        }
        return nil
    }

    private static func foreign(_ spec: DeploymentSpec, owner: String) -> Diagnostic {
        Diagnostic(
            path: spec.origin.path,
            line: 0,
            column: 0,
            field: "metadata.name",
            message: "\(spec.id) is already declared in repository \(owner): rename one of them",
            deployment: spec.id
        )
    }
}

extension DesiredStateTracker.Source {
    /// Notes which manifests are gone, and which are there again.
    ///
    /// - Parameters:
    ///   - state: The commit's; its valid deployments are in `specs` already.
    ///   - areAllThere: Whether each of those before has a valid manifest in it.
    ///   - count: How many there were before.
    ///   - rewroteHistory: Then what is gone waits for an operator.
    ///   - now: The time.
    /// - Returns: Those whose removal began, or is over.
    fileprivate mutating func note(
        _ state: DesiredState,
        areAllThere: Bool,
        of count: Int,
        rewroteHistory: Bool,
        at now: Timestamp
    ) -> Set<DeploymentID> {
        guard !areAllThere || !self.missing.isEmpty else { return [] }
        let present = state.invalid.union(state.deployments.map(\.id))
        // A file that could not be read says nothing about what it holds.
        let gone = self.specs.values.filter { !present.contains($0.id) && !state.unreadable.contains($0.origin.path) }
        let isGone = Set(gone.map(\.id))
        let back = self.missing.keys.filter { !isGone.contains($0) }
        for id in back { self.missing[id] = nil }
        let reason = DesiredStateTracker.reasonToHold(
            gone: gone.count,
            of: count,
            rewroteHistory: rewroteHistory,
            policy: self.policy
        )
        for id in isGone {
            let known = self.missing[id]
            self.missing[id] = DesiredStateTracker.Missing(
                since: known?.since ?? now,
                polls: known?.polls ?? 0,
                held: known.map(\.held) ?? reason,
                isConfirmed: known?.isConfirmed ?? false
            )
        }
        return isGone.union(back)
    }
}
