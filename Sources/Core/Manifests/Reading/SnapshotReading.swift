import Deployments

/// Reads one document after the other; references are looked up when all are read.
struct SnapshotReading {
    private(set) var drafts: [DecodedDeployment] = []
    private(set) var runtimes = Declarations<PreparedRuntime>()
    private(set) var templates = Declarations<Gate>()
    private(set) var freezes = Declarations<FreezeWindow>()
    private(set) var freezeDocuments: [Field] = []
    /// Of all documents, but those of `drafts`.
    private(set) var otherLogs: [DiagnosticLog] = []
    /// Named by documents that are none of `drafts`.
    private(set) var invalid: Set<DeploymentID> = []
    private(set) var unreadable: Set<String> = []

    /// `memory` is what was declared before.
    init(knowing memory: ManifestMemory = ManifestMemory()) {
        self.runtimes = memory.runtimes
        self.templates = memory.templates
        self.freezes = memory.freezes
    }

    /// - Parameters:
    ///   - decoded: The file's documents.
    ///   - file: The same file.
    mutating func read(_ decoded: DecodedFile, of file: SourceFile) {
        for document in decoded.documents {
            switch document {
            case .deployment(let draft): self.drafts.append(draft)
            case .other(let document): self.read(document, of: file)
            }
        }
        if let failure = decoded.failure { self.note(failure, in: file) }
    }

    /// Hands over what was read of deployments.
    mutating func takeDrafts() -> [DecodedDeployment] {
        var drafts: [DecodedDeployment] = []
        swap(&drafts, &self.drafts)
        return drafts
    }

    /// Reads the deployments of a file of which all else is known.
    mutating func readDeployments(of decoded: DecodedFile) {
        for case .deployment(let draft) in decoded.documents {
            self.drafts.append(draft)
        }
    }

    private mutating func note(_ failure: YAMLProblem, in file: SourceFile) {
        let log = self.log(for: file.path)
        log.add(.error, at: failure.position, field: "", failure.message)
        self.unreadable.insert(file.path)
        // What the unread rest declares is unknown, so nothing may be chosen that it could have changed.
        let place = "\(file.path):\(failure.position.line)"
        if Self.mentions(.servingRuntime, in: file.bytes) { self.runtimes.unnamed.append(place) }
        if Self.mentions(.analysisTemplate, in: file.bytes) { self.templates.unnamed.append(place) }
        if Self.mentions(.freezeWindow, in: file.bytes) { self.freezes.unnamed.append(place) }
    }

    private mutating func log(for path: String) -> DiagnosticLog {
        let log = DiagnosticLog(path: path)
        self.otherLogs.append(log)
        return log
    }

    private static func mentions(_ kind: ManifestKind, in bytes: [UInt8]) -> Bool {
        bytes.prefix(1 << 20).firstRange(of: Array(kind.rawValue.utf8)) != nil
    }

    private mutating func read(_ document: YAMLDocument, of file: SourceFile) {
        let log = self.log(for: file.path)
        log.add(document.problems)
        let field = Field(document: document.root, log: log)
        guard let kind = Self.kind(of: field) else {
            // A slip in `kind` or `apiVersion` is no reason to forget the deployment.
            let meant = document.root["kind"]?.scalarText.flatMap { Self.nearestKind(to: $0) }
            if meant == .modelDeployment, let id = DeploymentDraft.id(of: document.root) {
                log.deployment = id
                self.invalid.insert(id)
            } else {
                self.unreadable.insert(file.path)
            }
            if meant == .servingRuntime { self.runtimes.unnamed.append(field.place) }
            if meant == .analysisTemplate { self.templates.unnamed.append(field.place) }
            if meant == .freezeWindow { self.freezes.unnamed.append(field.place) }
            return
        }
        switch kind {
        case .modelDeployment: self.readUnnamed(field)
        case .modelDeploymentDefaults:
            field.error(
                "defaults are read from files named `\(DefaultsFile.name)`, and from no others: rename this one"
            )
        case .servingRuntime: self.readRuntime(field)
        case .analysisTemplate: self.readTemplate(field)
        case .freezeWindow: self.readFreeze(field)
        }
    }

    // MARK: - Kinds

    /// Of one whose name can't be read, so that its author hears of everything.
    private mutating func readUnnamed(_ field: Field) {
        _ = DeploymentDraft(id: DeploymentID(namespace: "", name: ""), layers: [], decoding: field)
        self.unreadable.insert(field.log.path)
    }

    private mutating func readRuntime(_ field: Field) {
        let (name, spec) = Self.named(field, as: .servingRuntime, spec: .runtimeSpec)
        let runtime = spec.map { ServingRuntime(name: name ?? "", decoding: $0, in: field) }
        guard let name else {
            self.runtimes.unnamed.append(field.place)
            return
        }
        let value = field.log.hasErrors ? nil : runtime.map { PreparedRuntime($0) }
        if let first = self.runtimes.insert(value, named: name, place: field.place) {
            field.error("the ServingRuntime \(name.inBackticks) is declared twice, also at \(first): rename one")
        }
    }

    private mutating func readTemplate(_ field: Field) {
        let (name, spec) = Self.named(field, as: .analysisTemplate, spec: .analysisSpec)
        let gate = spec.flatMap { Gate(name: name ?? "", decoding: $0) }
        guard let name else {
            self.templates.unnamed.append(field.place)
            return
        }
        if Gate.builtIn.contains(where: { $0.name == name }) {
            field.error("\(name.inBackticks) is the name of a built-in gate: rename the AnalysisTemplate")
        }
        let value = field.log.hasErrors ? nil : gate
        if let first = self.templates.insert(value, named: name, place: field.place) {
            field.error("the AnalysisTemplate \(name.inBackticks) is declared twice, also at \(first): rename one")
        }
    }

    private mutating func readFreeze(_ field: Field) {
        self.freezeDocuments.append(field)
        let (name, spec) = Self.named(field, as: .freezeWindow, spec: .freezeSpec)
        let window = spec.flatMap { FreezeWindow(name: name ?? "", decoding: $0) }
        guard let name else {
            self.freezes.unnamed.append(field.place)
            return
        }
        let value = field.log.hasErrors ? nil : window
        if let first = self.freezes.insert(value, named: name, place: field.place) {
            field.error("the FreezeWindow \(name.inBackticks) is declared twice, also at \(first): rename one")
        }
    }

    private static func named(_ field: Field, as shape: Shape, spec: Shape) -> (name: String?, spec: Members?) {
        let members = field.members(of: shape)
        let name = members?["metadata"]?.members(of: .sharedMetadata)?["name"]?.label()
        return (name, members?["spec"]?.members(of: spec))
    }

    // MARK: - Which kind

    /// The kind of a document; logs when it is none that this version reads.
    private static func kind(of document: Field) -> ManifestKind? {
        guard case .mapping = document.node.content else {
            document.error("this is no manifest: one begins with `apiVersion: \(ManifestKind.apiVersion)`")
            return nil
        }
        let version = document.node["apiVersion"]?.scalarText
        let kind = document.node["kind"]?.scalarText
        let known = kind.flatMap(ManifestKind.init)
        if version == ManifestKind.apiVersion {
            if known == nil { self.reject(kind, of: document) }
            return known
        }
        let place = document.node["apiVersion"] ?? document.node
        let meant = kind.flatMap { self.nearestKind(to: $0) } != nil
        let message: String
        if meant, version == nil {
            message = "`apiVersion` is missing: begin with `apiVersion: \(ManifestKind.apiVersion)`"
        } else if let version, meant || version.hasPrefix("controller/") {
            message = "unknown version \(version.inBackticks): this program reads `\(ManifestKind.apiVersion)`"
        } else {
            let what = kind.map { "a \($0.inBackticks) of another program" } ?? "not a manifest of this program"
            message = "this is \(what): move the file out of the watched folder, or narrow the repository's `path`"
        }
        document.log.add(.error, at: place.position, field: "apiVersion", message)
        return nil
    }

    private static func reject(_ kind: String?, of document: Field) {
        let place = document.node["kind"] ?? document.node
        let message: String
        if let kind {
            let hint = NearestName.hint(for: kind, among: ManifestKind.allCases.map(\.rawValue))
            message = "unknown kind \(kind.inBackticks): \(hint)"
        } else {
            message = "`kind` is missing: add for example `kind: ModelDeployment`"
        }
        document.log.add(.error, at: place.position, field: "kind", message)
    }

    private static func nearestKind(to text: String) -> ManifestKind? {
        NearestName.of(text, among: ManifestKind.allCases.map(\.rawValue)).flatMap(ManifestKind.init)
    }
}

extension Field {
    /// `a.yaml:3`, to point at it from elsewhere.
    var place: String { "\(self.log.path):\(self.node.position.line)" }
}
