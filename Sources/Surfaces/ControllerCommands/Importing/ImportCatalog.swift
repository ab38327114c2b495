import Manifests

/// One object of the input.
struct ImportObject {
    let kind: ImportKind
    let root: ImportField
    let name: String
    /// As it says itself.
    let namespace: String?

    var ledger: ImportLedger { self.root.ledger }
    var spec: ImportField? { self.root["spec"] }
    var annotations: ImportField? { self.root["metadata"]?["annotations"] }
}

/// Every object of the input, by what it is.
struct ImportCatalog {
    private(set) var objects: [ImportObject] = []
    /// What is not for this command, by kind.
    private(set) var ignored: [String: Int] = [:]
    /// What cannot be read, and what was declared twice.
    private(set) var findings: [ImportFinding] = []

    init(_ sources: ImportSources) {
        for file in sources.files {
            let stream = YAMLStream(parsing: file.bytes, limits: ImportSources.limits)
            for document in stream.documents {
                self.add(document, of: file.path)
            }
            if let failure = stream.failure {
                let isTemplate = String(decoding: file.bytes, as: UTF8.self).contains("{{")
                let hint = isTemplate ? "; templates must be rendered first, as with `helm template`" : ""
                self.report(.error, failure.position, of: file.path, failure.message + hint)
            }
        }
    }

    func objects(of kinds: ImportKind...) -> [ImportObject] {
        self.objects.filter { kinds.contains($0.kind) }
    }

    /// The object of that name in a namespace, or with none where one of them says nothing.
    func object(_ kinds: [ImportKind], named name: String, in namespace: String?) -> ImportObject? {
        let named = self.objects.filter { kinds.contains($0.kind) && $0.name == name }
        return named.first { $0.namespace == namespace }
            ?? named.first { $0.namespace == nil || namespace == nil || $0.kind.isClusterWide }
    }

    private mutating func report(
        _ outcome: ImportFinding.Outcome,
        _ position: TextPosition,
        of path: String,
        field: String = "",
        _ message: String
    ) {
        let finding = ImportFinding(
            outcome: outcome,
            path: path,
            line: position.line,
            column: position.column,
            field: field,
            message: message
        )
        self.findings.append(finding)
    }

    private mutating func add(_ document: YAMLDocument, of path: String) {
        let root = ImportField(node: document.root, path: "", ledger: ImportLedger(path: path))
        let objects = Self.unwrapped(root)
        let isWanted = objects.contains { ImportKind.of($0) != nil }
        if isWanted, !document.problems.isEmpty {
            for problem in document.problems { self.report(.error, problem.position, of: path, problem.message) }
            return
        }
        for object in objects {
            // Each has a ledger of its own, so that what is never used can be told from what is.
            let ledger = ImportLedger(path: path)
            self.add(ImportField(node: object.node, path: object.path, ledger: ledger))
        }
    }

    /// The objects of a `List`, or the document itself.
    private static func unwrapped(_ root: ImportField) -> [ImportField] {
        guard root.node["kind"]?.scalarText?.hasSuffix("List") == true, let items = root["items"] else { return [root] }
        return items.items.flatMap(Self.unwrapped)
    }

    private mutating func add(_ root: ImportField) {
        guard case .mapping = root.node.content, let word = root.node["kind"]?.scalarText else {
            let message = "this is no object of Kubernetes: it has no `kind`"
            self.report(.error, root.node.position, of: root.ledger.path, field: root.path, message)
            return
        }
        let version = root.node["apiVersion"]?.scalarText ?? ""
        guard let kind = ImportKind.of(root) else {
            if let advice = ImportKind.advice(kind: word, apiVersion: version) {
                self.report(.lost, root.node.position, of: root.ledger.path, field: root.path, advice)
            } else {
                self.ignored[word.printable, default: 0] += 1
            }
            return
        }
        let metadata = root["metadata"]
        guard let name = metadata?["name"]?.node.scalarText, !name.isEmpty else {
            let message = "the \(word) has no `metadata.name`: give it one"
            self.report(.error, root.node.position, of: root.ledger.path, field: root.path, message)
            return
        }
        let namespace = kind.isClusterWide ? nil : metadata?["namespace"]?.node.scalarText
        if let first = self.objects.first(where: { $0.kind == kind && $0.name == name && $0.namespace == namespace }) {
            let place = "\(first.ledger.path):\(first.root.node.position.line)"
            let message = "the \(word) \(name.inBackticks) is there twice, first at \(place), which counts: remove one"
            self.report(.lost, root.node.position, of: root.ledger.path, field: root.path, message)
            return
        }
        self.objects.append(ImportObject(kind: kind, root: root, name: name, namespace: namespace))
    }
}

extension String {
    /// Untrusted text for a table's cell.
    fileprivate var printable: String { String(self.inBackticks.dropFirst().dropLast()) }
}
