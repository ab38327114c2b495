import CLibgit2
import Manifests

extension ManifestTree {
    /// A watched folder of one commit.
    struct Folder {
        /// From the root, without slashes at its ends; empty for the root.
        var path: String
        /// Nothing where the commit has no such folder.
        var tree: ObjectID?

        var prefix: String { self.path.isEmpty ? "" : self.path + "/" }
    }

    /// What was read of the watched folders of one commit.
    struct Contents {
        var folders: [Folder]
        /// Sorted by path.
        var files: [SourceFile]
        /// Of all folders, read or not.
        var entries: Int
    }

    /// Reads what the folders hold by now, from what they held before where that is the same.
    ///
    /// Both trees are walked side by side, and what has the same id is left alone: a commit costs what it changes.
    mutating func read(_ folders: [Folder], after known: Contents) throws(Failure) {
        self.entries = known.entries
        for (old, new) in zip(known.folders, folders) {
            switch (old.tree, new.tree) {
            case (let before?, let after?): try self.compare(before, with: after, prefix: new.prefix, depth: 0)
            case (nil, let after?): try self.read(after, prefix: new.prefix, depth: 0)
            case (let before?, nil): try self.drop(before, prefix: old.prefix)
            case (nil, nil): break
            }
        }
        self.files.sort { $0.path < $1.path }
        self.files = self.merged(into: known.files)
        try self.requireLimits()
    }

    /// One entry of a folder, as git sorts them: folders as if their names ended with a slash.
    private struct Entry {
        var handle: OpaquePointer
        var name: UnsafePointer<CChar>
        var id: git_oid
        var mode: git_filemode_t
        var isFolder: Bool { self.mode == GIT_FILEMODE_TREE }

        init?(_ tree: OpaquePointer, _ index: Int) {
            guard let handle = git_tree_entry_byindex(tree, index), let name = git_tree_entry_name(handle),
                let id = git_tree_entry_id(handle)
            else { return nil }
            self.handle = handle
            self.name = name
            self.id = id.pointee
            self.mode = git_tree_entry_filemode_raw(handle)
        }

        var path: String { String(cString: self.name) }

        func isSame(as other: Entry) -> Bool {
            var (mine, theirs) = (self.id, other.id)
            return self.mode == other.mode && git_oid_equal(&mine, &theirs) != 0
        }

        /// Negative, zero or positive, as `strcmp`.
        func order(to other: Entry) -> Int {
            var (mine, theirs) = (self.name, other.name)
            while mine.pointee != 0, mine.pointee == theirs.pointee {
                mine += 1
                theirs += 1
            }
            func last(_ byte: CChar, _ isFolder: Bool) -> Int {
                byte == 0 ? (isFolder ? Int(UInt8(ascii: "/")) : 0) : Int(UInt8(bitPattern: byte))
            }
            return last(mine.pointee, self.isFolder) - last(theirs.pointee, other.isFolder)
        }
    }

    private mutating func compare(
        _ old: ObjectID,
        with new: ObjectID,
        prefix: String,
        depth: Int
    ) throws(Failure) {
        guard old != new else { return }
        let before = try self.tree(old, path: prefix)
        defer { git_tree_free(before) }
        let after = try self.tree(new, path: prefix)
        defer { git_tree_free(after) }
        let (oldCount, newCount) = (git_tree_entrycount(before), git_tree_entrycount(after))
        self.entries += newCount - oldCount
        try self.requireOrder(after, prefix)
        var (left, right) = (0, 0)
        while left < oldCount || right < newCount {
            let mine = left < oldCount ? Entry(before, left) : nil
            let theirs = right < newCount ? Entry(after, right) : nil
            guard mine != nil || left == oldCount, theirs != nil || right == newCount else {
                throw .unreadable("the folder \(Self.shown(prefix)) cannot be listed")
            }
            let order = if let mine, let theirs { mine.order(to: theirs) } else { mine == nil ? 1 : -1 }
            if order <= 0 { left += 1 }
            if order >= 0 { right += 1 }
            if order == 0, let mine, let theirs {
                if mine.isSame(as: theirs) { continue }
                if mine.isFolder, Self.isRead(theirs.path) {
                    let path = prefix + theirs.path + "/"
                    try self.compare(ObjectID(mine.id), with: ObjectID(theirs.id), prefix: path, depth: depth + 1)
                    continue
                }
            }
            if order <= 0, let mine { try self.drop(mine, prefix: prefix) }
            if order >= 0, let theirs { try self.read(entry: theirs.handle, prefix: prefix, depth: depth) }
        }
    }

    /// git never writes a folder in another order, or with two entries of one name; who reads one by halves would see
    /// other files than who reads it whole.
    func requireOrder(_ tree: OpaquePointer, _ prefix: String) throws(Failure) {
        var last: Entry?
        for index in 0..<git_tree_entrycount(tree) {
            guard let entry = Entry(tree, index) else {
                throw .unreadable("the folder \(Self.shown(prefix)) cannot be listed")
            }
            if let last, last.order(to: entry) >= 0 {
                throw .refused(
                    "the folder \(Self.shown(prefix)) is not sorted as git sorts it, or holds "
                        + "\(Self.shown(entry.path)) twice; make the commit anew with git"
                )
            }
            last = entry
        }
    }

    private mutating func drop(_ entry: Entry, prefix: String) throws(Failure) {
        let path = prefix + entry.path
        guard Self.isRead(entry.path) else { return }
        if entry.isFolder {
            try self.drop(ObjectID(entry.id), prefix: path + "/")
        } else {
            self.dropped.files.insert(path)
        }
    }

    private mutating func drop(_ folder: ObjectID, prefix: String) throws(Failure) {
        self.entries -= try self.count(folder, path: prefix)
        self.dropped.folders.append(prefix)
    }

    /// The entries of a folder and of those in it.
    private func count(_ id: ObjectID, path: String) throws(Failure) -> Int {
        let handle = try self.tree(id, path: path)
        defer { git_tree_free(handle) }
        let count = git_tree_entrycount(handle)
        var sum = count
        for index in 0..<count {
            guard let entry = Entry(handle, index), entry.isFolder, Self.isRead(entry.path) else { continue }
            sum += try self.count(ObjectID(entry.id), path: path + entry.path + "/")
        }
        return sum
    }

    /// `files` are new, or replace those of the same path.
    private func merged(into known: [SourceFile]) -> [SourceFile] {
        var merged: [SourceFile] = []
        merged.reserveCapacity(known.count + self.files.count)
        var next = self.files.startIndex
        for file in known {
            while next < self.files.endIndex, self.files[next].path < file.path {
                merged.append(self.files[next])
                next += 1
            }
            if next < self.files.endIndex, self.files[next].path == file.path {
                merged.append(self.files[next])
                next += 1
            } else if !self.dropped.contains(file.path) {
                merged.append(file)
            }
        }
        merged += self.files[next...]
        return merged
    }

    private func requireLimits() throws(Failure) {
        guard self.entries <= self.limits.entries else { throw self.tooManyEntries }
        guard self.files.count <= self.limits.files else { throw self.tooManyFiles }
        guard self.files.reduce(0, { $0 + $1.bytes.count }) <= self.limits.totalBytes else { throw self.tooManyBytes }
    }

    /// What a commit took out of what is watched.
    struct Dropped {
        var files: Set<String> = []
        /// With a slash at their ends.
        var folders: [String] = []

        func contains(_ path: String) -> Bool {
            !self.files.isEmpty && self.files.contains(path) || self.folders.contains { path.hasPrefix($0) }
        }
    }
}
