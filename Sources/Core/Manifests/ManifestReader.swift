package import Deployments

/// Turns the files of a commit into what it wants served.
///
/// Every `.yaml` and `.yml` file must hold manifests, and a `defaults.yaml` what is laid below those in its folder;
/// other files are read only where a manifest names them.
package struct ManifestReader: Sendable {
    private let library: Library
    let limits: ManifestLimits

    /// Files of this name hold what the manifests of their folder and of those in it say where they say nothing
    /// themselves.
    package static let defaultsName = DefaultsFile.name

    /// The library holds manifests that come with the product: ServingRuntimes and AnalysisTemplates. Those of a
    /// commit go before those of the same name in it.
    package init(library: [SourceFile] = [], limits: ManifestLimits = ManifestLimits()) {
        self.library = Library(reading: library, limits: limits)
        self.limits = limits
    }

    /// What is wrong with the library itself; ``read(_:origin:)`` does not repeat it.
    package var libraryDiagnostics: [Diagnostic] { self.library.diagnostics }

    /// Decodes and checks every manifest among `files`. The path of `origin` is replaced with each manifest's.
    package func read(_ files: [SourceFile], origin: CommitReference) -> DesiredState {
        var memory = ManifestMemory()
        return self.read(files, origin: origin, knowing: &memory)
    }

    /// The same for the next commit of one repository: only what may say something else than in the last one is read
    /// again. Deployments that were not keep the origin that they had.
    ///
    /// - Parameters:
    ///   - files: All of the commit.
    ///   - origin: The commit.
    ///   - memory: What is known of the last commit, and then of this one.
    ///   - decoded: What ``decode(_:)`` made of any of the files.
    /// - Returns: What the commit wants.
    package func read(
        _ files: [SourceFile],
        origin: CommitReference,
        knowing memory: inout ManifestMemory,
        decoded: [DecodedFile] = []
    ) -> DesiredState {
        // Taken out, so that it is changed in its place and not copied.
        var known = ManifestMemory()
        swap(&known, &memory)
        let commit = self.gather(files, origin: origin, knowing: consume known, decoded: decoded)
        let resolved = commit.resolve(commit.indices)
        let (state, new) = self.finish(consume commit, resolved)
        memory = new
        return state
    }

    // MARK: - At the same time

    /// The manifests that are certainly decoded when files are read, and what is laid below them.
    package struct Undecoded: Sendable {
        package let files: [SourceFile]
        package let defaults: DefaultsTree
    }

    package func undecoded(among files: [SourceFile], knowing memory: ManifestMemory) -> Undecoded {
        let files = files.sortedByPath
        let difference = memory.difference(to: files)
        let defaults = DefaultsTree(of: files, knowing: memory.defaults, limits: self.limits)
        guard memory.isEnough(for: difference) else {
            return Undecoded(files: files.filter(\.isManifest), defaults: defaults)
        }
        let relaid = defaults.difference(from: memory.defaults)
        guard !relaid.isEmpty else {
            return Undecoded(files: difference.changed.filter(\.isManifest), defaults: defaults)
        }
        let changed = Set(difference.changed.lazy.map(\.path))
        let concerned = files.filter { $0.isManifest && (changed.contains($0.path) || relaid.concerns($0.path)) }
        return Undecoded(files: concerned, defaults: defaults)
    }

    /// The larger part of the work of ``read(_:origin:knowing:decoded:)``, and for each file on its own: a commit that
    /// changes thousands can have it done by all cores.
    package func decode(_ files: some Sequence<SourceFile>, over defaults: DefaultsTree) -> [DecodedFile] {
        files.map { DecodedFile(decoding: $0, over: defaults.chain(above: $0.path), limits: self.limits) }
    }

    /// The first part of ``read(_:origin:knowing:decoded:)``. Then the deployments are to be resolved, and then comes
    /// ``finish(_:_:)``.
    package func gather(
        _ files: [SourceFile],
        origin: CommitReference,
        knowing memory: consuming ManifestMemory,
        decoded: [DecodedFile]
    ) -> GatheredCommit {
        IncrementalReading.gather(
            files.sortedByPath,
            origin: origin,
            knowing: memory,
            decoded: Dictionary(decoded.lazy.map { ($0.path, $0) }) { first, _ in first },
            library: self.library,
            limits: self.limits
        )
    }

    /// The last part of ``read(_:origin:knowing:decoded:)``.
    ///
    /// - Parameters:
    ///   - commit: What was gathered.
    ///   - resolved: All of its deployments, in their order.
    /// - Returns: What the commit wants, and what is known of it then.
    package func finish(
        _ commit: consuming GatheredCommit,
        _ resolved: [GatheredCommit.Resolved]
    ) -> (DesiredState, ManifestMemory) {
        commit.finish(resolved)
    }

    /// By file and place, each once, and of one file not more than `limit`.
    static func arrange(_ diagnostics: [Diagnostic], limit: Int) -> [Diagnostic] {
        var seen: Set<Diagnostic> = []
        let each = Self.told(once: diagnostics).filter { seen.insert($0).inserted }
        let files = Dictionary(grouping: each, by: \.path)
        return files.keys.sorted().flatMap { path -> [Diagnostic] in
            let all = (files[path] ?? []).sorted { ($0.line, $0.column) < ($1.line, $1.column) }
            // Errors first, so that none is cut off for a warning.
            let kept = (all.filter { $0.severity == .error } + all.filter { $0.severity == .warning }).prefix(limit)
            let shown = kept.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
            guard let last = all.last, all.count > limit else { return shown }
            let rest = Diagnostic(
                path: path,
                line: last.line,
                column: last.column,
                field: "",
                message: "\(all.count - limit) more problems in this file are not shown: mend the others first"
            )
            return shown + [rest]
        }
    }
}

extension ManifestReader {
    /// What is wrong with a value in a `defaults.yaml` is told once, not once for each manifest below it.
    private static func told(once diagnostics: [Diagnostic]) -> [Diagnostic] {
        var told: [Diagnostic] = []
        /// In the order in which they were found.
        var shared: [Diagnostic] = []
        var concerned: [Diagnostic: Set<DeploymentID>] = [:]
        for var diagnostic in diagnostics {
            guard let id = diagnostic.deployment, SourceFile.isDefaults(diagnostic.path) else {
                told.append(diagnostic)
                continue
            }
            diagnostic.deployment = nil
            if concerned[diagnostic] == nil { shared.append(diagnostic) }
            concerned[diagnostic, default: []].insert(id)
        }
        let known = Set(told)
        // What is wrong with the file by itself was told already.
        for diagnostic in shared where !known.contains(diagnostic) {
            guard let ids = concerned[diagnostic], let first = ids.min() else { continue }
            var diagnostic = diagnostic
            let others = ids.count > 1 ? " and \(ids.count - 1) more" : ""
            diagnostic.message += " (it holds for \(first)\(others))"
            told.append(diagnostic)
        }
        return told
    }
}

extension [SourceFile] {
    fileprivate var sortedByPath: [SourceFile] {
        let isSorted = zip(self, self.dropFirst()).allSatisfy { $0.path < $1.path }
        return isSorted ? self : self.sorted { $0.path < $1.path }
    }
}
