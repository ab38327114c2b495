import Foundation

/// One content of the manifest.
struct Release: Sendable {
    var version: String
    var faults = "none"
    var digest: String?
    /// In the place of the file that is written for the version.
    var uri: String?
    var steps: [Step] = [Step(25), Step(60)]
    /// The gates of a step before those that copies every request; without any there is no such step.
    var shadowGates: [String] = []
    var gates = ["errors"]
    var onInconclusive = "promote"
    var revert = "none"
    var bakeTime = "0s"
    /// Percent of the traffic that the previous revision keeps while the new one bakes.
    var holdback = 5
    var replicas = 1
    /// Instead of `replicas`, as the manifest says it.
    var autoscaling: String?
    /// Percent of the replicas that the canary may add.
    var surge = 100
    /// Lines of `rollout` besides, such as `beforeRollout: {approval: {}}`.
    var signOffs: [String] = []

    struct Step: Sendable {
        var weight: Int
        var atLeast: String
        var atMost: String

        init(_ weight: Int, atLeast: String = "1s", atMost: String = "1500ms") {
            self.weight = weight
            self.atLeast = atLeast
            self.atMost = atMost
        }

        /// Only a verdict ends it.
        static func long(_ weight: Int) -> Step { Step(weight, atLeast: "30m", atMost: "1h") }
    }

    func manifest(models: String) -> String {
        let shadow = self.shadowGates.joined(separator: ", ")
        let first = "{shadow: {percent: 100}, gates: [\(shadow)], atLeast: 1s, atMost: 1h}"
        let weights = self.steps.map { "{weight: \($0.weight), atLeast: \($0.atLeast), atMost: \($0.atMost)}" }
        let steps = (shadow.isEmpty ? [] : [first]) + weights
        let digest = self.digest.map { "\n    digest: \"\($0)\"" } ?? ""
        return """
            apiVersion: controller/v1
            kind: ModelDeployment
            metadata: {name: echo}
            spec:
              model:
                name: echo
                version: "\(self.version)"
                format: echo
                uri: "\(self.uri ?? "file://\(models)/\(self.version)")"\(digest)
              runtime: echo
              parameters: {faults: "\(self.faults)"}
              \(self.autoscaling.map { "autoscaling: \($0)" } ?? "replicas: \(self.replicas)")
              rollout:
                steps: [\(steps.joined(separator: ", "))]
                gates: [\(self.gates.joined(separator: ", "))]
                onInconclusive: \(self.onInconclusive)
                revert: \(self.revert)
                bakeTime: \(self.bakeTime)
                holdback: \(self.holdback)
                surge: \(self.surge)%
                progressDeadline: 2m
            \(self.signOffs.map { "    \($0)\n" }.joined())
            """
    }

    static func runtime(python: String, server: String) -> String {
        """
        apiVersion: controller/v1
        kind: ServingRuntime
        metadata: {name: echo}
        spec:
          formats: [{name: echo}]
          command:
            - "\(python)"
            - "-SE"
            - "\(server)"
            - "--host=${host}"
            - "--port=${port}"
            - "--model-name=${model.name}"
            - "--model-version=${model.version}"
            - "--model-path=${model.path}"
            - "--faults=${parameters.faults}"
          readiness: {path: "/v2/models/${model.name}/ready", period: 200ms, timeout: 2s, failureThreshold: 5}
          startup: {timeout: 1m}
          shutdown: {drain: 1s, grace: 5s}

        """
    }
}
