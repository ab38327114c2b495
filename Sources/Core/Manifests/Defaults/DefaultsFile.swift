import Deployments

/// A `defaults.yaml`: what the manifests of its folder and of those in it say where they say nothing themselves.
struct DefaultsFile: Hashable, Sendable {
    static let name = "defaults.yaml"
    fileprivate static let ending = "/" + Self.name

    let path: String
    let blob: String
    /// A mapping with `metadata` and `spec`, as far as they are given; nothing when the file has errors.
    let root: YAMLNode?
    let problems: [Diagnostic]

    /// Whether what it says is not known.
    var isBroken: Bool { self.problems.hasErrors }

    init(decoding file: SourceFile, limits: ManifestLimits) {
        let log = DiagnosticLog(path: file.path)
        var root: YAMLNode?
        if file.bytes.count > limits.defaultsBytes {
            let message = "the file has \(file.bytes.count) bytes, at most \(limits.defaultsBytes) are read: shorten it"
            log.add(.error, at: TextPosition(line: 1, column: 1), field: "", message)
        } else {
            root = Self.root(of: YAMLStream(parsing: file.bytes, limits: limits), noting: log)
        }
        self.path = file.path
        self.blob = file.blob
        self.problems = log.diagnostics
        self.root = log.hasErrors ? nil : root
    }

    /// One of more than there may be.
    init(refusing file: SourceFile, limits: ManifestLimits) {
        let log = DiagnosticLog(path: file.path)
        let message = "a repository may have at most \(limits.defaultsFiles) files of this name: merge some"
        log.add(.error, at: TextPosition(line: 1, column: 1), field: "", message)
        self.path = file.path
        self.blob = ""
        self.problems = log.diagnostics
        self.root = nil
    }

    private static func root(of stream: YAMLStream, noting log: DiagnosticLog) -> YAMLNode? {
        if let failure = stream.failure { log.add(.error, at: failure.position, field: "", failure.message) }
        for document in stream.documents { log.add(document.problems) }
        guard let document = stream.documents.first else { return nil }
        for other in stream.documents.dropFirst() {
            let message = "a \(Self.name) holds one document: move the others to files of other names"
            log.add(.error, at: other.root.position, field: "", message)
        }
        let root = document.root
        let (version, kind) = (root["apiVersion"]?.scalarText, root["kind"]?.scalarText)
        guard version == ManifestKind.apiVersion, kind == ManifestKind.modelDeploymentDefaults.rawValue else {
            let wanted =
                "`apiVersion: \(ManifestKind.apiVersion)` and `kind: \(ManifestKind.modelDeploymentDefaults.rawValue)`"
            let place = root["kind"] ?? root
            let message = "a \(Self.name) begins with \(wanted): add them, or give the file another name"
            log.add(.error, at: place.position, field: "kind", message)
            return nil
        }
        DeploymentDraft.check(defaults: Field(document: root, log: log))
        return YAMLNode(content: .mapping(root.members(named: ["metadata", "spec"])), position: root.position)
    }
}

extension SourceFile {
    static func isDefaults(_ path: String) -> Bool {
        path.ends(in: DefaultsFile.ending) || path == DefaultsFile.name
    }

    /// The folder that a path is in, without a slash at its end; empty for the root.
    static func folder(of path: String) -> Substring {
        path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[..<$0] } ?? ""
    }
}
