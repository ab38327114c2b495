import Deployments

/// A file of manifests, its deployments decoded. What they say depends on no other file but the `defaults.yaml` above,
/// so files can be decoded in any order, and at the same time.
package struct DecodedFile: Sendable {
    let path: String
    let documents: [Document]
    /// Why the rest of the file could not be read.
    let failure: YAMLProblem?

    enum Document: Sendable {
        case deployment(DecodedDeployment)
        /// Anything else, a deployment without a name too.
        case other(YAMLDocument)
    }

    init(decoding file: SourceFile, over defaults: DefaultsChain?, limits: ManifestLimits) {
        let stream = YAMLStream(parsing: file.bytes, limits: limits)
        self.path = file.path
        self.documents = stream.documents.map { Document(decoding: $0, over: defaults, path: file.path) }
        self.failure = stream.failure
    }

    /// Whether it holds anything but deployments.
    var isDeclaring: Bool {
        self.failure != nil || self.documents.contains { if case .other = $0 { true } else { false } }
    }
}

extension DecodedFile.Document {
    fileprivate init(decoding document: YAMLDocument, over defaults: DefaultsChain?, path: String) {
        guard let id = DeploymentDraft.id(declaredBy: document.root) else {
            self = .other(document)
            return
        }
        let log = DiagnosticLog(path: path, layers: defaults?.paths ?? [], deployment: id, entries: [])
        log.add(document.problems)
        if let broken = defaults?.broken {
            let draft = DeploymentDraft(
                id: id,
                file: path,
                document: Field(document: document.root, log: log).site,
                blocked: broken
            )
            self = .deployment(DecodedDeployment(draft, log.diagnostics))
            return
        }
        let root = defaults?.completed(document.root) ?? document.root
        let draft = DeploymentDraft(
            id: id,
            layers: defaults?.paths ?? [],
            decoding: Field(document: root, log: log)
        )
        self = .deployment(DecodedDeployment(draft, log.diagnostics))
    }
}
