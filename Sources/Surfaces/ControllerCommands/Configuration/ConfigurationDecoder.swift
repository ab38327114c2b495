import Deployments
import Manifests

/// Makes a configuration of the members of its file. What has errors is replaced with defaults, to find all of them.
struct ConfigurationDecoder {
    let sources: SettingSources

    func configuration(from members: Members?, log: DiagnosticLog) -> Configuration {
        let state = self.sources.value(of: .stateDirectory, else: members?["stateDirectory"]) { $0.absolutePath() }
        let stateDirectory = state ?? "/var/lib/controller"
        let socket = self.sources.value(of: .socket, else: members?["socket"]) { $0.absolutePath() }
        // What was seen counts as fresh for 10 s; a look must have failed thrice before it is not.
        let periods: ClosedRange<Duration> = .milliseconds(100) ... .seconds(3)
        var configuration = Configuration(
            stateDirectory: stateDirectory,
            socket: socket ?? Configuration.defaultSocket,
            logLevel: self.sources.value(of: .logLevel, else: members?["logLevel"]) {
                $0.choice(of: Configuration.LogLevel.self)
            } ?? .info,
            poll: self.sources.value(of: .poll, else: members?["poll"]) { $0.duration(in: periods) } ?? .seconds(1),
            runtimes: self.sources.list(of: .runtimes, else: members?["runtimes"]) { $0.absolutePath() } ?? [],
            repositories: [],
            providers: [],
            webhooks: members?["webhooks"].flatMap { Configuration.Webhooks(decoding: $0) },
            metrics: members?["metrics"].flatMap { Configuration.Metrics(decoding: $0) },
            api: members?["api"].flatMap { Configuration.API(decoding: $0) },
            artifacts: self.artifacts(from: members?["artifacts"]?.members(of: .artifacts), state: stateDirectory),
            modelRegistry: members?["modelRegistry"].flatMap { Configuration.ModelRegistry(decoding: $0) },
            modelUpdates: [],
            local: self.local(from: members?["local"]?.members(of: .local), at: members?["local"]),
            journal: Configuration.Journal(decoding: members?["journal"]?.members(of: .journal)),
            audit: Configuration.Audit(decoding: members?["audit"]?.members(of: .audit)),
            jobPrograms: members?["jobs"]?.members(of: .jobs)?["programs"]?.list(limit: 100)?
                .compactMap { $0.absolutePath() } ?? [],
            warnings: []
        )
        self.checkLengths(configuration, members, log: log)
        self.checkMetrics(configuration, members?["metrics"])
        self.checkAPI(configuration, members?["api"])
        if let repositories = members?["repositories"]?.list(limit: 100) {
            let credentials = self.gitCredentials(from: members?["gitCredentials"])
            configuration.repositories = repositories.compactMap {
                Configuration.Repository(decoding: $0, others: credentials)
            }
            if repositories.isEmpty { members?["repositories"]?.error("there must be a repository to watch: add one") }
            Self.checkUnique(repositories, configuration.repositories.map(\.name), "repositories")
            Self.checkFetches(repositories, configuration.repositories)
            self.checkWebhooks(configuration, members?["webhooks"], repositories, log: log)
        }
        if let providers = members?["providers"]?.list(limit: 100) {
            configuration.providers = providers.compactMap { Configuration.Provider(decoding: $0) }
            Self.checkUnique(providers, configuration.providers.map(\.name), "providers")
        }
        if let updates = members?["modelUpdates"]?.list(limit: 1000) {
            configuration.modelUpdates = updates.compactMap { Configuration.ModelUpdate(decoding: $0) }
            configuration.check(modelUpdates: members?["modelUpdates"], updates)
        }
        configuration.notifications = Configuration.Notifications(decoding: members?["notifications"])
        return configuration
    }

    /// Two that differ in their folders only fetch the same twice.
    private static func checkFetches(_ fields: [Field], _ repositories: [Configuration.Repository]) {
        // What could not be read was told, and is not among them.
        guard fields.count == repositories.count else { return }
        for (index, repository) in repositories.enumerated() {
            let twin = repositories[..<index].first { other in
                var other = other
                other.name = repository.name
                other.paths = repository.paths
                return other == repository
            }
            guard let twin else { continue }
            fields[index].warning(
                "this fetches what \(twin.name.inBackticks) fetches: name the folders of both there, in `paths`, and "
                    + "one fetch brings them"
            )
        }
    }

    /// The kernel's limit for the path of a Unix socket is 108 bytes with its final zero, and the lock beside it needs
    /// four more. Envoy's own socket is in the state directory.
    private func checkLengths(_ configuration: Configuration, _ members: Members?, log: DiagnosticLog) {
        for (name, path, limit) in [
            ("socket", configuration.socket, 103), ("stateDirectory", configuration.stateDirectory, 90),
        ] {
            let length = path.utf8.count
            guard length > limit else { continue }
            let message =
                "the path has \(length) bytes and may have \(limit): choose a shorter one"
            log.add(.error, at: members?[name]?.node.position ?? TextPosition(line: 1, column: 1), field: name, message)
        }
    }

    private func gitCredentials(from field: Field?) -> [Configuration.GitCredential] {
        guard let fields = field?.list(limit: 100) else { return [] }
        let credentials = fields.compactMap { Configuration.GitCredential(decoding: $0) }
        Self.checkUnique(fields, credentials.map(\.prefix), "credentials")
        return credentials
    }

    /// Names that two of a list have. Lists that lost an item have been complained about already.
    static func checkUnique(_ fields: [Field], _ names: [String], _ what: String) {
        guard fields.count == names.count else { return }
        var seen: Set<String> = []
        for (field, name) in zip(fields, names) where !seen.insert(name).inserted {
            field.error("there are two \(what) named \(name.inBackticks): rename one")
        }
    }

    private func artifacts(from members: Members?, state: String) -> Configuration.Artifacts {
        let directory = members?["directory"]?.absolutePath()
        let maxSize = members?["maxSize"]?.bytes(in: 1...(1 << 50))
        let timeout = members?["timeout"]?.duration(in: .seconds(1) ... .hours(24))
        return Configuration.Artifacts(
            directory: directory ?? state + "/artifacts",
            fileRoots: members?["fileRoots"]?.list(limit: 100)?.compactMap { $0.absolutePath() } ?? [],
            maxSize: maxSize ?? 20 << 30,
            timeout: timeout ?? .minutes(30)
        )
    }

    private func local(from members: Members?, at field: Field?) -> Configuration.Local {
        let envoy = self.sources.value(of: .envoy, else: members?["envoy"]) {
            $0.string(limit: 4096, form: "the name of a program, or its absolute path") { text in
                !text.isEmpty && (text.hasPrefix("/") || !text.contains("/"))
            }
        }
        let listen = self.sources.value(of: .listen, else: members?["listen"]) { $0.socketAddress() }
        let ports = self.sources.value(of: .ports, else: members?["ports"]) { $0.portRange() }
        let names = members?["environment"]?.list()?.compactMap { $0.environmentVariable() } ?? []
        let capacity = members?["capacity"]?.members(of: .capacity)
        let local = Configuration.Local(
            envoy: envoy ?? "envoy",
            listen: listen ?? SocketAddress(host: "127.0.0.1", port: 8080),
            ports: ports ?? 19_000...19_999,
            environment: ["PATH"] + names.filter { $0 != "PATH" },
            capacity: Capacity(
                milliCPU: capacity?["cpu"]?.milliCPU(),
                memory: capacity?["memory"]?.bytes(),
                gpu: capacity?["gpu"]?.integer(in: 0...1024)
            )
        )
        if local.ports.contains(local.listen.port) {
            let message = "the router's own port \(local.listen.port) is one of the replicas' ports: keep them apart"
            (members?["ports"] ?? members?["listen"] ?? field)?.error(message)
        }
        return local
    }
}

extension Field {
    /// Without a slash at its end.
    func absolutePath() -> String? {
        let path = self.string(limit: 4096, form: "an absolute path") {
            $0.hasPrefix("/") && $0.count > 1 && !$0.split(separator: "/").contains("..")
        }
        guard var path else { return nil }
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    func socketAddress() -> SocketAddress? {
        let form = "a host and a port, such as 127.0.0.1:8080"
        return self.string(form: form) { SocketAddress($0) != nil }.flatMap(SocketAddress.init)
    }

    fileprivate func portRange() -> ClosedRange<Int>? {
        func parse(_ text: String) -> ClosedRange<Int>? {
            let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
            guard ends.count == 2, ends[0] <= ends[1], ends[0] >= 1024, ends[1] <= 65_535 else { return nil }
            return ends[0]...ends[1]
        }
        let form = "a range of ports between 1024 and 65535, such as 19000-19999"
        return self.string(form: form) { parse($0) != nil }.flatMap(parse)
    }

    fileprivate func environmentVariable() -> String? {
        self.string(form: "the name of a variable, such as LANG", where: NameForm.isEnvironmentVariable)
    }
}
