import CLibgit2

/// The commits that one brings beyond another, as far as a shallow store can tell.
struct CommitRange {
    struct Item {
        var id: ObjectID
        var parents: [ObjectID]
    }

    /// Without the base.
    var items: [Item] = []
    /// Those of them that descend from the base.
    var descendants: Set<ObjectID> = []
    /// The new commit is the base, or descends from it.
    var reachesBase = false
    /// A commit is not here that might belong to the range, or lead to the base.
    var lacksCommits = false
    /// The base itself is not here.
    var lacksBase = false
    /// Some ancestors of the base are not here, so some of the items may be ancestors of the base.
    var lacksAncestors = false
}

extension ObjectStore {
    /// The bytes of a commit as they were hashed; nothing when it has more than `limit`.
    func commitBytes(_ id: ObjectID, limit: Int) throws(Failure) -> [UInt8]? {
        try self.bytes(of: id, as: GIT_OBJECT_COMMIT, limit: limit)
    }

    /// What is reachable from `new`, and neither `base` nor an ancestor of it that is known as one.
    ///
    /// - Returns: Nothing when there are more than `limit`.
    func range(to new: ObjectID, after base: ObjectID, limit: Int) -> CommitRange? {
        var range = CommitRange()
        let before = self.ancestors(of: base)
        range.lacksBase = self.parents(of: base) == nil
        range.lacksAncestors = range.lacksBase || before.contains { self.parents(of: $0) == nil }
        var children: [ObjectID: [ObjectID]] = [:]
        var pending = [new]
        var seen: Set<ObjectID> = [new]
        while let id = pending.popLast() {
            if id == base {
                range.reachesBase = true
                continue
            }
            if before.contains(id) { continue }
            guard let parents = self.parents(of: id) else {
                range.lacksCommits = true
                continue
            }
            guard range.items.count < limit else { return nil }
            range.items.append(CommitRange.Item(id: id, parents: parents))
            for parent in parents {
                children[parent, default: []].append(id)
                if seen.insert(parent).inserted { pending.append(parent) }
            }
        }
        pending = [base]
        while let id = pending.popLast() {
            for child in children[id] ?? [] where range.descendants.insert(child).inserted { pending.append(child) }
        }
        return range
    }
}
