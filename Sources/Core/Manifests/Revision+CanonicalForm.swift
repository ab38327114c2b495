import Crypto
package import Deployments

extension Revision {
    /// The identity of what is served: the SHA-256 over ``canonicalForm(model:runtime:parameters:resources:)``.
    package init(model: Model, runtime: ServingRuntime, parameters: [String: String], resources: Resources) {
        self.init(
            model: model,
            runtime: runtime.canonicalForm.bytes,
            parameters: parameters,
            resources: resources
        )
    }

    /// The same, with the runtime's own canonical form.
    init(model: Model, runtime: [UInt8], parameters: [String: String], resources: Resources) {
        let form = Self.canonicalForm(model: model, runtime: runtime, parameters: parameters, resources: resources)
        var hash = SHA256()
        form.bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        let digest = hash.finalize()
        self.init(
            digest: String(unsafeUninitializedCapacity: 64) { text in
                for (index, byte) in digest.enumerated() {
                    text[2 * index] = Self.digit(byte >> 4)
                    text[2 * index + 1] = Self.digit(byte & 15)
                }
                return 64
            }
        )
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
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
        Self.canonicalForm(
            model: model,
            runtime: runtime.canonicalForm.bytes,
            parameters: parameters,
            resources: resources
        ).text
    }

    private static func canonicalForm(
        model: Model,
        runtime: [UInt8],
        parameters: [String: String],
        resources: Resources
    ) -> CanonicalJSON {
        CanonicalJSON.object([
            ("model", model.canonicalForm),
            ("runtime", .written(runtime)),
            ("parameters", .object(parameters.map { ($0, .string($1)) })),
            (
                "resources",
                .object([
                    ("milliCPU", .integer(Int64(resources.milliCPU))),
                    ("memory", .integer(resources.memory)),
                    ("gpu", .integer(Int64(resources.gpu))),
                ])
            ),
        ])
    }
}

extension Model {
    fileprivate var canonicalForm: CanonicalJSON {
        var members: [CanonicalJSON.Member] = [
            ("name", .string(self.name)),
            ("version", .string(self.version)),
            ("format", .string(self.format)),
            ("uri", .string(self.uri)),
        ]
        if let digest { members.append(("digest", .string(digest))) }
        return .object(members)
    }
}

extension ServingRuntime {
    var canonicalForm: CanonicalJSON {
        var members: [CanonicalJSON.Member] = [
            ("name", .string(self.name)),
            ("protocol", .string(self.protocolName.rawValue)),
            ("command", .array(self.command.map { .string($0) })),
            ("environment", .object(self.environment.map { ($0, .string($1)) })),
            (
                "readiness",
                .object([
                    ("path", .string(self.readiness.path)),
                    ("period", .integer(self.readiness.period.wholeMilliseconds)),
                    ("timeout", .integer(self.readiness.timeout.wholeMilliseconds)),
                    ("successThreshold", .integer(Int64(self.readiness.successThreshold))),
                    ("failureThreshold", .integer(Int64(self.readiness.failureThreshold))),
                ])
            ),
            ("startupTimeout", .integer(self.startupTimeout.wholeMilliseconds)),
            (
                "shutdown",
                .object([
                    ("drain", .integer(self.shutdown.drain.wholeMilliseconds)),
                    ("grace", .integer(self.shutdown.grace.wholeMilliseconds)),
                ])
            ),
        ]
        if let metricsPath { members.append(("metricsPath", .string(metricsPath))) }
        return .object(members)
    }
}
