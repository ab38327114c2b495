import Foundation

/// The files that this module keeps for one repository.
///
///     NAME/accepted.json    the last commit taken, so that it is known even when the store is lost
///     NAME/store.git        a bare repository with the objects of that commit
///     NAME/store.git.new    one being made; replaces store.git when it is whole
///     NAME/store.git.old    one being replaced
///     NAME/verification     what programs need to verify a signature; removed right after
///     NAME/home             HOME of the git programs: their configuration and the askpass script
struct StoreDirectory: Sendable {
    let root: String

    var store: String { self.root + "/store.git" }
    var fresh: String { self.root + "/store.git.new" }
    var replaced: String { self.root + "/store.git.old" }
    var home: String { self.root + "/home" }
    var verification: String { self.root + "/verification" }
    private var record: String { self.root + "/accepted.json" }

    /// The last commit that was taken from what is watched.
    struct Accepted: Codable, Hashable {
        var url: String
        var branch: String
        /// The tag with the highest version, where versions are watched.
        var tag: String?
        /// The watched folders, without slashes at their ends, one a line.
        private var path: String
        var commit: String
        var rewroteHistory: Bool
        /// The requirement on signatures that it met, as in `SignatureRules.mark`.
        var verified: String?

        init(
            url: String,
            branch: String,
            folders: [String],
            commit: String,
            rewroteHistory: Bool,
            verified: String?
        ) {
            self.url = url
            self.branch = branch
            self.path = folders.joined(separator: "\n")
            self.commit = commit
            self.rewroteHistory = rewroteHistory
            self.verified = verified
        }

        var folders: [String] {
            self.path.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// Makes the folders, readable by this user alone, and ends or undoes a replacement that a crash cut short.
    func prepare() throws {
        for folder in [self.root, self.home] {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder)
        }
        // Only a whole store is ever put in place of another, so a missing one was between its two renames.
        if !self.exists(self.store), self.exists(self.replaced), self.exists(self.fresh) {
            try FileManager.default.moveItem(atPath: self.fresh, toPath: self.store)
        }
        try self.remove(self.fresh)
        try self.remove(self.verification)
        if self.exists(self.store) {
            try self.remove(self.replaced)
        } else if self.exists(self.replaced) {
            try FileManager.default.moveItem(atPath: self.replaced, toPath: self.store)
        }
    }

    /// Puts the fresh store in the place of the current one.
    func replaceStore() throws {
        try self.remove(self.replaced)
        if self.exists(self.store) {
            try FileManager.default.moveItem(atPath: self.store, toPath: self.replaced)
        }
        try FileManager.default.moveItem(atPath: self.fresh, toPath: self.store)
        try self.remove(self.replaced)
    }

    func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path)
    }

    func remove(_ path: String) throws {
        guard self.exists(path) else { return }
        try FileManager.default.removeItem(atPath: path)
    }

    // MARK: - What a git that was killed leaves

    /// Removes locks and half-written packs. Only for when no git of ours runs.
    func sweep() throws {
        let packs = self.store + "/objects/pack"
        let folders = [self.store, self.store + "/refs/controller", self.store + "/refs", self.store + "/objects/info"]
        for folder in folders {
            for name in self.names(in: folder) where name.hasSuffix(".lock") {
                try self.remove(folder + "/" + name)
            }
        }
        for name in self.names(in: packs) where name.hasPrefix("tmp_") || name.hasPrefix(".tmp-") {
            try self.remove(packs + "/" + name)
        }
        for name in self.names(in: self.store + "/objects") where name.hasPrefix("tmp_") || name.hasPrefix("incoming-")
        {
            try self.remove(self.store + "/objects/" + name)
        }
    }

    /// Whether so many fetches and notes went into the store that it should be written anew.
    func isFragmented(packs limit: Int) -> Bool {
        let packs = self.names(in: self.store + "/objects/pack").count { $0.hasSuffix(".pack") }
        guard packs <= limit else { return true }
        // A note leaves four loose objects; git itself packs them at 6,700.
        let loose = self.names(in: self.store + "/objects").filter { $0.count == 2 }
            .reduce(0) { $0 + self.names(in: "\(self.store)/objects/\($1)").count }
        return loose > 4096
    }

    private func names(in folder: String) -> [String] {
        // A folder that does not exist holds nothing; one that cannot be listed is found out by git right after.
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    // MARK: - The last commit taken

    func loadAccepted() throws -> Accepted? {
        guard self.exists(self.record) else { return nil }
        return try JSONDecoder().decode(Accepted.self, from: Data(contentsOf: URL(filePath: self.record)))
    }

    func save(_ accepted: Accepted) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try encoder.encode(accepted).write(to: URL(filePath: self.record), options: .atomic)
    }
}
