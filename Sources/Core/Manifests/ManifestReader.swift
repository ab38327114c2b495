package import Deployments

/// Turns the files of a commit into what it wants served.
///
/// Every `.yaml` and `.yml` file must hold manifests; other files are read only where a manifest names them.
package struct ManifestReader: Sendable {
    private let library: Library
    private let limits: ManifestLimits

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
        let (state, new) = IncrementalReading.read(
            files.sortedByPath,
            origin: origin,
            knowing: consume known,
            decoded: Dictionary(decoded.lazy.map { ($0.path, $0) }) { first, _ in first },
            library: self.library,
            limits: self.limits
        )
        memory = new
        return state
    }

    // MARK: - At the same time

    /// The manifests that are certainly decoded when `files` are read.
    package func undecoded(among files: [SourceFile], knowing memory: ManifestMemory) -> [SourceFile] {
        let difference = memory.difference(to: files.sortedByPath)
        return memory.isEnough(for: difference) ? difference.changed : files.filter(\.isManifest)
    }

    /// The larger part of the work of ``read(_:origin:knowing:decoded:)``, and for each file on its own: a commit that
    /// changes thousands can have it done by all cores.
    package func decode(_ files: some Sequence<SourceFile>) -> [DecodedFile] {
        files.map { DecodedFile(decoding: $0, limits: self.limits) }
    }

    /// By file and place, each once, and of one file not more than `limit`.
    static func arrange(_ diagnostics: [Diagnostic], limit: Int) -> [Diagnostic] {
        var seen: Set<Diagnostic> = []
        let files = Dictionary(grouping: diagnostics.filter { seen.insert($0).inserted }, by: \.path)
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

extension [SourceFile] {
    fileprivate var sortedByPath: [SourceFile] {
        let isSorted = zip(self, self.dropFirst()).allSatisfy { $0.path < $1.path }
        return isSorted ? self : self.sorted { $0.path < $1.path }
    }
}
