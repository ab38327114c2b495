import Deployments

extension Shape {
    static let runtimeSpec = Shape(
        "runtimeSpec",
        [
            .optional("formats", "[{name: onnx, priority: 1}]"),
            .optional("protocol", "open-inference-v2"),
            .required("command", "[python3, -m, model_server, --port, \"${port}\"]"),
            .optional("env", "{OMP_NUM_THREADS: \"${parameters.threads}\"}"),
            .optional("readiness", "{path: \"/v2/models/${model.name}/ready\"}"),
            .optional("startup", "{timeout: 10m}"),
            .optional("metrics", "{path: /metrics}"),
            .optional("shutdown", "{drain: 10s, grace: 30s}"),
        ],
        unavailable: ["image": "remove it; replicas run as processes, started with `command`"]
    )
    static let format = Shape("format", [.required("name", "onnx"), .optional("priority", "1")])
    static let readiness = Shape(
        "readiness",
        [
            .required("path", "\"/v2/models/${model.name}/ready\""),
            .optional("period", "1s"),
            .optional("timeout", "1s"),
            .optional("successThreshold", "2"),
            .optional("failureThreshold", "3"),
        ]
    )
    static let startup = Shape("startup", [.optional("timeout", "10m")])
    static let metrics = Shape("metrics", [.required("path", "/metrics")])
    static let shutdown = Shape("shutdown", [.optional("drain", "10s"), .optional("grace", "30s")])
}

extension ServingRuntime {
    /// What a runtime's texts may hold.
    static let variables = ["model.path", "model.name", "model.version", "port", "host"]
    static let parameterPrefix = "parameters."

    /// The parameters that a deployment must give.
    var parameterNames: Set<String> {
        let texts = self.command + self.environment.values + [self.readiness.path]
        let names = texts.flatMap(TemplateVariables.names).filter { $0.hasPrefix(Self.parameterPrefix) }
        return Set(names.map { String($0.dropFirst(Self.parameterPrefix.count)) })
    }

    init(name: String, decoding spec: Members, in field: Field) {
        self.init(name: name, command: [])
        self.formats = spec["formats"]?.list()?.compactMap { Format(decoding: $0) } ?? []
        if Set(self.formats.map(\.name)).count < self.formats.count {
            spec["formats"]?.error("a format is listed twice: keep the one with the right priority")
        }
        self.protocolName = spec["protocol"]?.choice(of: ServingProtocol.self) ?? .openInferenceV2
        self.command = spec["command"]?.list(limit: 256)?.compactMap { $0.templated() } ?? []
        if let command = spec["command"], self.command.first?.isEmpty ?? true {
            command.expected("a program and its arguments")
        }
        self.environment =
            spec["env"]?.dictionary(
                limit: 128,
                key: NameForm.isEnvironmentVariable,
                keyForm: "letters, digits and underscores, no digit first",
                value: { $0.templated() }
            ) ?? [:]
        if let readiness = spec["readiness"]?.members(of: .readiness) { self.readiness = Probe(decoding: readiness) }
        let timeouts: ClosedRange<Duration> = .seconds(1) ... .hours(24)
        self.startupTimeout =
            spec["startup"]?.members(of: .startup)?["timeout"]?.duration(in: timeouts) ?? self.startupTimeout
        self.metricsPath = spec["metrics"]?.members(of: .metrics)?["path"]?.path()
        if let shutdown = spec["shutdown"]?.members(of: .shutdown) {
            self.shutdown.drain = shutdown["drain"]?.duration(in: .zero ... .hours(1)) ?? self.shutdown.drain
            self.shutdown.grace = shutdown["grace"]?.duration(in: .zero ... .hours(1)) ?? self.shutdown.grace
        }
        let texts = self.command + self.environment.values
        if spec["command"] != nil, !texts.flatMap(TemplateVariables.names).contains("port") {
            field.error("neither `command` nor `env` holds `${port}`: the server must listen where the router sends")
        }
    }
}

extension ServingRuntime.Format {
    fileprivate init?(decoding field: Field) {
        guard let members = field.members(of: .format), let name = members["name"]?.label() else { return nil }
        self.init(name: name, priority: members["priority"]?.integer(in: 0...1000) ?? 1)
    }
}

extension ServingRuntime.Probe {
    fileprivate init(decoding members: Members) {
        let range: ClosedRange<Duration> = .milliseconds(10) ... .minutes(10)
        self.init(path: members["path"]?.templatedPath() ?? "/")
        self.period = members["period"]?.duration(in: range) ?? self.period
        self.timeout = members["timeout"]?.duration(in: range) ?? self.timeout
        self.successThreshold = members["successThreshold"]?.integer(in: 1...100) ?? self.successThreshold
        self.failureThreshold = members["failureThreshold"]?.integer(in: 1...1000) ?? self.failureThreshold
    }
}

extension Field {
    private func checkRuntimeVariables(in text: String) {
        self.checkVariables(in: text, known: ServingRuntime.variables, prefix: ServingRuntime.parameterPrefix)
    }

    fileprivate func templated() -> String? {
        let text = self.string(limit: 4096, isMultiline: true)
        if let text { self.checkRuntimeVariables(in: text) }
        return text
    }

    fileprivate func templatedPath() -> String? {
        let path = self.path(also: "{}")
        if let path { self.checkRuntimeVariables(in: path) }
        return path
    }
}
