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
        var reading = SnapshotReading(limits: self.limits)
        for file in files.sorted(by: { $0.path < $1.path }) where file.isManifest { reading.read(file) }
        let resolution = ReferenceResolution(reading: reading, library: self.library, files: files, limits: self.limits)
        var deployments: [DeploymentSpec] = []
        var invalid = reading.invalid
        let specs = reading.drafts.map { (draft: $0, spec: resolution.spec(of: $0, origin: origin)) }
        // Only now, as resolving may have found errors in any of them.
        resolution.checkTogether(reading.drafts)
        for (draft, spec) in specs {
            if draft.log.hasErrors {
                invalid.insert(draft.id)
            } else {
                deployments.append(spec)
            }
        }
        return DesiredState(
            deployments: deployments.filter { !invalid.contains($0.id) }.sorted { $0.id < $1.id },
            diagnostics: Self.arrange(reading.logs.flatMap(\.diagnostics), limit: self.limits.diagnosticsPerFile),
            invalid: invalid,
            unreadable: reading.unreadable,
            freezes: reading.freezes.values.filter { reading.freezes.broken[$0.key] == nil }.map(\.value)
                .sorted { $0.name < $1.name },
            brokenFreezes: reading.freezes.unnamed.isEmpty ? Set(reading.freezes.broken.keys) : nil
        )
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

extension SourceFile {
    var isManifest: Bool { self.path.hasSuffix(".yaml") || self.path.hasSuffix(".yml") }
}
