import Deployments

/// A file of manifests, its deployments decoded. What they say depends on no other file, so files can be decoded in any
/// order, and at the same time.
package struct DecodedFile: Sendable {
    let path: String
    let documents: [Document]
    /// Why the rest of the file could not be read.
    let failure: YAMLProblem?

    enum Document: Sendable {
        case deployment(DeploymentDraft)
        /// Anything else, a deployment without a name too.
        case other(YAMLDocument)
    }

    init(decoding file: SourceFile, limits: ManifestLimits) {
        let stream = YAMLStream(parsing: file.bytes, limits: limits)
        self.path = file.path
        self.documents = stream.documents.map { Document(decoding: $0, path: file.path) }
        self.failure = stream.failure
    }

    /// Whether it holds anything but deployments.
    var isDeclaring: Bool {
        self.failure != nil || self.documents.contains { if case .other = $0 { true } else { false } }
    }
}

extension DecodedFile.Document {
    fileprivate init(decoding document: YAMLDocument, path: String) {
        let version = document.root["apiVersion"]?.scalarText
        let kind = document.root["kind"]?.scalarText
        guard version == ManifestKind.apiVersion, kind == ManifestKind.modelDeployment.rawValue,
            let id = DeploymentDraft.id(of: document.root)
        else {
            self = .other(document)
            return
        }
        let log = DiagnosticLog(path: path, deployment: id, entries: [])
        log.add(document.problems)
        self = .deployment(DeploymentDraft(id: id, decoding: Field(document: document.root, log: log)))
    }
}
