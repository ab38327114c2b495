import Foundation

/// Whether one commit descends from another, as far as a shallow store can tell.
enum Ancestry: Hashable {
    case descends
    case unrelated
    /// Some line of history ends where the store does: fetch deeper and ask again.
    case undecided
}

extension ObjectStore {
    /// Commits looked at before giving up; the largest known repositories have about two million.
    private static let visits = 5_000_000

    /// Walks back from `new` until every line of history reached `old`, an ancestor of `old`, or a root.
    ///
    /// The commit at the edge of a shallow store still names its parents, so one amended or reset tip is known as
    /// such without the rest of the history. `old` itself may be missing: its name is enough to be found.
    func ancestry(of new: ObjectID, from old: ObjectID) throws(Failure) -> Ancestry {
        let edge = try self.shallowEdge()
        let before = self.ancestors(of: old)
        var pending = [new]
        var seen: Set<ObjectID> = [new]
        var beyondEdge: Set<ObjectID> = []
        var isUndecided = false
        while let id = pending.popLast() {
            if id == old { return .descends }
            if before.contains(id) { continue }
            guard let parents = self.parents(of: id) else {
                guard beyondEdge.contains(id) else {
                    throw Failure(code: -1, message: "the commit \(id.text), which should be in the store, is not")
                }
                isUndecided = true
                continue
            }
            let parentsMayLack = edge.contains(id) || beyondEdge.contains(id)
            for parent in parents where seen.insert(parent).inserted {
                guard seen.count <= Self.visits else { return .undecided }
                if parentsMayLack { beyondEdge.insert(parent) }
                pending.append(parent)
            }
        }
        return isUndecided ? .undecided : .unrelated
    }

    /// Proper ancestors, as far as they are here or named by a commit that is.
    func ancestors(of id: ObjectID) -> Set<ObjectID> {
        var pending = [id]
        var found: Set<ObjectID> = []
        while let next = pending.popLast(), found.count <= Self.visits {
            for parent in self.parents(of: next) ?? [] where found.insert(parent).inserted {
                pending.append(parent)
            }
        }
        return found
    }

    /// The commits whose parents were left on the server.
    private func shallowEdge() throws(Failure) -> Set<ObjectID> {
        let file = self.path + "/shallow"
        guard FileManager.default.fileExists(atPath: file) else { return [] }
        do {
            let text = try String(contentsOfFile: file, encoding: .utf8)
            return Set(text.split(separator: "\n").compactMap { ObjectID($0) })
        } catch {
            throw Failure(code: -1, message: "\(file) cannot be read: \(error)")
        }
    }
}
