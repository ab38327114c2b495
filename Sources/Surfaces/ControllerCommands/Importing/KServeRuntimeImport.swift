import Deployments
import Manifests

/// KServe's ServingRuntime or ClusterServingRuntime, for an InferenceService that names it.
extension ImportConversion {
    func runtime(
        from object: ImportObject,
        format: String,
        for deployment: ImportedDeployment
    ) -> ImportedDeployment.Commented<String> {
        let fallback = ImportedDeployment.Commented(
            Self.label(object.name),
            "to decide: a ServingRuntime of this name"
        )
        guard let spec = object.spec else { return fallback }
        spec["supportedModelFormats"]?.chosen("it serves the format of who names it: \(format)")
        spec.disregard("protocolVersions", "disabled")
        spec.lose([
            "annotations": "manifests have labels, but no annotations",
            "labels": "runtimes have no labels",
            "multiModel": "a replica serves one model",
            "grpcEndpoint": "requests are HTTP",
            "grpcDataEndpoint": "requests are HTTP",
            "httpDataEndpoint": "requests go to ${host} and ${port}",
            "builtInAdapter": "a replica serves one model",
            "storageHelper": "artifacts are fetched by the daemon",
            "workerSpec": "a replica is one process on one machine",
            "replicas": "the number is the deployment's",
        ])
        let isV2 = spec["protocolVersions"]?.items.contains { $0.node.scalarText == "v2" } ?? false
        let pod = PodImport(spec, container: "kserve-container", port: "8080", conversion: self)
        return pod.kserveRuntime(named: Self.label(object.name), format: format, isV2: isV2) ?? fallback
    }
}

extension PodImport {
    /// What KServe puts in for every model.
    private static let placeholders = [
        ("{{.Name}}", "${model.name}"), ("{{ .Name }}", "${model.name}"), ("/mnt/models", "${model.path}"),
    ]

    fileprivate func kserveRuntime(
        named name: String,
        format: String,
        isV2: Bool
    ) -> ImportedDeployment.Commented<String>? {
        Self.read(pod: self.pod)
        return self.runtime(
            named: [name, "\(name)-\(format)"],
            placeholders: Self.placeholders,
            format: format,
            protocolName: isV2 ? "open-inference-v2" : "http"
        )
    }
}
