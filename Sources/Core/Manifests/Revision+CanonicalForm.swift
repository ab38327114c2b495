import Crypto
package import Deployments

extension Revision {
    /// The identity of what is served: the SHA-256 over ``canonicalForm(model:runtime:parameters:resources:)``.
    package init(model: Model, runtime: ServingRuntime, parameters: [String: String], resources: Resources) {
        let form = Self.canonicalForm(model: model, runtime: runtime, parameters: parameters, resources: resources)
        let digits = Array("0123456789abcdef".utf8)
        let bytes = SHA256.hash(data: Array(form.utf8)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        self.init(digest: String(decoding: bytes, as: UTF8.self))
    }

    /// The text that identifies what is served, independent of how the manifest was written.
    ///
    /// One JSON object without spaces, members in the order of their names' UTF-8 bytes, durations in whole
    /// milliseconds, memory in bytes, CPU in thousandths of a core. Every default is written out, so stating one
    /// changes nothing. What is absent (`digest`, `metricsPath`) is left out. A field that a later version adds enters
    /// the form only when it differs from its default: an upgrade must not start a rollout of everything.
    ///
    /// Not part of it: the model's `source`, and the runtime's `formats`, which only choose the runtime.
    package static func canonicalForm(
        model: Model,
        runtime: ServingRuntime,
        parameters: [String: String],
        resources: Resources
    ) -> String {
        CanonicalJSON.object([
            "model": model.canonicalForm,
            "runtime": runtime.canonicalForm,
            "parameters": .object(parameters.mapValues { .string($0) }),
            "resources": .object([
                "milliCPU": .integer(Int64(resources.milliCPU)),
                "memory": .integer(resources.memory),
                "gpu": .integer(Int64(resources.gpu)),
            ]),
        ]).text
    }
}

extension Model {
    fileprivate var canonicalForm: CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "name": .string(self.name),
            "version": .string(self.version),
            "format": .string(self.format),
            "uri": .string(self.uri),
        ]
        if let digest { members["digest"] = .string(digest) }
        return .object(members)
    }
}

extension ServingRuntime {
    fileprivate var canonicalForm: CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "name": .string(self.name),
            "protocol": .string(self.protocolName.rawValue),
            "command": .array(self.command.map { .string($0) }),
            "environment": .object(self.environment.mapValues { .string($0) }),
            "readiness": .object([
                "path": .string(self.readiness.path),
                "period": .integer(self.readiness.period.wholeMilliseconds),
                "timeout": .integer(self.readiness.timeout.wholeMilliseconds),
                "successThreshold": .integer(Int64(self.readiness.successThreshold)),
                "failureThreshold": .integer(Int64(self.readiness.failureThreshold)),
            ]),
            "startupTimeout": .integer(self.startupTimeout.wholeMilliseconds),
            "shutdown": .object([
                "drain": .integer(self.shutdown.drain.wholeMilliseconds),
                "grace": .integer(self.shutdown.grace.wholeMilliseconds),
            ]),
        ]
        if let metricsPath { members["metricsPath"] = .string(metricsPath) }
        return .object(members)
    }
}
