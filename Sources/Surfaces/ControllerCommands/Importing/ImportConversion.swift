import Deployments
import Manifests

/// Turns the objects of a catalog into manifests, one after the other.
///
/// Templates and runtimes have no namespace with us, and hold one gate or one program. So each is made for who refers
/// to it, and what comes out the same twice is kept once.
final class ImportConversion {
    let catalog: ImportCatalog
    private let namespace: String
    private let acceptance: ImportAcceptance
    private(set) var manifests: [ImportedManifest] = []
    private var shared: [String: ManifestNode] = [:]
    /// The names of those that are emitted.
    private var deployments: Set<String> = []

    /// - Parameters:
    ///   - catalog: The input.
    ///   - namespace: Of objects that name none.
    ///   - acceptance: Knows what our reader accepts.
    init(_ catalog: ImportCatalog, namespace: String, acceptance: ImportAcceptance) {
        self.catalog = catalog
        self.namespace = namespace
        self.acceptance = acceptance
    }

    func run() {
        let objects = self.catalog.objects.filter(\.kind.isImported)
        for object in objects {
            switch object.kind {
            case .inferenceService: self.convert(inferenceService: object)
            case .rollout: self.convert(rollout: object)
            case .canary: self.convert(canary: object)
            case .kserveRuntime, .kserveClusterRuntime, .analysisTemplate, .clusterAnalysisTemplate, .metricTemplate,
                .deployment, .autoscaler:
                break
            }
        }
        for object in self.catalog.objects {
            let isUsed = object.kind.isImported || object.ledger.isTouched
            if isUsed {
                self.readCommon(object)
                object.ledger.listUnread(of: object.root)
            }
        }
    }

    /// What no object that becomes a deployment refers to.
    var unused: [ImportObject] {
        self.catalog.objects.filter { !$0.kind.isImported && !$0.ledger.isTouched }
    }

    // MARK: - Emitting

    func emit(_ deployment: ImportedDeployment, from object: ImportObject) {
        self.deployments.insert("\(deployment.namespace)/\(deployment.name)")
        self.manifests.append(
            ImportedManifest(
                .modelDeployment,
                name: deployment.name,
                namespace: deployment.namespace,
                from: object.root,
                yaml: deployment.manifest.rendered
            )
        )
    }

    /// Emits a template or a runtime, unless there is the same already.
    ///
    /// - Parameters:
    ///   - kind: What it is.
    ///   - names: What it may be called, the best first.
    ///   - spec: All that it says.
    ///   - source: What it comes from.
    /// - Returns: What it is called.
    func emit(_ kind: ManifestKind, named names: [String], spec: ManifestNode, from source: ImportField) -> String {
        var candidates = names.map(Self.label)
        candidates += (2...99).map { Self.label("\(candidates.last ?? "imported")-\($0)") }
        let isFree = { (name: String) in
            (self.shared["\(kind)/\(name)"] ?? spec) == spec && !ImportedRollout.builtInGates.contains(name)
                && !(kind == .servingRuntime && self.acceptance.runtimes.contains(name))
        }
        let name = candidates.first(where: isFree) ?? candidates[0]
        guard self.shared.updateValue(spec, forKey: "\(kind)/\(name)") == nil else { return name }
        let node = ManifestNode.members(
            .init("apiVersion", .text(ManifestKind.apiVersion)),
            .init("kind", .text(kind.rawValue)),
            .init("metadata", .members(.init("name", .text(name)))),
            .init("spec", spec)
        )
        self.manifests.append(ImportedManifest(kind, name: name, from: source, yaml: node.rendered))
        return name
    }

    // MARK: - What all objects have

    func namespace(of object: ImportObject) -> String { object.namespace ?? self.namespace }

    /// A deployment of an object's name, namespace and labels, called by `service` within the cluster.
    func deployment(of object: ImportObject, service: String? = nil) -> ImportedDeployment {
        let namespace = Self.label(self.namespace(of: object))
        let base = Self.label(object.name)
        let isFree = { (name: String) in !self.deployments.contains("\(namespace)/\(name)") }
        let name = ([base] + (2...99).map { Self.label("\(base.prefix(60))-\($0)") }).first(where: isFree) ?? base
        if name != object.name {
            let why = base == object.name ? "another has the name" : "names have no dots and at most 63 characters"
            object.root["metadata"]?["name"]?.chosen("\(why): it is called \(name.inBackticks)")
        }
        var deployment = ImportedDeployment(name: name, namespace: namespace, service: Self.label(service ?? name))
        deployment.labels = (object.root["metadata"]?["labels"]?.members ?? []).compactMap { key, field in
            guard let text = field.node.scalarText, NameForm.isIdentifier(key, also: "-./"), text.utf8.count <= 256
            else { return nil }
            field.carried()
            return (key, text)
        }
        return deployment
    }

    /// The URI as it is when our reader takes it; otherwise a place to decide on.
    func uri(_ uri: String, for name: String, at field: ImportField) -> ImportedDeployment.Commented<String> {
        if self.acceptance.accepts(uri: uri) {
            field.carried()
            return .init(uri)
        }
        let place = "file:///srv/models/\(name)"
        let authority = uri.firstRange(of: "://").map { uri[$0.upperBound...].prefix { $0 != "/" } } ?? ""
        // It may be a password.
        let shown = authority.contains("@") ? "the address, without its user and password" : uri
        field.decide("the daemon does not fetch from there: put the files where it can, and name that in `model.uri`")
        return .init(place, "to decide: where the daemon finds the files of \(shown)")
    }

    private func readCommon(_ object: ImportObject) {
        object.root.disregard("apiVersion", "kind", "status")
        guard let metadata = object.root["metadata"] else { return }
        metadata["name"]?.carried()
        metadata["namespace"]?.carried()
        metadata.disregard(
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "managedFields",
            "selfLink",
            "ownerReferences",
            "finalizers",
            "generateName"
        )
        if !object.kind.isImported { metadata["labels"]?.meaningless() }
        if let annotations = metadata["annotations"] { ImportAnnotations.read(annotations) }
    }

    /// A name as ours are: in lower case, without dots, at most 63 characters.
    static func label(_ text: String) -> String {
        let letters = text.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        let trimmed = String(letters.drop { $0 == "-" }.prefix(63))
        let end = trimmed.lastIndex { $0 != "-" }
        return end.map { String(trimmed[...$0]) } ?? "imported"
    }
}
