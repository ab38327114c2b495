import Deployments
import GitHubApps
package import Logging
package import Reconciliation
import Transport

/// Watches one repository, and writes notes on its commits.
///
/// The network is the program `git`, which can be stopped; the objects are read by libgit2 from a bare store.
package actor GitRepository: ManifestSource {
    package nonisolated let name: String

    let configuration: GitRepositoryConfiguration
    let label: RepositoryLabel
    let directory: StoreDirectory
    let logger: Logger
    let turns = Turns()

    // What follows is only touched by the operation whose turn it is.

    var tools: Tools?
    var store: ObjectStore?
    /// What was read of the last commit, so that the next one costs what it changes.
    var contents: ManifestTree.Contents?
    /// As in `accepted.json`.
    var accepted: StoreDirectory.Accepted?
    /// The commit that `poll` returned last.
    var delivered: String?
    /// What is wrong with the commit that the branch is at; it stays so until the branch moves.
    var standing: Standing?
    /// Of the commit that the branch is at, as long as it is not taken.
    var proven: Proven?
    /// The last poll tried in vain to fetch all that is new: the next one has its whole time to go step by step.
    var isStepwise = false
    /// Of a GitHub App.
    var installationToken: InstallationToken?
    /// Asks for the above; without one, it does nothing.
    let client = HTTPClient()
    /// A git of ours was ended and may have left locks.
    var needsSweep = true

    struct Standing {
        var commit: String
        var error: SourceError
        /// Nothing when it stands whatever they hold.
        var keys: KeyFiles?
        var since = ContinuousClock.now
    }

    struct Tools {
        var surroundings: GitSurroundings
        var program: GitProgram
    }

    enum Reference {
        /// The commit that was taken last; keeps its objects in the store.
        static let tip = "refs/controller/tip"
        /// The commit that the branch is at, before it is checked.
        static let staging = "refs/controller/staging"
        /// The server's notes.
        static let notes = "refs/controller/notes"
        /// A note that is not on the server yet.
        static let outbox = "refs/controller/outbox"
        static let remoteNotes = "refs/notes/rollouts"
        /// The commit that the branch is at, for a revert to be made on.
        static let base = "refs/controller/base"
        /// An older commit, whose manifest is put back.
        static let past = "refs/controller/past"
        /// A revert that is not on the server yet.
        static let revert = "refs/controller/revert"
    }

    /// `storage` is the folder below which each repository has a folder of its own; it is made when missing.
    package init(configuration: GitRepositoryConfiguration, storage: String, logger: Logger) {
        self.name = configuration.name
        self.configuration = configuration
        self.label = RepositoryLabel(name: configuration.name, url: Self.shown(configuration.url))
        self.directory = StoreDirectory(root: "\(storage)/\(configuration.name)")
        var logger = logger
        logger[metadataKey: "repository.name"] = "\(configuration.name)"
        self.logger = logger
    }

    package func poll() async throws(SourceError) -> SourceSnapshot? {
        try await self.turns.exclusively { () async throws(SourceError) -> SourceSnapshot? in
            try await self.pollAlone()
        }
    }

    package func annotate(commit: String, key: String, note: String) async throws(SourceError) {
        guard self.configuration.writesNotes else { return }
        try await self.turns.exclusively { () async throws(SourceError) in
            try await self.annotateAlone(commit: commit, key: key, note: note)
        }
    }

    // MARK: - Opening

    /// Checks the configuration, recovers what a crash left, and opens the store.
    func open(until deadline: ContinuousClock.Instant) async throws(SourceError) -> Tools {
        if let tools = self.tools {
            try self.sweepIfNeeded()
            return tools
        }
        let remote = try self.checkedRemote()
        let tools: Tools
        do {
            try self.directory.prepare()
            let surroundings = try GitSurroundings(
                configuration: self.configuration,
                remote: remote,
                label: self.label,
                home: self.directory.home
            )
            let program = GitProgram(
                environment: surroundings.environment,
                label: self.label,
                packBytes: self.configuration.limits.packBytes
            )
            tools = Tools(surroundings: surroundings, program: program)
        } catch {
            throw self.label.error(
                .notConfigured,
                "\(self.directory.root) cannot be written: make the storage folder writable for this user (\(error))"
            )
        }
        try self.loadAccepted()
        if !self.directory.exists(self.directory.store) {
            async let isLoaded: Void = ObjectStore.load()
            try await self.initialise(self.directory.store, tools.program, until: deadline)
            await isLoaded
        }
        self.tools = tools
        try self.sweepIfNeeded()
        self.openStore()
        return tools
    }

    private func checkedRemote() throws(SourceError) -> RemoteURL {
        let names = self.configuration.name.utf8.allSatisfy { byte in
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-".utf8.contains(byte)
        }
        guard names, (1...100).contains(self.configuration.name.count), !self.configuration.name.hasPrefix(".") else {
            throw self.label.error(.notConfigured, "the name has other characters than letters, digits, '.', '_', '-'")
        }
        switch self.configuration.reference {
        case .branch(let name) where !BranchName.isValid(name):
            throw self.label.error(.notConfigured, "'\(self.label.shown(name))' is no branch name")
        case .tag(let name) where !BranchName.isValid(name):
            throw self.label.error(.notConfigured, "'\(self.label.shown(name))' is no name of a tag")
        case .commit(let id) where ObjectID(id) == nil:
            throw self.label.error(
                .notConfigured,
                "'\(self.label.shown(id))' is no commit: write all 40 digits of its id"
            )
        case .branch, .tag, .commit, .versions: break
        }
        for path in self.configuration.paths where Self.folder(path) == nil {
            throw self.label.error(
                .notConfigured,
                "the path '\(self.label.shown(path))' is no folder: write it from the repository's root, without '..'"
            )
        }
        for folder in self.folders {
            guard let other = self.folders.first(where: { $0 != folder && Self.contains($0, folder) }) else { continue }
            throw self.label.error(
                .notConfigured,
                "the path '\(self.label.shown(folder))' lies in '\(self.label.shown(other))', which is watched already"
            )
        }
        do throws(RemoteURL.Refusal) {
            return try RemoteURL(self.configuration.url)
        } catch {
            throw self.label.error(.notConfigured, error.reason)
        }
    }

    /// The watched folders without slashes at their ends, sorted, each once; the root is empty.
    var folders: [String] {
        self.configuration.paths.isEmpty ? [""] : Set(self.configuration.paths.compactMap(Self.folder)).sorted()
    }

    /// Without slashes at its ends; nothing when it cannot be a folder.
    private static func folder(_ path: String) -> String? {
        let parts = path.split(separator: "/")
        guard !parts.contains(where: { [".", ".."].contains($0) || $0.lowercased() == ".git" }) else { return nil }
        return parts.joined(separator: "/")
    }

    /// Whether `path` is `folder` or below it.
    static func contains(_ folder: String, _ path: String) -> Bool {
        folder.isEmpty || path == folder || path.hasPrefix(folder + "/")
    }

    private func loadAccepted() throws(SourceError) {
        let loaded: StoreDirectory.Accepted?
        do {
            loaded = try self.directory.loadAccepted()
        } catch {
            throw self.label.error(
                .unreadable,
                "\(self.directory.root)/accepted.json, which names the last commit taken, cannot be read (\(error)). "
                    + "Delete it to begin anew from the branch as it is"
            )
        }
        // Another branch or repository is a new beginning that an operator asked for.
        let isSame = loaded?.url == self.configuration.url && loaded?.branch == self.configuration.reference.key
        self.accepted = isSame ? loaded : nil
    }

    func initialise(
        _ path: String,
        _ program: GitProgram,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) {
        // No template: it would bring hooks, which nothing here should run.
        let arguments = ["init", "--quiet", "--bare", "--template=", "--object-format=sha1"]
        let output = try await program.run(arguments, store: path, until: deadline)
        guard output.succeeded else {
            throw GitFailure.error("init", output, label: self.label, otherwise: .unreadable)
        }
    }

    /// A store that does not open is found out, and made anew, by the next poll.
    func openStore() {
        self.store = nil
        do throws(ObjectStore.Failure) {
            let store = try ObjectStore(path: self.directory.store)
            if let accepted = self.accepted.flatMap({ ObjectID($0.commit) }) {
                // The record is the truth: a crash between the two leaves the reference ahead of it.
                if try store.target(of: Reference.tip) != accepted, store.parents(of: accepted) != nil {
                    try store.set(Reference.tip, to: accepted)
                }
            }
            self.store = store
        } catch {
            self.logger.warning("store does not open", metadata: ["error": "\(error.message)"])
        }
    }

    private func sweepIfNeeded() throws(SourceError) {
        guard self.needsSweep else { return }
        do {
            try self.directory.sweep()
            self.needsSweep = false
        } catch {
            throw self.label.error(.unreadable, "what an ended git left cannot be removed: \(error)", .retry)
        }
    }

    // MARK: - Asking the server

    func run(_ arguments: [String], until deadline: ContinuousClock.Instant) async throws(SourceError)
        -> GitProgram.Output
    {
        try await self.run(arguments, in: self.directory.store, until: deadline)
    }

    func run(
        _ arguments: [String],
        in store: String,
        packBytes: Int? = nil,
        outputBytes: Int? = nil,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) -> GitProgram.Output {
        guard let tools = self.tools else { throw self.label.error(.unreadable, "the store is not open", .retry) }
        try self.sweepIfNeeded()
        do throws(SourceError) {
            var program = tools.program
            program.packBytes = packBytes ?? program.packBytes
            program.outputBytes = outputBytes ?? program.outputBytes
            let output = try await program.run(arguments, store: store, until: deadline)
            if !output.succeeded { self.needsSweep = true }
            return output
        } catch {
            self.needsSweep = true
            throw error
        }
    }

    /// What references of the server name, by their names; a tag also as `refs/tags/v1^{}`, the commit that it names.
    func remoteTargets(
        _ patterns: [String],
        bytes: Int? = nil,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) -> [(name: String, id: ObjectID)] {
        let arguments = ["ls-remote", "--quiet", "--", self.configuration.url] + patterns
        // Not in the store, whose state has no bearing on what the server says.
        let output = try await self.run(arguments, in: self.directory.home, outputBytes: bytes, until: deadline)
        guard output.succeeded else {
            throw GitFailure.error("ls-remote", output, label: self.label, otherwise: .unreachable)
        }
        var targets: [(name: String, id: ObjectID)] = []
        for line in output.output.split(separator: "\n") {
            let parts = line.split(separator: "\t")
            guard parts.count == 2 else { continue }
            guard let id = ObjectID(parts[0]) else {
                throw self.label.error(
                    .refused,
                    "the repository names its objects by SHA-256, which is not supported; use one with SHA-1"
                )
            }
            targets.append((String(parts[1]), id))
        }
        return targets
    }

    /// What one reference of the server names; nothing when it has none of that name.
    func remoteTarget(of reference: String, until deadline: ContinuousClock.Instant) async throws(SourceError)
        -> ObjectID?
    {
        try await self.remoteTargets([reference], until: deadline).first { $0.name == reference }?.id
    }

    private static func shown(_ url: String) -> String {
        // A password in it is refused later; this comes first, and into logs.
        guard let at = url.lastIndex(of: "@") else { return PrintableText.line(url, limit: 300) }
        let user = url[..<at]
        let start = user.firstRange(of: "://")?.upperBound ?? user.startIndex
        guard let colon = user[start...].firstIndex(of: ":") else { return PrintableText.line(url, limit: 300) }
        return PrintableText.line(url[..<colon] + ":…" + url[at...], limit: 300)
    }
}
