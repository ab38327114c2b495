/// How one kind of model server starts, says that it is ready, and stops.
package struct ServingRuntime: Hashable, Codable, Sendable {
    package var name: String
    package var formats: [Format]
    package var protocolName: ServingProtocol
    /// The program and its arguments. `${…}` is substituted into single arguments, never into a shell.
    package var command: [String]
    package var environment: [String: String]
    package var readiness: Probe
    package var startupTimeout: Duration
    package var metricsPath: String?
    package var shutdown: Shutdown

    package init(
        name: String,
        formats: [Format] = [],
        protocolName: ServingProtocol = .openInferenceV2,
        command: [String],
        environment: [String: String] = [:],
        readiness: Probe = Probe(path: "/v2/health/ready"),
        startupTimeout: Duration = .minutes(10),
        metricsPath: String? = nil,
        shutdown: Shutdown = Shutdown()
    ) {
        self.name = name
        self.formats = formats
        self.protocolName = protocolName
        self.command = command
        self.environment = environment
        self.readiness = readiness
        self.startupTimeout = startupTimeout
        self.metricsPath = metricsPath
        self.shutdown = shutdown
    }
}

extension ServingRuntime {
    /// A model format that the runtime serves; of two runtimes that claim one, the higher priority wins.
    package struct Format: Hashable, Codable, Sendable {
        package var name: String
        package var priority: Int

        package init(name: String, priority: Int = 1) {
            self.name = name
            self.priority = priority
        }
    }

    /// A `GET` that answers 200 once the model, not only its server, is ready.
    package struct Probe: Hashable, Codable, Sendable {
        package var path: String
        package var period: Duration
        package var timeout: Duration
        package var successThreshold: Int
        package var failureThreshold: Int

        package init(
            path: String,
            period: Duration = .seconds(1),
            timeout: Duration = .seconds(1),
            successThreshold: Int = 1,
            failureThreshold: Int = 3
        ) {
            self.path = path
            self.period = period
            self.timeout = timeout
            self.successThreshold = successThreshold
            self.failureThreshold = failureThreshold
        }
    }

    /// How a replica ends: out of the router for `drain` at the longest, SIGTERM, and SIGKILL after `grace`.
    package struct Shutdown: Hashable, Codable, Sendable {
        package var drain: Duration
        package var grace: Duration

        package init(drain: Duration = .seconds(10), grace: Duration = .seconds(30)) {
            self.drain = drain
            self.grace = grace
        }
    }
}

/// The dialect of a model server: where its metadata is and where predictions are posted.
package enum ServingProtocol: String, Hashable, Codable, Sendable, CaseIterable {
    case openInferenceV2 = "open-inference-v2"
    case torchserve
    case tensorflow
    case openai
    case http
}
