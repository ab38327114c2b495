import Deployments
import Manifests

/// A ModelDeployment as it comes together.
struct ImportedDeployment {
    var name: String
    var namespace: String
    var labels: [(String, String)] = []
    var model: Commented<ImportedModel>
    var runtime: Commented<String>?
    var parameters: [(String, String)] = []
    var replicas: Int?
    var autoscaling: Autoscaling?
    /// `cpu`, `memory`, `gpu`.
    var resources: [(String, String)] = []
    var hosts: Commented<[String]>
    var pathPrefix: String?
    var timeout: Duration?
    /// 99 percent of the answers must be quicker.
    var latency: Duration?
    var rollout = ImportedRollout()

    /// A value, and what a person must still decide about it.
    struct Commented<Value> {
        var value: Value
        var comment: String?

        init(_ value: Value, _ comment: String? = nil) {
            self.value = value
            self.comment = comment
        }
    }

    struct Autoscaling {
        var minReplicas: Int
        var maxReplicas: Int
        var targetConcurrency: Commented<Int>
        var scaleDownAfter: Duration?
    }

    /// `service` is the name by which clients in the cluster call it.
    init(name: String, namespace: String, service: String) {
        self.name = name
        self.namespace = namespace
        self.model = Commented(ImportedModel(name: name))
        self.hosts = Commented(["\(service).\(namespace).svc.cluster.local"])
    }

    var manifest: ManifestNode {
        .members(
            .init("apiVersion", .text(ManifestKind.apiVersion)),
            .init("kind", .text(ManifestKind.modelDeployment.rawValue)),
            .init(
                "metadata",
                .members(
                    .init("name", .text(self.name)),
                    .init("namespace", .text(self.namespace)),
                    self.labels.isEmpty ? nil : .init("labels", Self.texts(self.labels))
                )
            ),
            .init("spec", self.spec)
        )
    }

    private var spec: ManifestNode {
        .members(
            .init("model", self.model.value.node, comment: self.model.comment),
            self.runtime.map { .init("runtime", .text($0.value), comment: $0.comment) },
            self.parameters.isEmpty ? nil : .init("parameters", Self.texts(self.parameters)),
            self.autoscaling == nil ? self.replicas.map { .init("replicas", .plain("\($0)")) } : nil,
            self.autoscaling.map { .init("autoscaling", $0.node) },
            self.resources.isEmpty
                ? nil : .init("resources", .mapping(self.resources.map { .init($0, .plain($1)) })),
            .init("route", self.route),
            self.latency.map { .init("slos", Self.objectives(latency: $0)) },
            self.rollout.node.map { .init("rollout", $0) }
        )
    }

    private var route: ManifestNode {
        .members(
            .init("hosts", .flow(self.hosts.value), comment: self.hosts.comment),
            self.pathPrefix.map { .init("pathPrefix", .text($0)) },
            self.timeout.map { .init("timeout", .plain(Quantity.text($0))) }
        )
    }

    private static func texts(_ pairs: [(String, String)]) -> ManifestNode {
        .mapping(pairs.map { .init($0, .text($1)) })
    }

    private static func objectives(latency: Duration) -> ManifestNode {
        func objective(_ name: String, _ indicator: ManifestNode) -> ManifestNode.Item {
            .init(
                value: .members(
                    .init("name", .text(name)),
                    .init("objective", .plain("99")),
                    .init("indicator", indicator)
                )
            )
        }
        let below = ManifestNode.members(.init("below", .plain(Quantity.text(latency))))
        return .sequence([
            objective("availability", .members(.init("availability", .mapping([])))),
            objective("latency", .members(.init("latency", below))),
        ])
    }
}

/// What a ModelDeployment serves.
struct ImportedModel {
    var name: String
    var version = "1"
    var format = "custom"
    var uri: ImportedDeployment.Commented<String>

    init(name: String) {
        self.name = name
        self.uri = .init("file:///srv/models/\(name)")
    }

    var node: ManifestNode {
        .members(
            .init("name", .text(self.name)),
            .init("version", .text(self.version)),
            .init("format", .text(self.format)),
            .init("uri", .text(self.uri.value), comment: self.uri.comment)
        )
    }
}

extension ImportedDeployment.Autoscaling {
    fileprivate var node: ManifestNode {
        .members(
            .init("minReplicas", .plain("\(self.minReplicas)")),
            .init("maxReplicas", .plain("\(self.maxReplicas)")),
            .init(
                "targetConcurrency",
                .plain("\(self.targetConcurrency.value)"),
                comment: self.targetConcurrency.comment
            ),
            self.scaleDownAfter.map { .init("scaleDownAfter", .plain(Quantity.text($0))) }
        )
    }
}
