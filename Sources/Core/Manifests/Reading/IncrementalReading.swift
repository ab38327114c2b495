import Deployments

/// Reads those files of a commit that may say something else than in the last one.
struct IncrementalReading {
    private let limits: ManifestLimits
    private let library: Library
    private let decoded: [String: DecodedFile]
    /// Where other values are laid below manifests than in the last commit.
    private let relaid: DefaultsTree.Difference
    private var memory: ManifestMemory
    private var reading: SnapshotReading
    /// The files whose deployments are read.
    private var paths: Set<String> = []

    /// - Parameters:
    ///   - files: Sorted by path.
    ///   - origin: Their commit.
    ///   - memory: What is known of the last commit.
    ///   - decoded: Those of the files that are decoded already.
    ///   - library: What comes with the product.
    ///   - limits: For each file.
    /// - Returns: The deployments that are to be resolved, and all that is known besides.
    static func gather(
        _ files: [SourceFile],
        origin: CommitReference,
        knowing memory: consuming ManifestMemory,
        decoded: [String: DecodedFile],
        library: Library,
        limits: ManifestLimits
    ) -> GatheredCommit {
        let difference = memory.difference(to: files)
        let defaults = DefaultsTree(of: files, knowing: memory.defaults, limits: limits)
        if memory.isEnough(for: difference) {
            var reading = IncrementalReading(
                memory: memory,
                defaults: defaults,
                decoded: decoded,
                library: library,
                limits: limits
            )
            if reading.read(difference) { return reading.gathered(files, origin: origin) }
        }
        var reading = IncrementalReading(
            memory: ManifestMemory(),
            defaults: defaults,
            decoded: decoded,
            library: library,
            limits: limits
        )
        reading.readAll(files)
        return reading.gathered(files, origin: origin)
    }

    private init(
        memory: ManifestMemory,
        defaults: DefaultsTree,
        decoded: [String: DecodedFile],
        library: Library,
        limits: ManifestLimits
    ) {
        self.decoded = decoded
        self.limits = limits
        self.library = library
        self.memory = memory
        self.relaid = defaults.difference(from: memory.defaults)
        self.memory.defaults = defaults
        self.reading = SnapshotReading(knowing: memory)
    }

    // MARK: - Which files

    private mutating func readAll(_ files: [SourceFile]) {
        for file in files where file.isManifest {
            self.paths.insert(file.path)
            let decoded = self.decode(file)
            self.reading.read(decoded, of: file)
            self.memory.entries[file.path] = ManifestMemory.Entry(isDeclaring: decoded.isDeclaring)
        }
        self.memory.runtimes = self.reading.runtimes
        self.memory.templates = self.reading.templates
        self.memory.freezes = self.reading.freezes
        self.memory.otherDiagnostics = self.reading.otherLogs.flatMap(\.diagnostics)
        self.memory.otherInvalid = self.reading.invalid
        self.memory.unreadable = self.reading.unreadable
    }

    /// - Returns: False when what changed declares more than deployments: then all must be read.
    private mutating func read(_ difference: ManifestMemory.Difference) -> Bool {
        let touched = difference.changed.map(\.path) + difference.removed
        let before = touched.flatMap { self.memory.entries[$0]?.ids ?? [] }
        let changed = difference.changed.filter(\.isManifest)
        for file in changed {
            self.paths.insert(file.path)
            let decoded = self.decode(file)
            guard !decoded.isDeclaring else { return false }
            self.reading.read(decoded, of: file)
        }
        let removed = Set(difference.removed)
        for file in self.relaid.isEmpty ? [] : self.memory.files where !removed.contains(file.path) {
            if file.isManifest, self.relaid.concerns(file.path) { self.reread(file.path) }
        }
        for path in self.memory.faulty where !removed.contains(path) { self.reread(path) }
        // Those that were without errors, and may have some now because of the others.
        while true {
            let concerned = self.concerned(leaving: before).subtracting(self.paths).subtracting(removed)
            if concerned.isEmpty { break }
            for path in concerned.sorted() { self.reread(path) }
        }
        self.memory.forgetDeployments(of: touched)
        for path in difference.removed { self.memory.entries[path] = nil }
        for file in changed { self.memory.entries[file.path] = ManifestMemory.Entry(isDeclaring: false) }
        return true
    }

    private func decode(_ file: SourceFile) -> DecodedFile {
        self.decoded[file.path]
            ?? DecodedFile(
                decoding: file,
                over: self.memory.defaults.chain(above: file.path),
                limits: self.limits
            )
    }

    private mutating func reread(_ path: String) {
        guard self.paths.insert(path).inserted, let file = self.memory.file(path) else { return }
        self.reading.readDeployments(of: self.decode(file))
    }

    /// The files of deployments that those read claim something of, depend on in a circle, or were below.
    private func concerned(leaving before: [DeploymentID]) -> Set<String> {
        var ids: Set<DeploymentID> = []
        let drafts = self.reading.drafts
        let names = Set(drafts.map(\.id))
        for draft in drafts {
            ids.insert(draft.id)
            for key in RouteKey.all(of: draft.route) { ids.formUnion(self.memory.claims[key] ?? []) }
        }
        let gone = Set(before).subtracting(names)
        if !gone.isEmpty {
            for spec in self.memory.specs where spec.dependsOn.contains(where: gone.contains) { ids.insert(spec.id) }
        }
        let depending = drafts.filter { !$0.dependsOn.isEmpty }
        if !depending.isEmpty { ids.formUnion(self.below(depending)) }
        return Set(ids.compactMap { self.memory.places[$0] })
    }

    /// All that some deployments depend on, directly or not.
    private func below(_ drafts: [DecodedDeployment]) -> Set<DeploymentID> {
        var needs: [DeploymentID: [DeploymentID]] = [:]
        for draft in drafts {
            needs[draft.id, default: []] += draft.dependsOn.compactMap {
                ReferenceResolution.target(of: $0, in: draft.id.namespace)
            }
        }
        var open = needs.values.flatMap(\.self)
        var seen: Set<DeploymentID> = []
        while let next = open.popLast() {
            guard seen.insert(next).inserted else { continue }
            open += needs[next] ?? self.memory.spec(next)?.dependsOn ?? []
        }
        return seen
    }

    // MARK: - What they say

    private mutating func gathered(_ files: [SourceFile], origin: CommitReference) -> GatheredCommit {
        self.memory.forgetDeployments(of: self.paths)
        // As in the commit, whatever was read first: of two with one name, the second is wrong.
        var drafts = self.reading.takeDrafts()
        if !drafts.isSorted { drafts.sort { $0.order < $1.order } }
        for draft in drafts {
            self.memory.places[draft.id] = draft.file
            self.memory.entries[draft.file]?.ids.append(draft.id)
        }
        self.memory.files = files
        return GatheredCommit(
            drafts: drafts,
            origin: origin,
            memory: self.memory,
            library: self.library,
            limits: self.limits
        )
    }
}

extension DecodedDeployment {
    fileprivate var order: (String, Int) { (self.file, self.document.position.line) }
}

extension [DecodedDeployment] {
    fileprivate var isSorted: Bool { self.indices.dropFirst().allSatisfy { self[$0 - 1].order < self[$0].order } }
}
