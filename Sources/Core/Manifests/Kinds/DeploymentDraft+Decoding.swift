import Deployments

extension Shape {
    static let deploymentMetadata = Shape(
        "deploymentMetadata",
        [
            .required("name", "file-type"),
            .optional("namespace", "search"),
            .optional("labels", "{team: search}"),
        ]
    )
    static let deploymentSpec = Shape(
        "deploymentSpec",
        [
            .required(
                "model",
                "{name: magika, version: \"3.3\", format: onnx, uri: \"https://models.example/m.onnx\"}"
            )
        ] + Self.defaultsSpec.fields
    )
    static let defaultsMetadata = Shape(
        "defaultsMetadata",
        [.optional("labels", "{team: search}")],
        excluded: [
            "name": "`name` is each deployment's own, and a file of defaults needs none: remove it",
            "namespace": "`namespace` is part of a deployment's name, and can't be a default: write it into each",
        ]
    )
    static let defaultsSpec = Shape(
        "defaultsSpec",
        [
            .optional("runtime", "onnx"),
            .optional("parameters", "{threads: \"2\"}"),
            .optional("replicas", "3"),
            .optional("autoscaling", "{minReplicas: 2, maxReplicas: 8, targetConcurrency: 4}"),
            .optional("resources", "{cpu: 500m, memory: 2Gi}"),
            .optional("golden", "golden/file-type.jsonl"),
            .optional("signature", "unchanged"),
            .optional("route", "{pathPrefix: /v2/models/file-type}"),
            .optional("slos", "[{name: availability, objective: 99.5, indicator: {availability: {}}, window: 30d}]"),
            .optional("rollout", "{steps: [{weight: 5}, {weight: 50}]}"),
            .optional("dependsOn", "[embedder]"),
        ],
        excluded: ["model": "`model` is what each deployment is about, and can't be a default: write it into each"]
    )
    static let autoscaling = Shape(
        "autoscaling",
        [
            .required("minReplicas", "2"),
            .required("maxReplicas", "8"),
            .required("targetConcurrency", "4"),
            .optional("scaleDownAfter", "5m"),
        ]
    )
    static let resources = Shape(
        "resources",
        [.optional("cpu", "500m"), .optional("memory", "2Gi"), .optional("gpu", "0")]
    )
    static let route = Shape(
        "route",
        [
            .optional("hosts", "[models.example]"),
            .optional("pathPrefix", "/v2/models/file-type"),
            .optional("timeout", "2s"),
            .optional("affinity", "{header: x-user-id}"),
        ]
    )
    static let affinity = Shape("affinity", [.required("header", "x-user-id")])
}

extension DeploymentDraft {
    /// The name of the deployment that a document declares, without logging anything.
    static func id(of document: YAMLNode) -> DeploymentID? {
        guard let metadata = document["metadata"], let name = metadata["name"]?.scalarText else { return nil }
        let namespace = metadata["namespace"].map(\.scalarText) ?? "default"
        guard let namespace, NameForm.isLabel(name), NameForm.isLabel(namespace) else { return nil }
        return DeploymentID(namespace: namespace, name: name)
    }

    /// The name, when the document is a ModelDeployment that has one.
    static func id(declaredBy document: YAMLNode) -> DeploymentID? {
        guard document["apiVersion"]?.scalarText == ManifestKind.apiVersion,
            document["kind"]?.scalarText == ManifestKind.modelDeployment.rawValue
        else { return nil }
        return Self.id(of: document)
    }

    /// What `document`, a mapping, declares; what is wrong is in its log as well.
    init(id: DeploymentID, layers: [String], decoding document: Field) {
        self.init(id: id, file: document.log.path, layers: layers, document: document.site)
        self.decode(document)
    }

    /// Finds what is wrong with a document of defaults by itself.
    static func check(defaults document: Field) {
        guard let members = document.members(of: .modelDeploymentDefaults) else { return }
        _ = members["metadata"]?.members(of: .defaultsMetadata)?["labels"]?.labels(layeredAs: .defaults)
        guard let spec = members["spec"]?.layered(as: .defaults).members(of: .defaultsSpec) else { return }
        var draft = DeploymentDraft(id: DeploymentID(namespace: "", name: ""), file: "", document: document.site)
        _ = draft.decodeOptional(spec, document.log)
    }

    private mutating func decode(_ document: Field) {
        guard let members = document.members(of: .modelDeployment) else { return }
        if let metadata = members["metadata"]?.members(of: .deploymentMetadata) {
            _ = metadata["name"]?.label()
            _ = metadata["namespace"]?.label()
            self.labels = metadata["labels"]?.labels(layeredAs: .manifest) ?? [:]
        }
        guard let spec = members["spec"]?.layered(as: .manifest).members(of: .deploymentSpec) else { return }
        if let model = spec["model"]?.members(of: .model) {
            self.model = Model(decoding: model)
            self.format = model["format"]?.site
        }
        // Of steps that can't be read, nothing can be said.
        if self.decodeOptional(spec, document.log) {
            self.rollout.checkSurge(replicas: self.replicaCounts, noting: document.log)
        }
    }

    /// What can be a default.
    ///
    /// - Returns: Whether the rollout has no errors.
    private mutating func decodeOptional(_ spec: Members, _ log: DiagnosticLog) -> Bool {
        self.runtime = spec["runtime"]?.reference()
        if let parameters = spec["parameters"] {
            self.parametersSite = parameters.site
            self.parameters = parameters.parameters() ?? [:]
            self.inheritedParameters = parameters.inheritedMembers
        }
        self.replicas = spec["replicas"]?.integer(in: Self.replicaRange) ?? 1
        if let field = spec["autoscaling"], let autoscaling = field.members(of: .autoscaling) {
            self.autoscaling = Autoscaling(decoding: autoscaling, in: Self.replicaRange)
            self.replicas = self.autoscaling?.minReplicas ?? 1
            spec["replicas"]?.conflict(
                with: field,
                "`replicas` and `autoscaling` exclude each other: remove `replicas`, or `autoscaling`"
            )
        }
        if let resources = spec["resources"]?.members(of: .resources) {
            self.resources = Resources(
                milliCPU: resources["cpu"]?.milliCPU() ?? 0,
                memory: resources["memory"]?.bytes() ?? 0,
                gpu: resources["gpu"]?.integer(in: 0...1024) ?? 0
            )
        }
        self.golden = spec["golden"].flatMap { field in
            field.string(form: "the path of a .jsonl file, relative to this one", where: Self.isGoldenPath)
                .map { Reference(name: $0, site: field.site) }
        }
        self.signature = spec["signature"]?.choice(of: SignaturePolicy.self) ?? .unchanged
        if let field = spec["route"] {
            self.routeSite = field.site
            if let route = field.members(of: .route) { self.route = Route(decoding: route) }
        }
        if let objectives = spec["slos"]?.list(limit: 16) { self.objectives = Objective.list(decoding: objectives) }
        let problems = log.errorCount
        if let rollout = spec["rollout"]?.members(of: .rollout) { self.rollout = RolloutDraft(decoding: rollout) }
        defer { self.dependsOn = spec["dependsOn"]?.list()?.compactMap { $0.dependency() } ?? [] }
        return log.errorCount == problems
    }

    /// A thousand processes are more than one machine holds; beyond, it is a slip of the finger.
    private static let replicaRange = 1...1000

    /// Every number of replicas that there may be.
    private var replicaCounts: ClosedRange<Int> {
        self.replicas...max(self.replicas, self.autoscaling?.maxReplicas ?? self.replicas)
    }

    private static func isGoldenPath(_ path: String) -> Bool {
        path.hasSuffix(".jsonl") && !path.hasPrefix("/")
    }
}

extension Field {
    /// - Returns: None when defaults are left out.
    fileprivate func labels(layeredAs layering: Layering) -> [String: String]? {
        self.node.isWrittenNull ? nil : self.layered(as: layering).labels()
    }

    package func labels() -> [String: String]? {
        self.dictionary(
            key: { NameForm.isIdentifier($0, also: "-./") },
            keyForm: "letters, digits, and inside also . _ - and /",
            value: { $0.string(limit: 256) }
        )
    }

    fileprivate func parameters() -> [String: String]? {
        self.dictionary(
            key: { NameForm.isIdentifier($0, also: "-.") },
            keyForm: "letters, digits, and inside also . _ and -",
            value: { $0.string(limit: 4096, isMultiline: true) }
        )
    }

    /// `name` or `namespace/name`.
    fileprivate func dependency() -> Reference? {
        let name = self.string(form: "the name of a deployment, with its namespace and / before it if that differs") {
            let parts = $0.split(separator: "/", omittingEmptySubsequences: false)
            return parts.count <= 2 && parts.allSatisfy { NameForm.isLabel(String($0)) }
        }
        return name.map { Reference(name: $0, site: self.site) }
    }
}

extension Autoscaling {
    /// - Returns: Nothing when a number is missing or wrong, which is logged.
    fileprivate init?(decoding members: Members, in range: ClosedRange<Int>) {
        let least = members["minReplicas"]?.integer(in: range)
        let most = members["maxReplicas"]?.integer(in: range)
        let target = members["targetConcurrency"]?.concurrency()
        let after = members["scaleDownAfter"].map { $0.duration(in: .seconds(10) ... .hours(24)) }
        if let least, let most, most < least {
            let advice = "raise `maxReplicas`, or lower `minReplicas`"
            members["maxReplicas"]?.conflict(
                with: members["minReplicas"],
                "\(most) is less than `minReplicas`, which is \(least): \(advice)"
            )
            return nil
        }
        guard let least, let most, let target, let after = after ?? Self.defaultScaleDownAfter else { return nil }
        self.init(minReplicas: least, maxReplicas: most, targetConcurrency: target, scaleDownAfter: after)
    }
}

extension Field {
    /// Requests in flight per replica. A hundredth is one request in a hundred replicas.
    fileprivate func concurrency() -> Double? {
        guard let number = self.number() else { return nil }
        guard (0.01...1_000_000).contains(number) else {
            self.expected("a number of requests from 0.01 to 1000000")
            return nil
        }
        return number
    }
}

extension Route {
    fileprivate init(decoding members: Members) {
        self.init()
        self.hosts = members["hosts"]?.list()?.compactMap { $0.hostName() } ?? []
        if Set(self.hosts).count < self.hosts.count { members["hosts"]?.error("a host is listed twice") }
        self.pathPrefix = members["pathPrefix"]?.path() ?? self.pathPrefix
        self.timeout = members["timeout"]?.duration(in: .milliseconds(1) ... .hours(1)) ?? self.timeout
        self.affinityHeader = members["affinity"]?.members(of: .affinity)?["header"]?.headerName()
    }
}

extension Field {
    /// A path of a URL, without query. It may also hold the characters of `inner`.
    func path(also inner: String = "") -> String? {
        self.string(form: "a path that starts with / and has no //, .., spaces, ? or #") {
            NameForm.isPath($0, also: inner)
        }
    }
}
