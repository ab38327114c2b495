import Deployments
import Manifests

/// What our own reader makes of imported manifests.
struct ImportAcceptance {
    private let reader: ManifestReader
    /// Names that shipped runtimes have.
    let runtimes: Set<String>

    /// - Parameter library: What the controller ships with.
    init(library: [SourceFile]) {
        self.reader = ManifestReader(library: library, limits: ImportSources.limits)
        let names = library.flatMap { file in
            YAMLStream(parsing: file.bytes).documents.compactMap { document in
                document.root["kind"]?.scalarText == ManifestKind.servingRuntime.rawValue
                    ? document.root["metadata"]?["name"]?.scalarText : nil
            }
        }
        self.runtimes = Set(names)
    }

    /// It is not known before it is merged; it is no part of a revision.
    private static let origin = CommitReference(repository: "", branch: "", commit: "")

    /// Whether a model may be at this URI: asked of the reader itself, so that nobody has to remember which schemes it
    /// knows.
    func accepts(uri: String) -> Bool {
        var model = ImportedModel(name: "model")
        model.uri = .init(uri)
        var deployment = ImportedDeployment(name: "probe", namespace: "default", service: "probe")
        deployment.model = .init(model)
        let file = SourceFile(path: "probe.yaml", blob: "", bytes: Array(deployment.manifest.rendered.utf8))
        return !self.reader.read([file], origin: Self.origin).diagnostics.contains {
            $0.field == "spec.model.uri" && $0.severity == .error
        }
    }

    /// Reads the manifests as one commit.
    ///
    /// - Returns: What the reader says of them, in the files below the folder; without one, at what they come from.
    func findings(of manifests: [ImportedManifest], in folder: String?) -> [ImportFinding] {
        let files = manifests.map { manifest in
            SourceFile(path: manifest.file, blob: "", bytes: Array(manifest.yaml.utf8))
        }
        return self.reader.read(files, origin: Self.origin).diagnostics.map { diagnostic in
            var finding = ImportFinding(
                outcome: diagnostic.severity == .error ? .refused : .warning,
                path: diagnostic.path,
                line: diagnostic.line,
                column: diagnostic.column,
                field: diagnostic.field,
                message: diagnostic.message
            )
            if let folder {
                finding.path = "\(folder)/\(diagnostic.path)"
            } else if let manifest = manifests.first(where: { $0.file == diagnostic.path }) {
                (finding.path, finding.line, finding.column) = (manifest.path, manifest.line, 1)
                finding.message = "of the \(manifest.kind) \(manifest.name): \(diagnostic.message)"
            }
            return finding
        }
    }
}
