import Deployments
import Manifests

/// Manifests to start from, and the shortest way to read them.
enum Fixture {
    static let origin = CommitReference(
        repository: "models",
        branch: "main",
        commit: "1eabc9a4c0ffee00c0ffee00c0ffee00c0ffee00",
        subject: "Serve 3.3",
        author: "Ada"
    )

    static let runtime = """
        apiVersion: controller/v1
        kind: ServingRuntime
        metadata: {name: onnx}
        spec:
          formats: [{name: onnx, priority: 1}]
          protocol: open-inference-v2
          command: [python3, -m, model_server, --model-dir, "${model.path}", --name, "${model.name}", --port, "${port}"]
          env: {OMP_NUM_THREADS: "${parameters.threads}"}
          readiness:
            path: "/v2/models/${model.name}/ready"
            period: 2s
            timeout: 3s
            successThreshold: 2
            failureThreshold: 4
          startup: {timeout: 5m}
          metrics: {path: /metrics}
          shutdown: {drain: 11s, grace: 31s}
        """

    static let template = """
        apiVersion: controller/v1
        kind: AnalysisTemplate
        metadata: {name: prediction-errors}
        spec:
          threshold:
            provider: prometheus
            query: 'sum(rate(wrong{revision="${revision}"}[1m]))'
            min: 0
            max: 0.25
            interval: 15s
            count: 6
            failureLimit: 2
            consecutiveErrorLimit: 3
            initialDelay: 1m
          onFailure: hold
        """

    /// With every field that there is.
    static let complete = """
        apiVersion: controller/v1
        kind: ModelDeployment
        metadata:
          name: file-type
          namespace: search
          labels: {team: search}
        spec:
          model:
            name: magika
            version: "3.3"
            format: onnx
            uri: https://models.example/magika/3.3.tar.gz
            digest: sha256:fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c
            source: {commit: 9c1d2e4, run: "mlflow:4f1c"}
          runtime: onnx
          parameters: {threads: "2"}
          replicas: 3
          resources: {cpu: "2", memory: 2Gi, gpu: 1}
          golden: golden/file-type.jsonl
          signature: any
          route:
            hosts: [file-type.models.example]
            pathPrefix: /v2/models/file-type
            timeout: 2s
            affinity: {header: x-user-id}
          slos:
            - name: availability
              objective: 99.5
              indicator: {availability: {}}
              window: 7d
            - name: latency
              objective: 99
              indicator: {latency: {below: 250ms}}
          rollout:
            strategy: canary
            steps:
              - weight: 5
              - weight: 25
                gates: [errors, latency, prediction-errors]
                atLeast: 5m
                atMost: 1h
              - approval: {}
              - weight: 50
            gates: [errors, client-errors]
            onInconclusive: rollback
            bakeTime: 10m
            progressDeadline: 15m
            surge: 100%
          dependsOn: [embedder, other/thing]
        """

    static let golden = """
        {"request": {"inputs": [{"data": [1.50]}]}, "expected": {"label": "python"}, "tolerance": 0.01}

        {"expected": {"label": "zip"}, "request": {"inputs": []}}

        """

    /// A deployment with only what must be there.
    static func minimal(_ name: String = "file-type", namespace: String? = nil, spec: String = "") -> String {
        """
        apiVersion: controller/v1
        kind: ModelDeployment
        metadata: {name: \(name)\(namespace.map { ", namespace: \($0)" } ?? "")}
        spec:
          model: {name: magika, version: v1, format: onnx, uri: file:///srv/models/m.onnx}
          parameters: {threads: "1"}
          route: {pathPrefix: /\(name)}
        \(spec)
        """
    }

    /// Says nothing that the complete manifest does not say itself.
    static let defaults = """
        apiVersion: controller/v1
        kind: ModelDeploymentDefaults
        metadata: {labels: {team: others}}
        spec:
          resources: {cpu: "1", memory: 1Gi, gpu: 0}
          rollout:
            bakeTime: 1h
            steps: [{weight: 50}]
        """

    static let everything = [
        "deployments/search/defaults.yaml": Fixture.defaults,
        "deployments/search/file-type.yaml": Fixture.complete,
        "deployments/search/golden/file-type.jsonl": Fixture.golden,
        "deployments/embedder.yaml": Fixture.minimal("embedder", namespace: "search"),
        "deployments/thing.yml": Fixture.minimal("thing", namespace: "other"),
        "deployments/runtimes/onnx.yaml": Fixture.runtime,
        "deployments/gates.yaml": Fixture.template,
    ]

    static func files(_ texts: [String: String]) -> [SourceFile] {
        texts.map { SourceFile(path: $0.key, blob: "", bytes: Array($0.value.utf8)) }
    }

    static func read(
        _ texts: [String: String],
        library: [String: String] = [:],
        limits: ManifestLimits = ManifestLimits()
    ) -> DesiredState {
        ManifestReader(library: Self.files(library), limits: limits).read(Self.files(texts), origin: Self.origin)
    }

    /// Reads one manifest beside the runtime `onnx`, in the file `m.yaml`.
    static func read(_ manifest: String) -> DesiredState {
        Self.read(["m.yaml": manifest, "runtime.yaml": Self.runtime])
    }

    /// What is wrong with the complete manifest after one replacement in it.
    static func problems(replacing old: String, with new: String) -> [String] {
        var texts = Self.everything
        precondition(Self.complete.contains(old), "the fixture does not hold \(old)")
        texts["deployments/search/file-type.yaml"] = Self.complete.replacing(old, with: new, maxReplacements: 1)
        return Self.read(texts).diagnostics.map(\.description)
    }
}
